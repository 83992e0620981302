/*
 * The state of a client of the own listener: its list, and its class of waiting
 * clients.
 */
#include "base/clock.h"
#include "collector/door_private.h"

void
pp_visit_waits(struct pp_visit *visit, enum pp_patience patience)
{
	while (visit->patience > patience)
		visit->door->waiting[visit->patience--]--;
	while (visit->patience < patience)
		visit->door->waiting[++visit->patience]++;
}

void
pp_visit_enter(struct pp_visit *visit, enum pp_visit_state state)
{
	struct pp_door *door = visit->door;

	if (visit->state == PP_VISIT_ENDS)
		return;
	TAILQ_REMOVE(&door->visits[visit->state], visit, list);
	pp_visit_waits(visit, PP_WAITS_NOT);
	visit->state = state;
	visit->since_ns = pp_clock_mono();
	TAILQ_INSERT_TAIL(&door->visits[state], visit, list);
}
