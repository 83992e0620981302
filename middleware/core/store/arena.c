/*
 * Making and mapping the arena. Cold: the parent once, the collector once.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/arena.h"

static size_t
arena_size(unsigned int slots)
{
	return (sizeof(struct pp_arena) + slots * sizeof(struct pp_slot));
}

struct pp_arena *
pp_arena_create(unsigned int workers, int *fd)
{
	struct pp_arena *arena;
	void (*before)(int);
	size_t size;
	int saved;

	if (workers < 1 || workers > PP_WORKERS_MAX) {
		errno = EINVAL;
		return (NULL);
	}
	size = arena_size(workers + 1);
	*fd = memfd_create("pprof-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return (NULL);
	/* Beyond RLIMIT_FSIZE it shall fail, not end the service. */
	before = signal(SIGXFSZ, SIG_IGN);
	saved = ftruncate(*fd, (off_t)size);
	(void)signal(SIGXFSZ, before);
	/* Nobody may shrink it: the others would die of SIGBUS. */
	if (saved == -1 ||
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == -1)
		goto fail;
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (arena == MAP_FAILED)
		goto fail;
	arena->size = size;
	arena->slot_size = sizeof(struct pp_slot);
	arena->slots = workers + 1;
	arena->parent_pid = getpid();
	arena->started_ns = pp_clock_wall();
	arena->magic = PP_ARENA_MAGIC;
	return (arena);
fail:
	saved = errno;
	(void)close(*fd);
	*fd = -1;
	errno = saved;
	return (NULL);
}

struct pp_arena *
pp_arena_attach(int fd)
{
	struct pp_arena *arena;
	struct stat st;
	size_t size;

	if (fstat(fd, &st) == -1)
		return (NULL);
	if (st.st_size < (off_t)arena_size(1) ||
	    st.st_size > (off_t)arena_size(PP_WORKERS_MAX + 1)) {
		errno = EPROTO;
		return (NULL);
	}
	size = (size_t)st.st_size;
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (arena == MAP_FAILED)
		return (NULL);
	if (arena->magic != PP_ARENA_MAGIC || arena->size != size ||
	    arena->slot_size != sizeof(struct pp_slot) || arena->slots < 2 ||
	    arena->slots > PP_WORKERS_MAX + 1 ||
	    arena_size(arena->slots) != size) {
		(void)munmap(arena, size);
		errno = EPROTO;
		return (NULL);
	}
	return (arena);
}

void
pp_arena_detach(struct pp_arena *arena, size_t size)
{
	(void)munmap(arena, size);
}

void
pp_arena_ring_release(int fd, uint32_t slot)
{
	off_t at;

	at = (off_t)(offsetof(struct pp_arena, slot) +
	    slot * sizeof(struct pp_slot) + offsetof(struct pp_slot, cpu) +
	    offsetof(struct pp_ring, words));
	(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
	    PP_CPU_RING_WORDS * sizeof(uint64_t));
}
