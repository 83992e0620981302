/*
 * Every answer in every form, byte by byte: what a shared memory that is always
 * the same (golden_fixture.h) gives is held against the files of
 * tests/unit/golden. Which endpoints and forms there are is asked of the
 * service, so that a new one without a file fails.
 *
 *	build/unit/test_golden write
 *
 * writes the files anew, for whoever changes the bytes of an answer on purpose;
 * what has changed is then in the diff of the files.
 *
 * A file has the status, the headers and the body. A body that is no text is
 * written with the escapes of C, in lines that a message of protobuf or 32
 * bytes end; one that is compressed is unpacked before, since zlib's versions
 * differ. Nothing else is left out or written over.
 *
 * needs: a core, 3 s
 */
#include <ctype.h>
#include <dirent.h>

#include "base/budget.h"
#include "golden_fixture.h"
#include "decoded.h"
#include "service/http/answer.h"

#define GOLDEN	  "tests/unit/golden"
#define FORM_MAX  96
#define FORMS_MAX 256

/* Which of them are not compared, and why. */
static const struct {
	const char *endpoint, *why;
} not_compared[] = {
	{ "assets/", "files of assets/ are served as they are" },
};

/* What is asked besides each endpoint's forms. */
static const struct {
	const char *name; /* of the file; NULL: by path and query */
	enum pp_method method;
	const char *path, *query, *body;
	int marked;
} more[] = {
	{ NULL, PP_METHOD_GET, "/profile", "since=60", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/profile", "since=60&format=text", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/profile", "since=900&until=800", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/profile", "seconds=1&hz=1000&format=text",
	    NULL, 0 },
	{ NULL, PP_METHOD_GET, "/heap", "gc=1&debug=1", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/heap",
	    "format=folded&sample_index=alloc_objects", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/heap", "seconds=1&format=text", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/heap", "seconds=1&debug=1", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/trace", "seconds=7200", NULL, 0 },
	{ "symbol_POST", PP_METHOD_POST, "/symbol", "",
	    "0x555555555060+0x555555555130+0x7ffff7c28030+0x1", 0 },
	{ "settings_POST", PP_METHOD_POST, "/settings", "heap_rate=4096", NULL,
	    1 },
	{ "settings_POST_unmarked", PP_METHOD_POST, "/settings", "heap_rate=1",
	    NULL, 0 },
	{ "settings_POST_bad", PP_METHOD_POST, "/settings", "heap_rate=x", NULL,
	    1 },
	{ "heap_POST", PP_METHOD_POST, "/heap", "", NULL, 0 },
	{ "redirect", PP_METHOD_GET, "", "a=1", NULL, 0 },
	{ NULL, PP_METHOD_GET, "/nope", "", NULL, 0 },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char asked[FORMS_MAX][FORM_MAX]; /* names of files */
static size_t forms;
static unsigned int bad;
static int writing;

/* --- An answer as text ------------------------------------------------- */

/* The bytes of a protobuf field of type varint or length; 0: it is none. */
static size_t
field_len(const char *data, size_t len)
{
	uint64_t number[2] = { 0 };
	unsigned int shift;
	size_t at = 0, n;

	for (n = 0; n < 2; n++) {
		for (shift = 0;; shift += 7, at++) {
			if (at >= len || shift > 63)
				return (0);
			number[n] |= ((uint64_t)data[at] & 0x7f) << shift;
			if ((data[at] & 0x80) == 0)
				break;
		}
		at++;
	}
	if (number[0] < 8 || ((number[0] & 7) != 0 && (number[0] & 7) != 2))
		return (0);
	if ((number[0] & 7) == 2)
		at = number[1] > len - at ? 0 : at + number[1];
	return (at);
}

static int
is_message(const char *data, size_t len)
{
	size_t field = 1;

	for (; len > 0 && field > 0; data += field, len -= field)
		field = field_len(data, len);
	return (field > 0);
}

static int
is_text(const char *data, size_t len)
{
	for (; len > 0; data++, len--) {
		if ((unsigned char)*data < ' ' && *data != '\n' &&
		    *data != '\t')
			return (0);
	}
	return (1);
}

static void
put_escaped(struct pp_buf *out, const char *data, size_t len)
{
	for (; len > 0; data++, len--) {
		if (*data == '\\' || *data < ' ' || *data > '~')
			pp_buf_printf(out, "\\x%02x", (unsigned char)*data);
		else
			pp_buf_append(out, data, 1);
	}
	pp_buf_text(out, "\n");
}

static void
put_body(struct pp_buf *out, const struct pp_buf *body)
{
	const char *data = body->data;
	size_t len = body->len, line;
	int message;

	if (len > 1 && memcmp(data, "\x1f\x8b", 2) == 0) {
		struct pp_buf plain = { 0 };

		plain.data = (char *)gunzip(body, &plain.len);
		pp_buf_text(out, "gzip of ");
		put_body(out, &plain);
		free(plain.data);
		return;
	}
	if (is_text(data, len)) {
		pp_buf_text(out, "text:\n");
		pp_buf_append(out, data, len);
		return;
	}
	message = is_message(data, len);
	pp_buf_text(out, message ? "fields:\n" : "bytes:\n");
	for (; len > 0; data += line, len -= line) {
		line = message ? field_len(data, len) : len < 32 ? len : 32;
		put_escaped(out, data, line);
	}
}

/* --- A request --------------------------------------------------------- */

/* What is answered at once changes nothing, so that the next request finds the
 * service as new; any other request gets a service of its own. */
static struct pp_task *
begin(const struct pp_request *request)
{
	struct pp_task *task = NULL;
	int used = service != NULL;

	if (used)
		task = pp_service_begin(service, request);
	if (used &&
	    (pp_task_deadline(task) != 0 || request->method != PP_METHOD_GET)) {
		pp_task_cancel(task);
		golden_end();
		used = 0;
	}
	if (!used) {
		golden_begin();
		task = pp_service_begin(service, request);
	}
	assert_non_null(task);
	return (task);
}

/* The clock goes on as far as the answer needs. */
static struct pp_answer
answer_of(const struct pp_request *request)
{
	struct pp_task *task = begin(request);
	struct pp_answer answer = { 0 };
	int used = request->method != PP_METHOD_GET, told = 0;
	int64_t due;

	for (; (due = pp_task_deadline(task)) > now_ns; used = 1) {
		if (due != INT64_MAX && !told++)
			golden_meanwhile();
		now_ns = due == INT64_MAX ? now_ns + PP_NAMED_ANSWER_NS : due;
		(void)pp_service_tick(service, now_ns);
	}
	pp_task_finish(task, &answer);
	if (answer.file_len > 0) {
		pp_budget_file(-(int64_t)answer.file_len);
		pp_buf_free(&answer.body);
		answer.body = traced_bytes(answer.file, answer.file_len);
		answer.file = -1;
		answer.file_len = 0;
	}
	if (used)
		golden_end();
	return (answer);
}

static struct pp_buf
text_of(const struct pp_request *request)
{
	struct pp_answer answer = answer_of(request);
	struct pp_buf out = { 0 };

	pp_buf_printf(&out, "status: %d\n", answer.status);
	pp_buf_append(&out, answer.headers.data, answer.headers.len);
	pp_buf_text(&out, "\n");
	put_body(&out, &answer.body);
	assert_int_equal(out.failed, 0);
	pp_answer_free(&answer);
	return (out);
}

/* --- Files ------------------------------------------------------------- */

static const char *
path_of(const char *name)
{
	static char
	    path[sizeof(GOLDEN) + 1 + sizeof(((struct dirent *)0)->d_name)];

	snprintf(path, sizeof(path), GOLDEN "/%s", name);
	return (path);
}

static void
save(const char *name, const struct pp_buf *text)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

/* The line around `at`, or its part around there. */
static void
show(const char *who, const struct pp_buf *text, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && at - from < 60 && text->data[from - 1] != '\n')
		from--;
	while (to < text->len && to - at < 40 && text->data[to] != '\n')
		to++;
	print_error("  %s: %.*s\n", who, (int)(to - from), text->data + from);
}

static void
compare(const char *name, const struct pp_buf *text)
{
	struct pp_buf file = { 0 };
	FILE *from = fopen(path_of(name), "r");
	char part[4096];
	size_t n, at, line = 1;

	if (from == NULL) {
		bad++;
		print_error("the form %s has no file in " GOLDEN
			    ": `test_golden write` writes it\n",
		    name);
		return;
	}
	while ((n = fread(part, 1, sizeof(part), from)) > 0)
		pp_buf_append(&file, part, n);
	fclose(from);
	for (at = 0;
	     at < file.len && at < text->len && file.data[at] == text->data[at];
	     at++)
		line += file.data[at] == '\n';
	if (at < file.len || at < text->len) {
		bad++;
		print_error("the form %s is not as its file in " GOLDEN
			    " from byte %zu on, line %zu:\n",
		    name, at, line);
		show("file  ", &file, at);
		show("answer", text, at);
	}
	pp_buf_free(&file);
}

static void
check(const char *name, const struct pp_request *request)
{
	struct pp_buf text = text_of(request);
	char *c;

	assert_true(forms < FORMS_MAX);
	snprintf(asked[forms], FORM_MAX, "%s", name);
	for (c = asked[forms]; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("._=-", *c) == NULL)
			*c = ',';
	}
	if (writing)
		save(asked[forms], &text);
	else
		compare(asked[forms], &text);
	forms++;
	pp_buf_free(&text);
}

static void
check_get(const char *path, const char *query)
{
	struct pp_request request = { .method = PP_METHOD_GET,
		.prefix = "/debug/pprof",
		.path = path,
		.query = query };
	char name[FORM_MAX];

	snprintf(name, sizeof(name), "%s%s%s",
	    path[1] == '\0' ? "index" : path + 1, *query == '\0' ? "" : "?",
	    query);
	check(name, &request);
}

/* --- Endpoints and their forms ----------------------------------------- */

/* The forms stand in the sentence with which a wrong one is refused. */
static void
check_formats(const char *path, const char *before)
{
	struct pp_request request = { .method = PP_METHOD_GET,
		.prefix = "/debug/pprof",
		.path = path,
		.query = "format=none" };
	struct pp_answer answer;
	char query[64], *name, *next;

	answer = answer_of(&request);
	if (answer.status != 400) {
		pp_answer_free(&answer);
		return;
	}
	pp_buf_append(&answer.body, "", 1);
	name = strstr(answer.body.data, " - must be ");
	assert_non_null(name);
	name += strlen(" - must be ");
	if (strncmp(name, "one of ", 7) == 0)
		name += 7;
	for (; *name != '\0'; name = next) {
		next = name + strcspn(name, ", \n");
		snprintf(query, sizeof(query), "%sformat=%.*s", before,
		    (int)(next - name), name);
		if (next - name != 2 || memcmp(name, "or", 2) != 0)
			check_get(path, query);
		next += strspn(next, ", \n");
	}
	pp_answer_free(&answer);
	check_get(path, "format=none");
}

/* One that takes some time does so for a second. */
static void
check_endpoint(const char *path, const struct pp_named *named, int lasts)
{
	check_get(path, lasts ? "seconds=1" : "");
	check_formats(path, lasts ? "seconds=1&" : "");
	if (named == NULL)
		return;
	check_get(path, "debug=1");
	check_get(path, "debug=2");
	check_get(path, "seconds=1");
}

static int
is_compared(const char *endpoint)
{
	size_t i;

	for (i = 0; i < COUNT(not_compared); i++) {
		if (strcmp(not_compared[i].endpoint, endpoint) != 0)
			continue;
		print_message("not compared: %s, for %s\n", endpoint,
		    not_compared[i].why);
		return (0);
	}
	return (1);
}

static void
check_endpoints(void)
{
	const struct pp_endpoint *endpoint;
	char path[64];
	size_t i;

	for (i = 0; i < pp_endpoints_count; i++) {
		endpoint = &pp_endpoints[i];
		if (!is_compared(endpoint->name))
			continue;
		snprintf(path, sizeof(path), "/%s", endpoint->name);
		check_endpoint(path, endpoint->named,
		    endpoint->begin == pp_ep_profile_begin ||
			endpoint->begin == pp_ep_trace_begin);
	}
	/* The application's own, which is in no table. */
	check_endpoint("/db.connections", pp_ep_custom.named, 0);
}

static void
check_more(void)
{
	struct pp_request request;
	size_t i;

	for (i = 0; i < COUNT(more); i++) {
		if (more[i].name == NULL) {
			check_get(more[i].path, more[i].query);
			continue;
		}
		request = (struct pp_request){ .method = more[i].method,
			.prefix = "/debug/pprof",
			.path = more[i].path,
			.query = more[i].query,
			.body = more[i].body,
			.body_len =
			    more[i].body == NULL ? 0 : strlen(more[i].body),
			.marked = more[i].marked };
		check(more[i].name, &request);
	}
}

/* A file of a form that there is no more. */
static void
check_files(void)
{
	struct dirent *entry;
	DIR *dir = opendir(GOLDEN);
	size_t i;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		for (i = 0; i < forms && strcmp(asked[i], entry->d_name) != 0;)
			i++;
		if (i < forms || entry->d_name[0] == '.')
			continue;
		if (writing) {
			assert_int_equal(unlink(path_of(entry->d_name)), 0);
		} else {
			bad++;
			print_error(GOLDEN "/%s is of no form\n",
			    entry->d_name);
		}
	}
	closedir(dir);
}

static void
every_answer_is_as_its_file_has_it(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	golden_build();
	check_endpoints();
	check_more();
	if (service != NULL)
		golden_end();
	check_files();
	print_message("%zu forms\n", forms);
	if (bad > 0)
		fail_msg("%u of %zu forms differ; if they are to, run "
			 "`test_golden write` and read the diff",
		    bad, forms);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_as_its_file_has_it),
	};

	writing = argc == 2 && strcmp(argv[1], "write") == 0;
	return (cmocka_run_group_tests(tests, fixture_setup, fixture_teardown));
}
