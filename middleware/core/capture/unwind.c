/* Hot: signal handlers run what is in this file. */
/*
 * The hot half of unwind.h.
 */
#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "base/clock.h"
#include "capture/jumps.h"
#include "capture/self.h"
#include "capture/unwind.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

/* unw_backtrace() begins in our own handler: with itself and the handler's
 * callers up to the signal frame, with the switch to our own stack between. The
 * interrupted pc comes within that many frames. */
#define OWN_FRAMES_MAX 12

uint64_t
pp_unwind_pc(const void *context)
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

static void
interrupted_pc_set(void *context, uint64_t pc)
{
	ucontext_t *uc = context;

#if defined(__x86_64__)
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
#else
	uc->uc_mcontext.pc = pc;
#endif
}

/*
 * If a signal comes while a call waits, the kernel makes EINTR the call's
 * result, or sets the pc back to the instruction, so that the call is made
 * again. A byte that may lie on another page than the pc is not read.
 */
int
pp_unwind_in_call(const void *context)
{
	const uint8_t *next = (const uint8_t *)pp_unwind_pc(context);
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
	pp_unwind_forget_own();
	count = pp_unwind_backtrace(raw, room);
	pp_unwind_off = pp_unwind_ours = 0;
	return (count < room ? count : room);
}

#if defined(__aarch64__)
/* From <libunwind.h> and <libunwind-aarch64.h>, whose cursor is the largest. */
#define CURSOR_WORDS	  4096
#define INIT_SIGNAL_FRAME 1
#define REG_LINK	  30
#define REG_PC		  32

/* After such a walk the thread has LEAF_PAUSE times the walk's duration for
 * itself. Otherwise, at a rate whose period is shorter than a walk, the thread
 * would do nothing but walk. */
#define LEAF_PAUSE 4

static __thread int64_t leaf_next_ns;

/*
 * A function that calls nothing keeps its return address in a register. At some
 * instructions of such a function unw_backtrace() of libunwind 1.6 loses that
 * address and ends. A walk that begins with the registers that the signal has
 * saved does not lose it. libunwind 1.6 names the pc by the link register's
 * number, newer versions by the pc's own. Returns the number of frames; 1: no
 * caller is known.
 */
static __attribute__((noinline)) uint32_t
unwind_leaf(void *context, uint64_t *pcs)
{
	uint64_t cursor[CURSOR_WORDS];
	int64_t now = pp_clock_read(CLOCK_MONOTONIC);
	uint32_t frames = 1;
	int reg = REG_LINK;

	if (pp_unwind_init == NULL || pp_unwind_step == NULL ||
	    pp_unwind_reg == NULL || now < leaf_next_ns)
		return (1);
	pp_unwind_off = pp_unwind_ours = 1;
	if (pp_unwind_init(cursor, context, INIT_SIGNAL_FRAME) == 0) {
		if (pp_unwind_reg(cursor, reg, &pcs[1]) != 0 ||
		    pcs[1] != pcs[0])
			reg = REG_PC;
		while (frames < PP_FRAMES_MAX && pp_unwind_step(cursor) > 0 &&
		    pp_unwind_reg(cursor, reg, &pcs[frames]) == 0 &&
		    pcs[frames] != 0)
			frames++;
	}
	pp_unwind_off = pp_unwind_ours = 0;
	leaf_next_ns = pp_clock_read(CLOCK_MONOTONIC);
	leaf_next_ns += LEAF_PAUSE * (leaf_next_ns - now);
	return (frames);
}
#define LEAF_MATTERS 1
#else
/* On this processor a stack of one frame is a thread's first function. */
#define LEAF_MATTERS 0
static uint32_t
unwind_leaf(void *context, uint64_t *pcs)
{
	(void)context;
	(void)pcs;
	return (1);
}
#endif

/* The last return addresses of whole stacks, in _start and in clone3. An entry
 * is set once, by compare-and-swap from 0, and publishes nothing but itself. */
#define ROOTS_MAX 8

static _Atomic uint64_t roots[ROOTS_MAX];

void
pp_unwind_root(void *learnt)
{
	uint64_t pcs[PP_FRAMES_MAX], none;
	enum pp_unwind_end end;
	uint32_t frames = pp_unwind_here(pcs, &end);
	int i;

	if (frames == 0 || end == PP_UNWIND_CUT)
		return;
	for (i = 0; i < ROOTS_MAX; i++) {
		none = 0;
		if (atomic_compare_exchange_strong(&roots[i], &none,
			pcs[frames - 1]) ||
		    none == pcs[frames - 1])
			break;
	}
	if (learnt != NULL)
		atomic_store((atomic_int *)learnt, 1);
}

/* How a stack ends. As long as no root is known, every stack counts as whole.
 */
static enum pp_unwind_end
end_of(uint64_t last)
{
	uint64_t root;
	int i;

	for (i = 0; i < ROOTS_MAX; i++) {
		root = atomic_load_explicit(&roots[i], memory_order_relaxed);
		if (root == last || (root == 0 && i == 0))
			return (PP_UNWIND_WHOLE);
		if (root == 0)
			break;
	}
	return (PP_UNWIND_SHORT);
}

uint32_t
pp_unwind_here(uint64_t *pcs, enum pp_unwind_end *end)
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
	*end = frames == 0 ? PP_UNWIND_WHOLE : end_of(pcs[frames - 1]);
	if (i < count && frames == PP_FRAMES_MAX)
		*end = PP_UNWIND_CUT;
	return (frames);
}

uint32_t
pp_unwind_interrupted(void *context, uint64_t *pcs, int *stackless,
    enum pp_unwind_end *end)
{
	void *raw[PP_FRAMES_MAX + OWN_FRAMES_MAX];
	int i, first, count;
	uint32_t frames;
	uint64_t pc;

	pc = pp_unwind_pc(context);
	pcs[0] = pp_jumps_home(pc);
	*stackless = 0;
	*end = PP_UNWIND_WHOLE;
	/* The unwinder must find the function, but the thread must go on where
	 * it was interrupted. */
	if (pcs[0] != pc)
		interrupted_pc_set(context, pcs[0]);
	count = backtrace_into(raw, PP_FRAMES_MAX + OWN_FRAMES_MAX);
	if (pcs[0] != pc)
		interrupted_pc_set(context, pc);
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
	if (frames == 1 && (frames = unwind_leaf(context, pcs)) == 1)
		*stackless = LEAF_MATTERS;
	*end = end_of(pcs[frames - 1]);
	if (i < count && frames == PP_FRAMES_MAX)
		*end = PP_UNWIND_CUT;
	return (frames);
}
