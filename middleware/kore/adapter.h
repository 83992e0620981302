/*
 * The declarations that the files of the Kore adapter share. The adapter is the
 * only floor that includes Kore's headers: it translates between Kore's
 * processes, routes, requests and tasks, and the core.
 *
 * Rule: the parent makes everything before the first worker is forked, and the
 * workers only use it. Profiling never stops serving: if something cannot be
 * set up, one log line says so, and the service runs without it. (One thing
 * stops the start: an access rule that cannot be understood.)
 */
#ifndef PP_KORE_ADAPTER_H
#define PP_KORE_ADAPTER_H

#include <sys/types.h>

#include <pthread.h>
#include <stdint.h>

#include "base/allow.h"
#include "hook/got.h"
#include "base/waits.h"
#include "store/arena.h"

struct http_request;
struct http_runlock;
struct kore_task;
struct kore_timer;

/* Names that conf files and this code must agree on. */
#define PP_KORE_HANDLER "pprof_handler"

struct pp_kore {
	struct pp_allow allow;	/* set by the constructor */
	struct pp_arena *arena; /* made by the parent before the first worker;
				   NULL: the parent could not make it */
	size_t arena_size;
	uint32_t slots;		/* of the arena */
	pid_t parent;		/* the process that has made the arena */
	int arena_fd;		/* parent only, -1 elsewhere */
	int socket;		/* to the collector; workers and parent */
	int collector_socket;	/* the collector's end; parent only */
	int listen_fd;		/* of the listener, -1: none; parent only */
	uint32_t entry_refused; /* enum pp_entries not followed inside kore */
	int proc_fd;		/* worker's smaps_rollup, opened as root;
				   -1 after it is handed over */
	uint32_t fork_stack;	/* id in slot 0: the stack that calls the fork
				   being made */
	const char *broken;	/* why there is no collector, or NULL */
};

extern struct pp_kore pp_kore;

/* One line in Kore's log, or on stderr before Kore has one. */
void pp_kore_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns 1 if Kore's main() has written its pid: Kore has set itself up. */
int pp_kore_runs(void);

/* parent.c: fork() and waitpid() as kore calls them. The constructor calls
 * pp_parent_remember_cmdline(). */
void pp_parent_remember_cmdline(void);
pid_t pp_parent_fork(void);
pid_t pp_parent_waitpid(pid_t pid, int *status, int options);
extern pid_t (*pp_parent_real_fork)(void);
extern pid_t (*pp_parent_real_waitpid)(pid_t, int *, int);

/* given.c: numbers from the environment become control words. */
void pp_given_read(struct pp_arena *arena);
int pp_given_perf_event(void); /* PPROF_PERF_EVENT: 1 or 0 */

/* launch.c: the collector's program. The constructor calls pp_launch_prepare(),
 * while relative paths still mean something. pp_launch_collector() returns the
 * collector's pid, or -1 (logged). */
void pp_launch_prepare(void);
pid_t pp_launch_collector(void);

/* bind.c: the socket of the collector's own listener, in the parent. */
void pp_bind_listener(void);
void pp_bind_close(void);

/* relay.c: the lines that the collector writes to stderr go into Kore's log. In
 * the parent. _fd() is the collector's stderr; -1: it keeps the parent's. */
void pp_relay_open(void);
int pp_relay_fd(void);
void pp_relay_listen(void);
void pp_relay_leave(void);

/* worker.c: prctl() as kore calls it, which begins a worker; and an object that
 * this process has loaded, for the collector. */
int pp_worker_prctl(int option, unsigned long a, unsigned long b,
    unsigned long c, unsigned long d);
extern int (*pp_worker_real_prctl)(int, ...);
void pp_worker_object_seen(const struct pp_object *object);

/* runtime.c: put the wrapper around each call of a handler. */
void pp_runtime_wrap(void);

/* route_label.c: the id of a request's label set, its route and method; 0: the
 * request has no route. */
uint32_t pp_kore_route_label(const struct http_request *req);

/* entries.c: follow Kore's own functions, in the constructor. Functions that
 * cannot be followed by their entry are put into `instead`, at most
 * PP_ENTRIES_MAX; returns how many. */
#define PP_ENTRIES_MAX 26
size_t pp_entries_follow(struct pp_got_hook *instead);

/* kore_malloc.c: Kore's allocator. */
void *pp_kore_malloc(size_t size);
void *pp_kore_realloc(void *old, size_t size);
void pp_kore_free(void *p);
void *pp_kore_calloc(size_t count, size_t each);
char *pp_kore_strdup(const char *text);
extern void *(*pp_kore_real_malloc)(size_t);
extern void *(*pp_kore_real_realloc)(void *, size_t);
extern void (*pp_kore_real_free)(void *);
extern void *(*pp_kore_real_calloc)(size_t, size_t);
extern char *(*pp_kore_real_strdup)(const char *);

/* inflight.c, inflight_in.c, inflight_task.c: requests and tasks in progress. A
 * worker calls _start() as it begins. _run() and _ran() are called around a
 * handler. _created() is called when a request is read, and returns its entry
 * or NULL. _receives() is called if the body is still to come, _received()
 * after each piece of it. A task's entry is 0 if there was no room. */
void pp_inflight_start(void);
struct pp_inflight *pp_inflight_created(const struct http_request *req);
void pp_inflight_receives(const struct http_request *req);
void pp_inflight_received(const struct http_request *req);
void pp_inflight_run(const struct http_request *req, uint32_t label);
void pp_inflight_ran(const struct http_request *req, int ended);
uint32_t pp_inflight_task_queued(const struct kore_task *task, uint32_t label);
void pp_inflight_task_runs(uint32_t entry);
void pp_inflight_task_ended(uint32_t entry);
void pp_inflight_sleep(struct http_request *req);
void pp_inflight_wakeup(struct http_request *req);
void pp_inflight_free(struct http_request *req);
int pp_inflight_acquire(struct http_runlock *lock, struct http_request *req);
void pp_inflight_release(struct http_runlock *lock, struct http_request *req);
struct kore_curl;
void pp_inflight_bind_curl(struct kore_curl *client, struct http_request *req);
struct kore_timer *pp_inflight_timer_add(void (*call)(void *, uint64_t),
    uint64_t ms, void *arg, int flags);
extern void (*pp_inflight_real_sleep)(struct http_request *);
extern void (*pp_inflight_real_wakeup)(struct http_request *);
extern void (*pp_inflight_real_free)(struct http_request *);
extern int (
    *pp_inflight_real_acquire)(struct http_runlock *, struct http_request *);
extern void (
    *pp_inflight_real_release)(struct http_runlock *, struct http_request *);
extern void (
    *pp_inflight_real_bind_curl)(struct kore_curl *, struct http_request *);
extern struct kore_timer *(
    *pp_inflight_real_timer_add)(void (*)(void *, uint64_t), uint64_t, void *,
    int);

/* inflight_reason.c: what `req` sleeps for. `timer` is 1 if its handler has set
 * a timer in the call in which the request goes to sleep. */
enum pp_wait pp_inflight_reason(const struct http_request *req, int timer);

/* The request's entry, or NULL if it has none. */
struct pp_inflight *pp_inflight_of(const struct http_request *req);

/* inflight_out.c: the bytes that requests answer. */
struct kore_fileref;
void pp_inflight_response(struct http_request *req, int status,
    const void *body, size_t len);
void pp_inflight_close(struct http_request *req, int status, const void *body,
    size_t len);
void pp_inflight_stream(struct http_request *req, int status, void *body,
    size_t len, int (*sent)(struct netbuf *), void *arg);
void pp_inflight_fileref(struct http_request *req, int status,
    struct kore_fileref *file);
extern void (*pp_inflight_real_response)(struct http_request *, int,
    const void *, size_t);
extern void (
    *pp_inflight_real_close)(struct http_request *, int, const void *, size_t);
extern void (*pp_inflight_real_stream)(struct http_request *, int, void *,
    size_t, int (*)(struct netbuf *), void *);
extern void (*pp_inflight_real_fileref)(struct http_request *, int,
    struct kore_fileref *);

/* routes.c: returns 1 if a path that begins with these `len` bytes may lie
 * below a route of the profiler on that connection's server. */
struct connection;
int pp_kore_routes_may_mean(const struct connection *c, const char *path,
    size_t len);

/* arrive.c: requests as they are read, and connections of this turn. _run()
 * works on the requests that are for the profiler, before Kore runs handlers;
 * _waiting() returns 1 if there are such requests. */
struct netbuf;
void pp_arrive_accepted(struct connection *c);
int pp_arrive_header_recv(struct netbuf *nb);
extern int (*pp_history_real_header_recv)(struct netbuf *);
void pp_arrive_run(void);
int pp_arrive_waiting(void);

/* instants.c: instants for the trace. _turn() is called when the event loop
 * goes to wait. */
struct kore_msg;
struct listener;
int pp_instants_accept(struct listener *listener, struct connection **out);
void pp_instants_timer_run(uint64_t now);
void pp_instants_reload(int callbacks);
void pp_instants_msg_send(uint16_t to, uint8_t id, const void *data,
    size_t len);
int pp_instants_msg_register(uint8_t id,
    void (*call)(struct kore_msg *, const void *));
void pp_instants_turn(void);
extern int (*pp_instants_real_accept)(struct listener *, struct connection **);
extern void (*pp_instants_real_timer_run)(uint64_t);
extern void (*pp_instants_real_reload)(int);
extern void (
    *pp_instants_real_msg_send)(uint16_t, uint8_t, const void *, size_t);
extern int (*pp_instants_real_msg_register)(uint8_t,
    void (*)(struct kore_msg *, const void *));

/* stream.c: answer with a mapping of `len` bytes, which the stream owns and
 * unmaps when all is sent or the connection has ended. */
void pp_stream_respond(struct http_request *req, int status, void *body,
    size_t len);

/* features.c: a sentence that says how this Kore differs from the one that the
 * module was compiled for, or NULL. Called in the constructor. */
const char *pp_features_differ(void);

/* pools.c: _find() is called once, in the constructor or else before the first
 * fork. _read() fills the facts of at most PP_POOLS_MAX pools and returns how
 * many there are. */
void pp_pools_find(void);
uint32_t pp_pools_read(struct pp_pool_facts *facts);

/* worker_loop.c: epoll_wait() as Kore's event loop calls it. */
struct epoll_event;
void pp_loop_start(void); /* as a worker begins */
int pp_loop_epoll_wait(int fd, struct epoll_event *events, int max,
    int timeout);
extern int (*pp_loop_real_epoll_wait)(int, struct epoll_event *, int, int);

/* task.c: Kore's functions for tasks and their channels. */
void pp_kore_task_run(struct kore_task *task);
extern void (*pp_kore_task_real_run)(struct kore_task *);
uint32_t pp_kore_task_channel_read(struct kore_task *task, void *data,
    uint32_t len);
void pp_kore_task_channel_write(struct kore_task *task, void *data,
    uint32_t len);
extern uint32_t (
    *pp_kore_task_real_channel_read)(struct kore_task *, void *, uint32_t);
extern void (
    *pp_kore_task_real_channel_write)(struct kore_task *, void *, uint32_t);
int pp_kore_task_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);
extern int (*pp_kore_task_real_cond_wait)(pthread_cond_t *, pthread_mutex_t *);

/* sandbox.c: returns 0, or -1 if Kore did not take the rules. */
int pp_sandbox_rules(void);

/* forward.c: pp_forward_process() lets Kore process a request that is awake at
 * once instead of in its turn; the request may be freed by it.
 * pp_forward_request() is called by the handler and returns Kore's result;
 * `prefix` is the route's, `rest` the path behind it. */
void pp_forward_process(struct http_request *req);
int pp_forward_request(struct http_request *req, const char *prefix,
    const char *rest);
void pp_forward_sentence(struct http_request *req, int status,
    const char *sentence);

#endif
