/*
 * Every bound of kore-pprof, each with the reason for its value.
 *
 * Not options: an operator changes none of these. The options (PPROF_*) are
 * checked against the ranges here.
 *
 * Rule: nothing grows with traffic or with time. A structure is as large as its
 * number here says, and an entry that does not fit is counted (base/loss.h). A
 * test build shrinks the numbers with -DPP_..., so that a table is full in
 * every run.
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

/* CPU ring of one worker, in 8-byte words. A sample takes 6 words and one more
 * for each frame: at 10,000 Hz, two busy threads and 30 frames that is
 * 5.8 MB/s, and the collector then drains every 20 ms. Power of two. */
#ifndef PP_CPU_RING_WORDS
#define PP_CPU_RING_WORDS (1U << 16)
#endif

/* Trace rings, in 8-byte words: of an event loop, and of each other thread.
 * 25,000 requests a second are some 3 MB/s. While somebody traces, the
 * collector drains every 20 ms, and a ring lasts if it is late by 300 ms.
 * Powers of two. */
#ifndef PP_TRACE_LOOP_WORDS
#define PP_TRACE_LOOP_WORDS (1U << 17)
#endif
#ifndef PP_TRACE_THREAD_WORDS
#define PP_TRACE_THREAD_WORDS (1U << 14)
#endif

/* Bytes of a text that the application writes into a trace; a longer text is
 * cut. */
#define PP_TRACE_TEXT_MAX 256

/* Traces in progress at once, and the ranges of seconds= and max= (bytes) of
 * one trace. A program that reads a trace needs 50 to 80 times its size in
 * memory. */
#define PP_TRACES_MAX	       8
#define PP_TRACE_SECONDS_MAX   3600
#define PP_TRACE_BYTES_DEFAULT (64 << 20)
#define PP_TRACE_BYTES_MIN     (64 << 10)
#define PP_TRACE_BYTES_MAX     (1 << 30)
#define PP_TRACE_ENDED_EARLY   "ended early: max= was reached"

/* While somebody traces, the collector follows of all workers at most so many:
 * requests, tasks and threads in progress; threads (lines of the picture);
 * tasks and regions of the application that are open; distinct names; and, for
 * each trace, distinct stacks. What does not fit is counted. */
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
 * 8-byte words of text, and the index over the sets. Both powers of two. */
#ifndef PP_LABEL_WORDS
#define PP_LABEL_WORDS (1U << 15)
#endif
#ifndef PP_LABEL_INDEX
#define PP_LABEL_INDEX (1U << 11)
#endif

/* Longest text of one label set, bytes: "key\0value\0key\0value\0". A pair that
 * does not fit is left out and counted. Kore itself refuses a path of more than
 * 2,000 bytes. */
#define PP_LABEL_SET_MAX  1024
#define PP_LABELS_PER_SET 16

/* Stacks that stay (of heap samples, of waits), as 8-byte words, and the index
 * over the stacks: a worker has room for 8,000 stacks of 30 frames, and a
 * service has some hundreds that allocate. Both powers of two. */
#ifndef PP_STACK_WORDS
#define PP_STACK_WORDS (1U << 18)
#endif
#ifndef PP_STACK_INDEX
#define PP_STACK_INDEX (1U << 14)
#endif

/* Counters of one worker's heap, by (stack, labels, size class), and the index
 * over them, a power of two. */
#ifndef PP_HEAP_COUNTERS
#define PP_HEAP_COUNTERS (1U << 14)
#endif
#ifndef PP_HEAP_INDEX
#define PP_HEAP_INDEX (1U << 15)
#endif

/* Heap samples that are not freed yet: at the default rate they stand for
 * 64 GiB, and a full table takes 2 MiB. Power of two. */
#ifndef PP_HEAP_LIVE
#define PP_HEAP_LIVE (1U << 17)
#endif

/* Mean bytes between two heap samples: Go's default, and the largest. And how
 * many rates a slot can know; samples of one more are dropped and counted. */
#define PP_HEAP_RATE_DEFAULT (512 * 1024)
#define PP_HEAP_RATE_MAX     (1U << 30)
#define PP_HEAP_RATES	     16

/* Counters of waits by (stack, labels, kind of wait), for block and mutex each:
 * a service waits at some hundred stacks. The index is a power of two. */
#ifndef PP_WAIT_COUNTERS
#define PP_WAIT_COUNTERS (1U << 12)
#endif
#ifndef PP_WAIT_INDEX
#define PP_WAIT_INDEX (1U << 13)
#endif

/* The largest mean time between two block samples (ns), and the rarest mutex
 * sample: one in so many. */
#define PP_BLOCK_RATE_MAX     (3600LL * 1000000000LL)
#define PP_MUTEX_FRACTION_MAX 1000000

/* Mutexes that threads wait for at the same time in one worker. */
#ifndef PP_CONTENDED_MAX
#define PP_CONTENDED_MAX 1024
#endif

/* Requests and tasks in progress in one worker: Kore takes 1,000 requests
 * by default, and http_request_limit may be larger. Bytes kept of a path. */
#ifndef PP_INFLIGHT_MAX
#define PP_INFLIGHT_MAX (1U << 14)
#endif
#define PP_INFLIGHT_PATH_MAX 120

/* Routes by method whose requests are counted in one worker; a power of two.
 * Their times are counted in buckets: eight for each power of two from 2^10 ns
 * (1 us) to 2^37 ns (137 s), one for shorter and one for longer times. */
#ifndef PP_ROUTES_MAX
#define PP_ROUTES_MAX 512
#endif
#define PP_ROUTE_TIME_FIRST 10
#define PP_ROUTE_TIME_LAST  37
#define PP_ROUTE_TIME_STEPS 8
#define PP_ROUTE_TIMES                                                         \
	((PP_ROUTE_TIME_LAST - PP_ROUTE_TIME_FIRST) * PP_ROUTE_TIME_STEPS + 2)

/* Routes that are shown for all workers together: all workers have the same. */
#define PP_ROUTES_SHOWN_MAX (2 * PP_ROUTES_MAX)
/* A crash record keeps so many requests and so many CPU samples of a worker
 * that died. A slot keeps so many crash records until the collector has read
 * them. */
#define PP_CRASH_INFLIGHT 8
#define PP_CRASH_RECORDS  4
#define PP_RECENT_SAMPLES 8

/* Stalls and deaths that are remembered. */
#ifndef PP_STALLS_MAX
#define PP_STALLS_MAX 100
#endif

/* A handler that holds its event loop for longer than this is a stall. */
#define PP_STALL_MS_DEFAULT 1000
#define PP_STALL_MS_MAX	    86400000

/* Custom profiles of the application, the bytes of a name with its NUL, and the
 * things that one worker holds in all of them (a power of two). */
#define PP_CUSTOM_MAX	   16
#define PP_CUSTOM_NAME_MAX 64
#ifndef PP_CUSTOM_LIVE
#define PP_CUSTOM_LIVE (1U << 15)
#endif

/* Labels that one thread may push without a pop between. */
#define PP_LABEL_DEPTH 16

/* Pools of one worker: Kore 4.1.0 has 23. */
#define PP_POOLS_MAX	 48
#define PP_POOL_NAME_MAX 32

/* After so many entries of an index a lookup takes the table for full. */
#define PP_PROBES_MAX 64

/* Executable segments of all objects (executable, libraries) that a process has
 * ever loaded: each reload of a changed module takes one more. */
#ifndef PP_OBJECTS_MAX
#define PP_OBJECTS_MAX 512
#endif
#define PP_OBJECT_NAME_MAX 256
#define PP_BUILD_ID_MAX	   32

/* Kore tasks that carry labels between kore_task_run() and their end. */
#ifndef PP_TASKS_MAX
#define PP_TASKS_MAX 4096
#endif

/* hz= of a CPU profile: at 10,000 Hz a sample that costs 1 us takes 1% of a
 * core already. */
#define PP_HZ_MIN     1
#define PP_HZ_MAX     10000
#define PP_HZ_DEFAULT 100

/* seconds= of a profile: Go's default, and a day as the largest. */
#define PP_SECONDS_DEFAULT 30
/* The form of the page proposes less, because a person sits there and waits. */
#define PP_SECONDS_PAGE 5
#define PP_SECONDS_MAX	86400

/* CPU profiles in progress at once; one client more gets 503. */
#ifndef PP_SESSIONS_MAX
#define PP_SESSIONS_MAX 256
#endif

/* The flight recorder: its samples a second (default, largest), the seconds
 * that it keeps, the length of a slice, and the slices and bytes that it may
 * have; beyond these the oldest slice goes. 1,000 stacks of 40 frames in each
 * slice take 16 MiB in 15 minutes. */
#define PP_RECORDER_HZ_DEFAULT 19
#define PP_RECORDER_HZ_MAX     1000
#define PP_RECORDER_SECONDS    900
#define PP_SLICE_NS	       (10 * 1000000000LL)
#define PP_SLICES_MAX	       (PP_RECORDER_SECONDS / 10 + 2)
#ifndef PP_RECORDER_BYTES
#define PP_RECORDER_BYTES (24U << 20)
#endif

/* Words of all stacks in one answer of the recorder: 15 minutes fit if each
 * slice has 1,000 stacks of 40 frames and no stack comes twice. And the
 * addresses of a slice whose names are looked up before somebody asks, a power
 * of two. */
#ifndef PP_RECORDER_WORDS_MAX
#define PP_RECORDER_WORDS_MAX (4U << 20)
#endif
#ifndef PP_RECORDER_NAMES_MAX
#define PP_RECORDER_NAMES_MAX (1U << 14)
#endif

/* A profile with seconds= keeps its first reading. All such readings together
 * have at most so many samples of some 300 bytes; a service has some thousand.
 * One client more gets 503. */
#ifndef PP_DELTA_SAMPLES_MAX
#define PP_DELTA_SAMPLES_MAX (1U << 20)
#endif

/* Distinct samples (stack, labels, thread) of one session, and the words of
 * stacks that all sessions share. In plain recursion nearly every sample has a
 * stack of its own (docs/decisions/0001); still 10 minutes at 100 Hz on two
 * threads fit. */
#ifndef PP_SESSION_SAMPLES_MAX
#define PP_SESSION_SAMPLES_MAX (1U << 17)
#endif
#ifndef PP_SESSION_WORDS_MAX
#define PP_SESSION_WORDS_MAX (6U << 20)
#endif

/* Nodes of the tree of calls behind a picture of a profile, 48 bytes each. In
 * plain recursion nearly every frame of every sample is a node; samples that
 * find no node are drawn as one box that says so. Boxes of an SVG: nobody can
 * see more than one box for each pixel of a screen's width in 20 rows. Bytes of
 * a text that is made from a tree. */
#ifndef PP_TREE_NODES_MAX
#define PP_TREE_NODES_MAX (1U << 19)
#endif
#define PP_PICTURE_BOXES_MAX 20000
#ifndef PP_PICTURE_BYTES_MAX
#define PP_PICTURE_BYTES_MAX (32U << 20)
#endif

/* Bytes of a request that crosses from a worker to the collector, and of its
 * body (POST symbol: 19 bytes an address; pprof sends one mapping at a time).
 */
#define PP_REQUEST_PATH_MAX  2048
#define PP_REQUEST_QUERY_MAX 8192
#define PP_REQUEST_BODY_MAX  (4U << 20)

/* PPROF_MEMORY_MIB: memory that a collector may keep, in MiB (base/budget.h).
 * One profile's stacks and the files' DWARF take half of the smallest value. */
#define PP_MEMORY_MIB_DEFAULT 256
#define PP_MEMORY_MIB_MIN     64
#define PP_MEMORY_MIB_MAX     65536

/* Requests whose body is on its way to the collector at once. */
#define PP_BODIES_MAX 16

/* Bytes of the If-None-Match header of a request for an asset. Our own tags
 * have 18 bytes, and a cache in between may list a few. A longer header counts
 * as absent. */
#define PP_REQUEST_MATCH_MAX 256

/* Bytes of the Accept-Encoding header: browsers send some 30. A longer header
 * counts as absent. */
#define PP_REQUEST_ACCEPT_MAX 256

/* Requests that wait in the collector at once, each with a reply socket: twice
 * the CPU profiles that may run, so that short requests always get in. */
#ifndef PP_REQUESTS_MAX
#define PP_REQUESTS_MAX 512
#endif

/* Clients of the collector's own listener at once: people and scrapers, not
 * traffic. If one more comes, the client that has been slow for the longest
 * time is cut off. */
#ifndef PP_CLIENTS_MAX
#define PP_CLIENTS_MAX 64
#endif

/* Of these clients at most so many may wait for an answer that takes more than
 * 5 s (LONG), more than half a second, as every CPU profile does (WHILE), or
 * longer than nothing (WAIT). So profiles of a day do not keep out profiles of
 * five seconds, these do not keep out the doctor, and a new client always has a
 * connection to ask on. One client more gets 503. */
#ifndef PP_CLIENTS_LONG_MAX
#define PP_CLIENTS_LONG_MAX 48
#endif
#define PP_CLIENT_LONG_NS (5 * 1000000000LL)
#ifndef PP_CLIENTS_WHILE_MAX
#define PP_CLIENTS_WHILE_MAX 56
#endif
#define PP_CLIENT_WHILE_NS (1000000000LL / 2)
#ifndef PP_CLIENTS_WAIT_MAX
#define PP_CLIENTS_WAIT_MAX 60
#endif

/* Bytes of all header lines ("name: value\n") of an answer. */
#define PP_ANSWER_HEADERS_MAX 2048

/* Bytes of the service's command line that the cmdline endpoint answers. */
#define PP_CMDLINE_MAX 4096

#endif
