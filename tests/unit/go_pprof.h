/*
 * What `go tool pprof` says of bytes of ours. Without go the tests that ask it
 * fail.
 */
#ifndef GO_PPROF_H
#define GO_PPROF_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

static char go_folder[] = "/tmp/pprof-go-XXXXXX";

static inline int
go_prepare(void **state)
{
	(void)state;
	if (system("go version") != 0) {
		print_error("go is missing, and it is the judge here: "
			    "apt install golang-go\n");
		return (-1);
	}
	if (mkdtemp(go_folder) == NULL)
		return (-1);
	setenv("HOME", go_folder, 1);
	return (0);
}

static inline int
go_clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", go_folder);
	return (system(command));
}

/* What the command says that reads the bytes from its standard input, in the
 * test's folder; valid until the next call. It must end well. */
static inline const char *
go_ask(const struct pp_buf *bytes, const char *command)
{
	static char said[4 << 20];
	char line[1500];
	FILE *file, *pipe;
	size_t len;
	int status;

	snprintf(line, sizeof(line), "%s/bytes", go_folder);
	assert_non_null(file = fopen(line, "w"));
	assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
	assert_int_equal(fclose(file), 0);
	snprintf(line, sizeof(line), "cd %s && %s <bytes 2>&1", go_folder,
	    command);
	assert_non_null(pipe = popen(line, "r"));
	len = fread(said, 1, sizeof(said) - 1, pipe);
	said[len] = '\0';
	status = pclose(pipe);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s\nended with %d:\n%s", line, status, said);
	return (said);
}

static inline const char *
go_pprof(const struct pp_buf *bytes, const char *options)
{
	char command[256];

	snprintf(command, sizeof(command),
	    "go tool pprof -symbolize=none %s bytes", options);
	return (go_ask(bytes, command));
}

/* Whether the text has each of the words, one after the other, with nothing
 * but blanks between. */
static inline int
go_says(const char *said, const char *words)
{
	const char *at, *word, *text;

	for (at = said; *at != '\0'; at++) {
		text = at;
		for (word = words; *word != '\0'; word++) {
			if (*word == ' ') {
				if (*text != ' ' && *text != '\n')
					break;
				while (*text == ' ' || *text == '\n')
					text++;
			} else if (*text++ != *word) {
				break;
			}
		}
		if (*word == '\0')
			return (1);
	}
	return (0);
}

#endif
