/*
 * Calls for descriptors that last: with the time limit of a socket, or until
 * all is done. For sockets.c.
 *
 * The time that is left of a socket's limit cannot be given to the original:
 * it begins again with the whole limit, and a signal of ours ends it when the
 * time is over.
 */
#ifndef PP_HOOK_LASTING_H
#define PP_HOOK_LASTING_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stdatomic.h>

#include "hook/through.h"

/* 1: somebody has set a limit on some socket. */
extern _Atomic int pp_lasting_limited;

static inline int
pp_lasting_limits(void)
{
	return (__builtin_expect(atomic_load_explicit(&pp_lasting_limited,
				     memory_order_relaxed),
	    0));
}

/* A call while it lasts. */
struct pp_lasting {
	struct pp_through through;
	int fd, limit; /* SO_RCVTIMEO or SO_SNDTIMEO */
	int64_t began;
	int64_t until; /* -1: not known; 0: without end */
};

static inline void
pp_lasting_begin(struct pp_lasting *call, int fd, int limit)
{
	pp_through_begin(&call->through);
	pp_signal_result = -1; /* of a call before */
	call->fd = fd;
	call->limit = limit;
	call->began = pp_lasting_limits() ? pp_clock_mono() : 0;
	call->until = -1;
}

/* It has ended with -1: 1 when it is to go on. Otherwise errno is what the
 * caller is told. */
int pp_lasting_again(struct pp_lasting *call);

/* `done` bytes of it were: did a signal of ours end it, of a descriptor that
 * waits? */
int pp_lasting_cut(struct pp_lasting *call, ssize_t done, int flags);

enum pp_part { PP_PART_WRITE, PP_PART_SEND, PP_PART_RECV };

/* Go on with the rest of the pieces, if so. Returns how much was done of all.
 */
ssize_t pp_lasting_rest(struct pp_lasting *call, enum pp_part kind,
    const struct iovec *piece, size_t pieces, ssize_t done, int flags);

static inline void
pp_lasting_end(const struct pp_lasting *call)
{
	pp_through_end(&call->through);
}

/* `call`, which waits, until something else than our signal ends it. */
#define PP_LAST(result, descriptor, option, call)                              \
	do {                                                                   \
		struct pp_lasting lasting_;                                    \
                                                                               \
		pp_lasting_begin(&lasting_, descriptor, option);               \
		do                                                             \
			(result) = (call);                                     \
		while ((result) == -1 && pp_lasting_again(&lasting_));         \
		pp_lasting_end(&lasting_);                                     \
	} while (0)

/* What is written, or read as a whole. */
#define PP_WHOLE(result, descriptor, option, call, kind, pieces, count, flags) \
	do {                                                                   \
		struct pp_lasting lasting_;                                    \
                                                                               \
		pp_lasting_begin(&lasting_, descriptor, option);               \
		do                                                             \
			(result) = (call);                                     \
		while (__builtin_expect((result) == -1, 0) &&                  \
		    pp_lasting_again(&lasting_));                              \
		if (__builtin_expect((result) > 0 &&                           \
			    pp_signal_result == (ssize_t)(result),             \
			0))                                                    \
			(result) = pp_lasting_rest(&lasting_, kind, pieces,    \
			    count, result, flags);                             \
		pp_lasting_end(&lasting_);                                     \
	} while (0)

#endif
