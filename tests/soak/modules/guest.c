/*
 * What makes one application of several test modules, for tests/soak/guest.py,
 * which compiles each with names of its own for its rules; Kore takes one list
 * of rules. And what lasts while they work: a thread that waits for signals,
 * and SIGPROF by a timer of the application's own.
 *
 *     /on, /off    the timer; /off says what has come
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/time.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

int page_begin_waiting(struct http_request *);
int page_on(struct http_request *);
int page_off(struct http_request *);
void kore_seccomp_hook(void);
void crowd_rules(void);
void depths_rules(void);
void guest_signals_rules(void);
void libraries_rules(void);
void limits_rules(void);

static _Atomic int caught, taken;

/* In the parent, before the workers have their filters. */
void
kore_seccomp_hook(void)
{
	crowd_rules();
	depths_rules();
	guest_signals_rules();
	libraries_rules();
	limits_rules();
}

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

/* Nobody sends it one. Those that are sent to the process it leaves to the
 * others: SIGPROF and Kore's. */
static void *
waits(void *unused)
{
	static const int left_out[] = { SIGPROF, SIGHUP, SIGQUIT, SIGINT,
		SIGTERM, SIGCHLD };
	sigset_t set;
	int signo;
	size_t i;

	(void)sigfillset(&set);
	(void)pthread_sigmask(SIG_SETMASK, &set, NULL);
	for (i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		(void)sigdelset(&set, left_out[i]);
	for (;;) {
		if (sigwait(&set, &signo) == 0)
			taken++;
	}
	return (unused);
}

int
page_begin_waiting(struct http_request *req)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, waits, NULL) != 0)
		return (reply(req, "no thread"));
	(void)pthread_detach(thread);
	return (reply(req, "waits"));
}

static void
counts(int signo)
{
	(void)signo;
	caught++;
}

int
page_on(struct http_request *req)
{
	struct sigaction action = { .sa_handler = counts,
		.sa_flags = SA_RESTART | SA_ONSTACK };
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } };

	caught = 0;
	(void)sigaction(SIGPROF, &action, NULL);
	(void)setitimer(ITIMER_PROF, &often, NULL);
	return (reply(req, "on"));
}

int
page_off(struct http_request *req)
{
	struct itimerval off;
	char text[64];

	memset(&off, 0, sizeof(off));
	(void)setitimer(ITIMER_PROF, &off, NULL);
	(void)snprintf(text, sizeof(text), "%s, %d taken",
	    caught >= 5 ? "many" : "few", taken);
	return (reply(req, text));
}
