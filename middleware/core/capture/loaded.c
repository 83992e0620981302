/*
 * See loaded.h. Other namespaces are in the list that debuggers read, since
 * glibc 2.35; where an object's program headers are, its _dl_find_object()
 * tells. Without these, and of an object that is not complete yet, nothing is
 * told.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "capture/loaded.h"

/* Its lists may be damaged: a program's bounds are not ours. */
#define NAMESPACES_MAX 64
#define MAPS_MAX       4096

struct loaded_visit {
	pp_loaded_fn visit;
	void *arg;
	int ended;
	int others_done;
};

/* <dlfcn.h> of glibc 2.35 has both. */
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
	/* The compiler knows the variable as the shorter one of old. */
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

/* The others while the dynamic linker's lock is held, too: at its first call.
 */
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
