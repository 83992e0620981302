/*
 * Brings our list up to date with the dynamic linker's, and the slot's copy up
 * to date with ours; see scan.h. Cold: at start, and after dlopen() and
 * dlclose().
 */
#include <sys/mman.h>

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/loaded.h"
#include "capture/scan.h"
#include "capture/self.h"
#include "capture/unwind_list.h"
#include "store/objects.h"

static char exe_path[PATH_MAX];

static struct pp_objects mine;

struct scan {
	pp_objects_seen_fn seen;
	uint32_t without_entry;
	uint8_t present[PP_OBJECTS_MAX];
};

/* What is done with the addresses of an object that this process has unloaded,
 * by entry of the list. */
enum held {
	HELD_NOT,
	HELD,	  /* reserved */
	HELD_LENT /* free for the object's file until the next scan */
};

static uint8_t held[PP_OBJECTS_MAX];
static uint32_t without_entry; /* objects, at the last scan */
static uint32_t without_copy;

/* A file's program headers and its build id lie in its first page. */
#define HEAD_BYTES 4096

void
pp_scan_prepare(void)
{
	ssize_t len;

	len = readlink("/proc/self/exe", exe_path, sizeof(exe_path) - 1);
	exe_path[len > 0 ? len : 0] = '\0';
}

/* Makes the name absolute, as far as this process can do so (in a chroot it
 * cannot). */
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

/* Looks for the GNU build id among the notes of one segment. */
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

static void
object_describe(struct pp_object *object, const struct dl_phdr_info *info)
{
	const ElfW(Phdr) * ph;
	unsigned int i;

	memset(object, 0, sizeof(*object));
	object->bias = info->dlpi_addr;
	object_name(object, info->dlpi_name);
	for (i = 0; i < info->dlpi_phnum; i++) {
		ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_NOTE && object->build_id_len == 0)
			object_build_id(object,
			    (const uint8_t *)info->dlpi_addr + ph->p_vaddr,
			    ph->p_memsz);
	}
}

/* Adds an entry for each executable segment; `seen` gets the file once. */
static int
object_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct scan *scan = arg;
	const ElfW(Phdr) *ph = info->dlpi_phdr, *end = ph + info->dlpi_phnum;
	struct pp_object object;
	int index, fresh, shown = 0;

	(void)size;
	object_describe(&object, info);
	for (; ph < end; ph++) {
		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0 ||
		    ph->p_memsz == 0)
			continue;
		object.start = info->dlpi_addr + ph->p_vaddr;
		object.limit = object.start + ph->p_memsz;
		object.offset = ph->p_offset;
		index = pp_objects_add(&mine, &object, &fresh);
		if (index == -1) {
			scan->without_entry++;
			continue;
		}
		scan->present[index] = 1;
		if (fresh && !shown && scan->seen != NULL)
			scan->seen(&object);
		shown |= fresh;
	}
	return (0);
}

static uintptr_t
object_pages(const struct pp_object *object, size_t *len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t start = (uintptr_t)object->start & ~page;

	*len = (((uintptr_t)object->limit + page) & ~page) - start;
	return (start);
}

/* Other code may come to addresses that stacks have gone through: what the
 * unwinder remembers of addresses is forgotten. If that cannot be done, no
 * stack is walked any more. */
static void
objects_forget(void)
{
	if (pp_unwind_forget() == 0)
		return;
	atomic_store(&pp_self.unwind_unsafe, 1);
	pp_slot_lose(pp_self.slot, PP_LOSS_UNWINDER_STALE, 1);
}

/* Keep other code away from the addresses of an object that is gone. */
static void
object_reserve(const struct pp_object *object, uint32_t entry)
{
	uintptr_t start;
	size_t len;
	void *got;

	start = object_pages(object, &len);
	got = mmap((void *)start, len, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
	    -1, 0);
	held[entry] = got == (void *)start ? HELD : HELD_NOT;
	if (held[entry] == HELD)
		return;
	if (got != MAP_FAILED)
		(void)munmap(got, len);
	/* Something else lies at the addresses already. */
	objects_forget();
}

/* Counts the objects that found no entry. If there are fewer than at the last
 * scan, such an object has gone, and nobody has reserved its addresses. */
static void
scan_without_entry(const struct scan *scan)
{
	if (scan->without_entry > without_entry)
		pp_slot_lose(pp_self.slot, PP_LOSS_OBJECTS_DROPPED,
		    scan->without_entry - without_entry);
	if (scan->without_entry < without_entry)
		objects_forget();
	without_entry = scan->without_entry;
}

static void
scan_absent(uint32_t entry)
{
	struct pp_object old;

	if (pp_objects_read(&mine, entry, &old) == -1)
		return;
	if (atomic_load(&old.state) == PP_OBJECT_LIVE) {
		pp_objects_retire(&mine, entry);
		object_reserve(&old, entry);
	} else if (held[entry] == HELD_LENT) {
		object_reserve(&old, entry);
	}
}

/* Brings the slot's table up to date. The table keeps the objects that earlier
 * processes of the slot had. */
static void
scan_copy(struct pp_objects *copy)
{
	uint8_t present[PP_OBJECTS_MAX] = { 0 };
	uint32_t used = atomic_load(&mine.used), missing = 0, i;
	int entry, fresh;

	for (i = 0; i < used; i++) {
		if (atomic_load(&mine.object[i].state) != PP_OBJECT_LIVE)
			continue;
		entry = pp_objects_add(copy, &mine.object[i], &fresh);
		if (entry == -1)
			missing++;
		else
			present[entry] = 1;
	}
	used = atomic_load(&copy->used);
	for (i = 0; i < used && i < PP_OBJECTS_MAX; i++) {
		if (!present[i] &&
		    atomic_load(&copy->object[i].state) == PP_OBJECT_LIVE)
			pp_objects_retire(copy, i);
	}
	if (missing > without_copy)
		pp_slot_lose(pp_self.slot, PP_LOSS_OBJECTS_DROPPED,
		    missing - without_copy);
	without_copy = missing;
}

/* Empties the list, which is that of the process that has forked this one. */
static void
scan_begin_anew(void)
{
	memset(mine.object, 0, atomic_load(&mine.used) * sizeof(*mine.object));
	atomic_store(&mine.used, 0);
	memset(held, HELD_NOT, sizeof(held));
	without_entry = without_copy = 0;
}

const struct pp_objects *
pp_scan_mine(void)
{
	return (&mine);
}

void
pp_scan_objects(pp_objects_seen_fn seen)
{
	struct scan scan;
	uint32_t used, i;

	if (pp_self.slot == NULL)
		return;
	memset(&scan, 0, sizeof(scan));
	scan.seen = seen;
	if (!pp_self.scanned)
		scan_begin_anew();
	pp_loaded_each(object_add, &scan);
	used = atomic_load(&mine.used);
	for (i = 0; i < used; i++) {
		if (scan.present[i])
			held[i] = HELD_NOT;
		else
			scan_absent(i);
	}
	scan_without_entry(&scan);
	scan_copy(&pp_self.slot->objects);
	pp_self.scanned = 1;
}

/* Puts the build id of the file into `object`. Returns 0 if none is found. */
static int
file_build_id(struct pp_object *object, const char *path)
{
	_Alignas(ElfW(Ehdr)) uint8_t page[HEAD_BYTES];
	const ElfW(Ehdr) *head = (const void *)page;
	const ElfW(Phdr) * ph;
	ssize_t got;
	size_t i;
	int fd;

	memset(object, 0, sizeof(*object));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return (0);
	got = read(fd, page, sizeof(page));
	(void)close(fd);
	if (got != (ssize_t)sizeof(page) ||
	    memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_phoff % sizeof(head->e_phoff) != 0)
		return (0);
	for (i = 0; i < head->e_phnum &&
	     head->e_phoff + (i + 1) * sizeof(*ph) <= sizeof(page);
	     i++) {
		ph = (const void *)(page + head->e_phoff + i * sizeof(*ph));
		if (ph->p_type == PT_NOTE && object->build_id_len == 0 &&
		    ph->p_offset % 4 == 0 && ph->p_offset <= sizeof(page) &&
		    ph->p_filesz <= sizeof(page) - ph->p_offset)
			object_build_id(object, page + ph->p_offset,
			    ph->p_filesz);
	}
	return (object->build_id_len != 0);
}

int
pp_scan_release(const char *path)
{
	struct pp_object file, old;
	uintptr_t start;
	uint32_t i;
	size_t len;
	int lent = 0;

	if (pp_self.slot == NULL || !file_build_id(&file, path))
		return (0);
	for (i = 0; i < PP_OBJECTS_MAX; i++) {
		if (held[i] != HELD || pp_objects_read(&mine, i, &old) == -1 ||
		    !pp_objects_same_file(&file, &old))
			continue;
		start = object_pages(&old, &len);
		(void)munmap((void *)start, len);
		held[i] = HELD_LENT;
		lent = 1;
	}
	return (lent);
}
