/*
 * Small programs and libraries that are compiled while a test runs, and the
 * tools' own opinion on them (nm, addr2line). Not a build system.
 *
 * Rule: all in one directory of the test, which goes away at its end; a tool
 * that fails ends the test.
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fixture_dir[64];

#define fixture_sh(...) fixture_run(__LINE__, __VA_ARGS__)

__attribute__((format(printf, 2, 3))) static inline void
fixture_run(int line, const char *format, ...)
{
	char command[2048], text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "cd %s && %s", fixture_dir, text);
	if (system(command) != 0) {
		fprintf(stderr, "line %d: failed: %s\n", line, text);
		exit(1);
	}
}

static inline int
fixture_setup(void **state)
{
	(void)state;
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/pp-fixture-XXXXXX");
	return (mkdtemp(fixture_dir) == NULL ? -1 : 0);
}

static inline int
fixture_teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", fixture_dir);
	return (system(command));
}

static inline const char *
fixture_path(const char *name)
{
	static char path[4][160];
	static unsigned int turn;

	snprintf(path[++turn % 4], sizeof(path[0]), "%s/%s", fixture_dir, name);
	return (path[turn % 4]);
}

static inline void
fixture_write(const char *name, const char *text)
{
	FILE *f = fopen(fixture_path(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0) {
		perror(name);
		exit(1);
	}
}

/* Number of the line of `text` in which `mark` stands. */
static inline int
fixture_line(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);
	int line = 1;

	if (at == NULL) {
		fprintf(stderr, "no line with %s\n", mark);
		exit(1);
	}
	while (text < at)
		line += *text++ == '\n';
	return (line);
}

/* What nm says of a symbol; ends the test when there is none. */
static inline uint64_t
fixture_address(const char *file, const char *name)
{
	char command[512];
	unsigned long long address;
	FILE *pipe;
	int got;

	snprintf(command, sizeof(command),
	    "(nm %s; nm -D %s) 2>/dev/null | awk '$3 == \"%s\" { print $1 }'",
	    fixture_path(file), fixture_path(file), name);
	pipe = popen(command, "r");
	got = pipe == NULL ? 0 : fscanf(pipe, "%llx", &address);
	if (got != 1) {
		fprintf(stderr, "%s has no symbol %s\n", file, name);
		exit(1);
	}
	pclose(pipe);
	return (address);
}

#endif
