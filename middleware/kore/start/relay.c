/*
 * If Kore runs as a daemon, stderr is /dev/null. The collector's log lines then
 * go through a pipe to the parent, which writes them to Kore's log. In the
 * foreground stderr is the operator's, and there is no pipe.
 *
 * Rule: neither side ever waits. Lines that do not fit the pipe are lost, and a
 * line is taken as text, not as a format.
 */
#include <kore/kore.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kore/adapter.h"

#define LINE_MAX_BYTES 1024

/* How many reads one turn of the parent's loop makes; the pipe holds 64 KiB. */
#define READS_MAX 64

static struct kore_event event; /* Kore's loop knows it by this */
static int ends[2] = { -1, -1 };
static int listening;
static char line[LINE_MAX_BYTES + 1];
static size_t line_len;

void
pp_relay_open(void)
{
	if (kore_foreground)
		return;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		ends[0] = ends[1] = -1;
		pp_kore_log("no pipe for the collector's log lines (%s): they "
			    "are lost",
		    errno_s);
	}
}

int
pp_relay_fd(void)
{
	return (ends[1]);
}

static void
relay_take(const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] != '\n') {
			/* The rest of a longer line is left out. */
			if (line_len < LINE_MAX_BYTES)
				line[line_len++] = data[i];
			continue;
		}
		line[line_len] = '\0';
		line_len = 0;
		kore_log(LOG_NOTICE, "%s", line);
	}
}

static void
relay_event(void *arg, int error)
{
	char data[1024];
	ssize_t got;
	int i;

	(void)arg;
	(void)error;
	for (i = 0; i < READS_MAX; i++) {
		got = read(ends[0], data, sizeof(data));
		if (got <= 0)
			return;
		relay_take(data, (size_t)got);
	}
}

/* This is called at each turn, since Kore makes its loop after the first
 * workers.
 */
void
pp_relay_listen(void)
{
	if (listening || ends[0] == -1)
		return;
	listening = 1;
	event.handle = relay_event;
	kore_platform_schedule_read(ends[0], &event);
}

void
pp_relay_leave(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (ends[i] != -1)
			(void)close(ends[i]);
		ends[i] = -1;
	}
}
