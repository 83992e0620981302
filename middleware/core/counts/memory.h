/*
 * The memory of each worker as a whole: what the worker says when it is asked
 * (mallinfo2(), Kore's pools, thread stacks), and what the kernel says.
 *
 * A worker is asked by a number in the arena and a signal, and answers from its
 * event loop; a busy worker answers late or not at all. No function waits here:
 * the caller looks again later, and gives up when he likes.
 *
 * Not the heap profile: heap.h makes that without any answer.
 *
 * Rule: cold; the only writer of control.ask and control.ask_trim.
 */
#ifndef PP_COUNTS_MEMORY_H
#define PP_COUNTS_MEMORY_H

#include <stdint.h>

#include "base/memory.h"
#include "counts/proc.h"

struct pp_arena;
struct pp_memory;

/* `slots` has been checked against the arena's size; the arena stays the
 * caller's, and must outlive the result. NULL: out of memory. */
struct pp_memory *pp_memory_new(struct pp_arena *arena, uint32_t slots);
void pp_memory_free(struct pp_memory *memory);

/* Keep the descriptor of a worker's smaps_rollup for as long as the worker
 * lives. `fd` becomes this object's, even if there is no such worker. */
void pp_memory_take_proc(struct pp_memory *memory, uint32_t worker, int32_t pid,
    int fd);

/* Ask all workers for their facts; with `trim`, they first give free memory
 * back. Returns the number of the question. The caller ends each question, with
 * the same `trim`, so that no worker trims memory after the last question has
 * ended. */
uint32_t pp_memory_ask(struct pp_memory *memory, int trim);
void pp_memory_end(struct pp_memory *memory, int trim);

/* Signal all workers that have not answered once more: the first signal may
 * have come just before its worker began to wait for events. */
void pp_memory_remind(struct pp_memory *memory, uint32_t question);

/* Whether all living workers have answered this question or a later one. */
int pp_memory_answered(const struct pp_memory *memory, uint32_t question);

/* What is known of one worker. */
struct pp_memory_worker {
	uint32_t worker;
	int32_t pid;	/* 0: it does not run, nothing below is known */
	int answered;	/* 1: `facts` answer the question */
	int has_kernel; /* 1: `kernel` is known */
	struct pp_memory_facts facts; /* checked: names end and are
					 printable, no number is above 2^60 */
	struct pp_proc_memory kernel;
};

/* Copy out what is known of the worker in a slot, 1..slots-1. */
void pp_memory_read(const struct pp_memory *memory, uint32_t slot,
    uint32_t question, struct pp_memory_worker *out);

/* Return the resident bytes of all workers that have handed over their
 * descriptor. Memory that two workers share counts for both. The call reads
 * each smaps_rollup, and costs as much. */
uint64_t pp_memory_resident(const struct pp_memory *memory);

#endif
