/*
 * What the fuzz targets share: reading their input as numbers and pieces, and
 * where what must hold is checked.
 *
 * A target is one file fuzz_<name>.c with LLVMFuzzerTestOneInput(); its first
 * inputs are tests/fuzz/corpus/<name>/. libFuzzer's main() runs it.
 *
 * Rule: the same input does the same thing, whatever came before it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	const uint8_t *data;
	size_t left;
};

#define fuzz_must(what)                                                        \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			abort();                                               \
		}                                                              \
	} while (0)

/* The next `bytes` as a number, 0 where the input has ended. */
static inline uint64_t
fuzz_number(struct fuzz *f, unsigned int bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0 && f->left > 0) {
		number = number << 8 | *f->data++;
		f->left--;
	}
	return (number);
}

/* The next bytes, at most `most` and what there is; *len tells. */
static inline const uint8_t *
fuzz_piece(struct fuzz *f, size_t most, size_t *len)
{
	const uint8_t *at = f->data;

	*len = most < f->left ? most : f->left;
	f->data += *len;
	f->left -= *len;
	return (at);
}

/* The next bytes as a terminated text without NUL in it, in `out`. */
static inline void
fuzz_text(struct fuzz *f, size_t most, char *out)
{
	const uint8_t *at;
	size_t len, i;

	at = fuzz_piece(f, most, &len);
	for (i = 0; i < len; i++)
		out[i] = at[i] == 0 ? ' ' : (char)at[i];
	out[len] = '\0';
}

#endif
