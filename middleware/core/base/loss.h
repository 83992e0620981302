/*
 * What workers can lose, and under which name each loss is shown. What only the
 * collector can lose is not here.
 *
 * One table: the counters in the arena, the comment lines of a profile and
 * the loss list of the index page iterate it. A new way to lose something is
 * a new line here.
 *
 * Rule: code that drops, cuts or gives up adds 1 before it goes on.
 */
#ifndef PP_BASE_LOSS_H
#define PP_BASE_LOSS_H

/* X(enum suffix, key in the profile's comments, sentence for people) */
#define PP_LOSS_TABLE(X)                                                       \
	X(SAMPLES_DROPPED, "samples_dropped",                                  \
	    "CPU samples lost because the worker's ring was full")             \
	X(SAMPLES_STACKLESS, "samples_stackless",                              \
	    "CPU samples kept without a stack: the thread was inside the "     \
	    "unwinder")                                                        \
	X(STACKS_TRUNCATED, "stacks_truncated",                                \
	    "stacks cut at the frame limit, root frames missing")              \
	X(STACKS_SHORT, "stacks_short",                                        \
	    "stacks of CPU samples that end before their thread's first "      \
	    "function: in code without unwind information, or in a coroutine") \
	X(UNWINDER_STALE, "unwinder_stale",                                    \
	    "times that code was unloaded, its addresses could not be kept, "  \
	    "and the unwinder cannot forget them: since then its process's "   \
	    "samples are without a stack")                                     \
	X(TIMER_OVERRUNS, "timer_overruns",                                    \
	    "timer expiries that shared a signal; their time is in the "       \
	    "sample that came")                                                \
	X(THREADS_UNSAMPLED, "threads_unsampled",                              \
	    "threads that could not be given a timer")                         \
	X(LABELS_DROPPED, "labels_dropped",                                    \
	    "label sets lost because the worker's label table was full")       \
	X(TASKS_UNLABELLED, "tasks_unlabelled",                                \
	    "tasks that ran without their request's labels: table full")       \
	X(OBJECTS_DROPPED, "objects_dropped",                                  \
	    "loaded objects that did not fit the object table")                \
	X(HEAP_DROPPED, "heap_samples_dropped",                                \
	    "heap samples lost because the table of sums was full")            \
	X(HEAP_UNTRACKED, "heap_samples_untracked",                            \
	    "heap samples counted as allocated and at once as freed: the "     \
	    "table of live samples was full")                                  \
	X(HEAP_STACKLESS, "heap_samples_stackless",                            \
	    "heap samples kept without a stack: the stack table was full, or " \
	    "the thread was inside the unwinder")                              \
	X(HEAP_TRUNCATED, "heap_stacks_truncated",                             \
	    "stacks of heap samples cut at the frame limit")                   \
	X(HEAP_SHORT, "heap_stacks_short",                                     \
	    "stacks of heap samples that end before their thread's first "     \
	    "function")                                                        \
	X(WAITS_DROPPED, "waits_dropped",                                      \
	    "block and mutex samples lost because the table of sums was full") \
	X(WAITS_STACKLESS, "waits_stackless",                                  \
	    "block and mutex samples kept without a stack")                    \
	X(WAITS_TRUNCATED, "waits_stacks_truncated",                           \
	    "stacks of block and mutex samples cut at the frame limit")        \
	X(WAITS_SHORT, "waits_stacks_short",                                   \
	    "stacks of block and mutex samples that end before their "         \
	    "thread's first function")                                         \
	X(CONTENDED_DROPPED, "contended_dropped",                              \
	    "waits for a mutex whose holder could not be charged: too many "   \
	    "contended at once")                                               \
	X(INFLIGHT_DROPPED, "flights_dropped",                                 \
	    "requests and tasks in progress that did not fit the table")       \
	X(CUSTOM_DROPPED, "own_dropped",                                       \
	    "additions to the application's own profiles that did not fit")    \
	X(TRACE_DROPPED, "trace_dropped",                                      \
	    "trace events lost: a thread's ring was full, or the table of "    \
	    "requests was")                                                    \
	X(RINGS_REPAIRED, "rings_repaired",                                    \
	    "rings skipped ahead over what a killed worker left half written") \
	X(SLOTS_EMPTIED, "slots_emptied",                                      \
	    "times that all of a dead worker's tables were emptied for its "   \
	    "successor, since their sizes made no sense")

enum pp_loss {
#define PP_LOSS_ENUM(name, key, sentence) PP_LOSS_##name,
	PP_LOSS_TABLE(PP_LOSS_ENUM)
#undef PP_LOSS_ENUM
	    PP_LOSS_COUNT
};

#endif
