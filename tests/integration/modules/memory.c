/*
 * A Kore application whose use of memory is known: each page allocates in one
 * way, as often and as much as it is asked for, and answers what it now holds
 * and has ever allocated that way, in this worker: the truth that heap
 * profiles are compared with.
 *
 *     /take/WAY?count=N&size=S&drop=D    D of the N are freed at once
 *     /drop/WAY                          frees all that WAY holds
 *
 * Rule: nothing here knows of the profiler, and what the page itself needs is
 * allocated in functions of other names.
 */
#include <kore/kore.h>

#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/syscall.h>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#define HELD_MAX 200000

int page_index(struct http_request *);
int page_who(struct http_request *);
int page_take(struct http_request *);
int page_drop(struct http_request *);
int page_churn(struct http_request *);
int page_trimmable(struct http_request *);

/* Stacks differ by these names. */
void *take_malloc(size_t);
void *take_calloc(size_t);
void *take_realloc(size_t);
void *take_kore(size_t);
void *take_kore_calloc(size_t);
void *take_kore_strdup(size_t);
void *take_kore_realloc(size_t);
void *take_kore_named(size_t);
void *take_kore_unnamed(size_t);
void *take_buf(size_t);
void *take_thread(size_t);
void *take_leak(size_t);

struct way {
	const char *name;
	void *(*take)(size_t);
	void (*drop)(void *);
	u_int64_t objects, bytes, all_objects, all_bytes;
	u_int32_t held;
	void *hold[HELD_MAX];
};

/* What one of them is, beyond one object of its size. */
static u_int64_t extra_objects, extra_bytes;

#define NOINLINE __attribute__((noinline, noclone))

NOINLINE void *
take_malloc(size_t size)
{
	return (malloc(size));
}

NOINLINE void *
take_calloc(size_t size)
{
	return (calloc(1, size));
}

NOINLINE void *
take_realloc(size_t size)
{
	void *p = malloc(1), *q;

	q = realloc(p, size);
	extra_objects++;
	extra_bytes++;
	return (q);
}

NOINLINE void *
take_kore(size_t size)
{
	return (kore_malloc(size));
}

NOINLINE void *
take_kore_calloc(size_t size)
{
	return (kore_calloc(size, 1));
}

/* A text of size - 1 characters. */
NOINLINE void *
take_kore_strdup(size_t size)
{
	static char text[65536];

	if (size > sizeof(text))
		return (NULL);
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	return (kore_strdup(text));
}

NOINLINE void *
take_kore_realloc(size_t size)
{
	void *p = kore_malloc(size + 1);

	/* Of the same size it would stay as it is. */
	extra_objects++;
	extra_bytes += size + 1;
	return (kore_realloc(p, size));
}

static u_int32_t last_name = 1000;

NOINLINE void *
take_kore_named(size_t size)
{
	return (kore_malloc_tagged(size, ++last_name));
}

/* It has lost its name again, and is still there. */
NOINLINE void *
take_kore_unnamed(size_t size)
{
	void *p = kore_malloc_tagged(size, ++last_name);

	kore_mem_untag(p);
	if (kore_mem_lookup(last_name) != NULL)
		fatal("a name that was taken away is still known");
	return (p);
}

static void
drop_named(void *p)
{
	kore_free(p);
	if (kore_mem_lookup(last_name) == p)
		fatal("what was freed is still known by its name");
}

/* Kore's core allocates here, on our behalf. */
NOINLINE void *
take_buf(size_t size)
{
	static const char block[64];
	struct kore_buf *buf = kore_buf_alloc(size);
	size_t left, before;

	extra_objects++;
	extra_bytes += sizeof(*buf);
	/* One byte more than there is room for: it grows. */
	for (left = size + 1; left > 0; left -= left < 64 ? left : 64) {
		before = buf->length;
		kore_buf_append(buf, block, left < 64 ? left : 64);
		if (buf->length != before) {
			extra_objects++;
			extra_bytes += buf->length;
		}
	}
	return (buf);
}

struct in_thread {
	size_t size;
	void *made;
};

static void *
thread_takes(void *arg)
{
	struct in_thread *t = arg;

	t->made = take_malloc(t->size);
	return (NULL);
}

void *
take_thread(size_t size)
{
	struct in_thread t = { size, NULL };
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_takes, &t) != 0)
		return (NULL);
	(void)pthread_join(thread, NULL);
	return (t.made);
}

NOINLINE void *
take_leak(size_t size)
{
	return (malloc(size)); /*LEAK*/
}

static void
drop_buf(void *p)
{
	kore_buf_free(p);
}

#define WAY(name, drop)                                                        \
	{                                                                      \
#name, take_##name, drop, 0, 0, 0, 0, 0,                       \
		{                                                              \
			NULL                                                   \
		}                                                              \
	}

static struct way ways[] = {
	WAY(malloc, free),
	WAY(calloc, free),
	WAY(realloc, free),
	WAY(kore, kore_free),
	WAY(kore_calloc, kore_free),
	WAY(kore_strdup, kore_free),
	WAY(kore_realloc, kore_free),
	WAY(kore_named, drop_named),
	WAY(kore_unnamed, kore_free),
	WAY(buf, drop_buf),
	WAY(thread, free),
	WAY(leak, free),
};

static struct way *
way_of(struct http_request *req)
{
	const char *name = strrchr(req->path, '/') + 1;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, name) == 0)
			return (&ways[i]);
	}
	return (NULL);
}

static int
answer(struct http_request *req, const struct way *w)
{
	char text[160];
	int len;

	len = snprintf(text, sizeof(text), "%u %lu %lu %lu %lu\n", worker->id,
	    (unsigned long)w->objects, (unsigned long)w->bytes,
	    (unsigned long)w->all_objects, (unsigned long)w->all_bytes);
	http_response(req, HTTP_STATUS_OK, text, (size_t)len);
	return (KORE_RESULT_OK);
}

int
page_take(struct http_request *req)
{
	u_int32_t count, size, drop = 0, i;
	struct way *w = way_of(req);
	void *p;

	if (w == NULL || req->query_string == NULL ||
	    sscanf(req->query_string, "count=%u&size=%u&drop=%u", &count, &size,
		&drop) < 2) {
		http_response(req, HTTP_STATUS_BAD_REQUEST, "?\n", 2);
		return (KORE_RESULT_OK);
	}
	for (i = 0; i < count && w->held < HELD_MAX; i++) {
		extra_objects = extra_bytes = 0;
		p = w->take(size);
		w->all_objects += 1 + extra_objects;
		w->all_bytes += size + extra_bytes;
		if (i < drop) {
			w->drop(p);
			continue;
		}
		w->hold[w->held++] = p;
		w->objects++;
		w->bytes += size;
		if (w->take == take_buf) {
			w->objects++;
			w->bytes += sizeof(struct kore_buf) - size +
			    ((struct kore_buf *)p)->length;
		}
	}
	return (answer(req, w));
}

int
page_drop(struct http_request *req)
{
	struct way *w = way_of(req);

	while (w->held > 0)
		w->drop(w->hold[--w->held]);
	w->objects = w->bytes = 0;
	return (answer(req, w));
}

/* For load: all ways at once, nothing is kept. */
int
page_churn(struct http_request *req)
{
	size_t i, size;

	for (size = 8; size < 100000; size *= 3) {
		for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			if (ways[i].take != take_thread && size <= 65536)
				ways[i].drop(ways[i].take(size));
		}
	}
	http_response(req, HTTP_STATUS_OK, "churned\n", 8);
	return (KORE_RESULT_OK);
}

/* 64 MiB of touched pages that malloc() keeps after free(): what is above
 * them is in use. */
int
page_trimmable(struct http_request *req)
{
	static void *top;
	void *block[1024];
	size_t i;

	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	for (i = 0; i < 1024; i++) {
		block[i] = malloc(65536);
		memset(block[i], 1, 65536);
	}
	top = malloc(1);
	for (i = 0; i < 1024; i++)
		free(block[i]);
	http_response(req, HTTP_STATUS_OK, top != NULL ? "kept\n" : "?\n", 5);
	return (KORE_RESULT_OK);
}

int
page_who(struct http_request *req)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%u %d\n", worker->id, getpid());

	http_response(req, HTTP_STATUS_OK, text, (size_t)len);
	return (KORE_RESULT_OK);
}

int
page_index(struct http_request *req)
{
	http_response(req, HTTP_STATUS_OK, "memory\n", 7);
	return (KORE_RESULT_OK);
}
