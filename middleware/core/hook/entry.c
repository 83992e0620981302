/*
 * See entry.h. A trampoline holds the moved instructions, a jump back behind
 * them, and a jump to the replacement, which may be further away than the
 * five bytes at the target can reach.
 */
#include <sys/mman.h>

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "hook/entry.h"

#if defined(__x86_64__)
#include <Zydis/Zydis.h>

/* The library of the headers that this is built with. */
#define ZYDIS_SO "libZydis.so.4.0"
_Static_assert(ZYDIS_VERSION >> 32 == 0x00040000, "ZYDIS_SO must follow");

/* jmp rel32 */
#define JUMP_BYTES 5
/* Five bytes end within an instruction of at most 15. */
#define MOVED_MAX (JUMP_BYTES - 1 + 15)

struct trampoline {
	uint8_t moved[MOVED_MAX + JUMP_BYTES];
	uint8_t moved_len;
	uint8_t far[14]; /* jmp *0(%rip); address */
};

#define TRAMPOLINES_PER_PAGE 64

static struct trampoline *page; /* next free one, page-wise */
static unsigned int page_left;

/* How many bytes at `code` are whole, movable instructions; 0: they are not. */
static size_t
entry_measure(const uint8_t *code, const char **why)
{
	ZyanStatus (*init)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);
	ZyanStatus (*decode)(const ZydisDecoder *, ZydisDecoderContext *,
	    const void *, ZyanUSize, ZydisDecodedInstruction *);
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	size_t len = 0;
	void *lib;

	lib = dlopen(ZYDIS_SO, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		*why = "no " ZYDIS_SO " (apt-get install libzydis4.0)";
		return (0);
	}
	*(void **)&init = dlsym(lib, "ZydisDecoderInit");
	*(void **)&decode = dlsym(lib, "ZydisDecoderDecodeInstruction");
	*why = "its first instructions cannot be moved";
	if (init == NULL || decode == NULL ||
	    !ZYAN_SUCCESS(init(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
		ZYDIS_STACK_WIDTH_64)))
		goto out;
	while (len < JUMP_BYTES) {
		if (!ZYAN_SUCCESS(decode(&decoder, NULL, code + len,
			MOVED_MAX - len, &instruction)) ||
		    (instruction.attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0) {
			len = 0;
			break;
		}
		len += instruction.length;
	}
out:
	(void)dlclose(lib);
	return (len);
}

/* A page within reach of a 32-bit jump from the target. */
static struct trampoline *
entry_page(const void *target)
{
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), at;
	intptr_t offset;
	void *got;

	for (offset = -0x10000000; offset < 0x10000000; offset += 0x100000) {
		at = ((uintptr_t)target + (uintptr_t)offset) & ~(size - 1);
		got = mmap((void *)at, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (got == (void *)at)
			return (got);
		if (got != MAP_FAILED)
			(void)munmap(got, size);
	}
	return (NULL);
}

static int
entry_protect(const void *start, size_t len, int protection)
{
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)start & ~(size - 1);
	uintptr_t to = ((uintptr_t)start + len + size - 1) & ~(size - 1);

	return (mprotect((void *)from, to - from, protection));
}

/* Into `bytes`, a jump for address `at`; -1: too far. */
static int
entry_jump(uint8_t *bytes, const void *at, const void *to)
{
	intptr_t distance = (intptr_t)to - ((intptr_t)at + JUMP_BYTES);
	int32_t near = (int32_t)distance;

	if (near != distance)
		return (-1);
	bytes[0] = 0xe9;
	memcpy(bytes + 1, &near, sizeof(near));
	return (0);
}

static struct trampoline *
entry_trampoline(const void *target)
{
	if (page_left == 0) {
		page = entry_page(target);
		if (page == NULL)
			return (NULL);
		page_left = TRAMPOLINES_PER_PAGE;
	} else if (entry_protect(page, sizeof(*page), PROT_READ | PROT_WRITE) ==
	    -1) {
		return (NULL);
	}
	page_left--;
	return (page++);
}

static int
entry_fill(struct trampoline *t, const uint8_t *code, size_t len,
    void *replacement)
{
	static const uint8_t jump_far[] = { 0xff, 0x25, 0, 0, 0, 0 };

	memcpy(t->moved, code, len);
	t->moved_len = (uint8_t)len;
	memcpy(t->far, jump_far, sizeof(jump_far));
	memcpy(t->far + sizeof(jump_far), &replacement, sizeof(replacement));
	if (entry_jump(t->moved + len, t->moved + len, code + len) == -1)
		return (-1);
	return (entry_protect(t, sizeof(*t), PROT_READ | PROT_EXEC));
}

int
pp_entry_patch(void *target, void *replacement, void **original,
    const char **why)
{
	uint8_t jump[JUMP_BYTES];
	struct trampoline *t;
	size_t len;

	len = entry_measure(target, why);
	if (len == 0)
		return (-1);
	*why = "no memory near it, or its code may not be written";
	t = entry_trampoline(target);
	if (t == NULL || entry_fill(t, target, len, replacement) == -1)
		return (-1);
	if (entry_jump(jump, target, t->far) == -1 ||
	    entry_protect(target, JUMP_BYTES, PROT_READ | PROT_WRITE) == -1)
		return (-1);
	/* Before the jump is there: the replacement may be called at once. */
	*original = t->moved;
	memcpy(target, jump, sizeof(jump));
	/* The pages were executable a moment ago: this cannot be refused. */
	(void)entry_protect(target, JUMP_BYTES, PROT_READ | PROT_EXEC);
	return (0);
}

void
pp_entry_restore(void *target, void *original)
{
	const uint8_t *moved = original;

	if (entry_protect(target, JUMP_BYTES, PROT_READ | PROT_WRITE) == -1)
		return;
	memcpy(target, moved, JUMP_BYTES);
	(void)entry_protect(target, JUMP_BYTES, PROT_READ | PROT_EXEC);
}

#else

int
pp_entry_patch(void *target, void *replacement, void **original,
    const char **why)
{
	(void)target;
	(void)replacement;
	(void)original;
	*why = "calls inside a program can be followed on x86-64 only";
	return (-1);
}

void
pp_entry_restore(void *target, void *original)
{
	(void)target;
	(void)original;
}

#endif
