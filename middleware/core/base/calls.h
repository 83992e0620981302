/*
 * The functions whose waits are recorded: by name in the trace and, if somebody
 * else ends the wait, in the block profile.
 *
 * Not the locks, which are in base/waits.h.
 *
 * Rule: one table; hooks, trace, block profile and docs iterate it. Its numbers
 * are written into the shared memory, so a reader compares each number with
 * PP_CALL_COUNT.
 */
#ifndef PP_BASE_CALLS_H
#define PP_BASE_CALLS_H

#include "base/waits.h"

/*
 * X(name of the function, 1: somebody else ends the wait); the enum is
 * PP_CALL_<name>. Functions of one kind share one name: pread64() is pread.
 * `system_call` stands for a wait whose function is not known
 * (capture/trace.c).
 */
#define PP_CALL_TABLE(X)                                                       \
	X(read, 1)                                                             \
	X(write, 1)                                                            \
	X(pread, 0)                                                            \
	X(pwrite, 0)                                                           \
	X(readv, 1)                                                            \
	X(writev, 1)                                                           \
	X(recv, 1)                                                             \
	X(send, 1)                                                             \
	X(recvmsg, 1)                                                          \
	X(sendmsg, 1)                                                          \
	X(sendfile, 1)                                                         \
	X(splice, 1)                                                           \
	X(eventfd_read, 1)                                                     \
	X(eventfd_write, 1)                                                    \
	X(open, 1)                                                             \
	X(connect, 1)                                                          \
	X(accept, 1)                                                           \
	X(poll, 1)                                                             \
	X(select, 1)                                                           \
	X(epoll_wait, 1)                                                       \
	X(aio_suspend, 1)                                                      \
	X(mq_receive, 1)                                                       \
	X(mq_send, 1)                                                          \
	X(msgrcv, 1)                                                           \
	X(msgsnd, 1)                                                           \
	X(semop, 1)                                                            \
	X(nanosleep, 0)                                                        \
	X(fsync, 0)                                                            \
	X(fdatasync, 0)                                                        \
	X(flock, 1)                                                            \
	X(lockf, 1)                                                            \
	X(fcntl, 1)                                                            \
	X(getaddrinfo, 1)                                                      \
	X(waitpid, 1)                                                          \
	X(system, 1)                                                           \
	X(pause, 1)                                                            \
	X(sigsuspend, 1)                                                       \
	X(sigwait, 1)                                                          \
	X(sigwaitinfo, 1)                                                      \
	X(sigtimedwait, 1)                                                     \
	X(pthread_once, 1)                                                     \
	X(futex, 1)                                                            \
	X(fopen, 1)                                                            \
	X(fclose, 1)                                                           \
	X(pclose, 1)                                                           \
	X(fflush, 1)                                                           \
	X(fgetc, 1)                                                            \
	X(fgets, 1)                                                            \
	X(getline, 1)                                                          \
	X(fread, 1)                                                            \
	X(fscanf, 1)                                                           \
	X(fputc, 1)                                                            \
	X(fputs, 1)                                                            \
	X(fwrite, 1)                                                           \
	X(fprintf, 1)                                                          \
	X(flockfile, 1)                                                        \
	X(system_call, 0)

enum pp_call {
#define PP_CALL_ENUM(name, others) PP_CALL_##name,
	PP_CALL_TABLE(PP_CALL_ENUM)
#undef PP_CALL_ENUM
	    PP_CALL_COUNT
};

/* The number of such a wait in the block profile, above those of enum pp_wait.
 */
#define PP_WAIT_OF_CALL(call) (PP_WAIT_COUNT + (call))
#define PP_WAITS_ALL	      (PP_WAIT_COUNT + PP_CALL_COUNT)

#endif
