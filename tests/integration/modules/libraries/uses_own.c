/*
 * A library without an allocator, linked with one that has: see own_malloc.c.
 * go() is 1 when what it got was that one's, 2 more when that one got it back.
 */
#include <stddef.h>

void *malloc(size_t);
void free(void *);
int own_has(const void *);
int own_freed(void);
int go(int);

int
go(int n)
{
	int before = own_freed(), own;
	void *volatile p = malloc(64);

	(void)n;
	own = own_has(p);
	free(p);
	return (own | (own_freed() - before) << 1);
}
