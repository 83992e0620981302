/*
 * Every bound of kore-pprof, each with the reason for its value.
 *
 * Not options: an operator changes none of these. What an operator may set
 * is read from PPROF_* and checked against the ranges here.
 *
 * Rule: nothing grows with traffic or with time. A structure is as large as
 * the number here says, what does not fit is counted (base/loss.h). A test
 * build shrinks them with -DPP_..., so that "full" happens in every run.
 */
#ifndef PP_BASE_LIMITS_H
#define PP_BASE_LIMITS_H

/* Kore counts workers in 8 bits and keeps two of the numbers for itself. */
#define PP_WORKERS_MAX 253

/* Frames kept of a stack, leaf first. Go keeps 128 since 1.23; a Kore
 * handler under libunwind is 12 to 40 deep. */
#ifndef PP_FRAMES_MAX
#define PP_FRAMES_MAX 128
#endif

/* Threads of one worker that can be sampled at the same time. A Kore worker
 * has 1 + task_threads (2); libraries rarely add more than a pool. */
#ifndef PP_THREADS_MAX
#define PP_THREADS_MAX 256
#endif

/* CPU ring of one worker, in 8-byte words. One sample is 4 words and its
 * frames: at 10,000 Hz, two busy threads and 30 frames that is 5.4 MB/s,
 * and the collector drains every 20 ms then. Power of two. */
#ifndef PP_CPU_RING_WORDS
#define PP_CPU_RING_WORDS (1U << 16)
#endif

/* Trace rings, in 8-byte words: of an event loop, and of each other thread.
 * 25,000 requests a second are some 3 MB/s; the collector drains every 20 ms
 * while somebody traces, and may be kept from it for 300. Powers of two. */
#ifndef PP_TRACE_LOOP_WORDS
#define PP_TRACE_LOOP_WORDS (1U << 17)
#endif
#ifndef PP_TRACE_THREAD_WORDS
#define PP_TRACE_THREAD_WORDS (1U << 14)
#endif

/* A text that the application writes into a trace; longer ones are cut. */
#define PP_TRACE_TEXT_MAX 256

/* Traces in progress at once; seconds= and max= of one, in bytes. Readers need
 * 50 to 80 times the file in memory. */
#define PP_TRACES_MAX	       8
#define PP_TRACE_SECONDS_MAX   3600
#define PP_TRACE_BYTES_DEFAULT (64 << 20)
#define PP_TRACE_BYTES_MIN     (64 << 10)
#define PP_TRACE_BYTES_MAX     (1 << 30)
#define PP_TRACE_ENDED_EARLY   "ended early: max= was reached"

/* What the collector follows of all workers while somebody traces: requests,
 * tasks and threads in progress; threads (rows of the file); tasks and regions
 * of the application that are open; distinct names; and, of one trace,
 * distinct stacks. What does not fit is counted. */
#ifndef PP_TRACE_GS_MAX
#define PP_TRACE_GS_MAX (1U << 16)
#endif
#ifndef PP_TRACE_PS_MAX
#define PP_TRACE_PS_MAX 1024
#endif
#ifndef PP_TRACE_OPEN_MAX
#define PP_TRACE_OPEN_MAX (1U << 14)
#endif
#ifndef PP_TRACE_NAMES_MAX
#define PP_TRACE_NAMES_MAX (1U << 14)
#endif
#ifndef PP_TRACE_STACKS_MAX
#define PP_TRACE_STACKS_MAX (1U << 16)
#endif

/* Label sets of one worker (route × method, and the application's own), as
 * words of text, and the index over them. Both a power of two. */
#ifndef PP_LABEL_WORDS
#define PP_LABEL_WORDS (1U << 15)
#endif
#ifndef PP_LABEL_INDEX
#define PP_LABEL_INDEX (1U << 11)
#endif

/* Longest text of one label set: "key\0value\0key\0value\0". A longer value
 * is cut and counted. Kore itself cuts a path at 2,000 bytes. */
#define PP_LABEL_SET_MAX  1024
#define PP_LABELS_PER_SET 16

/* Stacks that stay (heap, and what waits), as words, and the index over
 * them: 8,000 call stacks of 30 frames a worker; a service has some hundreds
 * that allocate. Both a power of two. */
#ifndef PP_STACK_WORDS
#define PP_STACK_WORDS (1U << 18)
#endif
#ifndef PP_STACK_INDEX
#define PP_STACK_INDEX (1U << 14)
#endif

/* Sums kept by (stack, labels, size class) of one worker's heap. */
#ifndef PP_HEAP_ROWS
#define PP_HEAP_ROWS (1U << 14)
#endif
#ifndef PP_HEAP_INDEX
#define PP_HEAP_INDEX (1U << 15)
#endif

/* Sampled allocations that live: at the default rate 64 GiB of them, 2 MiB of
 * table when it is full. Power of two. */
#ifndef PP_HEAP_LIVE
#define PP_HEAP_LIVE (1U << 17)
#endif

/* Mean bytes between two heap samples: Go's default, and what is allowed.
 * Rates that one worker's life may have seen; one more is refused. */
#define PP_HEAP_RATE_DEFAULT (512 * 1024)
#define PP_HEAP_RATE_MAX     (1U << 30)
#define PP_HEAP_RATES	     16

/* Sums of waits by (stack, labels, what for), block and mutex each: a service
 * waits in some hundred places. The index is a power of two. */
#ifndef PP_WAIT_ROWS
#define PP_WAIT_ROWS (1U << 12)
#endif
#ifndef PP_WAIT_INDEX
#define PP_WAIT_INDEX (1U << 13)
#endif

/* Longest mean time between two block samples, and the rarest mutex sample. */
#define PP_BLOCK_RATE_MAX     (3600LL * 1000000000LL)
#define PP_MUTEX_FRACTION_MAX 1000000

/* Mutexes that threads wait for at the same time in one worker. */
#ifndef PP_CONTENDED_MAX
#define PP_CONTENDED_MAX 1024
#endif

/* Requests and tasks in progress in one worker: Kore takes 1,000 requests
 * by default, http_request_limit may be more. */
#ifndef PP_FLIGHTS_MAX
#define PP_FLIGHTS_MAX (1U << 14)
#endif
#define PP_FLIGHT_PATH_MAX 120

/* Routes by method whose requests are counted in one worker, in buckets of
 * time: 2 to the 10th ns (1 us) to 2 to the 37th (137 s), eight for each power
 * of two, and one for what is shorter, one for what is longer. Power of two. */
#ifndef PP_ROUTES_MAX
#define PP_ROUTES_MAX 512
#endif
#define PP_ROUTE_TIME_FIRST 10
#define PP_ROUTE_TIME_LAST  37
#define PP_ROUTE_TIME_STEPS 8
#define PP_ROUTE_TIMES                                                         \
	((PP_ROUTE_TIME_LAST - PP_ROUTE_TIME_FIRST) * PP_ROUTE_TIME_STEPS + 2)

/* Routes that are shown, of all workers: they have the same ones. */
#define PP_ROUTES_SHOWN_MAX (2 * PP_ROUTES_MAX)
/* Requests of a worker that died whose texts are kept, the deaths of one slot
 * that may wait to be read, and CPU samples kept as its last. */
#define PP_LAST_FLIGHTS 8
#define PP_LAST_DEATHS	4
#define PP_LAST_SAMPLES 8

/* Stalls and deaths that are remembered. */
#ifndef PP_STALLS_MAX
#define PP_STALLS_MAX 100
#endif

/* How long a handler may hold its event loop before it is a stall. */
#define PP_STALL_MS_DEFAULT 1000
#define PP_STALL_MS_MAX	    86400000

/* Profiles of the application's own, the length of their names, and what one
 * worker holds in all of them. The table is a power of two. */
#define PP_OWN_MAX	16
#define PP_OWN_NAME_MAX 64
#ifndef PP_OWN_LIVE
#define PP_OWN_LIVE (1U << 15)
#endif

/* Labels that one thread may push within each other. */
#define PP_LABEL_DEPTH 16

/* Pools of one worker: Kore 4.1.0 has 23. */
#define PP_POOLS_MAX	 48
#define PP_POOL_NAME_MAX 32

/* How far a lookup walks an index before the table counts as full. */
#define PP_PROBES_MAX 64

/* Objects (executable, libraries) one process has ever loaded; a reload of
 * a changed module takes one more. */
#ifndef PP_OBJECTS_MAX
#define PP_OBJECTS_MAX 512
#endif
#define PP_OBJECT_NAME_MAX 256
#define PP_BUILD_ID_MAX	   32

/* Tasks between kore_task_run() and their end that carry labels. */
#ifndef PP_TASKS_MAX
#define PP_TASKS_MAX 4096
#endif

/* hz= of a CPU profile: one in ten microseconds of a sample is already 1% of
 * a core spent in the handler. */
#define PP_HZ_MIN     1
#define PP_HZ_MAX     10000
#define PP_HZ_DEFAULT 100

/* seconds= of a profile: Go's default, and a day. */
#define PP_SECONDS_DEFAULT 30
/* What the page's form begins with: somebody sits there and waits. */
#define PP_SECONDS_PAGE 5
#define PP_SECONDS_MAX	86400

/* CPU profiles in progress at once; the next client gets 503. */
#ifndef PP_SESSIONS_MAX
#define PP_SESSIONS_MAX 256
#endif

/* The flight recorder: samples a second, in slices of so long, kept for so
 * long, in so much memory; then the oldest slices go. 1,000 stacks of 40 frames
 * a slice take 16 MiB in 15 minutes. */
#define PP_RECORDER_HZ_DEFAULT 19
#define PP_RECORDER_HZ_MAX     1000
#define PP_RECORDER_SECONDS    900
#define PP_SLICE_NS	       (10 * 1000000000LL)
#define PP_SLICES_MAX	       (PP_RECORDER_SECONDS / 10 + 2)
#ifndef PP_RECORDER_BYTES
#define PP_RECORDER_BYTES (24U << 20)
#endif

/* Words of all stacks in one answer of the recorder: 15 minutes of 1,000
 * stacks of 40 frames a slice fit that never come twice. And addresses of a
 * slice that are named before somebody asks; a power of two. */
#ifndef PP_RECORDER_WORDS_MAX
#define PP_RECORDER_WORDS_MAX (4U << 20)
#endif
#ifndef PP_RECORDER_NAMES_MAX
#define PP_RECORDER_NAMES_MAX (1U << 14)
#endif

/* Samples that profiles with seconds= keep of their first readings, all of
 * them together: some 300 bytes each. A service has some thousand; the next
 * client gets 503. */
#ifndef PP_DELTA_SAMPLES_MAX
#define PP_DELTA_SAMPLES_MAX (1U << 20)
#endif

/* Distinct samples (stack, labels, thread) of one session, and stack words
 * shared by all sessions. Plain recursion makes nearly every sample a stack
 * of its own (docs/decisions/0001): 10 minutes at 100 Hz on two threads fit. */
#ifndef PP_SESSION_SAMPLES_MAX
#define PP_SESSION_SAMPLES_MAX (1U << 17)
#endif
#ifndef PP_SESSION_WORDS_MAX
#define PP_SESSION_WORDS_MAX (6U << 20)
#endif

/* The tree of calls behind a picture of a profile: 48 bytes a node. Plain
 * recursion makes a node of nearly every frame of every sample; what is past
 * the bound is drawn as that. Boxes of an SVG: more than one for each pixel of
 * a screen's width and 20 rows are not seen. Bytes of a text made from a
 * tree. */
#ifndef PP_TREE_NODES_MAX
#define PP_TREE_NODES_MAX (1U << 19)
#endif
#define PP_PICTURE_BOXES_MAX 20000
#ifndef PP_PICTURE_BYTES_MAX
#define PP_PICTURE_BYTES_MAX (32U << 20)
#endif

/* A request as it crosses from a worker to the collector, and its body
 * (POST symbol: 19 bytes an address; pprof sends one mapping at a time). */
#define PP_REQUEST_PATH_MAX  2048
#define PP_REQUEST_QUERY_MAX 8192
#define PP_REQUEST_BODY_MAX  (4U << 20)

/* What a collector may keep, in MiB (base/budget.h). Half of the least is what
 * one profile's stacks and the files' DWARF take. */
#define PP_MEMORY_MIB_DEFAULT 256
#define PP_MEMORY_MIB_MIN     64
#define PP_MEMORY_MIB_MAX     65536

/* Requests whose body is on its way to the collector at once. */
#define PP_BODIES_MAX 16

/* If-None-Match of a request for an asset: our own tags are 18 bytes, a
 * cache between may list a few. A longer one counts as absent. */
#define PP_REQUEST_MATCH_MAX 256

/* Accept-Encoding: browsers send some 30 bytes. A longer one counts as
 * absent. */
#define PP_REQUEST_ACCEPT_MAX 256

/* Requests waiting in the collector at once, each with a reply socket: twice
 * the CPU profiles that may run, so that short ones always get in. */
#ifndef PP_REQUESTS_MAX
#define PP_REQUESTS_MAX 512
#endif

/* Clients of the collector's own door at once: people and scrapers, not
 * traffic. With more, the one that has been slow for longest gives way. */
#ifndef PP_VISITS_MAX
#define PP_VISITS_MAX 64
#endif

/* Of these, who wait for something that takes longer than so long; who waits
 * for more than half a second, which each profile of the CPU does; and who waits
 * at all. Profiles of a day must not keep those of five seconds out, and these
 * not the doctor; and whoever comes then must have a place in which to ask. The
 * next one gets 503. */
#ifndef PP_VISITS_LONG_MAX
#define PP_VISITS_LONG_MAX 48
#endif
#define PP_VISIT_LONG_NS (5 * 1000000000LL)
#ifndef PP_VISITS_WHILE_MAX
#define PP_VISITS_WHILE_MAX 56
#endif
#define PP_VISIT_WHILE_NS (1000000000LL / 2)
#ifndef PP_VISITS_WAIT_MAX
#define PP_VISITS_WAIT_MAX 60
#endif

/* Header lines of an answer ("name: value\n"...), as text. */
#define PP_ANSWER_HEADERS_MAX 2048

/* The service's own command line, as cmdline gives it back. */
#define PP_CMDLINE_MAX 4096

#endif
