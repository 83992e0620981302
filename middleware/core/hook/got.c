/*
 * See got.h. This reads the dynamic section as the dynamic linker left it.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "hook/got.h"
#include "hook/got_names.h"

#if defined(__x86_64__)
#define RELOC_JUMP_SLOT R_X86_64_JUMP_SLOT
#define RELOC_GLOB_DAT	R_X86_64_GLOB_DAT
#define RELOC_POINTER	R_X86_64_64
#elif defined(__aarch64__)
#define RELOC_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define RELOC_GLOB_DAT	R_AARCH64_GLOB_DAT
#define RELOC_POINTER	R_AARCH64_ABS64
#endif

/* Objects that have been patched. An object that finds no place here is looked
 * through each time. */
struct got_known {
	uintptr_t base;
	const void *headers;
	uint32_t walk; /* the last walk that met the object */
	uint32_t undecided;
};

struct got_walk {
	int first; /* the next object is the executable */
	int fresh; /* new objects are patched, too */
	int changed;
	int refused;
	uint32_t undecided;
	/* The following are of the object that is being patched. */
	const struct pp_got_object *object;
	enum pp_got_scope scope;
	int open; /* the sealed part has been made writable */
	uint32_t left;
};

static const struct pp_got_hook *all_hooks;
static struct got_known known[PP_OBJECTS_MAX];
static size_t known_used;
/* The number may wrap: each walk writes its number into all objects that are
 * there, and then forgets those with another number. */
static uint32_t walks;

/* The part that the dynamic linker seals ends with the last whole page. */
static int
got_seal(const struct pp_got_object *object, int protection)
{
	uintptr_t page = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	uintptr_t start = object->relro_start & page;

	return (mprotect((void *)start, (object->relro_limit & page) - start,
	    protection));
}

static int
got_is_sealed(const struct pp_got_object *object, const void *entry)
{
	uintptr_t page = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	uintptr_t at = (uintptr_t)entry & page;

	return (at >= (object->relro_start & page) &&
	    at < (object->relro_limit & page));
}

static void
got_write(struct got_walk *walk, void **entry, void *replacement)
{
	if (!walk->open && got_is_sealed(walk->object, entry)) {
		if (got_seal(walk->object, PROT_READ | PROT_WRITE) == -1) {
			walk->refused++;
			return;
		}
		walk->open = 1;
	}
	/* Another thread may call through the entry now: it reads the old or
	 * the new function, and either is right. What the new one reads has
	 * been there since pp_got_follow(), when there was one thread. */
	__atomic_store_n(entry, replacement, __ATOMIC_RELEASE);
	walk->changed++;
}

/* Returns 1 if the dynamic linker has not filled the entry yet: the entry leads
 * nowhere, or into the object itself, to no function of that name. */
static int
got_is_unfilled(const struct pp_got_object *object,
    const struct pp_got_name *name, const void *value)
{
	const ElfW(Phdr) * ph;
	uintptr_t at = (uintptr_t)value;
	unsigned int i;

	if (at < object->info->dlpi_addr)
		return (1);
	at -= object->info->dlpi_addr;
	for (i = 0; i < object->info->dlpi_phnum; i++) {
		ph = &object->info->dlpi_phdr[i];
		if (ph->p_type == PT_LOAD && at >= ph->p_vaddr &&
		    at - ph->p_vaddr < ph->p_memsz)
			return (!pp_got_is_own(object, name, value));
	}
	return (0);
}

static const struct pp_got_hook *
got_hook(const struct pp_got_name *name, enum pp_got_scope scope)
{
	uint16_t i;

	for (i = name->hook; i != PP_GOT_END; i = pp_got_next(i)) {
		if ((all_hooks[i].scope & scope) != 0)
			return (&all_hooks[i]);
	}
	return (NULL);
}

/*
 * Patches one entry whose name is followed. A pointer in the object's data that
 * began as the function's address (`struct ops = { malloc, free }`) is a way to
 * call the function, as an entry is, and is patched, too.
 */
static void
got_entry(struct got_walk *walk, const struct pp_got_name *name,
    const ElfW(Rela) * rela)
{
	const struct pp_got_object *object = walk->object;
	const struct pp_got_hook *hook = got_hook(name, walk->scope);
	void **entry = (void **)(object->info->dlpi_addr + rela->r_offset);

	if (hook == NULL || *entry == hook->replacement)
		return;
	if (*entry == name->original) {
		got_write(walk, entry, hook->replacement);
		return;
	}
	if (*entry != NULL &&
	    (ELF64_R_TYPE(rela->r_info) != RELOC_JUMP_SLOT ||
		!got_is_unfilled(object, name, *entry)))
		return;
	if ((uintptr_t)*entry >= object->info->dlpi_addr &&
	    pp_got_certain(object, name, ELF64_R_SYM(rela->r_info)))
		got_write(walk, entry, hook->replacement);
	else
		walk->left++;
}

static void
got_table(struct got_walk *walk, const ElfW(Rela) * rela, size_t relas)
{
	const struct pp_got_object *object = walk->object;
	const struct pp_got_name *name;
	unsigned int type;
	size_t i, symbol;

	for (i = 0; i < relas; i++) {
		type = (unsigned int)ELF64_R_TYPE(rela[i].r_info);
		symbol = ELF64_R_SYM(rela[i].r_info);
		if (symbol == 0 ||
		    (type != RELOC_JUMP_SLOT && type != RELOC_GLOB_DAT &&
			type != RELOC_POINTER))
			continue;
		name = pp_got_name(
		    object->strings + object->symbols[symbol].st_name);
		if (name != NULL && name->original != NULL)
			got_entry(walk, name, &rela[i]);
	}
}

/* Our own table must keep the originals, and the dynamic linker's belongs to
 * itself. */
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

static struct got_known *
got_find(const struct dl_phdr_info *info)
{
	size_t i;

	for (i = 0; i < known_used; i++) {
		if (known[i].base == info->dlpi_addr &&
		    known[i].headers == info->dlpi_phdr)
			return (&known[i]);
	}
	return (NULL);
}

/* This walk goes through all objects before any of them is patched. */
static int
got_note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct got_walk *walk = arg;
	struct pp_got_object object;
	struct got_known *at = got_find(info);

	(void)size;
	if (at != NULL)
		at->walk = walks;
	else if (walk->fresh && !got_left_alone(info) &&
	    pp_got_describe(&object, info))
		pp_got_defines(&object);
	return (0);
}

static void
got_forget_absent(void)
{
	size_t i;

	for (i = 0; i < known_used;) {
		if (known[i].walk == walks)
			i++;
		else
			known[i] = known[--known_used];
	}
}

static void
got_patch_tables(struct got_walk *walk, const struct pp_got_object *object)
{
	int i;

	walk->object = object;
	walk->open = 0;
	for (i = 0; i < 2; i++) {
		if (object->rela[i] != NULL)
			got_table(walk, object->rela[i], object->relas[i]);
	}
	if (walk->open)
		(void)got_seal(object, PROT_READ);
}

static int
got_patch_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct got_walk *walk = arg;
	struct got_known *at = got_find(info);
	struct pp_got_object object;

	(void)size;
	if (walk->first)
		walk->scope = PP_GOT_EXECUTABLE;
	else if (strstr(info->dlpi_name, "/libunwind.so") != NULL)
		walk->scope = PP_GOT_LIBRARIES | PP_GOT_UNWINDER;
	else
		walk->scope = PP_GOT_LIBRARIES | PP_GOT_BUT_UNWINDER;
	walk->first = 0;
	if (at != NULL ? at->undecided == 0 : !walk->fresh)
		return (0);
	walk->left = 0;
	if (!got_left_alone(info) && pp_got_describe(&object, info))
		got_patch_tables(walk, &object);
	if (at == NULL && known_used < PP_OBJECTS_MAX) {
		at = &known[known_used++];
		at->base = info->dlpi_addr;
		at->headers = info->dlpi_phdr;
		at->walk = walks;
	}
	if (at != NULL)
		at->undecided = walk->left;
	walk->undecided += walk->left;
	return (0);
}

int
pp_got_follow(const struct pp_got_hook *hooks, size_t count)
{
	all_hooks = hooks;
	known_used = 0;
	return (pp_got_names(hooks, count));
}

int
pp_got_patch(int fresh, size_t *undecided)
{
	struct got_walk walk;

	memset(&walk, 0, sizeof(walk));
	walk.first = 1;
	walk.fresh = fresh;
	walks++;
	(void)dl_iterate_phdr(got_note_object, &walk);
	got_forget_absent();
	(void)dl_iterate_phdr(got_patch_object, &walk);
	*undecided = walk.undecided;
	return (walk.refused != 0 ? -1 : walk.changed);
}
