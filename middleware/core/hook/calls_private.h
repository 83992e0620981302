/*
 * The wrapper of a system call that is traced, for calls.c and sleeps.c.
 * Nobody else includes this.
 */
#ifndef PP_HOOK_CALLS_PRIVATE_H
#define PP_HOOK_CALLS_PRIVATE_H

#include "capture/trace.h"

/* hook_<name>(), which calls `real`, as `call` of the trace. Two functions, so
 * that the one that is always in the way needs no frame. */
#define PP_CALL_WRAPPER(type, name, call, real, parameters, arguments)         \
	static __attribute__((noinline)) type traced_##name parameters         \
	{                                                                      \
		uint64_t began = pp_trace_call(PP_TRACE_CALL_##call);          \
		type result = real arguments;                                  \
                                                                               \
		pp_trace_called(PP_TRACE_CALL_##call, began);                  \
		return (result);                                               \
	}                                                                      \
                                                                               \
	static type hook_##name parameters                                     \
	{                                                                      \
		if (pp_trace_active())                                         \
			return (traced_##name arguments);                      \
		return (real arguments);                                       \
	}

#endif
