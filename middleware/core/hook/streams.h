/*
 * This table wraps the calls of stdio. They wait within the C library, where
 * calls pass no table: for the stream's other end, or for a lock that another
 * thread holds. It also wraps pthread_once() and call_once(), in which threads
 * wait for the one that runs the function.
 *
 * The waiting itself is not done here: the originals wait.
 *
 * Rule: while nobody measures, each call costs one branch and a jump. While
 * somebody does, a call that has not waited leaves no trace.
 */
#ifndef PP_HOOK_STREAMS_H
#define PP_HOOK_STREAMS_H

#include "hook/got.h"

#define PP_STREAM_HOOKS 46

extern const struct pp_got_hook pp_hook_stream[PP_STREAM_HOOKS];

#endif
