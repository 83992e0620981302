/*
 * kore-pprof: profiles of a Kore service, over HTTP, as Go's net/http/pprof
 * gives them. This is the public header. An application that only wants the
 * routes at their usual place does not need it: with the line
 *
 *     load ./pprof.so pprof_load
 *
 * in a kore.conf the routes are at /debug/pprof/ of every domain, and no line
 * of code is needed.
 */
#ifndef PPROF_H
#define PPROF_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define PPROF_PREFIX "/debug/pprof"

struct http_request;

/*
 * pprof_register - put the route group somewhere else, or behind a login
 *
 *     int pprof_register(const char *domain, const char *prefix,
 *         const char *auth);
 *
 * Adds one route for `prefix` and everything below it, ahead of the domain's
 * routes that may match the same paths, in the calling worker.
 *
 *     domain  name as in kore.conf ("*", "example.org"); NULL: every domain
 *     prefix  absolute path without a slash at its end, at most 255 bytes;
 *             NULL: "/debug/pprof"
 *     auth    name of an `authentication` block of kore.conf; NULL: none.
 *             The access rule of PPROF_ALLOW holds besides it.
 *
 * Returns 0, also if the domain has the route already. Otherwise returns -1 and
 * sets errno, after one log line that says why: EINVAL for a bad prefix, ENOENT
 * for an unknown domain or authentication block.
 *
 * Call this function in a worker, from kore_worker_configure() or from the
 * onload function of a module, which Kore calls again after a reload. It is
 * neither thread-safe nor async-signal-safe. The strings stay the caller's.
 *
 *     #include <kore/kore.h>
 *     #include <pprof.h>
 *
 *     void
 *     kore_worker_configure(void)
 *     {
 *         if (pprof_register("example.org", "/internal/pprof", "admin") == -1)
 *             kore_log(LOG_NOTICE, "no profiler here");
 *     }
 *
 * The kore.conf then has `load ./pprof.so`, without onload.
 */
int pprof_register(const char *domain, const char *prefix, const char *auth);

/*
 * pprof_load - for the `load` line of a kore.conf: registers /debug/pprof on
 * every domain. Kore calls this function; `action` is KORE_MODULE_LOAD or
 * _UNLOAD.
 */
int pprof_load(int action);

/*
 * pprof_handler - for a `route` line of a kore.conf: serves the route group.
 * The prefix is the literal beginning of the route:
 *
 *     route ^/internal/pprof(/.*)?$ pprof_handler admin
 */
int pprof_handler(struct http_request *req);

/*
 * pprof_label_push, pprof_label_pop - say what the thread is doing
 *
 *     int pprof_label_push(const char *key, const char *value);
 *     void pprof_label_pop(void);
 *
 * From push to pop every sample of the calling thread (CPU, heap, block, mutex,
 * goroutine) carries the label, beside http.route and http.method. A task that
 * is run meanwhile inherits the label. Pushes nest, 16 deep. If the key is
 * there already, its value is replaced until the pop. If a handler or a task
 * forgets to pop a label, it is popped when the handler or the task returns.
 *
 * A distinct set of labels is stored for ever (32,768 words of 8 bytes a
 * worker), and scrapers make a series of each set: use values of which there
 * are few.
 *
 * push returns 0, or -1 with errno: EINVAL (no key, more than 1,024 bytes),
 * ENOSPC (nesting, 16 labels or 1,024 bytes with those that are there, or the
 * table is full), ENOTCONN (not in a worker). pop without a push does nothing.
 * Both are thread-safe, and not async-signal-safe. The strings are copied.
 *
 *     pprof_label_push("tenant", plan_of(user));
 *     render(req);
 *     pprof_label_pop();
 */
int pprof_label_push(const char *key, const char *value);
void pprof_label_pop(void);

/*
 * pprof_set_heap_rate, pprof_set_block_profile_rate,
 * pprof_set_mutex_profile_fraction - how much is sampled, of all workers
 *
 *     int64_t pprof_set_heap_rate(int64_t bytes);
 *     int64_t pprof_set_block_profile_rate(int64_t ns);
 *     int64_t pprof_set_mutex_profile_fraction(int64_t n);
 *
 *     bytes  mean bytes allocated between two heap samples: 1 = all, 0 = off
 *     ns     mean nanoseconds waited between two block samples: 1 = all waits,
 *            0 = off
 *     n      one contention in n is taken: 1 = all, 0 = off
 *
 * A negative value changes nothing. If a value is too large, the largest is
 * taken (1 GiB, an hour, a million). A thread notices a heap rate with its next
 * sample. Each function returns the value before, or -1 outside of a worker.
 * The first values are PPROF_HEAP_RATE (524288), PPROF_BLOCK_RATE (0) and
 * PPROF_MUTEX_FRACTION (0). The functions are thread-safe, and not
 * async-signal-safe.
 *
 *     (void)pprof_set_block_profile_rate(10000);
 */
int64_t pprof_set_heap_rate(int64_t bytes);
int64_t pprof_set_block_profile_rate(int64_t ns);
int64_t pprof_set_mutex_profile_fraction(int64_t n);

/*
 * pprof_profile_new, _add, _remove, _free - a profile of the application's own
 *
 *     struct pprof_profile *pprof_profile_new(const char *name);
 *     int pprof_profile_add(struct pprof_profile *p, const void *key, int skip);
 *     int pprof_profile_remove(struct pprof_profile *p, const void *key);
 *     void pprof_profile_free(struct pprof_profile *p);
 *
 * The profile counts things that are held, by the stack that got hold of them.
 * It is at <prefix>/<name>, summed over all workers, as Go's pprof.NewProfile()
 * does. When a worker ends, what it held is no longer counted.
 *
 *     name  1 to 63 printable ASCII characters, no space and no slash, and
 *           none of the names that the module answers itself (heap, ...); at
 *           most 16 names a service. The same name is the same profile, in
 *           every worker.
 *     key   an address that is one of the things; not NULL
 *     skip  frames to leave out: 0 = the caller of _add is the leaf
 *
 * new returns a handle, or NULL with errno: EINVAL (name), ENOSPC (too many
 * names), ENOTCONN (not in a worker: call it in kore_worker_configure() or
 * later), ENOMEM. free gives the handle back, not what was counted. add returns
 * 0, or -1 with errno: EEXIST (the profile has the key), ENOSPC (no room,
 * counted as loss), EINVAL (no handle or no key), ENOTCONN. remove returns 0,
 * or -1 with errno: ENOENT (the profile does not have the key), EINVAL,
 * ENOTCONN. The functions are thread-safe, and not async-signal-safe.
 *
 *     static struct pprof_profile *conns;
 *
 *     conns = pprof_profile_new("db.connections");
 *     ...
 *     pprof_profile_add(conns, conn, 0);
 *     ...
 *     pprof_profile_remove(conns, conn);
 */
struct pprof_profile;
struct pprof_profile *pprof_profile_new(const char *name);
int pprof_profile_add(struct pprof_profile *p, const void *key, int skip);
int pprof_profile_remove(struct pprof_profile *p, const void *key);
void pprof_profile_free(struct pprof_profile *p);

/*
 * pprof_write - write a profile to a descriptor
 *
 *     int pprof_write(const char *name, int fd, int debug);
 *
 * Writes what <prefix>/<name>?debug=<debug> would answer: heap, allocs, block,
 * mutex, goroutine, threadcreate or one of the application's own profiles. For
 * debug 0 that is gzipped profile.proto, otherwise text. It is of all workers.
 *
 * The function waits for the collector, some milliseconds to 10 seconds: call
 * it from a task, or where the event loop may stand still. Nothing is written
 * unless the whole profile could be made. Returns 0, or -1 with errno: EINVAL
 * (profile and trace take time: ask for them over HTTP), ENOENT (no such
 * profile), ENOTCONN (not in a worker, no collector), ETIMEDOUT, EIO, or
 * write's own. It is thread-safe, and not async-signal-safe. `fd` stays the
 * caller's and open.
 *
 *     int fd = open("heap.pb.gz", O_WRONLY | O_CREAT | O_TRUNC, 0600);
 *
 *     if (fd != -1 && pprof_write("heap", fd, 0) == -1)
 *         kore_log(LOG_NOTICE, "no heap profile: %s", strerror(errno));
 */
int pprof_write(const char *name, int fd, int debug);

/*
 * pprof_trace_task_begin, _end, pprof_trace_region_begin, _end, pprof_trace_log
 * - what the application adds to an execution trace
 *
 *     uint64_t pprof_trace_task_begin(const char *type);
 *     void pprof_trace_task_end(uint64_t task);
 *     void pprof_trace_region_begin(const char *type);
 *     void pprof_trace_region_end(void);
 *     void pprof_trace_log(const char *category, const char *message);
 *
 * The words are those of Go's runtime/trace. A task is a piece of work with a
 * name, which may last over several calls of a handler and end on another
 * thread. A region is what one thread does from begin to end. A log is a
 * moment. `go tool trace` shows them as user-defined tasks and regions.
 *
 * Every request is a task by itself, called by its method and route. If a
 * handler, or a Kore task for a request, begins a task, that task is a part of
 * the request's. A region or a log belongs to the task that its thread began
 * last in this call and has not ended, else to the request's. Regions nest, and
 * the last one ends first. If a handler or a Kore task forgets to end a region,
 * it is ended when the handler or the Kore task returns. Tasks are not ended
 * then.
 *
 *     type, category  a name of which there are few, cut at 256 bytes
 *     message         cut at 256 bytes; UTF-8, as the names
 *
 * While nobody traces, the functions do nothing, and begin returns 0, for which
 * end does nothing. They are thread-safe, and not async-signal-safe. The
 * strings are copied.
 *
 *     uint64_t task = pprof_trace_task_begin("invoice");
 *
 *     pprof_trace_region_begin("render");
 *     render(req);
 *     pprof_trace_region_end();
 *     pprof_trace_log("invoice", number);
 *     pprof_trace_task_end(task);
 */
uint64_t pprof_trace_task_begin(const char *type);
void pprof_trace_task_end(uint64_t task);
void pprof_trace_region_begin(const char *type);
void pprof_trace_region_end(void);
void pprof_trace_log(const char *category, const char *message);

#if defined(__cplusplus)
}
#endif

/*
 * An application that includes this header needs not be linked with anything,
 * and runs also where pprof.so is not loaded. Each call looks for the module's
 * function until it is there. Without the module, a call returns -1 (or NULL,
 * or 0 for a task) with errno ENOTCONN; functions that return nothing leave
 * errno alone. Define PPROF_NO_SHIM to call the module's functions directly.
 */
#if !defined(PPROF_NO_SHIM)

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

/* Absence is not remembered: the module may be loaded after its callers. */
static inline void *
pprof_shim_find(void **found, const char *name)
{
	void *at = __atomic_load_n(found, __ATOMIC_ACQUIRE);
	int saved = errno;

	if (at == NULL) {
		at = dlsym((void *)0, name);
		__atomic_store_n(found, at, __ATOMIC_RELEASE);
		errno = saved;
	}
	return (at);
}

/* Each function here returns the module's function, or one that does nothing.
 * So the application itself makes the call, and no frame of ours is in the
 * stacks. */
#define PPROF_SHIM_WITHOUT(type, name, parameters, without)                    \
	static inline type pprof_absent_##name parameters                      \
	{                                                                      \
		without;                                                       \
	}                                                                      \
	static inline type(*pprof_shim_##name(void)) parameters                \
	{                                                                      \
		static void *found;                                            \
		void *at = pprof_shim_find(&found, "pprof_" #name);            \
		type(*call) parameters;                                        \
                                                                               \
		if (at == NULL)                                                \
			return (pprof_absent_##name);                          \
		*(void **)&call = at;                                          \
		return (call);                                                 \
	}
#define PPROF_SHIM(type, name, parameters, unused, result)                     \
	PPROF_SHIM_WITHOUT(type, name, parameters, unused; errno = ENOTCONN;   \
			   return result)

PPROF_SHIM(int, register,
    (const char *domain, const char *prefix, const char *auth),
    ((void)domain, (void)prefix, (void)auth), -1)
PPROF_SHIM(int, label_push, (const char *key, const char *value),
    ((void)key, (void)value), -1)
PPROF_SHIM_WITHOUT(void, label_pop, (void), (void)0)
PPROF_SHIM(int64_t, set_heap_rate, (int64_t bytes), (void)bytes, -1)
PPROF_SHIM(int64_t, set_block_profile_rate, (int64_t ns), (void)ns, -1)
PPROF_SHIM(int64_t, set_mutex_profile_fraction, (int64_t n), (void)n, -1)
PPROF_SHIM(struct pprof_profile *, profile_new, (const char *name), (void)name,
    NULL)
PPROF_SHIM(int, profile_add,
    (struct pprof_profile * p, const void *key, int skip),
    ((void)p, (void)key, (void)skip), -1)
PPROF_SHIM(int, profile_remove, (struct pprof_profile * p, const void *key),
    ((void)p, (void)key), -1)
PPROF_SHIM_WITHOUT(void, profile_free, (struct pprof_profile * p), (void)p)
PPROF_SHIM(int, write, (const char *name, int fd, int debug),
    ((void)name, (void)fd, (void)debug), -1)
PPROF_SHIM(uint64_t, trace_task_begin, (const char *type), (void)type, 0)
PPROF_SHIM_WITHOUT(void, trace_task_end, (uint64_t task), (void)task)
PPROF_SHIM_WITHOUT(void, trace_region_begin, (const char *type), (void)type)
PPROF_SHIM_WITHOUT(void, trace_region_end, (void), (void)0)
PPROF_SHIM_WITHOUT(void, trace_log, (const char *category, const char *message),
    ((void)category, (void)message))

#define pprof_register		     (*pprof_shim_register())
#define pprof_label_push	     (*pprof_shim_label_push())
#define pprof_label_pop		     (*pprof_shim_label_pop())
#define pprof_set_heap_rate	     (*pprof_shim_set_heap_rate())
#define pprof_set_block_profile_rate (*pprof_shim_set_block_profile_rate())
#define pprof_set_mutex_profile_fraction                                       \
	(*pprof_shim_set_mutex_profile_fraction())
#define pprof_profile_new	 (*pprof_shim_profile_new())
#define pprof_profile_add	 (*pprof_shim_profile_add())
#define pprof_profile_remove	 (*pprof_shim_profile_remove())
#define pprof_profile_free	 (*pprof_shim_profile_free())
#define pprof_write		 (*pprof_shim_write())
#define pprof_trace_task_begin	 (*pprof_shim_trace_task_begin())
#define pprof_trace_task_end	 (*pprof_shim_trace_task_end())
#define pprof_trace_region_begin (*pprof_shim_trace_region_begin())
#define pprof_trace_region_end	 (*pprof_shim_trace_region_end())
#define pprof_trace_log		 (*pprof_shim_trace_log())

#endif

#endif
