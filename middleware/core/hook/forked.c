/*
 * See forked.h.
 */
#include "capture/self.h"
#include "capture/signal.h"
#include "hook/forked.h"
#include "hook/loader.h"

void
pp_process_forked(void)
{
	pp_signal_forked();
	pp_self_leave();
	pp_loader_forked();
}
