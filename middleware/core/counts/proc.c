/*
 * See proc.h. The kernel counts the pages of a process during the read, which
 * takes some tens of ms for a worker with some GiB.
 */
#include "counts/proc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Linux 6 writes 25 lines of 30 bytes. */
#define ROLLUP_MAX 4096

static const struct {
	const char *name;
	size_t at; /* in struct pp_proc_memory */
} fields[] = {
	{ "Rss:", offsetof(struct pp_proc_memory, rss) },
	{ "Pss:", offsetof(struct pp_proc_memory, pss) },
	{ "Private_Clean:", offsetof(struct pp_proc_memory, private_clean) },
	{ "Private_Dirty:", offsetof(struct pp_proc_memory, private_dirty) },
	{ "Shared_Clean:", offsetof(struct pp_proc_memory, shared_clean) },
	{ "Shared_Dirty:", offsetof(struct pp_proc_memory, shared_dirty) },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Parse "Rss: 1234 kB" at the start of `line`, which ends before `end`. */
static int
proc_field(const char *line, const char *end, const char *name, uint64_t *out)
{
	size_t len = strlen(name);
	uint64_t kib = 0;

	if ((size_t)(end - line) <= len || memcmp(line, name, len) != 0)
		return (-1);
	for (line += len; line < end && *line == ' '; line++)
		continue;
	if (line == end || *line < '0' || *line > '9')
		return (-1);
	for (; line < end && *line >= '0' && *line <= '9'; line++) {
		if (kib > UINT64_MAX / 10240 - 1)
			return (-1);
		kib = kib * 10 + (uint64_t)(*line - '0');
	}
	if (end - line != 3 || memcmp(line, " kB", 3) != 0)
		return (-1);
	*out = kib * 1024;
	return (0);
}

int
pp_proc_parse(const char *text, size_t len, struct pp_proc_memory *out)
{
	const char *end = text + len, *line, *next;
	unsigned int found = 0;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (line = text; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		for (i = 0; i < FIELDS; i++) {
			if (proc_field(line, next, fields[i].name,
				(uint64_t *)(void *)((char *)out +
				    fields[i].at)) == 0)
				found |= 1U << i;
		}
	}
	return (found == (1U << FIELDS) - 1 ? 0 : -1);
}

int
pp_proc_read(int fd, struct pp_proc_memory *out)
{
	char text[ROLLUP_MAX];
	size_t len = 0;
	ssize_t got;

	do {
		got = pread(fd, text + len, sizeof(text) - len, (off_t)len);
		if (got == -1)
			return (-1);
		len += (size_t)got;
	} while (got > 0 && len < sizeof(text));
	return (pp_proc_parse(text, len, out));
}
