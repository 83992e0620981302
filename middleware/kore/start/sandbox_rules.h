/*
 * The rules that the module adds to Kore's seccomp filter, call by call, each
 * with its reason: they are all that a worker can do more than without the
 * module. The filter (sandbox.c), the table in docs/design.md and the test that
 * tries every call (tests/integration/test_gate_rules.py) are made from this
 * table.
 *
 * X(call, when, answer, argument, value, name of the value, reason)
 *
 *     when      ALWAYS, or PERF: with PPROF_PERF_EVENT=1
 *     answer    0: the call is allowed; else the errno that it fails with, in
 *               place of the worker's end
 *     argument  which argument must have the value; -1: the rule is for any
 *               arguments
 *
 * Rule: a user of this table includes <fcntl.h>, <errno.h>, <sys/mman.h>,
 * <sys/resource.h>, <sys/socket.h>, <limits.h> and <linux/perf_event.h>;
 * nothing of Kore is needed.
 */
#ifndef PP_KORE_START_SANDBOX_RULES_H
#define PP_KORE_START_SANDBOX_RULES_H

#define PP_SANDBOX_SENDS (MSG_DONTWAIT | MSG_NOSIGNAL)
#define PP_SANDBOX_TAKES (MSG_DONTWAIT | MSG_CMSG_CLOEXEC)

#define PP_SANDBOX_RULES(X)                                                    \
	X(timer_create, ALWAYS, 0, -1, 0, "",                                  \
	    "CPU clocks of threads that deliver SIGPROF")                      \
	X(timer_settime, ALWAYS, 0, -1, 0, "", "the same")                     \
	X(timer_delete, ALWAYS, 0, -1, 0, "", "the same")                      \
	X(gettid, ALWAYS, 0, -1, 0, "", "a timer is made for a thread id")     \
	X(tgkill, ALWAYS, 0, -1, 0, "",                                        \
	    "abort() and raise() of glibc signal their thread by it; "         \
	    "without the rule a failed assertion ends as a violation of the "  \
	    "sandbox")                                                         \
	X(rt_tgsigqueueinfo, ALWAYS, 0, -1, 0, "",                             \
	    "each thread is asked for its own stack")                          \
	X(rt_sigqueueinfo, ALWAYS, 0, -1, 0, "",                               \
	    "a SIGPROF of the application's that it has blocked is given "     \
	    "back to the kernel")                                              \
	X(perf_event_open, PERF, 0, -1, 0, "",                                 \
	    "rates above the kernel's tick; whatever its arguments are")       \
	X(ioctl, PERF, 0, 1, PERF_EVENT_IOC_REFRESH, "PERF_EVENT_IOC_REFRESH", \
	    "the same")                                                        \
	X(getrusage, ALWAYS, 0, 0, RUSAGE_CHILDREN &UINT_MAX,                  \
	    "RUSAGE_CHILDREN", "the CPU time of a worker's children")          \
	X(getrusage, ALWAYS, 0, 0, RUSAGE_THREAD, "RUSAGE_THREAD",             \
	    "whether a thread has waited, while a trace or the block profile " \
	    "looks")                                                           \
	X(mincore, ALWAYS, 0, -1, 0, "",                                       \
	    "libunwind asks whether a page is mapped")                         \
	X(msync, ALWAYS, 0, 2, MS_ASYNC, "MS_ASYNC",                           \
	    "the same, where mincore fails")                                   \
	X(pipe2, ALWAYS, 0, -1, 0, "",                                         \
	    "the same, by writing what is there into a pipe; glibc makes "     \
	    "pipe() of it, which is on Kore's list")                           \
	X(socketpair, ALWAYS, 0, 0, AF_UNIX, "AF_UNIX",                        \
	    "a request's own socket, on which its body goes and its answer "   \
	    "comes")                                                           \
	X(sendmsg, ALWAYS, 0, 2, PP_SANDBOX_SENDS,                             \
	    "MSG_DONTWAIT, MSG_NOSIGNAL",                                      \
	    "asking the collector; other descriptors can be sent, too, to "    \
	    "whoever has the other end of a socket")                           \
	X(recvmsg, ALWAYS, 0, 2, PP_SANDBOX_TAKES,                             \
	    "MSG_DONTWAIT, MSG_CMSG_CLOEXEC",                                  \
	    "the answer, which is a sealed memfd; other descriptors likewise") \
	X(newfstatat, ALWAYS, 0, -1, 0, "",                                    \
	    "glibc 2.33 and later make stat(), lstat() and fstat() of it, "    \
	    "which are on Kore's list; Kore 4.1.0 itself dies of a SIGHUP "    \
	    "without it")                                                      \
	X(mremap, ALWAYS, 0, 3, MREMAP_MAYMOVE, "MREMAP_MAYMOVE",              \
	    "glibc grows large blocks by it; not on Kore's list")              \
	X(restart_syscall, ALWAYS, 0, -1, 0, "",                               \
	    "a sleep or poll() goes on by it when a signal woke its thread "   \
	    "and another thread took the signal; without the rule the thread " \
	    "ends")                                                            \
	X(sched_getaffinity, ALWAYS, 0, -1, 0, "",                             \
	    "glibc counts processors by it when the ninth thread allocates; "  \
	    "without the rule that thread ends")                               \
	X(clone3, ALWAYS, ENOSYS, -1, 0, "",                                   \
	    "glibc 2.34 and later start threads by it, and go back to "        \
	    "clone(), whose flags a filter can see; without the rule a Kore "  \
	    "task kills its worker")                                           \
	X(rseq, ALWAYS, 0, -1, 0, "",                                          \
	    "each thread that glibc 2.35 and later start asks for it")

#endif
