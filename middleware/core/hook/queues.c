/*
 * See queues.h.
 */
#include <sys/msg.h>
#include <sys/sem.h>

#include <aio.h>
#include <stddef.h>

#include "hook/calls_private.h"
#include "hook/queues.h"
#include "hook/through.h"

typedef struct timespec timespec;

static ssize_t (*real_msgrcv)(int, void *, size_t, long, int);
static int (*real_msgsnd)(int, const void *, size_t, int);
static int (*real_semop)(int, struct sembuf *, size_t);
static int (*real_semtimedop)(int, struct sembuf *, size_t, const timespec *);
static int (
    *real_aio_suspend)(const struct aiocb *const *, int, const timespec *);
static int (
    *real_aio_suspend64)(const struct aiocb *const *, int, const timespec *);

static ssize_t
through_msgrcv(int queue, void *to, size_t size, long type, int flags)
{
	ssize_t result;

	PP_SLEEP_THROUGH(result, real_msgrcv(queue, to, size, type, flags));
	return (result);
}

static int
through_msgsnd(int queue, const void *from, size_t size, int flags)
{
	int result;

	PP_SLEEP_THROUGH(result, real_msgsnd(queue, from, size, flags));
	return (result);
}

static int
through_semop(int set, struct sembuf *ops, size_t count)
{
	int result;

	PP_SLEEP_THROUGH(result, real_semop(set, ops, count));
	return (result);
}

static int
through_semtimedop(int set, struct sembuf *ops, size_t count,
    const timespec *time)
{
	struct pp_left left = pp_left_of(time);
	int result;

	PP_SLEEP_THROUGH(result,
	    real_semtimedop(set, ops, count, pp_left_time(&left, time)));
	return (result);
}

static int
through_aio_suspend(const struct aiocb *const list[], int count,
    const timespec *time)
{
	struct pp_left left = pp_left_of(time);
	int result;

	PP_SLEEP_THROUGH(result,
	    real_aio_suspend(list, count, pp_left_time(&left, time)));
	return (result);
}

PP_CALL_WRAPPER(ssize_t, msgrcv, msgrcv, through_msgrcv,
    (int queue, void *to, size_t size, long type, int flags),
    (queue, to, size, type, flags))
PP_CALL_WRAPPER(int, msgsnd, msgsnd, through_msgsnd,
    (int queue, const void *from, size_t size, int flags),
    (queue, from, size, flags))
PP_CALL_WRAPPER(int, semop, semop, through_semop,
    (int set, struct sembuf *ops, size_t count), (set, ops, count))
PP_CALL_WRAPPER(int, semtimedop, semop, through_semtimedop,
    (int set, struct sembuf *ops, size_t count, const timespec *time),
    (set, ops, count, time))
PP_CALL_WRAPPER(int, aio_suspend, aio_suspend, through_aio_suspend,
    (const struct aiocb *const list[], int count, const timespec *time),
    (list, count, time))

#define QUEUE_HOOK(name)                                                       \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, PP_GOT_ALL  \
	}

const struct pp_got_hook pp_hook_queue[PP_QUEUE_HOOKS] = {
	QUEUE_HOOK(msgrcv),
	QUEUE_HOOK(msgsnd),
	QUEUE_HOOK(semop),
	QUEUE_HOOK(semtimedop),
	QUEUE_HOOK(aio_suspend),
	{ "aio_suspend64", (void *)hook_aio_suspend,
	    (void **)&real_aio_suspend64, PP_GOT_ALL },
};
