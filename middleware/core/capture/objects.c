/*
 * From the dynamic linker's list to the slot's table; see objects.h. Cold: at
 * start, and after dlopen() and dlclose().
 */
#include <sys/mman.h>

#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/objects.h"
#include "capture/self.h"
#include "store/objects.h"

static char exe_path[PATH_MAX];

struct scan {
	struct pp_objects *table;
	pp_objects_seen_fn seen;
	uint8_t present[PP_OBJECTS_MAX];
};

void
pp_objects_prepare(void)
{
	ssize_t len;

	len = readlink("/proc/self/exe", exe_path, sizeof(exe_path) - 1);
	exe_path[len > 0 ? len : 0] = '\0';
}

/* Absolute, as far as this process can still tell (not in a chroot). */
static void
object_name(struct pp_object *object, const char *name)
{
	char real[PATH_MAX];
	size_t len;

	if (name[0] == '\0')
		name = exe_path;
	else if (name[0] != '/' && strchr(name, '/') != NULL &&
	    realpath(name, real) != NULL)
		name = real;
	len = strlen(name);
	if (len >= sizeof(object->name)) {
		name += len - (sizeof(object->name) - 1);
		len = sizeof(object->name) - 1;
	}
	memcpy(object->name, name, len + 1);
	object->name_len = (uint32_t)len;
}

/* The GNU build id among the notes of one segment. */
static void
object_build_id(struct pp_object *object, const uint8_t *note, size_t left)
{
	const ElfW(Nhdr) * head;
	size_t name, desc;

	while (left >= sizeof(*head)) {
		head = (const ElfW(Nhdr) *)(const void *)note;
		name = ((size_t)head->n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)head->n_descsz + 3) & ~(size_t)3;
		if (name > left || desc > left ||
		    sizeof(*head) + name + desc > left)
			return;
		note += sizeof(*head);
		if (head->n_type == NT_GNU_BUILD_ID && head->n_namesz == 4 &&
		    memcmp(note, "GNU", 4) == 0 && head->n_descsz > 0 &&
		    head->n_descsz <= PP_BUILD_ID_MAX) {
			memcpy(object->build_id, note + name, head->n_descsz);
			object->build_id_len = head->n_descsz;
			return;
		}
		note += name + desc;
		left -= sizeof(*head) + name + desc;
	}
}

/* Fill the entry from the program headers; 0 when it has no code. */
static int
object_describe(struct pp_object *object, const struct dl_phdr_info *info)
{
	const ElfW(Phdr) * ph;
	unsigned int i;

	memset(object, 0, sizeof(*object));
	object->bias = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) != 0 &&
		    object->limit == 0) {
			object->start = info->dlpi_addr + ph->p_vaddr;
			object->limit = object->start + ph->p_memsz;
			object->offset = ph->p_offset;
		} else if (ph->p_type == PT_NOTE && object->build_id_len == 0) {
			object_build_id(object,
			    (const uint8_t *)info->dlpi_addr + ph->p_vaddr,
			    ph->p_memsz);
		}
	}
	if (object->limit <= object->start)
		return (0);
	object_name(object, info->dlpi_name);
	return (1);
}

static int
object_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct scan *scan = arg;
	struct pp_object object;
	int index, fresh;

	(void)size;
	if (!object_describe(&object, info))
		return (0);
	index = pp_objects_add(scan->table, &object, &fresh);
	if (index == -1) {
		pp_slot_lose(pp_self.slot, PP_LOSS_OBJECTS_DROPPED, 1);
		return (0);
	}
	scan->present[index] = 1;
	if (fresh && scan->seen != NULL)
		scan->seen(&object);
	return (0);
}

/* Keep the code addresses of an object that is gone from being used again. */
static void
object_reserve(const struct pp_object *object)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t start = (uintptr_t)object->start & ~page;
	uintptr_t limit = ((uintptr_t)object->limit + page) & ~page;
	void *got;

	got = mmap((void *)start, limit - start, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
	    -1, 0);
	if (got == (void *)start)
		return;
	if (got != MAP_FAILED)
		(void)munmap(got, limit - start);
	/* Something else is there already: the unwinder's caches may lie. */
	atomic_store(&pp_self.unwind_unsafe, 1);
}

void
pp_objects_scan(pp_objects_seen_fn seen)
{
	struct scan scan;
	struct pp_object old;
	uint32_t used, i;

	if (pp_self.slot == NULL)
		return;
	memset(&scan, 0, sizeof(scan));
	scan.table = &pp_self.slot->objects;
	scan.seen = seen;
	(void)dl_iterate_phdr(object_add, &scan);
	used = atomic_load(&scan.table->used);
	for (i = 0; i < used && i < PP_OBJECTS_MAX; i++) {
		if (scan.present[i] ||
		    pp_objects_read(scan.table, i, &old) == -1 ||
		    atomic_load(&old.state) != PP_OBJECT_LIVE)
			continue;
		pp_objects_retire(scan.table, i);
		/* What an earlier process of the slot had, this one never. */
		if (pp_self.scanned)
			object_reserve(&old);
	}
	pp_self.scanned = 1;
}
