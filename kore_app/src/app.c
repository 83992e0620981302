/*
 * The sample application: two ways to burn CPU, to have something to
 * profile. This file is its frame: the page that lists the URLs, and the
 * hooks that Kore finds by name.
 *
 * Rule: it knows nothing of pprof.so and runs with or without it.
 */
#include "app.h"

#include <errno.h>
#include <sys/syscall.h>

#include <kore/hooks.h>
#include <kore/seccomp.h>

#include "query.h"

/*
 * Kore 4.1.0 was written before glibc 2.34. Its filter knows clone() and
 * stat(); glibc starts threads by clone3(), registers them by rseq() and looks
 * files up by newfstatat(). Without these rules the first task kills its
 * worker, and so does a reload. clone3() is answered "no such call", so that
 * glibc falls back to clone(), which Kore's own rule covers. realloc() grows a
 * large block by mremap(); see concat.c.
 *
 * If a worker that has threads breaks the filter, it is not even restarted: the
 * rule kills one thread, and Kore waits for the whole process.
 */
static struct sock_filter sandbox[] = {
#if defined(SYS_clone3)
	KORE_SYSCALL_DENY(clone3, ENOSYS),
#endif
#if defined(SYS_rseq)
	KORE_SYSCALL_ALLOW(rseq),
#endif
#if defined(SYS_newfstatat)
	KORE_SYSCALL_ALLOW(newfstatat),
#endif
	KORE_SYSCALL_ALLOW(mremap),
};

static const char index_text[] =
    "kore-pprof sample application\n"
    "\n"
    "/fib/?n=50&type=recursive      fib(n) by recursion, in a Kore task\n"
    "/fib/?n=50&type=iterative      fib(n) by a loop, in the event loop\n"
    "/concat/?str=kore&count=1000   str repeated, built the slow way\n"
    "\n"
    "n is 0 to 93; the result of concat has at most 1048576 bytes.\n";

void
kore_seccomp_hook(void)
{
	kore_seccomp_filter("kore_app", sandbox, KORE_FILTER_LEN(sandbox));
}

/* Kore calls this in each worker, after the start and around every reload. */
int
kore_app_load(int action)
{
	if (action == KORE_MODULE_UNLOAD)
		fib_drain();

	return (KORE_RESULT_OK);
}

/*
 * Kore unloads the modules of a worker that ends and unmaps its memory,
 * whatever its threads do.
 */
void
kore_worker_teardown(void)
{
	fib_drain();
	fib_end_threads();
}

int
page_index(struct http_request *req)
{
	answer(req, HTTP_STATUS_OK, index_text, sizeof(index_text) - 1);
	return (KORE_RESULT_OK);
}
