/*
 * A lasting call is a call for a descriptor that waits: until the time limit of
 * the socket is over, or until all bytes are done. sockets.c and transfers.c
 * wrap such calls.
 *
 * The time that is left of a socket's limit cannot be given to the original:
 * the original begins again with the whole limit, and a signal of ours ends the
 * call when the time is over.
 *
 * Rule: as for sockets.h. A call that goes on does so only if through.h allows
 * it.
 */
#ifndef PP_HOOK_LASTING_H
#define PP_HOOK_LASTING_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stdatomic.h>

#include "hook/through.h"

/* 1: somebody has set a limit on some socket. The value goes from 0 to 1 once
 * and publishes nothing else, so a relaxed load is enough: a thread that has
 * learned from another one of a socket with a limit sees the 1, too. */
extern _Atomic int pp_lasting_limited;

static inline int
pp_lasting_limits(void)
{
	return (__builtin_expect(atomic_load_explicit(&pp_lasting_limited,
				     memory_order_relaxed),
	    0));
}

/* One lasting call. */
struct pp_lasting {
	struct pp_through through;
	int fd, limit; /* SO_RCVTIMEO or SO_SNDTIMEO */
	int64_t began; /* ns of pp_clock_mono(); 0: nobody has set a limit */
	int64_t until; /* as `began`; -1: not known yet; 0: without end */
};

static inline void
pp_lasting_begin(struct pp_lasting *call, int fd, int limit)
{
	pp_through_begin(&call->through);
	pp_signal_result = -1; /* the value of an earlier call is void */
	call->fd = fd;
	call->limit = limit;
	call->began = pp_lasting_limits() ? pp_clock_mono() : 0;
	call->until = -1;
}

/* The original has returned -1. Returns 1 if it is to be called again. After 0
 * errno is what the application is told: EAGAIN if the time is over. */
int pp_lasting_again(struct pp_lasting *call);

/* The original has returned `done`, a number of bytes or messages, and `flags`
 * are those of send() or recv(). Returns 1 if a signal of ours has cut the call
 * short, the descriptor is one that waits, and no handler of the application
 * has run: the caller goes on with the rest. */
int pp_lasting_cut(struct pp_lasting *call, ssize_t done, int flags);

enum pp_part { PP_PART_WRITE, PP_PART_SEND, PP_PART_RECV };

/* The original has done `done` bytes of `pieces` pieces. If pp_lasting_cut()
 * says so, do the rest. Returns how many bytes are done in all; errno stays. */
ssize_t pp_lasting_rest(struct pp_lasting *call, enum pp_part kind,
    const struct iovec *piece, size_t pieces, ssize_t done, int flags);

static inline void
pp_lasting_end(const struct pp_lasting *call)
{
	pp_through_end(&call->through);
}

/* Make `call`, which waits, again until something else than our signal ends the
 * call. */
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

/* The same for a call that writes, or that reads all it has asked for: if a
 * signal of ours has cut it short, the rest is done, too. */
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
