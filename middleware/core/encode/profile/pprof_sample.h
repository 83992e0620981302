/*
 * One sample of a profile as an element of Profile.sample (profile.proto):
 * the bytes that protobuf-c would make of it.
 */
#ifndef PP_ENCODE_PROFILE_PPROF_SAMPLE_H
#define PP_ENCODE_PROFILE_PPROF_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "encode/profile/names.h"
#include "profile/profile.h"

/* Bytes that a sample with no more locations and labels than that needs. */
size_t pp_wire_sample_room(uint32_t locations, uint32_t labels);

/* Packed into `room` bytes as field number `field`. Where it begins there, and
 * how long it is. */
const uint8_t *pp_wire_sample(const struct pp_profile *p,
    const struct pp_sample *sample, struct pp_names *names, unsigned int field,
    uint8_t *room, size_t *len);

#endif
