/*
 * Making and mapping the arena, and emptying a slot; see arena.h. What a
 * process is told of the arena is in facts.c.
 *
 * Rule: cold: the parent makes, each collector maps, a worker repairs as it
 * starts.
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

#define HEAD PP_ARENA_HEAD

/* The head is zero, and only this process sees it. */
struct pp_arena *
pp_arena_map(int fd, size_t size)
{
	char *at, *head, *shared;

	at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return (NULL);
	head = mmap(at, HEAD, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	shared = mmap(at + HEAD, size - HEAD, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED, fd, 0);
	if (head == at && shared == at + HEAD)
		return ((struct pp_arena *)(void *)at);
	(void)munmap(at, size);
	return (NULL);
}

/* A memfd of `size` bytes, which nobody can make longer or shorter: if one
 * process cut the file, the others would die of SIGBUS. */
int
pp_arena_file(const char *name, size_t size)
{
	void (*before)(int);
	int fd, failed, saved;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-1);
	/* If the size is beyond RLIMIT_FSIZE, ftruncate() shall fail, and not
	 * end the service by SIGXFSZ. */
	before = signal(SIGXFSZ, SIG_IGN);
	failed = ftruncate(fd, (off_t)size);
	(void)signal(SIGXFSZ, before);
	if (failed == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

struct pp_arena *
pp_arena_create(unsigned int workers, int *fd)
{
	struct pp_arena *arena;
	size_t size;
	int saved;

	*fd = -1;
	if (workers < 1 || workers > PP_WORKERS_MAX) {
		errno = EINVAL;
		return (NULL);
	}
	size = pp_arena_size(workers + 1);
	*fd = pp_arena_file("pprof-arena", size - HEAD);
	if (*fd == -1)
		return (NULL);
	arena = pp_arena_map(*fd, size);
	if (arena == NULL) {
		saved = errno;
		(void)close(*fd);
		*fd = -1;
		errno = saved;
		return (NULL);
	}
	arena->size = size;
	arena->slot_size = sizeof(struct pp_slot);
	arena->slots = workers + 1;
	arena->parent_pid = getpid();
	arena->started_ns = pp_clock_wall();
	arena->magic = PP_ARENA_MAGIC;
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
	size_t at;

	at = offsetof(struct pp_arena, slot) + slot * sizeof(struct pp_slot) +
	    offsetof(struct pp_slot, cpu) + offsetof(struct pp_ring, words);
	(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    PP_ARENA_FILE(at), PP_CPU_RING_WORDS * sizeof(uint64_t));
}

/* The counters of the tables' used entries. Several threads that find a table
 * full may count a little further, but twice its capacity makes no sense. */
static const struct {
	size_t used; /* _Atomic uint32_t, in struct pp_slot */
	uint32_t capacity;
} tables[] = {
	{ offsetof(struct pp_slot, objects.used), PP_OBJECTS_MAX },
	{ offsetof(struct pp_slot, labels.used), PP_LABEL_WORDS },
	{ offsetof(struct pp_slot, stacks.used), PP_STACK_WORDS },
	{ offsetof(struct pp_slot, heap.used), PP_HEAP_COUNTERS },
	{ offsetof(struct pp_slot, block.used), PP_WAIT_COUNTERS },
	{ offsetof(struct pp_slot, mutex.used), PP_WAIT_COUNTERS },
	{ offsetof(struct pp_slot, custom.used), PP_CUSTOM_MAX },
	{ offsetof(struct pp_slot, custom.counters.used), PP_WAIT_COUNTERS },
	{ offsetof(struct pp_slot, inflights.used), PP_INFLIGHT_MAX },
	{ offsetof(struct pp_slot, routes.used), PP_ROUTES_MAX + 1 },
	{ offsetof(struct pp_slot, threads_used), PP_THREADS_MAX },
};

static int
slot_makes_sense(const struct pp_slot *slot)
{
	const _Atomic uint32_t *used;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		used = (const void *)((const char *)slot + tables[i].used);
		if (atomic_load(used) > 2 * tables[i].capacity)
			return (0);
	}
	return (1);
}

void
pp_slot_repair(struct pp_slot *slot)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), first, last;
	char *from = (char *)slot + offsetof(struct pp_slot, clocks);
	char *end = (char *)(slot + 1);

	if (slot_makes_sense(slot))
		return;
	/* Whole pages go back to the system, so that an empty slot costs
	 * nothing. */
	first = (page - (uintptr_t)from % page) % page;
	last = (uintptr_t)end % page;
	memset(from, 0, first);
	memset(end - last, 0, last);
	if (madvise(from + first, (size_t)(end - from) - first - last,
		MADV_REMOVE) == -1)
		memset(from + first, 0, (size_t)(end - from) - first - last);
	memset((void *)(uintptr_t)slot->loss, 0, sizeof(slot->loss));
	pp_slot_lose(slot, PP_LOSS_SLOTS_EMPTIED, 1);
}
