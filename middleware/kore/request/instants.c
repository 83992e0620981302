/*
 * Instants for the trace, of what happens to the server besides its handlers:
 * the accept lock, messages between workers, timers, connections, reloads.
 * arrive.c sees requests as they are read. The calls come by the patched
 * entries of Kore's functions (kore/start/entries.c); while nobody traces, each
 * costs one branch.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/hot_path.h"
#include "capture/trace.h"
#include "kore/adapter.h"

int (*pp_instants_real_accept)(struct listener *, struct connection **);
PP_HOT_PATH_DATA void (*pp_instants_real_timer_run)(uint64_t);
void (*pp_instants_real_reload)(int);
void (*pp_instants_real_msg_send)(uint16_t, uint8_t, const void *, size_t);
int (*pp_instants_real_msg_register)(uint8_t,
    void (*)(struct kore_msg *, const void *));

#define INSTANT(what, number)                                                  \
	pp_trace(PP_TRACE_INSTANT, PP_TRACE_INSTANT_##what, 0, (number))

int
pp_instants_accept(struct listener *listener, struct connection **out)
{
	int result;

	result = pp_instants_real_accept(listener, out);
	if (result == KORE_RESULT_OK) {
		INSTANT(CONNECTION, 0);
		pp_arrive_accepted(*out);
	}
	return (result);
}

PP_HOT_PATH void
pp_instants_timer_run(uint64_t now)
{
	if (pp_trace_active() && kore_timer_next_run(now) == 0)
		INSTANT(TIMER, 0);
	pp_arrive_run();
	pp_instants_real_timer_run(now);
}

void
pp_instants_reload(int callbacks)
{
	pp_instants_real_reload(callbacks);
	INSTANT(RELOAD, 0);
}

void
pp_instants_msg_send(uint16_t to, uint8_t id, const void *data, size_t len)
{
	INSTANT(MESSAGE_SENT, id);
	pp_instants_real_msg_send(to, id, data, len);
}

/* The functions that the application has registered, by number of message. */
static void (*receiver[UINT8_MAX + 1])(struct kore_msg *, const void *);

static void
instants_received(struct kore_msg *msg, const void *data)
{
	INSTANT(MESSAGE_GOT, msg->id);
	receiver[msg->id](msg, data);
}

int
pp_instants_msg_register(uint8_t id,
    void (*call)(struct kore_msg *, const void *))
{
	int result;

	result = pp_instants_real_msg_register(id, instants_received);
	if (result == KORE_RESULT_OK)
		receiver[id] = call;
	return (result);
}

/* This is called once a turn while somebody traces. A change of the accept lock
 * between two traces is not recorded. */
void
pp_instants_turn(void)
{
	static uint32_t recording;
	static int had;
	int has = worker->has_lock != 0;
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);

	if (recording == on && has != had) {
		if (has)
			INSTANT(ACCEPT_TAKEN, 0);
		else
			INSTANT(ACCEPT_GIVEN, 0);
	}
	recording = on;
	had = has;
}
