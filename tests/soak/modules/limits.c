/*
 * An application that writes its profiles itself, into files that are full.
 * DISK is a file on a small disk; both are opened in the parent, since a chroot
 * has neither.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <fcntl.h>
#include <pprof.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECTS 10
#define BYTES	3000

int page_index(struct http_request *);
int page_work(struct http_request *);
int page_write(struct http_request *);
void limits_allocates(void);

static int full_fd = -1, disk_fd = -1;
static void *volatile kept;

__attribute__((constructor)) static void
limits_opens(void)
{
	full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	disk_fd = open(DISK, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((noinline)) void
limits_allocates(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		kept = malloc(BYTES);
		free(kept);
	}
}

int
page_index(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}

int
page_work(struct http_request *req)
{
	limits_allocates();
	http_response(req, 200, "work\n", 5);
	return (KORE_RESULT_OK);
}

/* ?full or ?disk; answers 0, or the error's name. */
int
page_write(struct http_request *req)
{
	const char *where = req->query_string, *error = "0";
	int fd =
	    where != NULL && strcmp(where, "full") == 0 ? full_fd : disk_fd;

	if (pprof_write("heap", fd, 0) == -1)
		error = strerrorname_np(errno);
	http_response(req, 200, error, strlen(error));
	return (KORE_RESULT_OK);
}
