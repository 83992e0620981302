/*
 * A service over an arena of the test's own: worker 1 is this process, worker
 * 2 does not run. Requests in, answers out, texts terminated.
 */
#ifndef SERVICE_FIXTURE_H
#define SERVICE_FIXTURE_H

#include <signal.h>

#include "counts_fixture.h"
#include "own_objects.h"
#include "service/endpoints.h"
#include "service/service.h"

#define PLAIN  "content-type: text/plain; charset=utf-8\n"
#define BINARY "content-type: application/octet-stream\n"
#define SNIFF  "x-content-type-options: nosniff\n"
#define ERROR  PLAIN SNIFF "x-go-pprof: 1\n"
#define ATTACHED(name)                                                         \
	"content-disposition: attachment; filename=\"" name "\"\n"

static struct counts c; /* of which only the arena is used */
static struct pp_symbols *symbols;
static struct pp_service *service;

static inline int
service_setup(void **state)
{
	(void)state;
	c.f.arena = own_arena(&c.f.fd);
	symbols = pp_symbols_new();
	if (c.f.arena == NULL || symbols == NULL)
		return (-1);
	service = pp_service_new(c.f.arena, c.f.fd, symbols);
	return (service == NULL ? -1 : 0);
}

static inline int
service_teardown(void **state)
{
	(void)state;
	pp_service_free(service);
	pp_symbols_free(symbols);
	pp_arena_detach(c.f.arena, c.f.arena->size);
	close(c.f.fd);
	return (0);
}

static inline struct pp_request
request(enum pp_method method, const char *path, const char *query)
{
	return ((struct pp_request){ .method = method,
	    .prefix = "/debug/pprof",
	    .path = path,
	    .query = query });
}

static inline struct pp_answer
finish(struct pp_task *task)
{
	struct pp_answer answer = { 0 };

	pp_task_finish(task, &answer);
	pp_buf_append(&answer.headers, "", 1);
	pp_buf_append(&answer.body, "", 1);
	answer.body.len--;
	return (answer);
}

/* What is answered at once. */
static inline struct pp_answer
ask(const struct pp_request *r)
{
	struct pp_task *task = pp_service_begin(service, r);

	assert_non_null(task);
	assert_int_equal(pp_task_deadline(task), 0);
	return (finish(task));
}

static inline struct pp_answer
get(const char *path, const char *query)
{
	struct pp_request r = request(PP_METHOD_GET, path, query);

	return (ask(&r));
}

#endif
