/*
 * See loader.h. Cold: objects come and go seldom.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/often.h"
#include "capture/unwind_list.h"
#include "hook/entry.h"
#include "hook/loader.h"

/* So many requests pass at most between two looks at what is undecided. */
#define PAUSE_MAX 1024

static void *(*real_dlopen)(const char *, int);
static int (*real_dlclose)(void *);
static int (*real_catch)(void *, void (*)(void *), void *);

/* Held while the tables are walked; dlopen() from a constructor within ours
 * comes from the same thread. */
static pthread_mutex_t look_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pp_objects_seen_fn object_seen;
static unsigned int pause_now = 1, pause_left; /* under the lock */

/* Why the next request shall look. */
enum behind {
	BEHIND_NOT,
	BEHIND_UNDECIDED, /* pp_got_patch() has left something */
	BEHIND_LOADED	  /* a dlopen() that could not be followed to its end */
};
PP_OFTEN_DATA static atomic_int behind;

/* Whether the dynamic linker tells us itself, and until that is known what it
 * has told. */
static int told;
static unsigned int heard;
#define HEARD_ADD    1U
#define HEARD_DELETE 2U
#define HEARD_READY  4U
#define HEARD_ALL    7U
/* Written under the dynamic linker's lock. */
static atomic_int changing; /* RT_ADD, RT_DELETE */
static atomic_int unready;  /* objects whose constructors have not run */

static int
look(int fresh)
{
	size_t undecided;
	int changed;

	(void)pthread_mutex_lock(&look_lock);
	atomic_store(&behind, BEHIND_NOT);
	pp_unwind_list_refresh();
	changed = pp_got_patch(fresh, &undecided);
	/* Less and less often. */
	if (undecided != 0) {
		if (fresh)
			pause_now = 1;
		else if (pause_now < PAUSE_MAX)
			pause_now *= 2;
		pause_left = pause_now;
		atomic_store(&behind, BEHIND_UNDECIDED);
	}
	pp_objects_scan(object_seen);
	(void)pthread_mutex_unlock(&look_lock);
	return (changed);
}

/* In the middle of somebody's call, who may look at errno. */
static void
look_within(int fresh)
{
	int error = errno;

	(void)look(fresh);
	errno = error;
}

static int
state_of(const struct r_debug *space)
{
	const struct r_debug_extended *at = (const void *)space;
	int state = space->r_state;

	/* The compiler knows the variable as the shorter one of old. */
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
 * The dynamic linker, which holds its lock, is about to change its list, or has
 * done so. What was added is not relocated yet; what was deleted is unmapped.
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
	if (!told)
		heard |= was == RT_ADD ? HEARD_ADD : HEARD_DELETE;
	else if (was == RT_DELETE)
		look_within(0);
}

/* Without an exception to catch: constructors or destructors are to run. The
 * objects are relocated by now, and the lock is held. */
static int
hook_catch(void *exception, void (*operate)(void *), void *arg)
{
	if (exception == NULL && atomic_exchange(&unready, 0) != 0) {
		if (told)
			look_within(1);
		else
			heard |= HEARD_READY;
	}
	return (real_catch(exception, operate, arg));
}

/* What was lent to a file is taken back where it is not used. */
static void *
hook_dlopen(const char *path, int mode)
{
	void *handle;
	int lent;

	/* A name without a slash is searched for by the caller's own RUNPATH,
	 * and $ORIGIN is the caller's place: the call must come from there.
	 * The compiler makes a jump of it. */
	if (path == NULL || strchr(path, '/') == NULL ||
	    strchr(path, '$') != NULL) {
		if (!told && path != NULL)
			atomic_store(&behind, BEHIND_LOADED);
		return (real_dlopen(path, mode));
	}
	(void)pthread_mutex_lock(&look_lock);
	lent = pp_objects_release(path);
	(void)pthread_mutex_unlock(&look_lock);
	handle = real_dlopen(path, mode);
	if (!told && handle != NULL)
		look_within(1);
	else if (lent)
		look_within(0);
	return (handle);
}

static int
hook_dlclose(void *handle)
{
	int result;

	if (told)
		return (real_dlclose(handle));
	result = real_dlclose(handle);
	look_within(1);
	return (result);
}

const struct pp_got_hook pp_loader_hooks[PP_LOADER_HOOKS] = {
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
	told = loader_listen();
	return (look(1) == -1 ? -1 : 0);
}

/* Another thread may have held the lock when this child was made. */
void
pp_loader_forked(void)
{
	look_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

static __attribute__((noinline)) void
catch_up_slowly(void)
{
	int left;

	(void)pthread_mutex_lock(&look_lock);
	left = atomic_load(&behind) == BEHIND_UNDECIDED && pause_left != 0;
	pause_left -= left != 0;
	(void)pthread_mutex_unlock(&look_lock);
	if (!left)
		look_within(!told);
}

PP_OFTEN void
pp_loader_catch_up(void)
{
	if (__builtin_expect(atomic_load_explicit(&behind,
				 memory_order_relaxed),
		0))
		catch_up_slowly();
}
