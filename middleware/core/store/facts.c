/*
 * See facts.h. Cold: the parent writes facts for each collector, and a
 * collector reads them once.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/facts.h"
#include "store/objects.h"

#define HEAD PP_ARENA_HEAD

static int
facts_write(int fd, const void *data, size_t size, off_t at)
{
	return (pwrite(fd, data, size, at) == (ssize_t)size ? 0 : -1);
}

int
pp_arena_facts(const struct pp_arena *arena, const struct pp_objects *objects)
{
	uint32_t used = atomic_load(&objects->used);
	size_t list = used * sizeof(objects->object[0]);
	int fd, saved;

	fd = pp_arena_file("pprof-facts", HEAD + list);
	if (fd == -1)
		return (-1);
	if (facts_write(fd, arena, HEAD, 0) == 0 &&
	    facts_write(fd, objects->object, list, HEAD) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0)
		return (fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (-1);
}

int
pp_arena_fact(int facts, uint32_t index, struct pp_object *out)
{
	if (index >= PP_OBJECTS_MAX ||
	    pread(facts, out, sizeof(*out),
		(off_t)(HEAD + index * sizeof(*out))) != sizeof(*out))
		return (-1);
	return (pp_object_check(out));
}

struct pp_arena *
pp_arena_attach(int fd, int facts)
{
	struct pp_arena *arena;
	struct stat st;
	size_t size;
	int fits;

	if (fstat(fd, &st) == -1)
		return (NULL);
	if (st.st_size < (off_t)(pp_arena_size(2) - HEAD) ||
	    st.st_size > (off_t)(pp_arena_size(PP_WORKERS_MAX + 1) - HEAD)) {
		errno = EPROTO;
		return (NULL);
	}
	size = (size_t)st.st_size + HEAD;
	arena = pp_arena_map(fd, size);
	if (arena == NULL)
		return (NULL);
	fits = pread(facts, arena, HEAD, 0) == (ssize_t)HEAD &&
	    arena->magic == PP_ARENA_MAGIC && arena->size == size &&
	    arena->slot_size == sizeof(struct pp_slot) && arena->slots >= 2 &&
	    arena->slots <= PP_WORKERS_MAX + 1 &&
	    pp_arena_size(arena->slots) == size;
	if (fits)
		return (arena);
	(void)munmap(arena, size);
	errno = EPROTO;
	return (NULL);
}
