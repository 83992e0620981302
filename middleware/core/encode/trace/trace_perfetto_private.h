/*
 * What the files of this encoder share: trace_perfetto.c (events) and
 * trace_perfetto_put.c (packets). Nobody else includes this.
 */
#ifndef PP_ENCODE_TRACE_TRACE_PERFETTO_PRIVATE_H
#define PP_ENCODE_TRACE_TRACE_PERFETTO_PRIVATE_H

#include <stddef.h>

#include "base/limits.h"
#include "encode/bytes/spool.h"
#include "encode/trace/trace_perfetto.h"
#include "perfetto.pb-c.h"

#define BUFFER_BYTES (64U << 10)

/* Ids of rows, by kind of row. */
#define UUID_HEAP    1ULL
#define UUID_ROW     (1ULL << 32) /* + a number of its own for each thread */
#define UUID_PROCESS (2ULL << 32) /* + pid */
#define UUID_ASLEEP  (1ULL << 61) /* + P, place of the G */
#define UUID_TASK    (1ULL << 62) /* + number of the task */
#define UNIT_BYTES   3
#define SEQUENCE     1
#define NAMES_BEGIN  1
#define NAMES_GO_ON  2

/* The number of the one name of this encoder, after the tracer's names; and the
 * room for the last event, which has that name. */
#define NAME_TRACE PP_TRACE_NAMES_MAX
#define NOTE_BYTES 256

enum pp_pf_slice { SLICE_BEGIN = 1, SLICE_END, SLICE_MOMENT, SLICE_NUMBER };

struct pp_pf_row {
	uint64_t uuid;
	uint64_t process;
	uint32_t depth; /* open slices */
};

struct pp_perfetto {
	struct pp_spool spool;
	const struct pp_tracer *tracer;
	int64_t begin;
	uint64_t max;
	int full;
	int closed; /* 1: the last event is written */
	int failed;
	int begun;	  /* 1: the first packet is written */
	uint64_t threads; /* how many are described */
	struct pp_pf_row row[PP_TRACE_PS_MAX];
	int64_t last; /* time of the last event */
	uint8_t name_used[PP_TRACE_NAMES_MAX / 8 + 1];
	/* By index of a G: the P + 1 on whose row for the G it sleeps or slept
	 * last, and whether it sleeps. */
	uint32_t asleep[PP_TRACE_GS_MAX];
	uint32_t used;
	uint8_t buffer[BUFFER_BYTES];
};

/* The contents of an event besides its row, time and kind. */
struct pp_pf_detail {
	uint32_t name;
	uint64_t flow;
	int64_t number;
	const char *text;
	uint32_t len;
};

/* Return a text for a packet, which does not change it. */
ProtobufCBinaryData pp_pf_bytes(const char *text, size_t len);
ProtobufCBinaryData pp_pf_name(const struct pp_perfetto *pf, uint32_t name);

/* Write one packet: an event on a row, or the description of a row. */
void pp_pf_event(struct pp_perfetto *pf, uint64_t uuid, int64_t ts,
    enum pp_pf_slice slice, const struct pp_pf_detail *detail);
void pp_pf_track(struct pp_perfetto *pf, Pp__Perfetto__TrackDescriptor *track);

/* Write the buffered packets to the file. */
void pp_pf_flush(struct pp_perfetto *pf);

#endif
