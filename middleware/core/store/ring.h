/*
 * A queue of records from the threads of one worker to the collector.
 *
 * Producers are signal handlers: they reserve words by one compare-and-swap,
 * write, and publish by storing the header word. A full ring drops the record
 * (the caller counts). The collector reads in order, zeroes what it has read
 * and moves the tail: a header of 0 means "reserved, not yet written".
 *
 *     word 0   header: count of words incl. this one << 8 | enum pp_record
 *     word 1.. payload
 *
 * A record never wraps; PP_RECORD_PAD fills the end of a lap.
 *
 * Rule: pp_ring_put() is hot: no lock, no allocation, no system call, at most
 * PP_PROBES_MAX tries. pp_ring_take() is cold and believes nothing.
 */
#ifndef PP_STORE_RING_H
#define PP_STORE_RING_H

#include "store/arena.h"

enum pp_record {
	PP_RECORD_NONE, /* not written yet */
	PP_RECORD_PAD,
	PP_RECORD_CPU,
	PP_RECORD_CPU_LEFT /* what a thread that ends has used since its last
			      sample: CPU time, but no sample */
};

/* Payload of PP_RECORD_CPU and _LEFT, word by word after the header; see cpu.c. */
enum pp_cpu_word {
	PP_CPU_WORD_TIME,   /* CLOCK_MONOTONIC, ns */
	PP_CPU_WORD_THREAD, /* pid << 32 | tid */
	PP_CPU_WORD_WEIGHT, /* CPU ns that this sample stands for */
	PP_CPU_WORD_LABEL,  /* label set id, 0: none */
	PP_CPU_WORD_FLIGHT, /* id of the request or task it did, 0: none */
	PP_CPU_WORD_FRAMES  /* pcs, leaf first: exact pc, then return
			       addresses */
};

/*
 * Append a record of `count` payload words (1..PP_CPU_WORD_FRAMES +
 * PP_FRAMES_MAX). Async-signal-safe; any thread of the slot's process.
 * Returns 0, or -1 when the ring is full (nothing is written).
 */
int pp_ring_put(struct pp_ring *ring, enum pp_record kind,
    const uint64_t *payload, uint32_t count);

/*
 * Seal the ring: what another process reserved here and did not publish will
 * never be. Called by a worker as it starts, while it is alone in the slot.
 */
void pp_ring_seal(struct pp_ring *ring);

/*
 * Take the oldest record. Returns its count of payload words, copied to
 * `payload` (room for `room` words; a longer record is damage), and its kind;
 * 0 when there is none; -1 when the ring was damaged and has been skipped to
 * its head (count PP_LOSS_RINGS_REPAIRED). Collector only.
 */
int pp_ring_take(struct pp_ring *ring, enum pp_record *kind, uint64_t *payload,
    uint32_t room);

#endif
