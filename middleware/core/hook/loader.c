/*
 * See loader.h. This runs seldom: when objects come and go.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/hot_path.h"
#include "capture/unwind_list.h"
#include "hook/entry.h"
#include "hook/loader.h"

/* How many requests pass at most between two looks at entries that are
 * undecided. */
#define PAUSE_MAX 1024

static void *(*real_dlopen)(const char *, int);
static int (*real_dlclose)(void *);
static int (*real_catch)(void *, void (*)(void *), void *);

/* The lock is held while the tables are walked. It is recursive, so that a
 * dlopen() by the thread that holds it does no harm. */
static pthread_mutex_t scan_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pp_objects_seen_fn object_seen;
static unsigned int pause_now = 1, pause_left; /* under the lock */

/* Why the next request shall look. The value publishes nothing: a request reads
 * it without order and then takes the lock. */
enum behind {
	BEHIND_NOT,
	BEHIND_UNDECIDED, /* pp_got_patch() has left something */
	BEHIND_LOADED	  /* a dlopen() was not followed to its end */
};
PP_HOT_PATH_DATA static atomic_int behind;

/* `notified` is 1 if the patched functions of the dynamic linker call us. Until
 * that is known, `heard` gathers which of the calls have come. */
static int notified;
static unsigned int heard;
#define HEARD_ADD    1U
#define HEARD_DELETE 2U
#define HEARD_READY  4U
#define HEARD_ALL    7U
/* Both are written under the dynamic linker's lock, which orders accesses. */
static atomic_int changing; /* RT_ADD, RT_DELETE */
static atomic_int unready;  /* objects whose constructors have not run */

static int
scan(int fresh)
{
	size_t undecided;
	int changed;

	(void)pthread_mutex_lock(&scan_lock);
	atomic_store(&behind, BEHIND_NOT);
	pp_unwind_list_refresh();
	changed = pp_got_patch(fresh, &undecided);
	/* The looks become less and less frequent. */
	if (undecided != 0) {
		if (fresh)
			pause_now = 1;
		else if (pause_now < PAUSE_MAX)
			pause_now *= 2;
		pause_left = pause_now;
		atomic_store(&behind, BEHIND_UNDECIDED);
	}
	pp_scan_objects(object_seen);
	(void)pthread_mutex_unlock(&scan_lock);
	return (changed);
}

/* A look in the middle of a caller's function: errno stays. */
static void
scan_within(int fresh)
{
	int error = errno;

	(void)scan(fresh);
	errno = error;
}

static int
state_of(const struct r_debug *space)
{
	const struct r_debug_extended *at = (const void *)space;
	int state = space->r_state;

	/* The compiler knows the variable by its older, shorter type, so the
	 * origin of the pointer is hidden from the compiler. */
	__asm__("" : "+r"(at));
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
	if (space->r_version >= 2) {
		while (state == RT_CONSISTENT && (at = at->r_next) != NULL)
			state = at->base.r_state;
	}
#endif
#endif
	return (state);
}

/*
 * The dynamic linker, which holds its lock, is about to change its list or has
 * changed it. An object that was added is not relocated yet; an object that was
 * deleted is unmapped.
 */
static void
hook_debug_state(void)
{
	int state = state_of(&_r_debug), was;

	was = atomic_exchange(&changing, state);
	if (state != RT_CONSISTENT)
		return;
	if (was == RT_ADD)
		atomic_store(&unready, 1);
	if (!notified)
		heard |= was == RT_ADD ? HEARD_ADD : HEARD_DELETE;
	else if (was == RT_DELETE)
		scan_within(0);
}

/* If there is no exception to catch, constructors or destructors are to run. By
 * then the objects are relocated, and the dynamic linker's lock is held. */
static int
hook_catch(void *exception, void (*operate)(void *), void *arg)
{
	if (exception == NULL && atomic_exchange(&unready, 0) != 0) {
		if (notified)
			scan_within(1);
		else
			heard |= HEARD_READY;
	}
	return (real_catch(exception, operate, arg));
}

/* Addresses that are reserved for the file are lent to the dynamic linker. If
 * it has not used them, they are taken back. */
static void *
hook_dlopen(const char *path, int mode)
{
	void *handle;
	int lent;

	/* The dynamic linker searches for a name without a slash by the
	 * caller's own RUNPATH, and $ORIGIN is the caller's folder. So the call
	 * must seem to come from the caller: the compiler makes a jump of it.
	 */
	if (path == NULL || strchr(path, '/') == NULL ||
	    strchr(path, '$') != NULL) {
		if (!notified && path != NULL)
			atomic_store(&behind, BEHIND_LOADED);
		return (real_dlopen(path, mode));
	}
	(void)pthread_mutex_lock(&scan_lock);
	lent = pp_scan_release(path);
	(void)pthread_mutex_unlock(&scan_lock);
	handle = real_dlopen(path, mode);
	if (!notified && handle != NULL)
		scan_within(1);
	else if (lent)
		scan_within(0);
	return (handle);
}

static int
hook_dlclose(void *handle)
{
	int result;

	if (notified)
		return (real_dlclose(handle));
	result = real_dlclose(handle);
	scan_within(1);
	return (result);
}

const struct pp_got_hook pp_hook_loader[PP_LOADER_HOOKS] = {
	{ "dlopen", (void *)hook_dlopen, (void **)&real_dlopen, PP_GOT_ALL },
	{ "dlclose", (void *)hook_dlclose, (void **)&real_dlclose, PP_GOT_ALL },
};

static int
loader_listen(void)
{
	void *target = dlsym(RTLD_DEFAULT, "_dl_catch_exception");
	void *state = (void *)_r_debug.r_brk, *unused;
	const char *why;

	if (!pp_entry_wanted() || target == NULL || state == NULL ||
	    pp_entry_patch(target, (void *)hook_catch, (void **)&real_catch,
		&why) == -1)
		return (0);
	if (pp_entry_patch_empty(state, (void *)hook_debug_state, &unused,
		&why) == 0) {
		pp_entry_probe();
		if (heard == HEARD_ALL)
			return (1);
		pp_entry_restore(state, unused);
	}
	pp_entry_restore(target, (void *)real_catch);
	return (0);
}

int
pp_loader_begin(pp_objects_seen_fn seen)
{
	object_seen = seen;
	notified = loader_listen();
	return (scan(1) == -1 ? -1 : 0);
}

/* Another thread may have held the lock while the process was forked. */
void
pp_loader_forked(void)
{
	scan_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

static __attribute__((noinline)) void
catch_up_slowly(void)
{
	int left;

	(void)pthread_mutex_lock(&scan_lock);
	left = atomic_load(&behind) == BEHIND_UNDECIDED && pause_left != 0;
	pause_left -= left != 0;
	(void)pthread_mutex_unlock(&scan_lock);
	if (!left)
		scan_within(!notified);
}

PP_HOT_PATH void
pp_loader_catch_up(void)
{
	if (__builtin_expect(atomic_load_explicit(&behind,
				 memory_order_relaxed),
		0))
		catch_up_slowly();
}
