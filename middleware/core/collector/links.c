/*
 * The names of debug files stand in the object files, which may be hostile, and
 * are needed while paths can still be opened. So a process of its own gives up
 * all rights, reads the files and says the names; the collector accepts nothing
 * from it but short texts.
 *
 *     collector, root ── fork ──► reader: user, chroot, seccomp; reads ELF
 *          opens the names   ◄── pipe: a number and a name each
 *
 * Rule: a reader that dies, lies or does not end costs its names, nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/collector.h"

/* Reading the headers of 20 libraries takes 2 ms. */
#define PATIENCE_NS (5 * PP_NS_PER_SEC)

/* Smaller than PIPE_BUF, so a message comes in one piece. */
struct link {
	uint32_t number;
	char name[PP_SYMBOLS_LINK_MAX];
};

static void
links_read(const struct pp_files *files, int to)
{
	const struct pp_object *object;
	struct link link;
	uint32_t i;

	for (i = 0; i < files->used; i++) {
		object = &files->object[i];
		memset(&link, 0, sizeof(link));
		link.number = i;
		if (files->found[i].debug == -1 &&
		    pp_symbols_link(files->found[i].fd, object->build_id,
			object->build_id_len, link.name) == 0 &&
		    write(to, &link, sizeof(link)) != sizeof(link))
			return;
	}
}

/* Returns -1 if no more names will come. */
static int
links_next(int from, int64_t until, struct link *link)
{
	struct pollfd wait = { .fd = from, .events = POLLIN };
	int64_t left;
	int ready;

	do {
		left = (until - pp_clock_mono()) / PP_NS_PER_MS;
		ready = poll(&wait, 1, left > 0 ? (int)left : 0);
	} while (ready == -1 && errno == EINTR);
	if (ready != 1 || read(from, link, sizeof(*link)) != sizeof(*link))
		return (-1);
	link->name[sizeof(link->name) - 1] = '\0';
	return (0);
}

void
pp_collector_links(struct pp_files *files, const char *user, const char *root)
{
	int64_t until = pp_clock_mono() + PATIENCE_NS;
	struct link link;
	uint32_t said;
	int pair[2];
	pid_t reader;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) == -1)
		return;
	reader = fork();
	if (reader == 0) {
		/* The collector itself will say what it cannot give up. */
		(void)close(STDERR_FILENO);
		(void)fcntl(pair[1], F_SETFL, 0);
		if (pp_collector_drop(user, root) == 0 &&
		    pp_collector_sandbox(0) == 0)
			links_read(files, pair[1]);
		_exit(0);
	}
	(void)close(pair[1]);
	for (said = 0; reader != -1 && said < files->used &&
	     links_next(pair[0], until, &link) == 0;
	     said++) {
		if (link.number < files->used)
			pp_symbols_reach_link(&files->found[link.number],
			    files->object[link.number].name, link.name);
	}
	(void)close(pair[0]);
	if (reader == -1)
		return;
	(void)kill(reader, SIGKILL);
	while (waitpid(reader, NULL, 0) == -1 && errno == EINTR)
		continue;
}
