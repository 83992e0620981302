/*
 * See entry.h. A trampoline holds the moved instructions, a jump back behind
 * them, and a jump to the replacement, which may be further away than the
 * five bytes at the target can reach.
 */
#include <sys/mman.h>

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/jumps.h"
#include "hook/entry.h"

int
pp_entry_wanted(void)
{
	const char *wanted = getenv("PPROF_ENTRY_PATCH");

	return (wanted == NULL || strcmp(wanted, "0") != 0);
}

#if defined(__x86_64__)
#include <Zydis/Zydis.h>

/* The library that fits the headers of the build, by their minor version. */
static const struct {
	const char *name;
	const char *absent;
} zydis[] = {
	{ "libZydis.so.4.0",
	    "no libZydis.so.4.0 (apt-get install libzydis4.0)" },
	{ "libZydis.so.4.1",
	    "no libZydis.so.4.1 (apt-get install libzydis4.1)" },
};
#define ZYDIS_MINOR ((ZYDIS_VERSION >> 32) & 0xffff)
_Static_assert(ZYDIS_VERSION >> 48 == 4 && ZYDIS_MINOR <= 1,
    "zydis[] must follow");

/* jmp rel32 */
#define JUMP_BYTES 5
/* The fifth byte lies within an instruction of at most 15 bytes. */
#define MOVED_MAX (JUMP_BYTES - 1 + 15)

struct trampoline {
	_Alignas(PP_JUMP_BYTES) uint8_t moved[MOVED_MAX + JUMP_BYTES];
	uint8_t moved_len;
	uint8_t far[14]; /* jmp *0(%rip); address */
};

_Static_assert(sizeof(struct trampoline) == PP_JUMP_BYTES,
    "a pc in it is looked up by this size");

#define TRAMPOLINES_PER_PAGE 64

static struct trampoline *page; /* next free one, page-wise */
static unsigned int page_left;

struct decoder {
	void *lib;
	ZydisDecoder state;
	ZyanStatus (*decode)(const ZydisDecoder *, ZydisDecoderContext *,
	    const void *, ZyanUSize, ZydisDecodedInstruction *);
};

static int
decoder_open(struct decoder *d, const char **why)
{
	ZyanStatus (*init)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);

	d->lib = dlopen(zydis[ZYDIS_MINOR].name, RTLD_NOW | RTLD_LOCAL);
	if (d->lib == NULL) {
		*why = zydis[ZYDIS_MINOR].absent;
		return (-1);
	}
	*(void **)&init = dlsym(d->lib, "ZydisDecoderInit");
	*(void **)&d->decode = dlsym(d->lib, "ZydisDecoderDecodeInstruction");
	if (init != NULL && d->decode != NULL &&
	    ZYAN_SUCCESS(init(&d->state, ZYDIS_MACHINE_MODE_LONG_64,
		ZYDIS_STACK_WIDTH_64)))
		return (0);
	*why = "libZydis is not the one this was made for";
	(void)dlclose(d->lib);
	return (-1);
}

/* How many bytes at `code` are whole, movable instructions. 0: they cannot be
 * moved, or the function may end within them and the next function begin. */
static size_t
entry_movable(const struct decoder *d, const uint8_t *code)
{
	ZydisDecodedInstruction at;
	size_t len;

	for (len = 0; len < JUMP_BYTES; len += at.length) {
		if (!ZYAN_SUCCESS(d->decode(&d->state, NULL, code + len,
			MOVED_MAX - len, &at)) ||
		    (at.attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0 ||
		    at.meta.category == ZYDIS_CATEGORY_RET ||
		    at.meta.category == ZYDIS_CATEGORY_UNCOND_BR)
			return (0);
	}
	return (len);
}

/* Returns 1 if the function, which is as long as its symbol says, jumps back
 * into its first `len` bytes (a loop right at its beginning). */
static int
entry_returns_to(const struct decoder *d, const uint8_t *code, size_t len)
{
	ZydisDecodedInstruction at;
	const ElfW(Sym) *symbol = NULL;
	const uint8_t *here, *end, *target;
	Dl_info info;

	if (dladdr1(code, &info, (void **)(uintptr_t)&symbol, RTLD_DL_SYMENT) ==
		0 ||
	    symbol == NULL || info.dli_saddr != code)
		return (0);
	end = code + symbol->st_size;
	for (here = code; here < end; here += at.length) {
		if (!ZYAN_SUCCESS(d->decode(&d->state, NULL, here,
			(size_t)(end - here), &at)))
			return (0);
		if (at.raw.imm[0].is_relative == 0)
			continue;
		target = here + at.length + at.raw.imm[0].value.s;
		if (target > code && target < code + len)
			return (1);
	}
	return (0);
}

/* How many bytes at `code` move to the trampoline. 0: none, as *why says. */
static size_t
entry_measure(const uint8_t *code, const char **why)
{
	struct decoder d;
	size_t len;

	if (decoder_open(&d, why) == -1)
		return (0);
	*why = "its first instructions cannot be moved";
	len = entry_movable(&d, code);
	if (len != 0 && entry_returns_to(&d, code, len))
		len = 0;
	(void)dlclose(d.lib);
	return (len);
}

/* A new page within reach of a 32-bit jump from the target, or NULL. */
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

/* Write a jump into `bytes` that will stand at `at`. Returns -1 if `to` is too
 * far. */
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
	uint8_t unused[JUMP_BYTES];

	/* The page that has room may be too far from this target. */
	if (page_left == 0 ||
	    entry_jump(unused, target, page + page_left) == -1) {
		page = entry_page(target);
		page_left = page == NULL ? 0 : TRAMPOLINES_PER_PAGE;
	} else if (entry_protect(page, sizeof(*page), PROT_READ | PROT_WRITE) ==
	    -1) {
		return (NULL);
	}
	if (page_left == 0)
		return (NULL);
	page_left--;
	return (page++);
}

static int
entry_fill(struct trampoline *t, const uint8_t *code, size_t len,
    void *replacement)
{
	static const uint8_t jump_far[] = { 0xff, 0x25, 0, 0, 0, 0 };
	int result;

	memcpy(t->moved, code, len);
	t->moved_len = (uint8_t)len;
	memcpy(t->far, jump_far, sizeof(jump_far));
	memcpy(t->far + sizeof(jump_far), &replacement, sizeof(replacement));
	result = entry_jump(t->moved + len, t->moved + len, code + len);
	/* Other trampolines in the page are in use. */
	if (entry_protect(t, sizeof(*t), PROT_READ | PROT_EXEC) == -1)
		return (-1);
	return (result);
}

/* Returns 1 if `code` returns at once and only fillers follow up to the length
 * of a jump, not another function. */
static int
entry_is_empty(const uint8_t *code, const char **why)
{
	ZydisDecodedInstruction at;
	struct decoder d;
	size_t len;
	int returned = 0;

	if (decoder_open(&d, why) == -1)
		return (0);
	*why = "it does something";
	for (len = 0; len < JUMP_BYTES; len += at.length) {
		if (!ZYAN_SUCCESS(
			d.decode(&d.state, NULL, code + len, MOVED_MAX, &at)) ||
		    at.mnemonic !=
			(returned ? ZYDIS_MNEMONIC_NOP : ZYDIS_MNEMONIC_RET))
			break;
		returned = 1;
	}
	(void)dlclose(d.lib);
	return (len >= JUMP_BYTES);
}

/* The decoder's library is loaded and unloaded once more: the patches of the
 * dynamic linker must notice both. */
void
pp_entry_probe(void)
{
	struct decoder d;
	const char *why;

	if (decoder_open(&d, &why) == 0)
		(void)dlclose(d.lib);
}

static int
entry_write(void *target, size_t len, void *replacement, void **original,
    const char **why)
{
	uint8_t jump[JUMP_BYTES];
	struct trampoline *t;

	*why = "no memory near it, or its code may not be written";
	t = entry_trampoline(target);
	if (t == NULL || entry_fill(t, target, len, replacement) == -1 ||
	    pp_jumps_add(t, target, len, offsetof(struct trampoline, far)) ==
		-1)
		return (-1);
	if (entry_jump(jump, target, t->far) == -1 ||
	    entry_protect(target, JUMP_BYTES, PROT_READ | PROT_WRITE) == -1)
		return (-1);
	/* *original is set before the jump is there: the replacement may be
	 * called at once. */
	*original = t->moved;
	memcpy(target, jump, sizeof(jump));
	/* The pages were executable a moment ago, so the kernel does not refuse
	 * this. */
	(void)entry_protect(target, JUMP_BYTES, PROT_READ | PROT_EXEC);
	return (0);
}

int
pp_entry_patch(void *target, void *replacement, void **original,
    const char **why)
{
	size_t len = entry_measure(target, why);

	if (len == 0)
		return (-1);
	return (entry_write(target, len, replacement, original, why));
}

int
pp_entry_patch_empty(void *target, void *replacement, void **original,
    const char **why)
{
	if (!entry_is_empty(target, why))
		return (-1);
	return (entry_write(target, JUMP_BYTES, replacement, original, why));
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
pp_entry_probe(void)
{
}

int
pp_entry_patch_empty(void *target, void *replacement, void **original,
    const char **why)
{
	return (pp_entry_patch(target, replacement, original, why));
}

void
pp_entry_restore(void *target, void *original)
{
	(void)target;
	(void)original;
}

#endif
