/*
 * Calls of stdio, which wait within the C library where no call table leads
 * through: for the stream's other end, or for a lock that another thread holds;
 * and pthread_once(), whose first caller others wait for.
 *
 * Not the waiting itself: all is the original's.
 *
 * Rule: off, each costs one branch and a jump. On, what has not waited leaves
 * no trace.
 */
#ifndef PP_HOOK_STREAMS_H
#define PP_HOOK_STREAMS_H

#include "hook/got.h"

#define PP_STREAM_HOOKS 46

extern const struct pp_got_hook pp_stream_hooks[PP_STREAM_HOOKS];

#endif
