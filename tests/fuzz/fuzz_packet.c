/*
 * What a worker can send to the collector: packets with descriptors, many in
 * a row, and hang up or not.
 *
 *     one byte: which descriptors come with it, two of four bits each
 *     one byte: how it is made: its kind, and whether its lengths are right
 *     then its fields and texts
 *
 * Rule: after it all, no descriptor is left open.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "collector/collector.h"
#include "fuzz_service.h"

static struct pp_collector collector;
static int ours;

union packet {
	struct pp_wire_request request;
	struct pp_wire_object object;
	struct pp_wire_proc proc;
	uint8_t bytes[PP_WIRE_PACKET_MAX + 16];
};

static int
descriptor(unsigned int kind)
{
	int pair[2];

	switch (kind) {
	case 1: /* what a request has */
	case 2: /* whose other end is closed already */
	case 3:
	case 4:
		fuzz_must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
		close(pair[1]);
		return (pair[0]);
	case 5:
	case 6:
		pair[0] = memfd_create("body", 0);
		fuzz_must(pair[0] != -1 && ftruncate(pair[0], 100) == 0);
		return (pair[0]);
	case 7:
		return (open("/proc/self/smaps_rollup", O_RDONLY));
	case 8:
		return (open("/dev/null", O_RDWR));
	case 9:
		fuzz_must(pipe(pair) == 0);
		close(pair[1]);
		return (pair[0]);
	case 10:
		return (open("/proc/self/maps", O_PATH));
	case 11:
		return (open("/", O_RDONLY | O_DIRECTORY));
	default:
		return (-1);
	}
}

/* The texts of a request, and the lengths that tell them. */
static size_t
request_texts(struct fuzz *f, struct pp_wire_request *head, uint8_t *to)
{
	static const char *const paths[] = { "", "/", "/heap", "/profile",
		"/goroutine", "/trace", "/symbol", "/settings", "/assets/x" };
	uint32_t *const len[] = { &head->prefix_len, &head->path_len,
		&head->query_len, &head->match_len };
	const uint8_t *piece;
	size_t used = 0, got, i;

	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		piece = fuzz_piece(f, fuzz_number(f, 1) % 48, &got);
		if (i == 1 && got > 0) {
			piece = (const uint8_t *)paths[piece[0] %
			    (sizeof(paths) / sizeof(paths[0]))];
			got = strlen((const char *)piece);
		}
		memcpy(to + used, piece, got);
		used += got;
		*len[i] = (uint32_t)got;
	}
	return (used);
}

static size_t
make(struct fuzz *f, union packet *p)
{
	unsigned int how = (unsigned int)fuzz_number(f, 1);
	const uint8_t *piece;
	size_t len, used;

	memset(p, 0, sizeof(*p));
	if (how < 32) {
		piece = fuzz_piece(f, sizeof(p->bytes), &len);
		memcpy(p->bytes, piece, len);
		return (len);
	}
	p->request.version = PP_WIRE_VERSION;
	p->request.kind = how % 5;
	if (p->request.kind == PP_WIRE_OBJECT) {
		p->object.build_id_len = (uint32_t)fuzz_number(f, 1);
		piece = fuzz_piece(f, fuzz_number(f, 2) % 400, &len);
		memcpy(p->bytes + sizeof(p->object), piece, len);
		p->object.name_len =
		    (uint32_t)(how & 64 ? fuzz_number(f, 4) : len);
		return (sizeof(p->object) + len);
	}
	if (p->request.kind == PP_WIRE_PROC) {
		p->proc.worker = (uint32_t)fuzz_number(f, 4);
		p->proc.pid = (int32_t)fuzz_number(f, 4);
		return (sizeof(p->proc) + (how & 64 ? 1 : 0));
	}
	p->request.method = (uint32_t)fuzz_number(f, 1) % 6;
	p->request.body_len = (uint32_t)fuzz_number(f, how & 64 ? 4 : 0);
	p->request.marked = how & 1;
	used = request_texts(f, &p->request, p->bytes + sizeof(p->request));
	if (how & 128)
		p->request.query_len = (uint32_t)fuzz_number(f, 4);
	return (sizeof(p->request) + used);
}

static void
send_one(struct fuzz *f)
{
	unsigned int kinds = (unsigned int)fuzz_number(f, 1);
	int fds[2], count = 0, fd, i;
	union packet packet;
	size_t len;

	len = make(f, &packet);
	for (i = 0; i < 2; i++) {
		if ((fd = descriptor(kinds >> (4 * i) & 15)) != -1)
			fds[count++] = fd;
	}
	if (len > 0)
		(void)pp_wire_send(ours, &packet, len, fds, count);
	for (i = 0; i < count; i++)
		close(fds[i]);
}

/* As the loop does it when their clients have gone. */
static void
hang_up(void)
{
	struct pp_pending *p;
	size_t i;

	for (i = 0; i < PP_REQUESTS_MAX; i++) {
		p = &collector.pending[i];
		if (p->task == NULL)
			continue;
		pp_task_cancel(p->task);
		close(p->fd);
		p->task = NULL;
		collector.waiting--;
	}
	fuzz_must(collector.waiting == 0);
	fuzz_must(pp_collector_bodies(&collector, INT64_MAX) == INT64_MAX);
}

static int
lowest(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return (fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { data, size };
	int pair[2], before, i;
	uint32_t place;

	fuzz_prepare();
	before = lowest();
	memset(&collector, 0, sizeof(collector));
	/* Far from the next number at which a refused packet is logged. */
	collector.refused = (1ULL << 40) + 1;
	fuzz_must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	ours = pair[0];
	collector.socket = pair[1];
	collector.epoll = epoll_create1(0);
	collector.symbols = pp_symbols_new();
	collector.service = fuzz_service();
	for (i = 0; i < 16 && f.left > 0; i++) {
		send_one(&f);
		while (pp_collector_packet(&collector) == 1)
			;
		for (place = 0; place < PP_BODIES_MAX; place++)
			pp_collector_piece(&collector, place);
		fuzz_now += PP_NS_PER_MS;
		pp_service_tick(collector.service, fuzz_now);
	}
	hang_up();
	pp_service_free(collector.service);
	pp_symbols_free(collector.symbols);
	close(collector.epoll);
	close(pair[0]);
	close(pair[1]);
	fuzz_must(lowest() == before);
	fuzz_now = 0;
	return (0);
}
