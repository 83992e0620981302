/*
 * The state of a client of the listener: its list, and its class of waiting
 * clients.
 */
#include "base/clock.h"
#include "collector/listener_private.h"

void
pp_client_waits(struct pp_client *client, enum pp_patience patience)
{
	while (client->patience > patience)
		client->listener->waiting[client->patience--]--;
	while (client->patience < patience)
		client->listener->waiting[++client->patience]++;
}

void
pp_client_enter(struct pp_client *client, enum pp_client_state state)
{
	struct pp_listener *listener = client->listener;

	if (client->state == PP_CLIENT_ENDS)
		return;
	TAILQ_REMOVE(&listener->clients[client->state], client, list);
	pp_client_waits(client, PP_WAITS_NOT);
	client->state = state;
	client->since_ns = pp_clock_mono();
	TAILQ_INSERT_TAIL(&listener->clients[state], client, list);
}
