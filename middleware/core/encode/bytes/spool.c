/*
 * See spool.h.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "encode/bytes/spool.h"

int
pp_spool_open(struct pp_spool *spool)
{
	spool->len = 0;
	spool->failed = 0;
	spool->fd =
	    memfd_create("pprof-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return (spool->fd == -1 ? -1 : 0);
}

void
pp_spool_append(struct pp_spool *spool, const void *data, size_t len)
{
	const char *from = data;
	ssize_t n;

	while (len > 0 && !spool->failed) {
		n = write(spool->fd, from, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			spool->failed = 1;
			return;
		}
		from += n;
		len -= (size_t)n;
		spool->len += (uint64_t)n;
		pp_budget_file(n);
	}
}

void
pp_spool_close(struct pp_spool *spool)
{
	if (spool->fd != -1) {
		close(spool->fd);
		pp_budget_file(-(int64_t)spool->len);
	}
	spool->fd = -1;
}

void
pp_spool_cut(struct pp_spool *spool, uint64_t len)
{
	if (ftruncate(spool->fd, (off_t)len) == -1 ||
	    lseek(spool->fd, (off_t)len, SEEK_SET) == -1)
		spool->failed = 1;
	pp_budget_file((int64_t)len - (int64_t)spool->len);
	spool->len = len;
}

int
pp_spool_take(struct pp_spool *spool, uint64_t *len)
{
	int fd = spool->fd;

	if (spool->failed) {
		pp_spool_close(spool);
		return (-1);
	}
	spool->fd = -1;
	*len = spool->len;
	return (fd);
}
