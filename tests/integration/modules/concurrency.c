/*
 * A Kore application that waits in known places for known times: for timers,
 * PostgreSQL, tasks, locks, runlocks and for ever. What it measures of its own
 * waits is at /truth, summed over the workers.
 *
 * With pprof.h as any application has it: no function of it is linked.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/pgsql.h>
#include <kore/tasks.h>

#include <errno.h>
#include <fcntl.h>
#include <pprof.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int concurrency_load(int);
int page_who(struct http_request *);
int page_light(struct http_request *);
int page_truth(struct http_request *);
int page_leak(struct http_request *);
int page_nap(struct http_request *);
int page_spin(struct http_request *);
int page_task(struct http_request *);
int page_crunch(struct http_request *);
int page_locked(struct http_request *);
int page_runlock(struct http_request *);
int page_pgsql(struct http_request *);
int page_labels(struct http_request *);
int page_own(struct http_request *);
int page_rates(struct http_request *);
int page_write(struct http_request *);
int page_shim(struct http_request *);
int page_tenant(struct http_request *);
int page_exit(struct http_request *);

struct state;
void app_nap(long);
void app_holds_lock(long);
int app_task_naps(struct kore_task *);
int app_task_locks(struct kore_task *);
int app_task_spins(struct kore_task *);
int app_task_writes(struct kore_task *);
int app_task_works(struct kore_task *);
void app_writes(struct state *);
void app_spins(long);
void app_label_waits(void);

/* What each wait is measured as, besides the profiler. */
enum truth {
	NAPS,
	LOCKS,
	QUERIES,
	RUNLOCKS, /* from sleep to the release that wakes */
	QUEUED,	  /* of a task, until it begins */
	RAN,	  /* until its end: the request has slept for longer */
	SEEN,	  /* until its request runs again: for less */
	TRUTHS
};

static struct {
	_Atomic u_int64_t count[TRUTHS], ns[TRUTHS];
} * truth;

/* Everything of pprof.h that needs nothing to be there, and what it says. The
 * errno is one that no call gives. */
#define ODD 4242

static void
say_all(char *text, size_t size)
{
	struct pprof_profile *profile;
	int pushed, error;
	uint64_t task;

	errno = 0;
	profile = pprof_profile_new("bad name");
	error = errno;
	pushed = pprof_label_push(NULL, NULL);
	errno = ODD;
	pprof_label_pop();
	pprof_profile_free(NULL);
	pprof_trace_region_begin("shim");
	pprof_trace_log("shim", "message");
	pprof_trace_region_end();
	pprof_trace_task_end(0);
	(void)snprintf(text, size, "new %s %s, push %d, nothing %d",
	    profile == NULL ? "NULL" : "handle", strerror(error), pushed,
	    errno);
	task = pprof_trace_task_begin("shim");
	(void)snprintf(text + strlen(text), size - strlen(text),
	    ", task %llu %d\n", (unsigned long long)task, errno);
	pprof_trace_task_end(task);
}

/* Before the module is there, when it is loaded after this. */
static char early[256];

__attribute__((constructor)) static void
share(void)
{
	(void)pprof_register(NULL, NULL, NULL);
	(void)pprof_set_heap_rate(-1);
	(void)pprof_set_block_profile_rate(-1);
	(void)pprof_set_mutex_profile_fraction(-1);
	(void)pprof_profile_add(NULL, NULL, 0);
	(void)pprof_profile_remove(NULL, NULL);
	(void)pprof_write(NULL, -1, 0);
	say_all(early, sizeof(early));
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
tell(enum truth what, int64_t since)
{
	atomic_fetch_add(&truth->count[what], 1);
	atomic_fetch_add(&truth->ns[what], (u_int64_t)(now_ns() - since));
}

static int
reply(struct http_request *req, int status, const char *text)
{
	http_response_header(req, "content-type", "text/plain");
	http_response(req, status, text, strlen(text));
	return (KORE_RESULT_OK);
}

/* The number behind "name=" in the query string. */
static long
number(struct http_request *req, const char *name, long otherwise)
{
	const char *at = req->query_string;
	size_t len = strlen(name);

	for (; at != NULL; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return (strtol(at + len + 1, NULL, 10));
	}
	return (otherwise);
}

int
page_who(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %d\n", worker->id,
	    (int)getpid());
	return (reply(req, 200, text));
}

int
page_light(struct http_request *req)
{
	return (reply(req, 200, "light\n"));
}

int
page_truth(struct http_request *req)
{
	static const char *const names[] = { "naps", "locks", "queries",
		"runlocks", "queued", "ran", "seen" };
	char text[512] = "", line[128];
	int i;

	for (i = 0; i < TRUTHS; i++) {
		(void)snprintf(line, sizeof(line), "%s %llu %llu\n", names[i],
		    (unsigned long long)atomic_load(&truth->count[i]),
		    (unsigned long long)atomic_load(&truth->ns[i]));
		(void)strcat(text, line);
	}
	return (reply(req, 200, text));
}

/* Requests that sleep. */

struct state {
	int64_t since, bound;
	long step;
	struct kore_task task;
	struct kore_pgsql sql;
	long ms;
	int result, error;
};

static struct state *
state_of(struct http_request *req)
{
	if (req->hdlr_extra == NULL)
		req->hdlr_extra = kore_calloc(1, sizeof(struct state));
	return (req->hdlr_extra);
}

int
page_leak(struct http_request *req)
{
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}

static void
wake(void *arg, u_int64_t now)
{
	(void)now;
	http_request_wakeup(arg);
}

int
page_nap(struct http_request *req)
{
	struct state *state = state_of(req);

	if (state->since == 0) {
		if (number(req, "first", 0))
			kore_timer_add(wake, number(req, "ms", 50), req,
			    KORE_TIMER_ONESHOT);
		http_request_sleep(req);
		state->since = now_ns();
		if (!number(req, "first", 0))
			kore_timer_add(wake, number(req, "ms", 50), req,
			    KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	tell(NAPS, state->since);
	app_spins(number(req, "spin", 0));
	return (reply(req, 200, "slept\n"));
}

__attribute__((noinline)) void
app_spins(long ms)
{
	int64_t until = now_ns() + ms * 1000000;

	while (now_ns() < until)
		;
}

int
page_spin(struct http_request *req)
{
	app_spins(number(req, "ms", 1));
	return (reply(req, 200, "spun\n"));
}

/* One request has the lock and sleeps; the others sleep until it is free. */
static struct http_runlock runlock;
static int runlock_waits;

int
page_runlock(struct http_request *req)
{
	struct state *state = state_of(req);

	if (state->step == 0) {
		state->since = now_ns();
		if (http_runlock_acquire(&runlock, req) != KORE_RESULT_OK) {
			runlock_waits++;
			atomic_fetch_add(&truth->count[RUNLOCKS], 1);
			atomic_fetch_sub(&truth->ns[RUNLOCKS],
			    (u_int64_t)state->since);
			return (KORE_RESULT_RETRY);
		}
		state->step = 1;
		http_request_sleep(req);
		kore_timer_add(wake, number(req, "ms", 50), req,
		    KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	/* Whichever of those that wait it wakes. */
	if (runlock_waits > 0) {
		runlock_waits--;
		atomic_fetch_add(&truth->ns[RUNLOCKS], (u_int64_t)now_ns());
	}
	http_runlock_release(&runlock, req);
	return (reply(req, 200, "had it\n"));
}

/* Tasks. */

static int
reply_result(struct http_request *req, const struct state *state)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %s\n", state->result,
	    state->error != 0 ? strerror(state->error) : "ok");
	return (reply(req, 200, text));
}

static int
page_by_task(struct http_request *req, int (*entry)(struct kore_task *),
    long ms)
{
	struct state *state = state_of(req);

	if (state->step == 0) {
		state->step = 1;
		state->ms = ms;
		kore_task_create(&state->task, entry);
		state->since = now_ns();
		kore_task_bind_request(&state->task, req);
		state->bound = now_ns();
		kore_task_run(&state->task);
		return (KORE_RESULT_RETRY);
	}
	if (kore_task_state(&state->task) != KORE_TASK_STATE_FINISHED) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}
	tell(SEEN, state->since);
	kore_task_destroy(&state->task);
	return (reply_result(req, state));
}

static struct state *
state_of_task(struct kore_task *task)
{
	return ((struct state *)(void *)((char *)task -
	    offsetof(struct state, task)));
}

__attribute__((noinline)) void
app_nap(long ms)
{
	struct timespec nap = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&nap, &nap) == -1 && errno == EINTR)
		;
}

__attribute__((noinline)) int
app_task_naps(struct kore_task *task)
{
	const struct state *state = state_of_task(task);

	tell(QUEUED, state->bound);
	app_nap(state->ms);
	tell(RAN, state->bound);
	return (KORE_RESULT_OK);
}

int
page_task(struct http_request *req)
{
	return (page_by_task(req, app_task_naps, number(req, "ms", 20)));
}

__attribute__((noinline)) int
app_task_spins(struct kore_task *task)
{
	app_spins(state_of_task(task)->ms);
	return (KORE_RESULT_OK);
}

int
page_crunch(struct http_request *req)
{
	return (page_by_task(req, app_task_spins, number(req, "ms", 1)));
}

static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) void
app_holds_lock(long ms)
{
	int64_t since = now_ns();

	(void)pthread_mutex_lock(&contended);
	tell(LOCKS, since);
	app_nap(ms);
	(void)pthread_mutex_unlock(&contended);
}

__attribute__((noinline)) int
app_task_locks(struct kore_task *task)
{
	app_holds_lock(state_of_task(task)->ms);
	return (KORE_RESULT_OK);
}

int
page_locked(struct http_request *req)
{
	return (page_by_task(req, app_task_locks, number(req, "ms", 10)));
}

/* PostgreSQL. */

int
page_pgsql(struct http_request *req)
{
	struct state *state = state_of(req);
	char query[64];

	if (state->step == 0) {
		kore_pgsql_init(&state->sql);
		kore_pgsql_bind_request(&state->sql, req);
		state->step = 1;
	}
	if (state->step == 1) {
		if (!kore_pgsql_setup(&state->sql, "db", KORE_PGSQL_ASYNC)) {
			if (state->sql.state == KORE_PGSQL_STATE_INIT)
				return (KORE_RESULT_RETRY);
			kore_pgsql_logerror(&state->sql);
			kore_pgsql_cleanup(&state->sql);
			return (reply(req, 500, "no connection\n"));
		}
		(void)snprintf(query, sizeof(query),
		    "SELECT pg_sleep(%ld.%03ld)", number(req, "ms", 50) / 1000,
		    number(req, "ms", 50) % 1000);
		state->since = now_ns();
		if (!kore_pgsql_query(&state->sql, query)) {
			kore_pgsql_logerror(&state->sql);
			kore_pgsql_cleanup(&state->sql);
			return (reply(req, 500, "no query\n"));
		}
		state->step = 2;
		return (KORE_RESULT_RETRY);
	}
	if (state->sql.state == KORE_PGSQL_STATE_WAIT)
		return (KORE_RESULT_RETRY);
	if (state->sql.state == KORE_PGSQL_STATE_RESULT) {
		tell(QUERIES, state->since);
		kore_pgsql_continue(&state->sql);
		return (KORE_RESULT_RETRY);
	}
	if (state->sql.state != KORE_PGSQL_STATE_DONE &&
	    state->sql.state != KORE_PGSQL_STATE_COMPLETE) {
		kore_pgsql_logerror(&state->sql);
		kore_pgsql_cleanup(&state->sql);
		return (reply(req, 500, "bad state\n"));
	}
	kore_pgsql_cleanup(&state->sql);
	return (reply(req, 200, "queried\n"));
}

/* The public interface. */

/* On a lock that a task holds, or alone. */
__attribute__((noinline)) void
app_label_waits(void)
{
	app_holds_lock(1);
}

int
page_labels(struct http_request *req)
{
	struct state *state = state_of(req);

	if (state->step == 0) {
		state->step = 1;
		if (pprof_label_push("tenant", "sleeper") == -1)
			return (reply(req, 500, strerror(errno)));
		http_request_sleep(req);
		kore_timer_add(wake, number(req, "ms", 20), req,
		    KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY); /* forgets to pop */
	}
	if (pprof_label_push("tenant", "awake") == -1 ||
	    pprof_label_push("part", "lock") == -1)
		return (reply(req, 500, strerror(errno)));
	app_label_waits();
	pprof_label_pop();
	pprof_label_pop();
	return (reply(req, 200, "labelled\n"));
}

/* Everything that a label goes with, in the handler and in its task. */
__attribute__((noinline)) int
app_task_works(struct kore_task *task)
{
	long ms = state_of_task(task)->ms;
	void *volatile block = malloc(1 << 20);

	app_spins(ms);
	app_holds_lock(ms);
	free(block);
	return (KORE_RESULT_OK);
}

int
page_tenant(struct http_request *req)
{
	long ms = number(req, "ms", 20);
	void *volatile block;

	if (state_of(req)->step == 0) {
		if (pprof_label_push("tenant", "gold") == -1)
			return (reply(req, 500, strerror(errno)));
		block = malloc(1 << 20);
		app_spins(ms / 10);
		free(block);
	}
	return (page_by_task(req, app_task_works, ms));
}

int
page_exit(struct http_request *req)
{
	_exit((int)number(req, "status", 3));
}

/* add=N and remove=N things, of names that do not repeat. */
static char things[4096];
static long held;

int
page_own(struct http_request *req)
{
	static struct pprof_profile *profile;
	long add = number(req, "add", 0), remove = number(req, "remove", 0);
	char text[64];

	if (profile == NULL &&
	    (profile = pprof_profile_new("app.things")) == NULL)
		return (reply(req, 500, strerror(errno)));
	for (; add > 0; add--, held++) {
		if (pprof_profile_add(profile, &things[held], 0) == -1)
			return (reply(req, 500, strerror(errno)));
	}
	for (; remove > 0 && held > 0; remove--, held--) {
		if (pprof_profile_remove(profile, &things[held - 1]) == -1)
			return (reply(req, 500, strerror(errno)));
	}
	(void)snprintf(text, sizeof(text), "%ld\n", held);
	return (reply(req, 200, text));
}

/* Sets what is named, and says what it was: "block mutex heap". */
int
page_rates(struct http_request *req)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%lld %lld %lld\n",
	    (long long)pprof_set_block_profile_rate(number(req, "block", -1)),
	    (long long)pprof_set_mutex_profile_fraction(
		number(req, "mutex", -1)),
	    (long long)pprof_set_heap_rate(number(req, "heap", -1)));
	return (reply(req, 200, text));
}

static const char *const written[] = { "heap", "goroutine", "block", "mutex",
	"threadcreate", "app.things", "profile", "nonsense", "allocs" };

/* Into a file that only grows, at the place where all may write. */
__attribute__((noinline)) void
app_writes(struct state *state)
{
	long which = state->ms / 10;
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/written/%s.%ld", written[which],
	    state->ms % 10);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	state->result = fd == -1
	    ? -2
	    : pprof_write(written[which], fd, (int)(state->ms % 10));
	state->error = state->result == 0 ? 0 : errno;
	if (fd != -1)
		(void)close(fd);
}

int
app_task_writes(struct kore_task *task)
{
	app_writes(state_of_task(task));
	return (KORE_RESULT_OK);
}

/* which=N, debug=N; direct=1: not from a task, but in the event loop. */
int
page_write(struct http_request *req)
{
	long what = number(req, "which", 0) * 10 + number(req, "debug", 0);
	struct state *state = state_of(req);

	if (number(req, "direct", 0) == 0)
		return (page_by_task(req, app_task_writes, what));
	state->ms = what;
	app_writes(state);
	return (reply_result(req, state));
}

/* What it said before and says now. */
int
page_shim(struct http_request *req)
{
	char text[512];

	(void)strcpy(text, early);
	say_all(text + strlen(text), sizeof(text) - strlen(text));
	return (reply(req, 200, text));
}

int
concurrency_load(int action)
{
	const char *database = getenv("TEST_DATABASE");

	if (action == KORE_MODULE_LOAD && database != NULL)
		(void)kore_pgsql_register("db", database);
	return (KORE_RESULT_OK);
}
