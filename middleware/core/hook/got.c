/*
 * See got.h. Works on the dynamic section as the dynamic linker left it.
 */
#include <sys/mman.h>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "hook/got.h"

#if defined(__x86_64__)
#define RELOC_JUMP_SLOT R_X86_64_JUMP_SLOT
#define RELOC_GLOB_DAT	R_X86_64_GLOB_DAT
#define RELOC_POINTER	R_X86_64_64
#elif defined(__aarch64__)
#define RELOC_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define RELOC_GLOB_DAT	R_AARCH64_GLOB_DAT
#define RELOC_POINTER	R_AARCH64_ABS64
#endif

struct got_object {
	const struct dl_phdr_info *info;
	const char *strings;
	const ElfW(Sym) * symbols;
	const ElfW(Rela) * rela[2]; /* .rela.plt, .rela.dyn */
	size_t relas[2];
	uintptr_t relro_start, relro_limit;
};

struct got_walk {
	const struct pp_got_hook *hooks;
	size_t count;
	int first; /* the walk begins with the executable */
	int changed;
	int refused;
};

/* glibc relocates d_ptr in place, except where the section is read-only (the
 * vDSO), where nothing is to be patched. */
static void
got_read_dynamic(struct got_object *object, const ElfW(Dyn) * dyn)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		switch (dyn->d_tag) {
		case DT_SYMTAB:
			object->symbols = (const void *)dyn->d_un.d_ptr;
			break;
		case DT_STRTAB:
			object->strings = (const void *)dyn->d_un.d_ptr;
			break;
		case DT_JMPREL:
			object->rela[0] = (const void *)dyn->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			object->relas[0] = dyn->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_RELA:
			object->rela[1] = (const void *)dyn->d_un.d_ptr;
			break;
		case DT_RELASZ:
			object->relas[1] = dyn->d_un.d_val / sizeof(ElfW(Rela));
			break;
		}
	}
}

static int
got_describe(struct got_object *object, const struct dl_phdr_info *info)
{
	const ElfW(Phdr) * ph;
	unsigned int i;

	memset(object, 0, sizeof(*object));
	object->info = info;
	for (i = 0; i < info->dlpi_phnum; i++) {
		ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_DYNAMIC)
			got_read_dynamic(object,
			    (const void *)(info->dlpi_addr + ph->p_vaddr));
		if (ph->p_type == PT_GNU_RELRO) {
			object->relro_start = info->dlpi_addr + ph->p_vaddr;
			object->relro_limit = object->relro_start + ph->p_memsz;
		}
	}
	return (object->strings != NULL && object->symbols != NULL &&
	    (uintptr_t)object->symbols >= info->dlpi_addr);
}

/* 1 when the entry was changed, 0 when it was ours already, -1 refused. */
static int
got_write(const struct got_object *object, void **entry, void *replacement)
{
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)entry;
	void *page = (void *)(at & ~(size - 1));
	int sealed;

	if (*entry == replacement)
		return (0);
	sealed = at >= object->relro_start && at < object->relro_limit;
	if (sealed && mprotect(page, size, PROT_READ | PROT_WRITE) == -1)
		return (-1);
	__atomic_store_n(entry, replacement, __ATOMIC_RELEASE);
	if (sealed)
		(void)mprotect(page, size, PROT_READ);
	return (1);
}

/* A pointer in the object's data that began as the function's address
 * (`struct ops = { malloc, free }`) is a way to call it like another. One
 * that the program has changed since is its own business. */
static int
got_is_ours(unsigned int type, void *const *entry,
    const struct pp_got_hook *hook)
{
	return (type != RELOC_POINTER || *entry == *hook->original);
}

static void
got_patch_table(struct got_walk *walk, const struct got_object *object,
    const ElfW(Rela) * rela, size_t relas, enum pp_got_scope scope)
{
	const struct pp_got_hook *hook;
	const char *name;
	void **entry;
	unsigned int type;
	size_t i;
	int done;

	for (i = 0; i < relas; i++) {
		type = (unsigned int)ELF64_R_TYPE(rela[i].r_info);
		if (type != RELOC_JUMP_SLOT && type != RELOC_GLOB_DAT &&
		    type != RELOC_POINTER)
			continue;
		entry = (void **)(object->info->dlpi_addr + rela[i].r_offset);
		name = object->strings +
		    object->symbols[ELF64_R_SYM(rela[i].r_info)].st_name;
		for (hook = walk->hooks; hook < walk->hooks + walk->count;
		     hook++) {
			if ((hook->scope & scope) == 0 ||
			    *hook->original == NULL ||
			    strcmp(hook->name, name) != 0 ||
			    !got_is_ours(type, entry, hook))
				continue;
			done = got_write(object, entry, hook->replacement);
			walk->changed += done == 1;
			walk->refused += done == -1;
			break;
		}
	}
}

/* Our own table must keep the originals; the dynamic linker's is its own. */
static int
got_left_alone(const struct dl_phdr_info *info)
{
	const ElfW(Phdr) * ph;
	const char *base;
	uintptr_t here = (uintptr_t)&got_left_alone, start;
	unsigned int i;

	base = strrchr(info->dlpi_name, '/');
	base = base != NULL ? base + 1 : info->dlpi_name;
	if (strncmp(base, "ld-linux", 8) == 0 ||
	    strncmp(base, "linux-vdso", 10) == 0)
		return (1);
	for (i = 0; i < info->dlpi_phnum; i++) {
		ph = &info->dlpi_phdr[i];
		start = info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type == PT_LOAD && here >= start &&
		    here < start + ph->p_memsz)
			return (1);
	}
	return (0);
}

static int
got_patch_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct got_walk *walk = arg;
	struct got_object object;
	enum pp_got_scope scope;
	int i;

	(void)size;
	if (walk->first)
		scope = PP_GOT_EXECUTABLE;
	else if (strstr(info->dlpi_name, "/libunwind.so") != NULL)
		scope = PP_GOT_LIBRARIES | PP_GOT_UNWINDER;
	else
		scope = PP_GOT_LIBRARIES | PP_GOT_BUT_UNWINDER;
	walk->first = 0;
	if (got_left_alone(info) || !got_describe(&object, info))
		return (0);
	for (i = 0; i < 2; i++) {
		if (object.rela[i] != NULL)
			got_patch_table(walk, &object, object.rela[i],
			    object.relas[i], scope);
	}
	return (0);
}

int
pp_got_patch(const struct pp_got_hook *hooks, size_t count)
{
	struct got_walk walk = { hooks, count, 1, 0, 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		if (*hooks[i].original == NULL)
			*hooks[i].original = dlsym(RTLD_DEFAULT, hooks[i].name);
	}
	(void)dl_iterate_phdr(got_patch_object, &walk);
	return (walk.refused != 0 ? -1 : walk.changed);
}
