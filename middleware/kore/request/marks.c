/*
 * Instants for the trace, of what happens to the server besides its handlers:
 * the accept lock, messages between workers, timers, connections, reloads.
 * arrive.c sees requests as they are read. The calls come by the patched
 * entries of Kore's functions (entries.c); while nobody traces, each costs one
 * branch.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/often.h"
#include "capture/trace.h"
#include "kore/adapter.h"

int (*pp_marks_real_accept)(struct listener *, struct connection **);
PP_OFTEN_DATA void (*pp_marks_real_timer_run)(uint64_t);
void (*pp_marks_real_reload)(int);
void (*pp_marks_real_msg_send)(uint16_t, uint8_t, const void *, size_t);
int (*pp_marks_real_msg_register)(uint8_t,
    void (*)(struct kore_msg *, const void *));

#define MARK(what, number)                                                     \
	pp_trace(PP_TRACE_MARK, PP_TRACE_MARK_##what, 0, (number))

int
pp_marks_accept(struct listener *listener, struct connection **out)
{
	int result;

	result = pp_marks_real_accept(listener, out);
	if (result == KORE_RESULT_OK) {
		MARK(CONNECTION, 0);
		pp_arrive_accepted(*out);
	}
	return (result);
}

PP_OFTEN void
pp_marks_timer_run(uint64_t now)
{
	if (pp_trace_active() && kore_timer_next_run(now) == 0)
		MARK(TIMER, 0);
	pp_arrive_run();
	pp_marks_real_timer_run(now);
}

void
pp_marks_reload(int callbacks)
{
	pp_marks_real_reload(callbacks);
	MARK(RELOAD, 0);
}

void
pp_marks_msg_send(uint16_t to, uint8_t id, const void *data, size_t len)
{
	MARK(MESSAGE_SENT, id);
	pp_marks_real_msg_send(to, id, data, len);
}

/* The functions that the application has registered, by number of message. */
static void (*receiver[UINT8_MAX + 1])(struct kore_msg *, const void *);

static void
marks_received(struct kore_msg *msg, const void *data)
{
	MARK(MESSAGE_GOT, msg->id);
	receiver[msg->id](msg, data);
}

int
pp_marks_msg_register(uint8_t id, void (*call)(struct kore_msg *, const void *))
{
	int result;

	result = pp_marks_real_msg_register(id, marks_received);
	if (result == KORE_RESULT_OK)
		receiver[id] = call;
	return (result);
}

/* This is called once a turn while somebody traces. A change of the accept lock
 * between two traces is not recorded. */
void
pp_marks_turn(void)
{
	static uint32_t recording;
	static int had;
	int has = worker->has_lock != 0;
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);

	if (recording == on && has != had) {
		if (has)
			MARK(ACCEPT_TAKEN, 0);
		else
			MARK(ACCEPT_GIVEN, 0);
	}
	recording = on;
	had = has;
}
