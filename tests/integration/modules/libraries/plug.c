/*
 * A library as a plug-in is one: it works, and it holds memory, 1 MiB from its
 * constructor and what it is asked for.
 */
#include <stdlib.h>
#include <string.h>

#ifndef PLUG
#define PLUG(name) plug_##name
#endif
/* How much larger the frame of its function is. */
#ifndef PAD
#define PAD 0
#endif

int PLUG(work)(int);
int PLUG(hold)(int);
int go(int);

static void *volatile held;

__attribute__((noinline)) static void
keep(size_t size)
{
	held = malloc(size);
	memset(held, 1, size);
}

__attribute__((constructor)) static void
PLUG(begins)(void)
{
	keep(1 << 20);
}

__attribute__((noinline)) static unsigned int
PLUG(inner)(int n)
{
	volatile unsigned int x;
	volatile char pad[PAD + 1];
	int i;

	pad[PAD] = 1;
	x = (unsigned char)pad[PAD];
	for (i = 0; i < n; i++)
		x = x * 1664525 + 1013904223;
	return (x);
}

int
PLUG(work)(int n)
{
	return (PLUG(inner)(200000 + n) == 0);
}

int
PLUG(hold)(int n)
{
	keep((size_t)n);
	return (held == NULL);
}

int
go(int n)
{
	return (PLUG(work)(n));
}
