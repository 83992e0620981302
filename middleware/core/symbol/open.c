/*
 * Finding a file's separate debug file, while paths may still be opened.
 * Nothing is read here but headers, notes and a check sum.
 *
 * /usr/lib/debug/.build-id/xx/yyyy.debug comes first, then the name in
 * .gnu_debuglink: beside the file, in .debug/ beside it, and below
 * /usr/lib/debug with the file's own path.
 */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "symbol/elf.h"
#include "symbol/symbols.h"

#ifndef PP_OPEN_DEBUG_ROOT
#define PP_OPEN_DEBUG_ROOT "/usr/lib/debug"
#endif

/* O_NONBLOCK: a path may be a pipe that nobody writes to. */
static int
open_regular(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return (fd);
	close(fd);
	errno = ENOEXEC;
	return (-1);
}

static int
open_checked(const char *path, const uint8_t *build_id, uint32_t build_id_len)
{
	struct pp_elf e;
	int fd, error;

	if ((fd = open_regular(path)) == -1)
		return (-1);
	if (pp_elf_open(&e, fd, build_id, build_id_len) == 0) {
		pp_elf_close(&e);
		return (fd);
	}
	error = errno;
	close(fd);
	errno = error;
	return (-1);
}

static int
debug_by_build_id(const uint8_t *build_id, uint32_t build_id_len)
{
	char path[sizeof(PP_OPEN_DEBUG_ROOT) + 2 * PP_BUILD_ID_MAX + 32];
	size_t len;
	uint32_t i;

	if (build_id_len < 2 || build_id_len > PP_BUILD_ID_MAX)
		return (-1);
	len = (size_t)snprintf(path, sizeof(path), "%s/.build-id/%02x/",
	    PP_OPEN_DEBUG_ROOT, build_id[0]);
	for (i = 1; i < build_id_len; i++, len += 2)
		snprintf(path + len, sizeof(path) - len, "%02x", build_id[i]);
	snprintf(path + len, sizeof(path) - len, ".debug");
	return (open_checked(path, build_id, build_id_len));
}

static int
file_crc(int fd, uint32_t *crc)
{
	unsigned char part[64 * 1024];
	uLong sum = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, part, sizeof(part), at)) > 0) {
		sum = crc32(sum, part, (uInt)got);
		at += got;
	}
	*crc = (uint32_t)sum;
	return (got == -1 ? -1 : 0);
}

/* A debug file belongs to its file by build id, else by check sum. */
static int
debug_try(const char *path, const uint8_t *build_id, uint32_t build_id_len,
    uint32_t crc)
{
	uint32_t found;
	int fd;

	fd = open_checked(path, build_id, build_id_len);
	if (fd == -1 || build_id_len != 0)
		return (fd);
	if (file_crc(fd, &found) == 0 && found == crc)
		return (fd);
	close(fd);
	return (-1);
}

static int
debug_by_link(const struct pp_elf *e, const char *path, const uint8_t *build_id,
    uint32_t build_id_len)
{
	static const char *const form[] = { "%s%.*s/%s", "%s%.*s/.debug/%s",
		PP_OPEN_DEBUG_ROOT "%s%.*s/%s" };
	char debug[PATH_MAX];
	const char *name, *slash;
	GElf_Word crc;
	int fd, len;
	size_t i;

	name = dwelf_elf_gnu_debuglink(e->elf, &crc);
	slash = strrchr(path, '/');
	if (name == NULL || name[0] == '\0' || strchr(name, '/') != NULL ||
	    slash == NULL)
		return (-1);
	for (i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
		len = snprintf(debug, sizeof(debug), form[i], "",
		    (int)(slash - path), path, name);
		if (len >= (int)sizeof(debug) || strcmp(debug, path) == 0)
			continue;
		fd = debug_try(debug, build_id, build_id_len, crc);
		if (fd != -1)
			return (fd);
	}
	return (-1);
}

int
pp_symbols_open(const char *path, const uint8_t *build_id,
    uint32_t build_id_len, int *debug_fd)
{
	struct pp_elf e;
	const void *own;
	ssize_t own_len;
	int fd, error;

	*debug_fd = -1;
	if ((fd = open_regular(path)) == -1)
		return (-1);
	if (pp_elf_open(&e, fd, build_id, build_id_len) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return (-1);
	}
	if (build_id_len == 0 &&
	    (own_len = dwelf_elf_gnu_build_id(e.elf, &own)) > 0 &&
	    own_len <= PP_BUILD_ID_MAX) {
		build_id = own;
		build_id_len = (uint32_t)own_len;
	}
	*debug_fd = debug_by_build_id(build_id, build_id_len);
	if (*debug_fd == -1)
		*debug_fd = debug_by_link(&e, path, build_id, build_id_len);
	pp_elf_close(&e);
	return (fd);
}
