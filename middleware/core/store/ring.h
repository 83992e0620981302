/*
 * A queue of CPU records from the threads of one worker to the collector. Not
 * the queue of trace records, which has one writer (trace.h).
 *
 * Producers are signal handlers: a producer reserves words by one
 * compare-and-swap of `head`, writes the payload, and publishes the record by
 * storing its header. If the ring is full, the record is dropped (the caller
 * counts). The collector reads in order, zeroes the words that it has read and
 * moves `tail`: a header of 0 means "reserved, not yet written".
 *
 *     word 0   header: count of words incl. this one << 8 | enum pp_record
 *     word 1.. payload
 *
 * A record never wraps; PP_RECORD_PAD fills the end of a lap.
 *
 * The release store of a header pairs with the collector's acquire load of the
 * header: the payload is there. The release store of `tail` pairs with the
 * producers' acquire load of `tail`: the words are zero before they are
 * reserved again. `head` and `tail` are 64-bit counts of words that never go
 * back; at a million words a second they would wrap after 500,000 years.
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
	PP_RECORD_CPU_LEFT /* CPU time of a thread that ends, since its last
			      sample; no sample itself */
};

/* Payload of PP_RECORD_CPU and _LEFT, word by word after the header; see
 * capture/sampler_signal.c. */
enum pp_cpu_word {
	PP_CPU_WORD_TIME,     /* CLOCK_MONOTONIC, ns */
	PP_CPU_WORD_THREAD,   /* pid << 32 | tid */
	PP_CPU_WORD_WEIGHT,   /* CPU ns that this sample stands for */
	PP_CPU_WORD_LABEL,    /* label set id, 0: none */
	PP_CPU_WORD_INFLIGHT, /* id of the request or task in flight, 0: none */
	PP_CPU_WORD_FRAMES    /* pcs, leaf first: exact pc, then return
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
 * Seal the ring: if an earlier process reserved words and did not publish them,
 * nobody will. Called by a worker as it starts, while it is alone in the slot.
 */
void pp_ring_seal(struct pp_ring *ring);

/*
 * Take the oldest record. Returns the number of payload words, which are copied
 * to `payload` (room for `room` words; a longer record is damage), with the
 * record's kind in *kind; 0 when there is no complete record; -1 when the ring
 * was damaged, or sealed over an incomplete record, and has been skipped ahead
 * (count PP_LOSS_RINGS_REPAIRED). The collector's one thread only.
 */
int pp_ring_take(struct pp_ring *ring, enum pp_record *kind, uint64_t *payload,
    uint32_t room);

#endif
