/*
 * What the files of the stalls share: stalls.c (the watch and the crash
 * records), stalls_records.c (the records that both fill) and stalls_profile.c.
 * Nobody else includes this, but their tests.
 */
#ifndef PP_LIVE_STALLS_PRIVATE_H
#define PP_LIVE_STALLS_PRIVATE_H

#include "live/stalls.h"

/* What the watch knows of a slot. */
struct pp_stall_watch {
	int32_t pid;
	int64_t busy_ns;
	uint64_t fingerprint; /* another one when loop or handler goes on */
	int64_t since_ns;     /* when `fingerprint` last changed */
	uint64_t on;	      /* number of the record; 0: none */
	int64_t began_ns;
	uint32_t question;
	int64_t asked_ns; /* 0: no answer is expected */
	uint32_t deaths;  /* how many were seen */
};

struct pp_stalls {
	struct pp_resolver *resolver;
	struct pp_cpu *cpu;
	int32_t parent;
	int64_t stall_ns; /* 0: off */
	pp_stall_report_fn *report;
	pp_activity_name_fn *name;
	void *arg;
	uint64_t numbers; /* of the latest record */
	struct pp_stall stall[PP_STALLS_MAX];
	struct pp_stall_watch watch[]; /* by slot */
};

/* Return a fresh record, which replaces the oldest. */
struct pp_stall *pp_stalls_begin(struct pp_stalls *stalls, uint32_t slot,
    int32_t pid, int64_t held_ns);
/* The record of that number; NULL: a later one has replaced it. */
struct pp_stall *pp_stalls_find(struct pp_stalls *stalls, uint64_t number);
/* Hand a new or changed record to the function of pp_stalls_report_to(). */
void pp_stalls_report(struct pp_stalls *stalls, const struct pp_stall *stall);

/* Turn a stack of the slot, an exact pc and then return addresses, into
 * canonical words. Returns their count. */
uint32_t pp_stalls_crash(struct pp_stalls *stalls, uint32_t slot,
    const uint64_t *pc, uint32_t count, uint64_t word[PP_FRAMES_MAX]);

#endif
