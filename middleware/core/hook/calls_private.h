/*
 * The wrapper of a call that may wait, for the hooks of such calls. Nobody else
 * includes this.
 */
#ifndef PP_HOOK_CALLS_PRIVATE_H
#define PP_HOOK_CALLS_PRIVATE_H

#include "capture/called.h"

/* Defines hook_<name>(), which calls `real` and records it as `call` of
 * base/calls.h. The recording is a function of its own, so that hook_<name>(),
 * which every call passes, needs no frame. */
#define PP_CALL_WRAPPER(type, name, call, real, parameters, arguments)         \
	static __attribute__((noinline)) type watched_##name parameters        \
	{                                                                      \
		struct pp_called called;                                       \
		type result;                                                   \
                                                                               \
		pp_called_begin(&called, PP_CALL_##call);                      \
		result = real arguments;                                       \
		pp_called_end(&called, PP_CALL_##call);                        \
		return (result);                                               \
	}                                                                      \
                                                                               \
	static type hook_##name parameters                                     \
	{                                                                      \
		if (pp_called_watched())                                       \
			return (watched_##name arguments);                     \
		return (real arguments);                                       \
	}

/* The same for a function that is called often and seldom waits. */
#define PP_SLOW_WRAPPER(type, name, call, real, parameters, arguments)         \
	static __attribute__((noinline)) type watched_##name parameters        \
	{                                                                      \
		struct pp_called called;                                       \
		type result;                                                   \
                                                                               \
		pp_called_begin_slow(&called);                                 \
		result = real arguments;                                       \
		pp_called_end_slow(&called, PP_CALL_##call);                   \
		return (result);                                               \
	}                                                                      \
                                                                               \
	static type hook_##name parameters                                     \
	{                                                                      \
		if (pp_called_watched())                                       \
			return (watched_##name arguments);                     \
		return (real arguments);                                       \
	}

#endif
