/*
 * A library that has put a function of its own over the entry of its call
 * table for free(), as other tools do. go(0) does so, go(1) tells how often it
 * was called by ten calls of free().
 */
#define _GNU_SOURCE

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int go(int);

#if defined(__x86_64__)
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#define GLOB_DAT  R_X86_64_GLOB_DAT
#else
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#define GLOB_DAT  R_AARCH64_GLOB_DAT
#endif

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static volatile int counted;
static void (*real_free)(void *);

static void
counts(void *p)
{
	counted++;
	real_free(p);
}

static uintptr_t
dynamic(ElfW(Sxword) tag)
{
	ElfW(Dyn) * at;

	for (at = _DYNAMIC; at->d_tag != DT_NULL; at++) {
		if (at->d_tag == tag)
			return (at->d_un.d_ptr);
	}
	return (0);
}

static void
take(const ElfW(Rela) * rela, size_t size)
{
	const ElfW(Sym) *symbols = (const void *)dynamic(DT_SYMTAB);
	const char *strings = (const char *)dynamic(DT_STRTAB);
	size_t i;

	for (i = 0; i < size / sizeof(*rela); i++) {
		void (**entry)(void *) =
		    (void *)(__ehdr_start + rela[i].r_offset);
		unsigned int type = (unsigned int)ELF64_R_TYPE(rela[i].r_info);

		if ((type != JUMP_SLOT && type != GLOB_DAT) ||
		    *entry == counts ||
		    strcmp(strings +
			    symbols[ELF64_R_SYM(rela[i].r_info)].st_name,
			"free") != 0)
			continue;
		real_free = *entry;
		*entry = counts;
	}
}

int
go(int n)
{
	int before, i;
	void *volatile p;

	/* The entry leads to free() once it has been called. */
	p = malloc(10);
	free(p);
	before = counted;
	if (n == 0)
		take((const void *)dynamic(DT_JMPREL), dynamic(DT_PLTRELSZ));
	for (i = 0; n == 1 && i < 10; i++) {
		p = malloc(10);
		free(p);
	}
	return (counted - before);
}
