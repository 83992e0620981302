/*
 * A number as profile.proto, traces and the flight recorder write it: seven
 * bits in a byte, the lowest first. All bytes but the last have the highest
 * bit.
 */
#ifndef PP_BASE_VARINT_H
#define PP_BASE_VARINT_H

#include <stdint.h>

#define PP_VARINT_MAX 10 /* bytes */

/* Write the number; return the bytes written. */
static inline uint32_t
pp_varint(uint8_t *to, uint64_t number)
{
	uint32_t n = 0;

	for (; number >= 0x80; number >>= 7)
		to[n++] = (uint8_t)(number | 0x80);
	to[n++] = (uint8_t)number;
	return (n);
}

#endif
