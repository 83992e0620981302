/*
 * What the files of the CPU sessions share. The main ones are cpu.c (rings,
 * control), cpu_session.c (the thinning and the table of one session) and
 * cpu_profile.c (a session as a profile). Only these files, the recorder and
 * their tests include this header.
 *
 * Rule: no pointer into the arena but `arena` itself, and `slots` is the
 * number that was checked when the arena was attached.
 */
#ifndef PP_CPU_CPU_PRIVATE_H
#define PP_CPU_CPU_PRIVATE_H

#include <sys/queue.h>

#include <stdint.h>

#include "base/clock.h"
#include "cpu/cpu.h"
#include "merge/build.h"
#include "merge/labels.h"
#include "merge/maps.h"
#include "merge/stacks.h"
#include "store/ring.h"

/* So many threads of all workers have remainders of their own in a session; all
 * later threads share one remainder, which keeps the sum right. */
#define PP_CPU_THREADS_MAX (16 * PP_THREADS_MAX)

/* The rings' memory is given back when no session has run for so long. */
#define PP_CPU_IDLE_NS (60 * PP_NS_PER_SEC)

/* Which thread a sample is of and where it was taken; samples with equal keys
 * are one line of the profile. */
struct pp_cpu_key {
	uint32_t stack; /* pp_stacks id */
	uint32_t label; /* pp_labels number */
	uint32_t slot;
	int32_t pid;
	int32_t tid;
};

struct pp_cpu_entry {
	struct pp_cpu_key key;
	uint32_t hash; /* of contents: a sweep changes ids */
	uint64_t samples;
	uint64_t ns;
};

/* A thread of a session. */
struct pp_cpu_thread {
	uint64_t rest; /* CPU time that is in no line yet */
	uint64_t need; /* when `rest` reaches this: a sample */
	uint64_t debt; /* used before the window, without a sample */
	uint32_t slot;
	int32_t pid;
	int32_t tid;
	int used;
};

/* What a slot had when the session began. */
struct pp_cpu_then {
	int64_t cpu_ns;
	uint64_t sampled_ns; /* CPU time in lines since then */
	int64_t children_ns;
	uint32_t generation;
};

struct pp_cpu_session {
	LIST_ENTRY(pp_cpu_session) list;
	struct pp_cpu *cpu;
	unsigned int hz;
	uint64_t period;
	int64_t wall_ns;
	int64_t mono_ns;

	struct pp_cpu_entry *entry;
	uint32_t *index; /* entry number + 1 by hash; 0: free */
	uint32_t entries;
	uint32_t room; /* of `entry`; the index is twice as large */
	struct pp_cpu_entry overflow; /* samples that found no entry */

	struct pp_cpu_thread *thread;
	uint32_t threads;
	uint32_t thread_room;
	uint64_t random;	    /* state of base/random.h */
	struct pp_cpu_thread other; /* shared by threads without entry */

	uint64_t dropped;     /* samples whose stack was not kept */
	uint64_t labels_lost; /* samples whose labels were not kept */

	/* Values at the begin, which become differences at the end. */
	int64_t duration_ns;
	double kernel_s;   /* CPU time of the workers */
	double children_s; /* and of children they have waited for */
	uint64_t not_sampled_ns;
	uint32_t workers;
	uint64_t restarts;
	uint64_t malformed;
	uint64_t loss[PP_LOSS_COUNT];
	struct pp_cpu_then then[]; /* by slot */
};

struct pp_cpu {
	struct pp_arena *arena;
	int arena_fd;
	uint32_t slots;
	int32_t parent_pid;
	int64_t jiffy_ns; /* of the kernel */
	struct pp_address_map *map;
	LIST_HEAD(, pp_cpu_session) sessions;
	pp_cpu_listener *listener; /* NULL: none */
	void *listener_arg;
	uint32_t running;
	uint32_t always;      /* 1: one session is the recorder's */
	unsigned int hz;      /* the highest of all sessions; 0: none runs */
	uint32_t samples_max; /* of one session; tests set these two */
	uint32_t words_max;

	struct pp_stacks *stacks;     /* NULL: no session runs */
	uint32_t stacks_kept;	      /* fill after the last sweep */
	struct pp_labels *labels;     /* likewise */
	uint32_t labels_kept;	      /* count after the last sweep */
	struct pp_maps *maps;	      /* by slot */
	struct pp_label_cache *cache; /* by slot */
	uint32_t *generation;	      /* by slot, when last signalled */
	struct pp_cpu_recent_samples **recent; /* by slot; NULL: none yet */

	void (*follow)(void *, uint32_t, uint64_t, uint64_t); /* or NULL */
	void *follow_arg;

	uint32_t clocks;    /* control.clocks as last asked */
	uint64_t malformed; /* records that are no CPU sample */
	int64_t idle_since; /* 0: a session runs, or memory is given back */
	int crowded;	    /* a ring was a quarter full at the last drain */
};

/* One record on its way into the sessions. Its frames are looked up when the
 * first session wants them. */
struct pp_cpu_sample {
	struct pp_cpu_key key; /* `stack` is set by pp_cpu_resolve() */
	uint64_t weight;
	int label_lost;
	int left; /* 1: a thread has ended, and this is no sample */
	const uint64_t *pc;
	uint32_t pcs;
	int resolved;
	uint64_t word[PP_FRAMES_MAX];
};

/* Return an empty session that is not in the list yet. NULL: out of memory. */
struct pp_cpu_session *pp_cpu_session_new(struct pp_cpu *cpu, unsigned int hz);
void pp_cpu_session_free(struct pp_cpu_session *session);

/* Add the record's CPU time to its thread; if a period is full, the record
 * becomes a sample. */
void pp_cpu_session_add(struct pp_cpu_session *session,
    struct pp_cpu_sample *sample);

/* Return the session's entry of the key's thread. _at() makes the entry if
 * there is none, or returns the one that threads without room share. _find()
 * only looks; NULL: there is none. _drop() removes the entry of a thread that
 * has ended. In cpu_threads.c. */
struct pp_cpu_thread *pp_cpu_thread_at(struct pp_cpu_session *session,
    const struct pp_cpu_key *key);
struct pp_cpu_thread *pp_cpu_thread_find(struct pp_cpu_session *session,
    const struct pp_cpu_key *key);
void pp_cpu_thread_drop(struct pp_cpu_session *session,
    struct pp_cpu_thread *thread);

/* Add CPU time of the key's thread, or of its whole worker, of which there is
 * no sample. */
void pp_cpu_session_miss(struct pp_cpu_session *session,
    const struct pp_cpu_key *key, uint64_t ns);

/* _ask() asks all workers what their threads have used since their last
 * samples, and waits for the answers for a short time. _open(): a window
 * begins, and what was used before does not belong to it. _close(): a window
 * ends, and what has no sample yet becomes one line for each thread. In
 * cpu_clocks.c. */
void pp_cpu_clocks_ask(struct pp_cpu *cpu);
void pp_cpu_clocks_open(struct pp_cpu_session *session);
void pp_cpu_clocks_close(struct pp_cpu_session *session);

/* Hand a sample to the listeners of cpu.h. `record` is what the sample was made
 * of. In cpu_listen.c. */
void pp_cpu_notify(struct pp_cpu *cpu, struct pp_cpu_sample *sample,
    const uint64_t *record);
/* Keep a record as one of the slot's recent samples; in cpu_recent.c. */
void pp_cpu_recent_keep(struct pp_cpu *cpu, uint32_t slot,
    const uint64_t *record, uint32_t count);
/* As pp_cpu_recent_samples(), but the slot's ring is not drained before. */
uint32_t pp_cpu_recent_of(const struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_recent last[PP_RECENT_SAMPLES]);
void pp_cpu_recent_free(struct pp_cpu *cpu);

/* Take what all rings hold. In cpu.c. */
void pp_cpu_drain(struct pp_cpu *cpu);

/* Forget stacks and labels that no session has. In cpu_sweep.c. */
void pp_cpu_sweep(struct pp_cpu *cpu);

/* Take what the slot's ring holds. In cpu.c. */
void pp_cpu_drain_slot(struct pp_cpu *cpu, uint32_t slot);

/* Add one line of a packed session: a key without its stack, of which `word`
 * has the words. */
void pp_cpu_session_put(struct pp_cpu_session *session,
    const struct pp_cpu_key *key, const uint64_t *word, uint32_t count,
    uint64_t samples, uint64_t ns);

/* Close a session, and begin another of the same rate in its place, so that
 * each sample is in one of the two. The old session can be read until it is
 * retired. NULL: out of memory, and the old session goes on. In
 * cpu_rotate.c. */
struct pp_cpu_session *pp_cpu_rotate(struct pp_cpu_session *session);
void pp_cpu_retire(struct pp_cpu_session *old);

/* Copy an open session and close the copy. The caller frees the copy by free(),
 * before any other function is called for the session. NULL: out of memory. In
 * cpu_rotate.c. */
struct pp_cpu_session *pp_cpu_copy(struct pp_cpu_session *session);

/* Find the sample's stack: key.stack and `resolved` are set. In
 * cpu_resolve.c. */
void pp_cpu_resolve(struct pp_cpu *cpu, struct pp_cpu_sample *sample);

/* Read clocks and counters at the begin and at the end of a session. In
 * cpu_account.c. */
void pp_cpu_account_open(struct pp_cpu_session *session);
void pp_cpu_account_close(struct pp_cpu_session *session);

/* Return the closed session as a profile, which the caller frees; NULL: out of
 * memory. */
struct pp_profile *pp_cpu_profile(const struct pp_cpu_session *session);

#endif
