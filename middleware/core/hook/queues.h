/*
 * This table wraps waits for message queues and semaphores of System V, and for
 * asynchronous input and output. A signal ends these waits early even if its
 * handler is installed with SA_RESTART. sleeps.h says how they go on.
 *
 * Rule: every result of a wrapper is a result of the original.
 */
#ifndef PP_HOOK_QUEUES_H
#define PP_HOOK_QUEUES_H

#include "hook/got.h"

#define PP_QUEUE_HOOKS 6

extern const struct pp_got_hook pp_hook_queue[PP_QUEUE_HOOKS];

#endif
