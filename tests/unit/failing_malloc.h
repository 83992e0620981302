/*
 * malloc() and its kin that fail when a test says so, and count what is live.
 *
 * Defined in the program itself, so the dynamic linker gives them to the
 * libraries too (zlib, protobuf-c); the work is done by glibc's own, which it
 * also exports under these names. Not under a sanitizer, which brings its own
 * malloc(): PP_TEST_MALLOC is 0 there and such tests are skipped.
 *
 * Rule: with `fail_after` exactly one allocation fails, so a test sees whether
 * the failure is remembered when the next ones succeed again; with
 * `memory_left` all that are larger than what is left do.
 */
#ifndef PP_TEST_FAILING_MALLOC_H
#define PP_TEST_FAILING_MALLOC_H

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PP_TEST_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define PP_TEST_MALLOC 0
#endif
#endif
#ifndef PP_TEST_MALLOC
#define PP_TEST_MALLOC 1
#endif

/* Allocations until the one that fails. */
static __attribute__((unused)) long fail_after = -1;
static __attribute__((unused)) long failures;
/* Bytes, -1: no end of them. */
static __attribute__((unused)) long memory_left = -1;
static __attribute__((unused)) long live_blocks;

#if PP_TEST_MALLOC
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

static int
fail_now(size_t size)
{
	if (memory_left >= 0 && (long)size > memory_left) {
		failures++;
		errno = ENOMEM;
		return (1);
	}
	if (fail_after < 0 || fail_after-- > 0)
		return (0);
	failures++;
	errno = ENOMEM;
	return (1);
}

static void *
count_block(void *block)
{
	if (block == NULL)
		return (NULL);
	live_blocks++;
	if (memory_left >= 0)
		memory_left -= (long)malloc_usable_size(block);
	return (block);
}

static void
forget_block(void *block)
{
	if (block == NULL)
		return;
	live_blocks--;
	if (memory_left >= 0)
		memory_left += (long)malloc_usable_size(block);
}

void *
malloc(size_t size)
{
	return (fail_now(size) ? NULL : count_block(__libc_malloc(size)));
}

void *
calloc(size_t count, size_t size)
{
	return (fail_now(count * size)
		? NULL
		: count_block(__libc_calloc(count, size)));
}

void *
realloc(void *block, size_t size)
{
	void *moved;

	if (fail_now(size))
		return (NULL);
	forget_block(block);
	moved = __libc_realloc(block, size);
	return (count_block(moved == NULL ? block : moved));
}

void
free(void *block)
{
	forget_block(block);
	__libc_free(block);
}
#endif

#endif
