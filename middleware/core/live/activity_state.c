/*
 * Finds out what a thread waits for from the place where it waits: the
 * functions of the C library that wait. See activity.h.
 *
 * The library's own functions may have no names, so that callers are looked at
 * as long as they are in the same file as the leaf.
 */
#include <string.h>

#include "base/waits.h"
#include "counts/waits.h"
#include "live/activity.h"

/* The most frames from the system call to the function that an application
 * calls. */
#define DEPTH	6

#define RUNNING "running"
#define EPOLL	"epoll wait"
#define SLEEP	"sleep"
#define SYSCALL "syscall"

struct known {
	const char *function; /* without underscores before it */
	const char *state;    /* NULL: the name of `wait` */
	enum pp_wait wait;
	int caller; /* 1: only a caller counts: the function does more than
		       wait, and is itself the leaf while it runs */
};

#define WAITS(function, wait)                                                  \
	{                                                                      \
		function, NULL, PP_WAIT_##wait, 1                              \
	}
#define IS(function, state)                                                    \
	{                                                                      \
		function, state, PP_WAIT_NONE, 0                               \
	}

static const struct known known[] = {
	IS("epoll_wait", EPOLL),
	IS("epoll_pwait", EPOLL),
	IS("epoll_pwait2", EPOLL),
	{ "lll_lock_wait", NULL, PP_WAIT_MUTEX, 0 },
	{ "lll_lock_wait_private", NULL, PP_WAIT_MUTEX, 0 },
	WAITS("pthread_mutex_lock", MUTEX),
	WAITS("pthread_mutex_timedlock", MUTEX),
	WAITS("pthread_mutex_clocklock", MUTEX),
	WAITS("pthread_mutex_clocklock_common", MUTEX),
	WAITS("pthread_rwlock_rdlock", RWLOCK),
	WAITS("pthread_rwlock_timedrdlock", RWLOCK),
	WAITS("pthread_rwlock_clockrdlock", RWLOCK),
	WAITS("pthread_rwlock_wrlock", RWLOCK),
	WAITS("pthread_rwlock_timedwrlock", RWLOCK),
	WAITS("pthread_rwlock_clockwrlock", RWLOCK),
	WAITS("pthread_cond_wait", COND),
	WAITS("pthread_cond_timedwait", COND),
	WAITS("pthread_cond_clockwait", COND),
	WAITS("pthread_barrier_wait", BARRIER),
	WAITS("pthread_join", JOIN),
	WAITS("pthread_timedjoin_np", JOIN),
	WAITS("pthread_clockjoin_np", JOIN),
	WAITS("pthread_clockjoin_ex", JOIN),
	WAITS("sem_wait", SEM),
	WAITS("sem_timedwait", SEM),
	WAITS("sem_clockwait", SEM),
	WAITS("new_sem_wait_slow64", SEM),
	IS("nanosleep", SLEEP),
	IS("clock_nanosleep", SLEEP),
	IS("sleep", SLEEP),
	IS("usleep", SLEEP),
	IS("read", SYSCALL),
	IS("pread", SYSCALL),
	IS("pread64", SYSCALL),
	IS("readv", SYSCALL),
	IS("preadv", SYSCALL),
	IS("write", SYSCALL),
	IS("pwrite", SYSCALL),
	IS("pwrite64", SYSCALL),
	IS("writev", SYSCALL),
	IS("pwritev", SYSCALL),
	IS("recv", SYSCALL),
	IS("recvfrom", SYSCALL),
	IS("recvmsg", SYSCALL),
	IS("recvmmsg", SYSCALL),
	IS("send", SYSCALL),
	IS("sendto", SYSCALL),
	IS("sendmsg", SYSCALL),
	IS("sendmmsg", SYSCALL),
	IS("sendfile", SYSCALL),
	IS("sendfile64", SYSCALL),
	IS("splice", SYSCALL),
	IS("accept", SYSCALL),
	IS("accept4", SYSCALL),
	IS("connect", SYSCALL),
	IS("poll", SYSCALL),
	IS("ppoll", SYSCALL),
	IS("select", SYSCALL),
	IS("pselect", SYSCALL),
	IS("open", SYSCALL),
	IS("open64", SYSCALL),
	IS("openat", SYSCALL),
	IS("openat64", SYSCALL),
	IS("close", SYSCALL),
	IS("fsync", SYSCALL),
	IS("fdatasync", SYSCALL),
	IS("fcntl", SYSCALL),
	IS("fcntl64", SYSCALL),
	IS("flock", SYSCALL),
	IS("ioctl", SYSCALL),
	IS("wait4", SYSCALL),
	IS("waitpid", SYSCALL),
	IS("waitid", SYSCALL),
	IS("pause", SYSCALL),
	IS("sigsuspend", SYSCALL),
	IS("sigtimedwait", SYSCALL),
	IS("sigwaitinfo", SYSCALL),
	IS("getrandom", SYSCALL),
	IS("syscall", SYSCALL),
};

/* The hooks around a wait (hook/locks*.c). If the library's functions have no
 * names, one of these is the first caller outside. The last two are inlined
 * into those before them. */
static const struct known outside[] = {
	WAITS("pprof_hook_mutex_timedlock", MUTEX),
	WAITS("pprof_hook_mutex_clocklock", MUTEX),
	WAITS("pprof_hook_barrier_wait", BARRIER),
	WAITS("pprof_hook_join", JOIN),
	WAITS("pprof_hook_timedjoin", JOIN),
	WAITS("pprof_hook_clockjoin", JOIN),
	WAITS("pprof_hook_thrd_join", JOIN),
	WAITS("pprof_hook_sem_wait", SEM),
	WAITS("pprof_hook_sem_timedwait", SEM),
	WAITS("pprof_hook_sem_clockwait", SEM),
	WAITS("hook_sem_timed", SEM),
	WAITS("hook_sem_clocked", SEM),
};

/* Functions of Kore that wait in a system call for another thread. */
static const struct known above[] = {
	WAITS("kore_task_channel_read", CHANNEL),
	WAITS("kore_task_channel_write", CHANNEL),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The C library names one function in several ways: __libc_read,
 * __GI___nanosleep, ___pthread_mutex_lock, pthread_cond_wait@@GLIBC_2.3.2. */
static int
state_matches(const char *name, const char *function)
{
	size_t len = strlen(function);
	const char *end;

	for (;;) {
		while (*name == '_')
			name++;
		if (strncmp(name, "GI_", 3) == 0)
			name += 3;
		else if (strncmp(name, "libc_", 5) == 0)
			name += 5;
		else
			break;
	}
	if (strncmp(name, function, len) != 0)
		return (0);
	end = name + len;
	return (*end == '\0' || *end == '@' || strcmp(end, "64") == 0 ||
	    strcmp(end, "_nocancel") == 0 || strcmp(end, "_time64") == 0);
}

static const char *
state_known(const struct known *table, size_t count, const char *name,
    int depth)
{
	size_t i;

	for (i = 0; name != NULL && i < count; i++) {
		if (depth < table[i].caller ||
		    !state_matches(name, table[i].function))
			continue;
		return (table[i].state != NULL ? table[i].state
					       : pp_waits_state(table[i].wait));
	}
	return (NULL);
}

const char *
pp_activity_state(const struct pp_address_map *map, const uint64_t *word,
    uint32_t count, pp_activity_name_fn *name, void *arg)
{
	const char *state = NULL, *over;
	int leaf = -1, file, inside = 1;
	uint32_t i;

	for (i = 0; i < count && i < DEPTH && inside && state == NULL; i++) {
		if (pp_address_map_find(map, word[i], &file) == NULL)
			break;
		if (i == 0)
			leaf = file;
		inside = file == leaf;
		if (inside)
			state = state_known(known, COUNT(known),
			    name(arg, word[i]), (int)i);
		else
			state = state_known(outside, COUNT(outside),
			    name(arg, word[i]), (int)i);
	}
	for (; state != NULL && strcmp(state, SYSCALL) == 0 && i < count &&
	     i < DEPTH;
	     i++) {
		over = state_known(above, COUNT(above), name(arg, word[i]),
		    (int)i);
		if (over != NULL)
			state = over;
	}
	return (state != NULL ? state : RUNNING);
}
