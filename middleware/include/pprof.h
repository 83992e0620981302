/*
 * kore-pprof: profiles of a Kore service, over HTTP, as Go's net/http/pprof
 * gives them. This is the public header; an application needs it only to
 * choose where the routes are. With the line
 *
 *     load ./pprof.so pprof_load
 *
 * in a kore.conf they are at /debug/pprof/ of every domain, and no line of
 * code is needed.
 */
#ifndef PPROF_H
#define PPROF_H

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
 * other routes, in the calling worker.
 *
 *     domain  name as in kore.conf ("*", "example.org"); NULL: every domain
 *     prefix  absolute path without a slash at its end, at most 255 bytes;
 *             NULL: "/debug/pprof"
 *     auth    name of an `authentication` block of kore.conf; NULL: none.
 *             The access rule of PPROF_ALLOW holds besides it.
 *
 * Returns 0, also when the domain has the route already. Returns -1 and sets
 * errno, after one log line that says why: EINVAL for a bad prefix, ENOENT
 * for an unknown domain or authentication block.
 *
 * Call it in a worker, from kore_worker_configure() or from the onload
 * function of a module, which Kore calls again after a reload. Not
 * thread-safe, not async-signal-safe. The strings stay the caller's.
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
 * with `load ./pprof.so` (no onload) in the kore.conf.
 */
int pprof_register(const char *domain, const char *prefix, const char *auth);

/*
 * pprof_load - for the `load` line of a kore.conf: registers /debug/pprof on
 * every domain. Kore calls it; `action` is KORE_MODULE_LOAD or _UNLOAD.
 */
int pprof_load(int action);

/*
 * pprof_handler - for a `route` line of a kore.conf: serves the route group.
 * The prefix is the literal beginning of the route:
 *
 *     route ^/internal/pprof(/.*)?$ pprof_handler admin
 */
int pprof_handler(struct http_request *req);

#if defined(__cplusplus)
}
#endif

#endif
