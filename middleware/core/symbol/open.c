/*
 * Finds an object's file and its separate debug file. The part that opens by a
 * path reads nothing, and the part that reads needs no right to open anything:
 * the two may run in two processes.
 *
 * /usr/lib/debug/.build-id/xx/yyyy.debug comes first, then the name in
 * .gnu_debuglink: beside the file, in .debug/ beside it, and below
 * /usr/lib/debug with the file's own path.
 *
 * Rule: only regular files of a bounded size are opened; a path to anything
 * else, a device or a pipe, is not opened at all.
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

int
pp_symbols_is_file(const struct stat *st)
{
	return (S_ISREG(st->st_mode) && st->st_size >= 0 &&
	    st->st_size <= PP_SYMBOLS_FILE_MAX);
}

/* Open a file for reading through the descriptor by which it was checked, so
 * that it cannot be replaced meanwhile. */
static int
open_regular(const char *path)
{
	char again[32];
	struct stat st;
	int place, fd = -1, error = ENOEXEC;

	/* The name of the vDSO is no path. */
	if (path[0] != '/') {
		errno = ENOENT;
		return (-1);
	}
	place = open(path, O_PATH | O_CLOEXEC);
	if (place == -1)
		return (-1);
	if (fstat(place, &st) == 0 && pp_symbols_is_file(&st)) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
		fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		error = errno;
	}
	close(place);
	errno = error;
	return (fd);
}

static int
reach_by_build_id(const uint8_t *build_id, uint32_t build_id_len)
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
	return (open_regular(path));
}

void
pp_symbols_reach(struct pp_symbols_found *found, const char *path,
    const uint8_t *build_id, uint32_t build_id_len)
{
	size_t i;

	found->debug = -1;
	for (i = 0; i < PP_SYMBOLS_LINKS; i++)
		found->link[i] = -1;
	found->fd = open_regular(path);
	found->error = errno;
	if (found->fd != -1)
		found->debug = reach_by_build_id(build_id, build_id_len);
}

void
pp_symbols_reach_link(struct pp_symbols_found *found, const char *path,
    const char *name)
{
	static const char *const form[PP_SYMBOLS_LINKS] = { "%s%.*s/%s",
		"%s%.*s/.debug/%s", PP_OPEN_DEBUG_ROOT "%s%.*s/%s" };
	const char *slash = strrchr(path, '/');
	char debug[PATH_MAX];
	size_t i;
	int len;

	if (name[0] == '\0' || strchr(name, '/') != NULL || slash == NULL)
		return;
	for (i = 0; i < PP_SYMBOLS_LINKS; i++) {
		len = snprintf(debug, sizeof(debug), form[i], "",
		    (int)(slash - path), path, name);
		if (len < (int)sizeof(debug) && strcmp(debug, path) != 0 &&
		    found->link[i] == -1)
			found->link[i] = open_regular(debug);
	}
}

int
pp_symbols_link(int fd, const uint8_t *build_id, uint32_t build_id_len,
    char name[PP_SYMBOLS_LINK_MAX])
{
	const char *text = NULL;
	struct pp_elf e;
	GElf_Word crc;
	size_t len = 0;

	if (fd != -1 && pp_elf_open(&e, fd, build_id, build_id_len) == 0) {
		text = dwelf_elf_gnu_debuglink(e.elf, &crc);
		len = text == NULL ? 0 : strlen(text);
		if (len < PP_SYMBOLS_LINK_MAX)
			memcpy(name, text == NULL ? "" : text, len + 1);
		pp_elf_close(&e);
	}
	return (len > 0 && len < PP_SYMBOLS_LINK_MAX ? 0 : -1);
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

static int
is_elf(int fd, const uint8_t *build_id, uint32_t build_id_len)
{
	struct pp_elf e;

	if (fd == -1 || pp_elf_open(&e, fd, build_id, build_id_len) == -1)
		return (0);
	pp_elf_close(&e);
	return (1);
}

/* Whether the debug file belongs to its file: by build id, else by check
 * sum. */
static int
link_fits(int fd, const uint8_t *build_id, uint32_t build_id_len, uint32_t crc)
{
	uint32_t found;

	return (is_elf(fd, build_id, build_id_len) &&
	    (build_id_len != 0 || (file_crc(fd, &found) == 0 && found == crc)));
}

/* Return the descriptor of the first link that is the debug file of `e`; -1:
 * none is. */
static int
link_meant(const struct pp_symbols_found *found, const struct pp_elf *e,
    const uint8_t *build_id, uint32_t build_id_len)
{
	GElf_Word crc;
	size_t i;

	if (dwelf_elf_gnu_debuglink(e->elf, &crc) == NULL)
		return (-1);
	for (i = 0; i < PP_SYMBOLS_LINKS; i++) {
		if (link_fits(found->link[i], build_id, build_id_len, crc))
			return (found->link[i]);
	}
	return (-1);
}

static void
found_close(const struct pp_symbols_found *found, int but)
{
	size_t i;

	if (found->debug != -1 && found->debug != but)
		close(found->debug);
	for (i = 0; i < PP_SYMBOLS_LINKS; i++) {
		if (found->link[i] != -1 && found->link[i] != but)
			close(found->link[i]);
	}
}

int
pp_symbols_choose(const struct pp_symbols_found *found, const uint8_t *build_id,
    uint32_t build_id_len, int *debug_fd)
{
	struct pp_elf e;
	const void *own;
	ssize_t own_len;
	int error = found->error;

	*debug_fd = -1;
	if (found->fd != -1 &&
	    pp_elf_open(&e, found->fd, build_id, build_id_len) == 0) {
		if (build_id_len == 0 &&
		    (own_len = dwelf_elf_gnu_build_id(e.elf, &own)) > 0 &&
		    own_len <= PP_BUILD_ID_MAX) {
			build_id = own;
			build_id_len = (uint32_t)own_len;
		}
		*debug_fd = is_elf(found->debug, build_id, build_id_len)
		    ? found->debug
		    : link_meant(found, &e, build_id, build_id_len);
		pp_elf_close(&e);
		found_close(found, *debug_fd);
		return (found->fd);
	}
	if (found->fd != -1) {
		error = errno;
		close(found->fd);
	}
	found_close(found, -1);
	errno = error;
	return (-1);
}

int
pp_symbols_open(const char *path, const uint8_t *build_id,
    uint32_t build_id_len, int *debug_fd)
{
	char name[PP_SYMBOLS_LINK_MAX];
	struct pp_symbols_found found;

	pp_symbols_reach(&found, path, build_id, build_id_len);
	if (pp_symbols_link(found.fd, build_id, build_id_len, name) == 0)
		pp_symbols_reach_link(&found, path, name);
	return (pp_symbols_choose(&found, build_id, build_id_len, debug_fd));
}
