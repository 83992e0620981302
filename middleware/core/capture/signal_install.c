/*
 * Installs the handler of SIGPROF: see signal.h. Cold.
 */
#include <string.h>

#include "capture/sampler.h"
#include "capture/signal.h"

int
pp_signal_install(void)
{
	struct sigaction action, old;
	struct pp_signal_action was;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = pp_sampler_signal;
	action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	/* All signals are blocked meanwhile: a handler of the application that
	 * interrupts ours could leave ours by longjmp(). */
	memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
	if (sigaction(SIGPROF, &action, &old) == -1)
		return (-1);
	if (old.sa_sigaction == pp_sampler_signal)
		return (0);
	was.handler = (void *)old.sa_sigaction;
	was.flags = old.sa_flags;
	memcpy(&was.mask, &old.sa_mask, sizeof(was.mask));
	pp_signal_keep(&was, NULL);
	return (0);
}
