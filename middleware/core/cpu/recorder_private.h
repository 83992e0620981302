/*
 * What the files of the flight recorder share: recorder.c (slices and their
 * time), recorder_pack.c (a session as bytes), recorder_profile.c (bytes as a
 * profile) and recorder_names.c (addresses without names yet). Nobody else
 * includes this, but their tests.
 */
#ifndef PP_CPU_RECORDER_PRIVATE_H
#define PP_CPU_RECORDER_PRIVATE_H

#include "base/buf.h"
#include "cpu/cpu_private.h"
#include "cpu/recorder.h"

/* What a session saw, packed. */
struct pp_slice {
	int64_t begun_ns; /* CLOCK_MONOTONIC */
	int64_t ended_ns;
	int64_t wall_ns;
	double kernel_s;
	double children_s;
	double sampled_s;
	uint32_t workers;
	uint64_t restarts;
	uint64_t malformed;
	uint64_t dropped;
	uint64_t labels_lost;
	uint64_t loss[PP_LOSS_COUNT];
	struct pp_buf data;
};

struct pp_recorder {
	struct pp_cpu *cpu;
	unsigned int hz;
	struct pp_cpu_session *session; /* NULL: off, or out of memory */
	uint64_t bytes;			/* of all slices */
	uint64_t bytes_max;		/* tests make it smaller */
	uint64_t dropped;
	uint64_t *unnamed;	/* addresses, a hash set; NULL: none */
	uint32_t unnamed_at;	/* those before this are handed out */
	uint32_t first, slices; /* of the ring `slice` */
	struct pp_slice slice[PP_SLICES_MAX];
};

/* Pack a session that was closed. Returns -1 when out of memory. */
int pp_slice_pack(const struct pp_cpu_session *session, struct pp_slice *slice);

/* Add all of a slice to a session of another struct pp_cpu. What follows a
 * damaged byte is left out. */
void pp_slice_unpack(const struct pp_slice *slice,
    struct pp_cpu_session *session);

/* Pack what the open session has so far into a slice, which the caller frees by
 * pp_buf_free(). Returns -1 if there is no session or no memory. */
int pp_recorder_peek(struct pp_recorder *recorder, struct pp_slice *slice);

/* Note the addresses of a session that was closed. In recorder_names.c. */
void pp_recorder_note(struct pp_recorder *recorder,
    const struct pp_cpu_session *session);

static inline struct pp_slice *
pp_recorder_slice(struct pp_recorder *recorder, uint32_t i)
{
	return (&recorder->slice[(recorder->first + i) % PP_SLICES_MAX]);
}

#endif
