/*
 * Preloaded into the parent: puts a jump of its own over the entry of Kore's
 * kore_mem_untag(), so that the profiler cannot follow it there.
 *
 * Rule: x86-64; blocks that have names are never freed.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
untag_nothing(void *block)
{
	(void)block;
}

__attribute__((constructor)) static void
take(void)
{
	/* jmp *0(%rip); address */
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	void (*to)(void *) = untag_nothing;
	uint8_t *entry = dlsym(RTLD_DEFAULT, "kore_mem_untag");
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from;

	if (entry == NULL)
		return; /* not Kore, but what started it */
	from = (uintptr_t)entry & ~(page - 1);
	if (mprotect((void *)from, 2 * page, PROT_READ | PROT_WRITE) == -1)
		abort();
	memcpy(entry, jump, sizeof(jump));
	memcpy(entry + sizeof(jump), &to, sizeof(to));
	if (mprotect((void *)from, 2 * page, PROT_READ | PROT_EXEC) == -1)
		abort();
}
