/*
 * An arena that this test process has written into as a parent and a worker
 * would: its own objects in slot 0 and 1, itself alive in slot 1.
 */
#ifndef TESTS_OWN_OBJECTS_H
#define TESTS_OWN_OBJECTS_H

#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/objects.h"

/* The note segment of the object, searched for its build id. */
static inline void
own_build_id(const ElfW(Phdr) * ph, uint64_t bias, struct pp_object *out)
{
	const char *note = (const char *)(uintptr_t)(bias + ph->p_vaddr);
	const char *end = note + ph->p_memsz, *name;
	const ElfW(Nhdr) * head;

	while (note + sizeof(*head) <= end) {
		head = (const ElfW(Nhdr) *)(const void *)note;
		name = note + sizeof(*head);
		note = name + ((head->n_namesz + 3) & ~3U);
		if (head->n_type == NT_GNU_BUILD_ID && head->n_namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0 &&
		    head->n_descsz <= PP_BUILD_ID_MAX) {
			out->build_id_len = head->n_descsz;
			memcpy(out->build_id, note, head->n_descsz);
			return;
		}
		note += (head->n_descsz + 3) & ~3U;
	}
}

static inline int
own_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct pp_arena *arena = arg;
	struct pp_object object;
	char path[PATH_MAX] = "";
	int i, fresh, code = 0;

	(void)size;
	memset(&object, 0, sizeof(object));
	object.bias = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_NOTE && object.build_id_len == 0)
			own_build_id(ph, info->dlpi_addr, &object);
		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0 || code)
			continue;
		code = 1;
		object.start = info->dlpi_addr + ph->p_vaddr;
		object.limit = object.start + ph->p_memsz;
		object.offset = ph->p_offset;
	}
	if (info->dlpi_name[0] != '\0')
		strncpy(path, info->dlpi_name, sizeof(path) - 1);
	else if (readlink("/proc/self/exe", path, sizeof(path) - 1) == -1)
		return (0);
	if (!code || strlen(path) >= PP_OBJECT_NAME_MAX)
		return (0);
	memcpy(object.name, path, strlen(path));
	object.name_len = (uint32_t)strlen(path);
	pp_objects_add(&arena->slot[0].objects, &object, &fresh);
	pp_objects_add(&arena->slot[1].objects, &object, &fresh);
	return (0);
}

static inline struct pp_arena *
own_arena(int *fd)
{
	static const char cmdline[] = "kore\0-c\0conf/app.conf";
	struct pp_arena *arena;

	if ((arena = pp_arena_create(2, fd)) == NULL)
		return (NULL);
	memcpy(arena->cmdline, cmdline, sizeof(cmdline) - 1);
	arena->cmdline_len = sizeof(cmdline) - 1;
	memcpy(arena->server, "kore 4.1.0", 11);
	arena->started_ns = pp_clock_wall() - 65 * PP_NS_PER_SEC;
	arena->slot[1].life.pid = getpid();
	arena->slot[1].life.generation = 1;
	arena->slot[1].life.started_ns = arena->started_ns;
	dl_iterate_phdr(own_object, arena);
	return (arena);
}

#endif
