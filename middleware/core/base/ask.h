/*
 * Asking a process, or one thread of it, to look at the control words: by
 * SIGPROF with a value that says whose it is. Every other SIGPROF is the
 * application's (capture/signal.h).
 *
 * Rule: async-signal-safe; no pid is checked here.
 */
#ifndef PP_BASE_ASK_H
#define PP_BASE_ASK_H

#include <sys/syscall.h>
#include <sys/types.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum pp_ask {
	PP_ASK_NONE = 0,
	/* Look; the first thread that does passes on what is asked of all. */
	PP_ASK_LOOK = 0x70700001,
	/* That thread only: control.dump_one. */
	PP_ASK_ONE = 0x70700002
};

/*
 * tid 0: the first thread. Never "any": one that the kernel wakes and another
 * one that takes the signal would both be disturbed, and the first has no
 * handler run that would tell (hook/through.h). Returns 0, or -1 with errno.
 */
static inline int
pp_ask(pid_t pid, pid_t tid, enum pp_ask what)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGPROF;
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = (int)what;
	return ((int)syscall(SYS_rt_tgsigqueueinfo, pid, tid != 0 ? tid : pid,
	    SIGPROF, &info));
}

#endif
