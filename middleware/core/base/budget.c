/*
 * See budget.h. The kernel's count is read from /proc/self/statm for each
 * question.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"

static uint64_t bound, files;
static int statm = -1;

/* Before a block is refused, malloc() gives the free part of its heap back to
 * the system, at most once in this time. */
#define TRIM_NS PP_NS_PER_SEC

/* For this time a refusal holds for all blocks that are at least as large,
 * because a full table asks again with each sample. */
#define REFUSED_NS (20 * PP_NS_PER_MS)

void
pp_budget_set(uint64_t bytes, int fd)
{
	bound = bytes;
	statm = fd;
}

uint64_t
pp_budget_bound(void)
{
	return (bound);
}

/* The resident pages of this process, without those that belong to a file (the
 * arena's do, too). */
static uint64_t
budget_pages(void)
{
	char text[128], *at;
	uint64_t resident;
	ssize_t got;

	got = pread(statm, text, sizeof(text) - 1, 0);
	if (got <= 0)
		return (0);
	text[got] = '\0';
	(void)strtoull(text, &at, 10);
	resident = strtoull(at, &at, 10);
	return (resident - strtoull(at, NULL, 10));
}

uint64_t
pp_budget_used(void)
{
	return (budget_pages() * (uint64_t)sysconf(_SC_PAGESIZE) + files);
}

static int
budget_has(uint64_t more, uint64_t of)
{
	return (more <= of && pp_budget_used() <= of - more);
}

static int
budget_room(uint64_t more, uint64_t of)
{
	static int64_t trimmed, refused;
	static uint64_t refused_more, refused_of;
	int64_t now;

	if (bound == 0)
		return (1);
	now = pp_clock_mono();
	if (now - refused >= REFUSED_NS || more < refused_more ||
	    of > refused_of) {
		if (budget_has(more, of))
			return (1);
		if (now - trimmed >= TRIM_NS) {
			trimmed = now;
			(void)malloc_trim(0);
			if (budget_has(more, of))
				return (1);
		}
		refused = now;
		refused_more = more;
		refused_of = of;
	}
	errno = ENOMEM;
	return (0);
}

int
pp_budget_keeps(uint64_t more)
{
	return (more < PP_BUDGET_LARGE || budget_room(more, bound / 4 * 3));
}

int
pp_budget_fits(uint64_t more)
{
	return (more < PP_BUDGET_LARGE || budget_room(more, bound / 16 * 15));
}

void
pp_budget_file(int64_t more)
{
	files += (uint64_t)more;
}
