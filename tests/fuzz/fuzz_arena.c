/*
 * A worker that was taken over writes what it likes over the arena, before
 * and while each endpoint reads it.
 *
 *     one byte: what comes next
 *       0..3  write over a part of a slot, or of the head
 *       4..5  begin a request
 *       6     time goes on
 *       7     a client goes
 *
 * Rule: an answer is an answer: a status, header lines, and a body that is
 * there. What it says is the liar's.
 */
#include "fuzz_service.h"

#define TASKS 4
#define TICKS 50 /* until a request is waited for no longer */

static struct pp_task *tasks[TASKS];

static void
write_over(struct fuzz *f)
{
	uint64_t slot = fuzz_number(f, 1) % 4,
		 part = fuzz_number(f, 1) % FUZZ_PARTS;
	unsigned char *base,
	    *from = (unsigned char *)fuzz_arena + PP_ARENA_HEAD;
	size_t size, at, len, i, times;
	const uint8_t *piece;

	/* 3: the control words. The head is each process's own. */
	base = slot == 3
	    ? from
	    : (unsigned char *)&fuzz_arena->slot[slot] + fuzz_parts[part].at;
	size = slot == 3 ? offsetof(struct pp_arena, slot) - PP_ARENA_HEAD
			 : fuzz_parts[part].size;
	at = (size_t)fuzz_number(f, 3) % size;
	times = 1 + (size_t)fuzz_number(f, 1) % 64;
	piece = fuzz_piece(f, fuzz_number(f, 1) % 64, &len);
	for (i = 0; i < times && len > 0; i++, at += len) {
		if (at + len > size)
			break;
		memcpy(base + at, piece, len);
	}
}

static void
begin(struct pp_service *service, struct fuzz *f)
{
	static const char *const queries[] = { "", "debug=1", "debug=2",
		"seconds=1", "seconds=2&debug=1", "gc=1", "format=svg",
		"format=folded", "format=speedscope", "format=text",
		"seconds=1&format=svg", "hz=10000&seconds=1", "seconds=0.1",
		"max=65536&seconds=3600", "seconds=86400", "format=perfetto",
		"format=json", "since=300", "since=60&until=10",
		"since=1&until=1&format=svg", "format=folded&sample_index=1",
		"format=svg&sample_index=inuse_space" };
	const size_t count = sizeof(queries) / sizeof(queries[0]);
	struct pp_request request;
	char path[96], query[64];
	size_t which, i;

	memset(&request, 0, sizeof(request));
	request.prefix = "/debug/pprof";
	which = (size_t)fuzz_number(f, 1) % (pp_endpoints_count + 2);
	snprintf(path, sizeof(path), "/%s",
	    which < pp_endpoints_count ? pp_endpoints[which].name
				       : "db.connections");
	if (which > pp_endpoints_count)
		fuzz_text(f, 32, path + 1);
	request.path = path;
	which = (size_t)fuzz_number(f, 1) % (count + 1);
	if (which == count)
		fuzz_text(f, fuzz_number(f, 1) % 64, query);
	else
		snprintf(query, sizeof(query), "%s", queries[which]);
	request.query = query;
	for (i = 0; i < TASKS && tasks[i] != NULL; i++)
		;
	if (i == TASKS)
		return;
	tasks[i] = pp_service_begin(service, &request);
	fuzz_must(tasks[i] != NULL);
}

static void
time_goes_on(struct pp_service *service)
{
	int64_t next = pp_service_tick(service, fuzz_now), due;
	size_t i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i] == NULL)
			continue;
		due = pp_task_deadline(tasks[i]);
		if (due <= fuzz_now) {
			fuzz_answered(tasks[i]);
			tasks[i] = NULL;
		} else if (due < next) {
			next = due;
		}
	}
	/* A tick that is due at once would be the end of the loop. */
	fuzz_now =
	    next > fuzz_now && next != INT64_MAX ? next : fuzz_now + 1000000;
}

static void
gone(size_t i)
{
	if (tasks[i] != NULL)
		pp_task_cancel(tasks[i]);
	tasks[i] = NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { data, size };
	struct pp_service *service = fuzz_service();
	int i;

	while (f.left > 0) {
		switch (fuzz_number(&f, 1) % 8) {
		case 4:
		case 5:
			begin(service, &f);
			break;
		case 6:
			time_goes_on(service);
			break;
		case 7:
			gone((size_t)fuzz_number(&f, 1) % TASKS);
			break;
		default:
			write_over(&f);
		}
	}
	for (i = 0; i < TICKS; i++)
		time_goes_on(service);
	for (i = 0; i < TASKS; i++)
		gone((size_t)i);
	pp_service_free(service);
	fuzz_now = 0;
	return (0);
}
