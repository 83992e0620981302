/*
 * What a thread or a request can wait for, and the name of each kind of wait.
 * Not the calls of the system, which are in base/calls.h.
 *
 * Rule: one table; the keys of the block profile, the states of goroutine and
 * the docs iterate it. A reader compares a number with PP_WAIT_COUNT.
 */
#ifndef PP_BASE_WAITS_H
#define PP_BASE_WAITS_H

/* X(enum suffix, state as goroutine shows it, sentence for people) */
#define PP_WAIT_TABLE(X)                                                       \
	X(NONE, "running", "does not wait")                                    \
	X(MUTEX, "mutex wait", "pthread_mutex_lock()")                         \
	X(RWLOCK, "rwlock wait", "pthread_rwlock_rdlock() or _wrlock()")       \
	X(COND, "cond wait", "pthread_cond_wait() or _timedwait()")            \
	X(BARRIER, "barrier wait", "pthread_barrier_wait()")                   \
	X(JOIN, "join wait", "pthread_join()")                                 \
	X(SEM, "semaphore wait", "sem_wait() or sem_timedwait()")              \
	X(PGSQL, "pgsql wait", "a request asleep until PostgreSQL answers")    \
	X(CURL, "curl wait", "a request asleep until libcurl has its answer")  \
	X(TASK, "task wait", "a request asleep until its task has ended")      \
	X(RUNLOCK, "runlock wait", "a request asleep until a runlock is free") \
	X(SLEEP, "sleeping",                                                   \
	    "a request asleep until the application wakes it")                 \
	X(TIMER, "timer", "the same, with a one-shot timer of its handler's")  \
	X(QUEUE, "task queue", "a task that waits for a thread")               \
	X(CHANNEL, "channel",                                                  \
	    "kore_task_channel_read() or _write(), until the other end does")  \
	X(RECEIVE, "receiving", "a request whose body still comes in")

enum pp_wait {
#define PP_WAIT_ENUM(name, state, sentence) PP_WAIT_##name,
	PP_WAIT_TABLE(PP_WAIT_ENUM)
#undef PP_WAIT_ENUM
	    PP_WAIT_COUNT
};

#endif
