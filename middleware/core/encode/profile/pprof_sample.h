/*
 * One sample of a profile as an element of Profile.sample (profile.proto): the
 * bytes that protobuf-c would make. Not the other messages: pprof.c writes
 * these.
 *
 * Rule: no allocation; the caller gives the room.
 */
#ifndef PP_ENCODE_PROFILE_PPROF_SAMPLE_H
#define PP_ENCODE_PROFILE_PPROF_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "encode/profile/text_ids.h"
#include "profile/profile.h"

/* Return the bytes that a sample with at most so many locations and labels
 * needs. */
size_t pp_pprof_sample_room(uint32_t locations, uint32_t labels);

/* Pack a sample into `room`, as field number `field`. Returns where the bytes
 * begin in `room`, and their number in *len. */
const uint8_t *pp_pprof_sample(const struct pp_profile *p,
    const struct pp_sample *sample, struct pp_text_ids *names,
    unsigned int field, uint8_t *room, size_t *len);

#endif
