/*
 * The constructor of the module. When Kore loads the module, the constructor
 * runs once, in the parent, as root, while kore.conf is being read: before
 * chroot, fork and seccomp.
 *
 * If the module is linked into a single binary of kodev, or preloaded, the
 * constructor runs before main(). Kore has not set itself up then, and none of
 * its functions that allocate or log may be called. The first fork() does later
 * what is left out here (parent.c).
 *
 * Rule: only an access rule that cannot be understood ends the start.
 */
#include <kore/kore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/self.h"
#include "hook/process.h"
#include "kore/adapter.h"

static const struct pp_got_hook kore_hooks[] = {
	{ "fork", (void *)pp_parent_fork, (void **)&pp_parent_real_fork,
	    PP_GOT_EXECUTABLE },
	{ "waitpid", (void *)pp_parent_waitpid,
	    (void **)&pp_parent_real_waitpid, PP_GOT_EXECUTABLE },
	{ "prctl", (void *)pp_worker_prctl, (void **)&pp_worker_real_prctl,
	    PP_GOT_EXECUTABLE },
	{ "epoll_wait", (void *)pp_loop_epoll_wait,
	    (void **)&pp_loop_real_epoll_wait, PP_GOT_EXECUTABLE },
	{ "pthread_cond_wait", (void *)pp_kore_task_cond_wait,
	    (void **)&pp_kore_task_real_cond_wait, PP_GOT_EXECUTABLE },
};

#define KORE_HOOKS (sizeof(kore_hooks) / sizeof(kore_hooks[0]))

/* The hooks above, and those for entries that could not be patched. */
static struct pp_got_hook hooks[KORE_HOOKS + PP_ENTRIES_MAX];
_Static_assert(KORE_HOOKS + PP_ENTRIES_MAX <= PP_PROCESS_HOOKS_MAX,
    "where no entry can be followed, there are more hooks than fit");

__attribute__((constructor)) static void
module_constructor(void)
{
	char why[512];
	const char *reason;

	if (pp_allow_environment(&pp_kore.allow, why, sizeof(why)) == -1) {
		(void)fprintf(stderr, "pprof: %s\n", why);
		exit(1);
	}
	reason = pp_features_differ();
	if (reason != NULL) {
		pp_kore.broken = reason;
		pp_kore_log("%s: no profiles", reason);
		return;
	}
	pp_parent_remember_cmdline();
	pp_launch_prepare();
	if (pp_self_prepare(&reason) == -1)
		pp_kore_log("%s", reason);
	pp_runtime_wrap();
	memcpy(hooks, kore_hooks, sizeof(kore_hooks));
	if (pp_kore_runs())
		pp_pools_find();
	if (pp_process_hook(hooks,
		KORE_HOOKS + pp_entries_follow(hooks + KORE_HOOKS),
		pp_worker_object_seen, &reason) == -1)
		pp_kore_log("%s", reason);
}
