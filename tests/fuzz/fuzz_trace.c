/*
 * A trace made of the input: records in the rings of two workers, written by
 * both encoders at the same time, and both files read back.
 *
 *     per record: kind, slot and place, n, m, how much later, words
 *
 * What is read back must be whole: in Go's file every record is known, has its
 * arguments, and names and stacks that are there; Perfetto's is taken apart by
 * protobuf-c, every event is on a track that there is, and slices end that
 * have begun. What they say is the input's.
 */
#include <sys/mman.h>

#include "encode/trace/trace_go_private.h"
#include "fuzz_service.h"
#include "perfetto.pb-c.h"

#define WORDS_MAX 12
#define TRACKS	  4096

struct maps {
	const uint8_t *at, *end;
};

static uint64_t
varint(struct maps *r)
{
	uint64_t number = 0;
	unsigned int shift;

	for (shift = 0; shift < 70; shift += 7) {
		fuzz_must(r->at < r->end);
		number |= (uint64_t)(*r->at & 0x7f)
		    << (shift < 64 ? shift : 63);
		if ((*r->at++ & 0x80) == 0)
			return (number);
	}
	fuzz_must(!"a number of more than ten bytes");
	return (0);
}

static void
text(struct maps *r)
{
	uint64_t len = varint(r);

	fuzz_must(len <= (uint64_t)(r->end - r->at));
	r->at += len;
}

/* Numbers of things that the file defines, and of those it uses. */
struct numbers {
	uint64_t number[1 << 14];
	size_t used;
};

static struct numbers strings, strings_asked, stacks, stacks_asked;

static void
noted(struct numbers *n, uint64_t number)
{
	if (n->used < sizeof(n->number) / sizeof(n->number[0]))
		n->number[n->used++] = number;
}

static void
all_there(const struct numbers *asked, const struct numbers *there)
{
	size_t i, k;

	for (i = 0; i < asked->used; i++) {
		if (asked->number[i] == 0)
			continue;
		for (k = 0; k < there->used; k++) {
			if (there->number[k] == asked->number[i])
				break;
		}
		fuzz_must(k < there->used);
	}
}

static void
go_stack(const uint64_t *arg, size_t count)
{
	size_t i;

	/* id, depth, then pc, function, file, line of each frame. */
	fuzz_must(count >= 2 && count == 2 + 4 * arg[1]);
	noted(&stacks, arg[0]);
	for (i = 2; i < count; i += 4) {
		noted(&strings_asked, arg[i + 1]);
		noted(&strings_asked, arg[i + 2]);
	}
}

/* Arguments without the time; 0: as many as there are. */
static const struct {
	uint8_t count, stack, string; /* place of the id, from 1; 0: none */
} go_known[] = {
	[GO_BATCH] = { 1, 0, 0 },
	[GO_FREQUENCY] = { 0, 0, 0 },
	[GO_STACK] = { 0, 0, 0 },
	[GO_GOMAXPROCS] = { 2, 2, 0 },
	[GO_PROC_START] = { 1, 0, 0 },
	[GO_PROC_STOP] = { 0, 0, 0 },
	[GO_CREATE] = { 3, 2, 0 },
	[GO_START] = { 2, 0, 0 },
	[GO_END] = { 0, 0, 0 },
	[GO_SCHED] = { 1, 1, 0 },
	[GO_SLEEP] = { 1, 1, 0 },
	[GO_UNBLOCK] = { 3, 3, 0 },
	[GO_BLOCK_RECV] = { 1, 1, 0 },
	[GO_BLOCK_SYNC] = { 1, 1, 0 },
	[GO_BLOCK_COND] = { 1, 1, 0 },
	[GO_BLOCK_NET] = { 1, 1, 0 },
	[GO_SYS_CALL] = { 1, 1, 0 },
	[GO_SYS_EXIT] = { 3, 0, 0 },
	[GO_SYS_BLOCK] = { 0, 0, 0 },
	[GO_WAITING] = { 1, 0, 0 },
	[GO_IN_SYSCALL] = { 1, 0, 0 },
	[GO_HEAP_ALLOC] = { 1, 0, 0 },
	[GO_STRING] = { 0, 0, 0 },
	[GO_START_LOCAL] = { 1, 0, 0 },
	[GO_UNBLOCK_LOCAL] = { 2, 2, 0 },
	[GO_START_LABEL] = { 3, 0, 3 },
	[GO_TASK] = { 4, 4, 3 },
	[GO_TASK_END] = { 2, 2, 0 },
	[GO_REGION] = { 4, 4, 3 },
	[GO_LOG] = { 3, 3, 2 },
	[GO_SAMPLE] = { 0, 0, 0 },
};

static void
go_event(struct maps *r)
{
	unsigned int head = *r->at++, type = head & 63, more = head >> 6;
	uint64_t arg[3 + 4 * PP_FRAMES_MAX * PP_INLINES_MAX];
	struct maps inner = *r;
	size_t count = 0;

	fuzz_must(type < sizeof(go_known) / sizeof(go_known[0]));
	if (type == GO_STRING) {
		noted(&strings, varint(r));
		text(r);
		return;
	}
	if (more == 3) {
		uint64_t len = varint(r);

		fuzz_must(len <= (uint64_t)(r->end - r->at));
		inner = (struct maps){ r->at, r->at + len };
		r->at += len;
		while (inner.at < inner.end) {
			fuzz_must(count < sizeof(arg) / sizeof(arg[0]));
			arg[count++] = varint(&inner);
		}
	} else {
		while (count <= more)
			arg[count++] = varint(r);
	}
	if (type == GO_STACK)
		go_stack(arg, count);
	else if (go_known[type].count != 0)
		fuzz_must(count == 1U + go_known[type].count);
	if (go_known[type].stack != 0)
		noted(&stacks_asked, arg[go_known[type].stack]);
	if (go_known[type].string != 0)
		noted(&strings_asked, arg[go_known[type].string]);
	if (type == GO_LOG)
		text(r);
}

static void
go_read(const uint8_t *data, size_t len)
{
	static const char head[16] = "go 1.19 trace";
	struct maps r = { data + sizeof(head), data + len };

	strings.used = strings_asked.used = stacks.used = stacks_asked.used = 0;
	fuzz_must(len >= sizeof(head) && memcmp(data, head, sizeof(head)) == 0);
	while (r.at < r.end)
		go_event(&r);
	all_there(&strings_asked, &strings);
	all_there(&stacks_asked, &stacks);
}

struct track {
	uint64_t id;
	int deep;
};

static struct track *
track_of(struct track *track, size_t *tracks, uint64_t id)
{
	size_t i;

	for (i = 0; i < *tracks; i++) {
		if (track[i].id == id)
			return (&track[i]);
	}
	fuzz_must(*tracks < TRACKS);
	track[*tracks].id = id;
	track[*tracks].deep = 0;
	return (&track[(*tracks)++]);
}

static void
perfetto_read(const uint8_t *data, size_t len)
{
	static struct track track[TRACKS];
	Pp__Perfetto__Trace *file;
	const Pp__Perfetto__TrackEvent *event;
	size_t tracks = 0, known, i;

	file = pp__perfetto__trace__unpack(NULL, len, data);
	fuzz_must(file != NULL);
	for (i = 0; i < file->n_packet; i++) {
		if (file->packet[i]->track_descriptor != NULL)
			track_of(track, &tracks,
			    file->packet[i]->track_descriptor->uuid);
	}
	known = tracks;
	for (i = 0; i < file->n_packet; i++) {
		if ((event = file->packet[i]->track_event) == NULL)
			continue;
		fuzz_must(event->type >= 1 && event->type <= 4);
		track_of(track, &tracks, event->track_uuid)->deep +=
		    event->type == 1   ? 1
		    : event->type == 2 ? -1
				       : 0;
		fuzz_must(
		    track_of(track, &tracks, event->track_uuid)->deep >= 0);
	}
	fuzz_must(tracks == known);
	pp__perfetto__trace__free_unpacked(file, NULL);
}

static void
record(struct fuzz *f, int64_t *now)
{
	uint64_t word[2 + WORDS_MAX];
	uint32_t kind = (uint32_t)fuzz_number(f, 1) % PP_TRACE_COUNT, words, i;
	uint32_t where = (uint32_t)fuzz_number(f, 1);

	words = 2 + (uint32_t)fuzz_number(f, 1) % (WORDS_MAX + 1);
	*now += (int64_t)fuzz_number(f, 2) * 1000;
	word[0] = pp_trace_head(kind, words, (uint32_t)fuzz_number(f, 1),
	    (uint32_t)fuzz_number(f, 1));
	word[1] = (uint64_t)*now;
	for (i = 2; i < words; i++)
		word[i] = fuzz_number(f, 1 + (i > 4) * 7);
	(void)pp_record_put(&fuzz_arena->slot[1 + (where & 1)],
	    (where >> 1) % PP_THREADS_MAX, word);
}

static void
read_answer(struct pp_task *task, void (*reader)(const uint8_t *, size_t))
{
	struct pp_answer answer;
	void *file;

	memset(&answer, 0, sizeof(answer));
	pp_task_finish(task, &answer);
	fuzz_must(answer.status == 200 && answer.file_len > 0);
	file =
	    mmap(NULL, answer.file_len, PROT_READ, MAP_SHARED, answer.file, 0);
	fuzz_must(file != MAP_FAILED);
	reader(file, answer.file_len);
	munmap(file, answer.file_len);
	pp_answer_free(&answer);
}

static struct pp_task *
begin(struct pp_service *service, const char *query)
{
	struct pp_request request;
	struct pp_task *task;

	memset(&request, 0, sizeof(request));
	request.prefix = "/debug/pprof";
	request.path = "/trace";
	request.query = query;
	fuzz_must((task = pp_service_begin(service, &request)) != NULL);
	return (task);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { data, size };
	struct pp_service *service = fuzz_service();
	struct pp_task *go, *perfetto;
	int64_t now = FUZZ_START + 10000;
	int i;

	go = begin(service, "seconds=1");
	perfetto = begin(service, "seconds=1&format=perfetto");
	while (f.left > 0) {
		for (i = 0; i < 40 && f.left > 0; i++)
			record(&f, &now);
		fuzz_now = now > fuzz_now ? now : fuzz_now;
		pp_service_tick(service, fuzz_now);
	}
	while (pp_task_deadline(go) > fuzz_now) {
		fuzz_now += 100 * PP_NS_PER_MS;
		pp_service_tick(service, fuzz_now);
	}
	read_answer(go, go_read);
	read_answer(perfetto, perfetto_read);
	pp_service_free(service);
	fuzz_now = 0;
	return (0);
}
