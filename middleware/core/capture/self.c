/*
 * The one pp_self of a process, and what each thread knows of itself. All of
 * capture/ uses these variables; this file calls nothing. The start-up is in
 * start.c.
 */
#include "capture/self.h"

struct pp_self pp_self;
__thread struct pp_thread *pp_thread_self;
__thread int pp_thread_gone;
__thread uint32_t pp_label_now;
__thread uint64_t pp_self_inflight;
__thread uint64_t pp_self_request;
__thread volatile int pp_unwind_off;
