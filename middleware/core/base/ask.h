/*
 * Asking a process, or one of its threads, to read the control words
 * (store/control.h): by a SIGPROF that carries one of the values below. A
 * SIGPROF without such a value is a timer's or the application's
 * (capture/signal.h). The answers are not here; they are written into the
 * arena.
 *
 * Rule: async-signal-safe; the caller has checked the pid.
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
	/* The thread reads the control words. The first thread that finds a
	 * question to all threads passes the question on to the others. */
	PP_ASK_CONTROL = 0x70700001,
	/* control.dump_one is meant for this thread only. */
	PP_ASK_ONE = 0x70700002
};

/*
 * Asks thread `tid` of process `pid`; tid 0 means the first thread. The signal
 * never goes to the process as a whole: the kernel could wake one thread and
 * then let another take the signal. Both would be disturbed, and in the first
 * no handler would run that notes the interruption (hook/through.h). Returns 0,
 * or -1 with errno.
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
