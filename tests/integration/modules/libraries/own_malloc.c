/*
 * A library with an allocator of its own, as a database client or a language's
 * runtime brings one. go() tells which blocks were its own: 1 the one of its
 * constructor, 2 a later one, 4 one that was got through a pointer, 8 what its
 * free() was given, 16 a realloc(). Freestanding: it can be in any namespace.
 */
#include <stddef.h>

void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);
int own_has(const void *);
int own_freed(void);
int go(int);

static char pool[1 << 20] __attribute__((aligned(16)));
static size_t used;
static unsigned int freed, strange;
static void *first;
void *(*volatile by_pointer)(size_t) = malloc;

static int
is_own(const void *p)
{
	return ((const char *)p >= pool && (const char *)p < pool + used);
}

void *
malloc(size_t size)
{
	char *p = pool + used % (sizeof(pool) / 2);

	used += (size + 31) & ~(size_t)15;
	return (p);
}

void *
calloc(size_t count, size_t size)
{
	return (malloc(count * size));
}

void *
realloc(void *old, size_t size)
{
	return (old == NULL || is_own(old) ? malloc(size) : NULL);
}

void
free(void *p)
{
	if (is_own(p))
		freed++;
	else if (p != NULL)
		strange++;
}

int
own_has(const void *p)
{
	return (is_own(p));
}

int
own_freed(void)
{
	return ((int)freed);
}

__attribute__((constructor)) static void
begin(void)
{
	first = malloc(100);
}

int
go(int n)
{
	void *volatile later = malloc(64), *volatile other = by_pointer(64);
	int result = is_own(first) | is_own(later) << 1 | is_own(other) << 2;

	(void)n;
	later = realloc(later, 200);
	result |= is_own(later) << 4;
	free(later);
	free(other);
	result |= (freed != 0 && freed % 2 == 0 && strange == 0) << 3;
	return (result);
}
