/*
 * The command line of pprof-collector, and its log lines.
 *
 * Rule: the parent writes the command line, not people; still a log line names
 * each mistake with its value.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/collector.h"

static const char options_help[] =
    "usage: pprof-collector --arena=FD --socket=FD --facts=FD [--listen=FD]\n"
    "                       [--user=NAME] [--root=DIR] [--parent=PID]\n"
    "\n"
    "Reads what the workers of a Kore service have written into the arena and\n"
    "answers /debug/pprof/ for them. Started by pprof.so, not by hand.\n"
    "\n"
    "  --arena=FD    the open memory or file that holds the arena\n"
    "  --socket=FD   the SOCK_SEQPACKET socket on which requests come\n"
    "  --facts=FD    a file with what the parent knows: how large the arena is,\n"
    "                which files it has loaded\n"
    "  --listen=FD   a listening socket: serve the same there, as HTTP\n"
    "  --user=NAME   become this user once the object files are open\n"
    "  --root=DIR    and enter this directory (chroot)\n"
    "  --parent=PID  end at once when this is not the parent any more\n"
    "  --version     print what this program can talk to\n"
    "  --help        print this\n";

void
pp_collector_log(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "pprof-collector: %s\n", line);
}

void
pp_collector_report(uint64_t *count, const char *what)
{
	(*count)++;
	if ((*count & (*count - 1)) == 0)
		pp_collector_log("%s (%llu so far)", what,
		    (unsigned long long)*count);
}

static int
options_number(const char *name, const char *text, long min, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *out >= min &&
	    *out <= INT_MAX)
		return (0);
	pp_collector_log("--%s=%s: must be a whole number from %ld to %d", name,
	    text, min, INT_MAX);
	return (-1);
}

static void
options_print(int help)
{
	if (help)
		fputs(options_help, stdout);
	else
		printf("pprof-collector, messages %x, arena %llx\n",
		    PP_WIRE_VERSION, PP_ARENA_MAGIC);
}

static int
options_check(const struct pp_collector_options *o)
{
	if (o->arena == -1 || o->socket == -1 || o->facts == -1 ||
	    o->arena == o->socket || o->arena == o->facts ||
	    o->socket == o->facts) {
		pp_collector_log("needs --arena=FD, --socket=FD and "
				 "--facts=FD, three different descriptors "
				 "above 2");
		return (-1);
	}
	if (o->listen != -1 &&
	    (o->listen == o->arena || o->listen == o->socket ||
		o->listen == o->facts)) {
		pp_collector_log("--listen=%d: must be a descriptor of its own",
		    o->listen);
		return (-1);
	}
	if (o->root != NULL && o->root[0] != '/') {
		pp_collector_log("--root=%s: must be an absolute path",
		    o->root);
		return (-1);
	}
	return (0);
}

/*
 * Options are read by their index in the list: numbers come first; all but the
 * last number are at least 3.
 */
enum { ARENA = 1, SOCKET, FACTS, LISTEN, PARENT, USER, ROOT, VERSION, HELP };

static int
options_take(struct pp_collector_options *out, int option, long number,
    int *status)
{
	int *const fd[] = { NULL, &out->arena, &out->socket, &out->facts,
		&out->listen };

	switch (option) {
	case PARENT:
		out->parent = number;
		return (0);
	case USER:
		out->user = optarg;
		return (0);
	case ROOT:
		out->root = optarg;
		return (0);
	case VERSION:
	case HELP:
		options_print(option == HELP);
		*status = 0;
		return (-1);
	}
	*fd[option] = (int)number;
	return (0);
}

int
pp_collector_options(int argc, char **argv, struct pp_collector_options *out,
    int *status)
{
	static const struct option known[] = {
		{ "arena", required_argument, NULL, ARENA },
		{ "socket", required_argument, NULL, SOCKET },
		{ "facts", required_argument, NULL, FACTS },
		{ "listen", required_argument, NULL, LISTEN },
		{ "parent", required_argument, NULL, PARENT },
		{ "user", required_argument, NULL, USER },
		{ "root", required_argument, NULL, ROOT },
		{ "version", no_argument, NULL, VERSION },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option;
	long number = -1;

	*out = (struct pp_collector_options){ .arena = -1,
		.socket = -1,
		.facts = -1,
		.listen = -1 };
	*status = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option < ARENA || option > HELP) {
			pp_collector_log("%s: no such option, or it needs a "
					 "value; see --help",
			    argv[optind - 1]);
			return (-1);
		}
		if (option <= PARENT &&
		    options_number(known[option - 1].name, optarg,
			option == PARENT ? 1 : 3, &number) != 0)
			return (-1);
		if (options_take(out, option, number, status) != 0)
			return (-1);
	}
	if (optind < argc) {
		pp_collector_log("%s: takes options only; see --help",
		    argv[optind]);
		return (-1);
	}
	return (options_check(out));
}
