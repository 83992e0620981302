/*
 * Hot half of unwind.h.
 */
#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "capture/self.h"
#include "capture/unwind.h"
#include "capture/unwind_lib.h"

/* unw_backtrace() begins in our own handler: itself, the handler's callers up
 * to the signal frame. The interrupted pc comes within that many frames. */
#define OWN_FRAMES_MAX 8

static uint64_t
interrupted_pc(const void *context)
{
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	return ((uint64_t)uc->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
	return (uc->uc_mcontext.pc);
#else
#error "no way to find the interrupted pc on this processor"
#endif
}

/*
 * The kernel gives a call that waits EINTR for its result, or sets the pc back
 * to the instruction, so that the call is made again. No byte is looked at that
 * may be of another page than what runs.
 */
int
pp_unwind_in_call(const void *context)
{
	const uint8_t *next = (const uint8_t *)interrupted_pc(context);
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	if (uc->uc_mcontext.gregs[REG_RAX] == -EINTR)
		return ((uintptr_t)next % 4096 < 2 ||
		    (next[-2] == 0x0f && next[-1] == 0x05));
	return (next[0] == 0x0f && next[1] == 0x05);
#else
	const uint32_t svc = 0xd4000001;

	if ((long long)uc->uc_mcontext.regs[0] == -EINTR) {
		if ((uintptr_t)next % 4096 == 0)
			return (1);
		next -= sizeof(svc);
	}
	return (memcmp(next, &svc, sizeof(svc)) == 0);
#endif
}

static int
backtrace_into(void **raw, int room)
{
	int count;

	if (pp_unwind_backtrace == NULL || pp_unwind_off != 0 ||
	    atomic_load_explicit(&pp_self.unwind_unsafe, memory_order_relaxed))
		return (0);
	pp_unwind_off = pp_unwind_ours = 1;
	count = pp_unwind_backtrace(raw, room);
	pp_unwind_off = pp_unwind_ours = 0;
	return (count < room ? count : room);
}

uint32_t
pp_unwind_here(uint64_t *pcs)
{
	void *raw[PP_FRAMES_MAX + OWN_FRAMES_MAX];
	int i, count;
	uint32_t frames;
	uintptr_t pc;

	count = backtrace_into(raw, PP_FRAMES_MAX + OWN_FRAMES_MAX);
	frames = 0;
	for (i = 0; i < count && frames < PP_FRAMES_MAX; i++) {
		pc = (uintptr_t)raw[i];
		if (pc == 0)
			break;
		if (frames == 0 && pc >= pp_unwind_own_start &&
		    pc < pp_unwind_own_limit)
			continue;
		pcs[frames++] = pc;
	}
	return (frames);
}

uint32_t
pp_unwind_interrupted(void *context, uint64_t *pcs, int *stackless, int *cut)
{
	void *raw[PP_FRAMES_MAX + OWN_FRAMES_MAX];
	int i, first, count;
	uint32_t frames;

	pcs[0] = interrupted_pc(context);
	*stackless = *cut = 0;
	count = backtrace_into(raw, PP_FRAMES_MAX + OWN_FRAMES_MAX);
	for (first = 0; first < count && first < OWN_FRAMES_MAX; first++) {
		if ((uint64_t)(uintptr_t)raw[first] == pcs[0])
			break;
	}
	if (first == count || first == OWN_FRAMES_MAX) {
		*stackless = 1;
		return (1);
	}
	frames = 1;
	for (i = first + 1; i < count && frames < PP_FRAMES_MAX; i++) {
		if (raw[i] == NULL)
			break;
		pcs[frames++] = (uint64_t)(uintptr_t)raw[i];
	}
	*cut = i < count && frames == PP_FRAMES_MAX;
	return (frames);
}
