/*
 * This table wraps calls that a signal ends early even if its handler is
 * installed with SA_RESTART: sleeps, and waits for descriptors. If the signal
 * was this profiler's, the wait goes on with the time that is left. If a
 * handler of the application has run, the caller gets EINTR as without the
 * profiler.
 *
 * Waits for signals are in masks.h, those of sockets in sockets.h, those of
 * queues in queues.h.
 *
 * Rule: every error is the original's. The time that is left of a sleep is
 * counted here.
 */
#ifndef PP_HOOK_SLEEPS_H
#define PP_HOOK_SLEEPS_H

#include "hook/got.h"
#include "hook/through.h"

#define PP_SLEEP_HOOKS 14

extern const struct pp_got_hook pp_hook_sleep[PP_SLEEP_HOOKS];

/* epoll_wait() as wrapped here, for the adapter, which wraps that function in
 * the program itself. */
struct epoll_event;
int pp_sleeps_epoll_wait(int fd, struct epoll_event *events, int max, int ms);

#endif
