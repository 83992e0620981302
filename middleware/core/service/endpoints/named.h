/*
 * Profiles that are a state and not a window (heap, goroutine): taken at once,
 * or twice for a difference. This file has the code that all of them share, as
 * in Go's net/http/pprof: seconds=, debug=, gc=, headers, errors and the order
 * of checks.
 *
 * A new one is a const struct pp_named, and a row in endpoints.c that names it
 * and the four functions below.
 *
 *     snapshot   [ask, wait for answers] take, write
 *     delta      [ask, wait] take, wait for seconds=, [ask, wait] take, write
 *
 * Rule: nobody waits inside a call. While answers are awaited the service's
 * tick looks every PP_NAMED_POLL_NS whether they are there.
 */
#ifndef PP_SERVICE_ENDPOINTS_NAMED_H
#define PP_SERVICE_ENDPOINTS_NAMED_H

#include <stdint.h>

#include "base/clock.h"
#include "profile/profile.h"
#include "service/http/message.h"

struct pp_task;

/* How long workers get to answer: a handler that holds its worker longer is
 * what profiles are for, but not what a profile waits for. */
#define PP_NAMED_ANSWER_NS (100 * PP_NS_PER_MS)
#define PP_NAMED_POLL_NS   (2 * PP_NS_PER_MS)

/*
 * When silent workers are asked again. They are not asked more often, since a
 * signal interrupts a sleeping handler.
 */
#define PP_NAMED_REMIND_NS (20 * PP_NS_PER_MS)

/* The task's state: what is asked for, and how far it is. */
struct pp_named_task {
	int64_t seconds; /* 0: a snapshot */
	int64_t debug;	 /* 0: binary */
	int gc;		 /* 1: gc= was above 0 */
	enum {
		PP_NAMED_READY,	  /* take it when it is due */
		PP_NAMED_FIRST,	  /* asked, before the first reading */
		PP_NAMED_BETWEEN, /* of the two readings */
		PP_NAMED_LAST	  /* asked, before the reading that answers */
	} phase;
	uint32_t question;
	int64_t asked_ns; /* CLOCK_MONOTONIC */
	int64_t begun_ns; /* likewise; of the first reading */
	int reminded;	  /* those who are silent were asked again */
	struct pp_profile *before;
	char custom[PP_CUSTOM_NAME_MAX]; /* name of an application's profile */
};

struct pp_named {
	const char *name;    /* "heap", as in the file's name; NULL: the
				task's `custom` */
	int delta;	     /* 1: seconds= is allowed */
	int text_below_zero; /* 1: a negative debug= is text too */
	/*
	 * Asks the workers for facts that only they know; 0: this request needs
	 * no facts. NULL: never. `answered` tells whether all workers have
	 * answered, `remind` asks the silent ones again (NULL: no reminder),
	 * `asked` frees the question.
	 */
	int (*ask)(struct pp_task *);
	void (*remind)(struct pp_task *);
	int (*answered)(struct pp_task *);
	void (*asked)(struct pp_task *);
	/* Returns the profile of now, without symbols; NULL: out of memory. */
	struct pp_profile *(*take)(struct pp_task *);
	/* Writes the body for debug= other than 0. Returns -1 if out of memory.
	 */
	int (*text)(struct pp_task *);
};

/* The functions of an endpoint that has a struct pp_named. */
void pp_named_begin(struct pp_task *task, const struct pp_request *request);
void pp_named_finish(struct pp_task *task);
void pp_named_cancel(struct pp_task *task);
int64_t pp_named_tick(struct pp_task *task, int64_t now);

struct pp_named_task *pp_named_state(struct pp_task *task);

/* Give the profile's locations their names. */
void pp_named_symbolize(struct pp_task *task, struct pp_profile *profile);

/* Write the text of a profile of counts, symbolized here; for pp_named.text.
 * Frees the profile; NULL: out of memory. `comments` as for
 * pp_encode_text_count(). */
int pp_named_text_count(struct pp_task *task, struct pp_profile *profile,
    const char *comments);

#endif
