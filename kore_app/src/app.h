/*
 * What the files of the sample application share: the handlers that the
 * conf names, and the life of the tasks that fib.c starts.
 */
#ifndef APP_H
#define APP_H

#include <sys/types.h>

#include <kore/kore.h>
#include <kore/http.h>

/* conf/kore_app.conf names these at `load` and `route`. */
int kore_app_load(int action);
int page_index(struct http_request *req);
int page_fib(struct http_request *req);
int page_concat(struct http_request *req);

/*
 * Wait until no task runs code of this module, and let go of the requests that
 * the tasks belong to: the module may be unloaded afterwards. This takes as
 * long as the tasks in flight, each of which takes well below a millisecond.
 */
void fib_drain(void);

/* Called at the end of a worker. Returns when no task thread is left. */
void fib_end_threads(void);

#endif
