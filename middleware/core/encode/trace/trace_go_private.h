/*
 * What the files of the encoder share: trace_go.c (events), trace_go_buf.c
 * (bytes and batches), trace_go_dict.c (strings and stacks). Nobody else
 * includes this.
 */
#ifndef PP_ENCODE_TRACE_TRACE_GO_PRIVATE_H
#define PP_ENCODE_TRACE_TRACE_GO_PRIVATE_H

#include "base/limits.h"
#include "base/waits.h"
#include "encode/bytes/spool.h"
#include "encode/trace/trace_go.h"
#include "encode/trace/trace_stacks.h"

/* Event types, by their numbers in the format. */
enum pp_go_ev {
	GO_BATCH = 1,
	GO_FREQUENCY = 2,
	GO_STACK = 3,
	GO_GOMAXPROCS = 4,
	GO_PROC_START = 5,
	GO_PROC_STOP = 6,
	GO_CREATE = 13,
	GO_START = 14,
	GO_END = 15,
	GO_SCHED = 17,
	GO_SLEEP = 19,
	GO_UNBLOCK = 21,
	GO_BLOCK_RECV = 23,
	GO_BLOCK_SYNC = 25,
	GO_BLOCK_COND = 26,
	GO_BLOCK_NET = 27,
	GO_SYS_CALL = 28,
	GO_SYS_EXIT = 29,
	GO_SYS_BLOCK = 30,
	GO_WAITING = 31,
	GO_IN_SYSCALL = 32,
	GO_HEAP_ALLOC = 33,
	GO_STRING = 37,
	GO_START_LOCAL = 38,
	GO_UNBLOCK_LOCAL = 39,
	GO_START_LABEL = 41,
	GO_TASK = 45,
	GO_TASK_END = 46,
	GO_REGION = 47,
	GO_LOG = 48,
	GO_SAMPLE = 49
};

/* A batch is written to the file when it has this many bytes; the largest
 * record is a log with a text. */
#define GO_BATCH_BYTES	(16U << 10)
#define GO_RECORD_BYTES (PP_TRACE_TEXT_MAX + 128)

/* The most bytes of a stack of two frames with its names, and a length that a
 * text may always have. */
#define GO_STACK_LEAST 48
#define GO_TEXT_LEAST  48

/* Ids of strings: first the tracer's names by their numbers, then one text of
 * this encoder, then functions and files. */
#define TEXT_TRACE PP_TRACE_NAMES_MAX
#define TEXT_FIRST PP_TRACE_NAMES_MAX

/* The bytes of one P since the last batch of the P was written. */
struct pp_go_row {
	uint8_t *data; /* NULL: nothing yet */
	uint32_t len;  /* 0: no batch is open */
	uint32_t pid;
	int64_t last;	  /* time of the last event */
	uint32_t tid;	  /* as ProcStart shows it */
	uint32_t running; /* index of the running G + 1; 0: none */
	uint32_t stopped; /* stack for the end of the running G */
};

/* What the reader of the file has been told of a G, by the G's index. */
struct pp_go_g {
	uint32_t seq;  /* the number that the reader counts */
	uint32_t row;  /* of its last event; UINT32_MAX: elsewhere */
	uint32_t away; /* enum pp_tracer_how, at the begin */
};

struct pp_go {
	struct pp_spool spool;
	int64_t begin;
	uint64_t max;
	uint64_t events;
	uint64_t buffered; /* bytes in rows */
	int failed;
	int full;
	struct pp_go_row *row[PP_TRACE_PS_MAX];
	uint32_t rows;
	struct pp_go_row samples;
	struct pp_go_g *g;
	uint32_t g_room;
	struct pp_go_stacks stacks;
	uint8_t name_used[(PP_TRACE_NAMES_MAX + 7) / 8];
	uint32_t names_used;
};

#define PUT(go, row, type, ts, ...)                                            \
	do {                                                                   \
		const uint64_t put_[] = { __VA_ARGS__ };                       \
		pp_go_put(go, row, type, ts, put_,                             \
		    sizeof(put_) / sizeof(put_[0]));                           \
	} while (0)
#define PUT0(go, row, type, ts) pp_go_put(go, row, type, ts, NULL, 0)

/* Return the id of a name or of a stack that an event refers to. */
uint32_t pp_go_name(struct pp_go *go, uint32_t name);
uint64_t pp_go_stack(struct pp_go *go, const struct pp_tracer_stack *stack);

/* Append a record: its type, its time and `count` numbers. */
void pp_go_put(struct pp_go *go, struct pp_go_row *row, enum pp_go_ev type,
    int64_t ts, const uint64_t *arg, uint32_t count);

/* Append a text that belongs to the record before, behind its length. */
void pp_go_put_text(struct pp_go *go, struct pp_go_row *row, const char *text,
    uint32_t len);

/* Write the row's batch to the file. */
void pp_go_flush(struct pp_go *go, struct pp_go_row *row);

/* Write the batch with frequency, strings and stacks. Returns -1 when out of
 * memory. */
int pp_go_dictionary(struct pp_go *go, const struct pp_tracer *tracer,
    const struct pp_profile *stacks);

#endif
