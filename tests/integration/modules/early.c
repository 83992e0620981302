/*
 * For LD_PRELOAD: a profiler of its own, as others are loaded: a handler of
 * SIGPROF, installed before anybody else could.
 */
#include <signal.h>
#include <stddef.h>

int early_ran;
void early_caught(int);

void
early_caught(int signo)
{
	(void)signo;
	early_ran++;
}

__attribute__((constructor)) static void
early_begin(void)
{
	struct sigaction action = { .sa_handler = early_caught,
		.sa_flags = SA_RESTART };

	(void)sigaction(SIGPROF, &action, NULL);
}
