/* Hot: signal handlers run what is in this file. */
/*
 * See jumps.h. Trampolines are looked up by page, so that a pc elsewhere costs
 * one comparison a page.
 */
#include "capture/jumps.h"

#define PAGE	  4096
#define PAGES_MAX 8
#define PER_PAGE  (PAGE / PP_JUMP_BYTES)

struct jump {
	uint64_t target;
	uint8_t moved;
	uint8_t far;
};

static struct jump_page {
	uint64_t start;
	struct jump jump[PER_PAGE];
} pages[PAGES_MAX];
static unsigned int pages_used;

int
pp_jumps_add(const void *trampoline, const void *target, size_t moved,
    size_t far)
{
	uint64_t at = (uint64_t)(uintptr_t)trampoline,
		 start = at & ~(PAGE - 1ULL);
	unsigned int i;
	struct jump *jump;

	for (i = 0; i < pages_used && pages[i].start != start; i++)
		;
	if (i == PAGES_MAX)
		return (-1);
	if (i == pages_used) {
		pages[i].start = start;
		pages_used++;
	}
	jump = &pages[i].jump[(at - start) / PP_JUMP_BYTES];
	jump->target = (uint64_t)(uintptr_t)target;
	jump->moved = (uint8_t)moved;
	jump->far = (uint8_t)far;
	return (0);
}

uint64_t
pp_jumps_home(uint64_t pc)
{
	const struct jump *jump;
	uint64_t offset;
	unsigned int i;

	for (i = 0; i < pages_used; i++) {
		offset = pc - pages[i].start;
		if (offset >= PAGE)
			continue;
		jump = &pages[i].jump[offset / PP_JUMP_BYTES];
		offset %= PP_JUMP_BYTES;
		if (jump->target == 0)
			return (pc);
		if (offset >= jump->far)
			return (jump->target);
		return (jump->target +
		    (offset < jump->moved ? offset : jump->moved));
	}
	return (pc);
}
