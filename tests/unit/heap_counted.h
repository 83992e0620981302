/*
 * An allocator of the test program's own, in front of libc's: it counts what
 * arrives there, from whom ever, libraries and profiler alike.
 *
 * Rule: for one test program at most; it defines malloc() for all of it.
 */
#ifndef TESTS_HEAP_COUNTED_H
#define TESTS_HEAP_COUNTED_H

#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

/* By the calling thread. */
static __thread unsigned long counted_allocs, counted_frees;

#define COUNTED __attribute__((visibility("default"), used))

COUNTED void *
malloc(size_t size)
{
	counted_allocs++;
	return (__libc_malloc(size));
}

COUNTED void *
calloc(size_t count, size_t each)
{
	counted_allocs++;
	return (__libc_calloc(count, each));
}

COUNTED void *
realloc(void *p, size_t size)
{
	counted_allocs++;
	return (__libc_realloc(p, size));
}

COUNTED void
free(void *p)
{
	counted_frees++;
	__libc_free(p);
}

#endif
