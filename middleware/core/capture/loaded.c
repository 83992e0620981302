/*
 * See loaded.h. Since glibc 2.35 the list that debuggers read has the other
 * namespaces, and _dl_find_object() says where an object's program headers are.
 * An older glibc has neither, and only the program's own namespace is visited.
 * An object of another namespace that is not loaded completely yet is left out.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "capture/loaded.h"

/* Bounds for the dynamic linker's lists, which a program may have damaged. */
#define NAMESPACES_MAX 64
#define MAPS_MAX       4096

struct loaded_visit {
	pp_loaded_fn visit;
	void *arg;
	int ended;
	int others_done;
};

/* <dlfcn.h> defines this since glibc 2.35, which has both. */
#if defined(DLFO_STRUCT_HAS_EH_DBASE)
static int
loaded_describe(struct dl_phdr_info *info, const struct link_map *map)
{
	struct dl_find_object found;
	const ElfW(Ehdr) * head;

	if (_dl_find_object(map->l_ld, &found) != 0)
		return (0);
	head = found.dlfo_map_start;
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_phentsize != sizeof(ElfW(Phdr)))
		return (0);
	memset(info, 0, sizeof(*info));
	info->dlpi_addr = map->l_addr;
	info->dlpi_name = map->l_name;
	info->dlpi_phdr = (const void *)((const char *)head + head->e_phoff);
	info->dlpi_phnum = head->e_phnum;
	return (1);
}

static void
loaded_others(struct loaded_visit *v)
{
	const struct r_debug_extended *space = (const void *)&_r_debug;
	const struct link_map *map;
	struct dl_phdr_info info;
	unsigned int spaces, maps;

	if (_r_debug.r_version < 2)
		return;
	/* The compiler believes that _r_debug has its old type, which is
	 * shorter: the asm hides from it where the pointer comes from. */
	__asm__("" : "+r"(space));
	space = space->r_next;
	for (spaces = 0; space != NULL && spaces < NAMESPACES_MAX; spaces++) {
		map = space->base.r_map;
		for (maps = 0; map != NULL && maps < MAPS_MAX; maps++) {
			if (!v->ended && loaded_describe(&info, map))
				v->ended =
				    v->visit(&info, sizeof(info), v->arg) != 0;
			map = map->l_next;
		}
		space = space->r_next;
	}
}
#else
static void
loaded_others(struct loaded_visit *v)
{
	(void)v;
}
#endif

/* The first call also visits the other namespaces, so that the dynamic linker's
 * lock is held for these, too. */
static int
loaded_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct loaded_visit *v = arg;

	v->ended = v->visit(info, size, v->arg) != 0;
	if (!v->ended && !v->others_done) {
		v->others_done = 1;
		loaded_others(v);
	}
	return (v->ended);
}

void
pp_loaded_each(pp_loaded_fn visit, void *arg)
{
	struct loaded_visit v = { visit, arg, 0, 0 };

	(void)dl_iterate_phdr(loaded_one, &v);
}
