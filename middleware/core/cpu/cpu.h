/*
 * CPU sessions: one reader of the workers' rings, any number of windows.
 *
 * The rings are drained for all sessions at once. Each session keeps its own
 * rate: it takes a sample of a thread whenever the CPU time since its last
 * one has reached its period, so that 100 Hz and 1000 Hz can run together and
 * each gets what it asked for.
 *
 * Rule: cold; the only reader of the rings, the only writer of the control
 * words. Never believes what it reads (store/ring.h).
 */
#ifndef PP_CPU_CPU_H
#define PP_CPU_CPU_H

#include <stdint.h>

#include "merge/canon.h"
#include "profile/profile.h"
#include "store/arena.h"

/* The values of a sample. */
#define PP_CPU_TYPES 2
extern const struct pp_value_type pp_cpu_types[PP_CPU_TYPES];

struct pp_cpu;
struct pp_cpu_session;

/* `arena_fd` is used to give ring memory back. Turns off what a collector
 * before this one may have left running. NULL: out of memory. */
struct pp_cpu *pp_cpu_new(struct pp_arena *arena, int arena_fd,
    struct pp_canon *canon);
void pp_cpu_free(struct pp_cpu *cpu); /* also ends all sampling */

/* Begin a session at `hz` (PP_HZ_MIN..PP_HZ_MAX). NULL with errno: EAGAIN
 * when PP_SESSIONS_MAX run already, EINVAL for another hz, ENOMEM. */
struct pp_cpu_session *pp_cpu_begin(struct pp_cpu *cpu, unsigned int hz);

/* What it has seen so far, as a profile that only its addresses are right of;
 * the caller frees it. NULL when out of memory. */
struct pp_profile *pp_cpu_look(struct pp_cpu_session *session);

/* End it and return what it saw as a profile without symbols, which the
 * caller frees; NULL when out of memory. The session is gone. */
struct pp_profile *pp_cpu_end(struct pp_cpu_session *session);

/* End it and forget. */
void pp_cpu_cancel(struct pp_cpu_session *session);

/* From now on tell `follow` of each sample's slot, the slot's id of its label
 * set, and the CPU time it stands for. */
void pp_cpu_follow(struct pp_cpu *cpu,
    void (*follow)(void *arg, uint32_t slot, uint64_t label, uint64_t ns),
    void *arg);
/* The latest samples of a process, the last one first, as it wrote them. */
struct pp_cpu_last {
	int32_t pid;
	int32_t tid;
	int64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t weight_ns;
	uint64_t label; /* the slot's own id */
	uint32_t pcs;
	uint64_t pc[PP_FRAMES_MAX]; /* exact pc, return addresses */
};

/* Those of a process that was in the slot and has ended; what is still in its
 * ring is drained. Returns how many. */
uint32_t pp_cpu_lasts(struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_last last[PP_LAST_SAMPLES]);

/*
 * Who else is to get each sample, whatever the sessions make of it; NULL:
 * nobody. Called only while a session runs: thread, when (CLOCK_MONOTONIC),
 * the request or task it was in (0: none), and words of a stack as
 * pp_readings_address() gives them.
 */
typedef void pp_cpu_listener(void *arg, uint32_t slot, uint32_t tid, int64_t ts,
    uint64_t flight, const uint64_t *word, uint32_t words);
void pp_cpu_listen(struct pp_cpu *cpu, pp_cpu_listener *listener, void *arg);

/* Drain the rings, follow worker starts; a minute after the last session give
 * the rings' memory back. Returns when to call again (CLOCK_MONOTONIC ns),
 * INT64_MAX when not before the next session. `now` is that clock. */
int64_t pp_cpu_tick(struct pp_cpu *cpu, int64_t now);

#endif
