/*
 * CPU sessions: one reader of the workers' rings, any number of windows.
 *
 * The rings are drained for all sessions at once. Each session keeps its own
 * rate: when the CPU time of a thread since the last sample that the session
 * took has reached the period, the session takes another one. So 100 Hz and
 * 1000 Hz can run together, and each session gets the rate that it asked for.
 *
 * Not the sampling: capture/sampler.h is that, in the workers.
 *
 * Rule: cold, one thread; the only reader of the rings, the only writer of the
 * control words for CPU samples. No number that is read from the arena is
 * believed (store/ring.h).
 */
#ifndef PP_CPU_CPU_H
#define PP_CPU_CPU_H

#include <stdint.h>

#include "merge/address_map.h"
#include "profile/profile.h"
#include "store/arena.h"

/* The types and units of the values of a sample. */
#define PP_CPU_TYPES 2
extern const struct pp_value_type pp_cpu_types[PP_CPU_TYPES];

struct pp_cpu;
struct pp_cpu_session;

/* `arena_fd` stays the caller's; ring memory is given back through it. Sampling
 * that an earlier collector has left running is turned off. NULL: out of
 * memory. */
struct pp_cpu *pp_cpu_new(struct pp_arena *arena, int arena_fd,
    struct pp_address_map *map);
void pp_cpu_free(struct pp_cpu *cpu); /* ends all sampling, too */

/* Begin a session at `hz` (PP_HZ_MIN..PP_HZ_MAX) samples per second of CPU
 * time. NULL with errno: EAGAIN when PP_SESSIONS_MAX run already, EINVAL for
 * another hz, ENOMEM. */
struct pp_cpu_session *pp_cpu_begin(struct pp_cpu *cpu, unsigned int hz);

/* Return what the session has seen so far. In this profile only samples and
 * addresses are right, not duration and comments; the caller frees it. NULL:
 * out of memory. */
struct pp_profile *pp_cpu_snapshot(struct pp_cpu_session *session);

/* End the session and free it. Returns what the session saw as a profile
 * without symbols, which the caller frees; NULL: out of memory. */
struct pp_profile *pp_cpu_end(struct pp_cpu_session *session);

/* End the session and free it, without a profile. */
void pp_cpu_cancel(struct pp_cpu_session *session);

/* From now on `follow` is called for each sample with the sample's slot, the
 * slot's id of its label set, and the CPU time that the sample stands for. */
void pp_cpu_follow(struct pp_cpu *cpu,
    void (*follow)(void *arg, uint32_t slot, uint64_t label, uint64_t ns),
    void *arg);
/* One of the recent samples of a process, as the process wrote it. */
struct pp_cpu_recent {
	int32_t pid;
	int32_t tid;
	int64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t weight_ns;
	uint64_t label; /* id of the set in the slot */
	uint32_t pcs;
	uint64_t pc[PP_FRAMES_MAX]; /* exact pc, return addresses */
};

/* Copy the recent samples of a process that was in the slot and has ended, the
 * latest first; what is still in the slot's ring is drained before. Returns how
 * many there are. */
uint32_t pp_cpu_recent_samples(struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_recent last[PP_RECENT_SAMPLES]);

/*
 * Let `listener` have each sample, whatever the sessions make of it; NULL:
 * nobody. The listener is called only while a session runs, with the thread,
 * the time (CLOCK_MONOTONIC), the request or task that the thread was in (0:
 * none), and the words of the stack as pp_maps_address() gives them.
 */
typedef void pp_cpu_listener(void *arg, uint32_t slot, uint32_t tid, int64_t ts,
    uint64_t inflight, const uint64_t *word, uint32_t words);
void pp_cpu_listen(struct pp_cpu *cpu, pp_cpu_listener *listener, void *arg);

/* Drain the rings and follow worker starts; a minute after the last session,
 * give the rings' memory back. `now` is of CLOCK_MONOTONIC, in nanoseconds, and
 * so is the result: when to call again, INT64_MAX if not before the next
 * session. */
int64_t pp_cpu_tick(struct pp_cpu *cpu, int64_t now);

#endif
