/*
 * An application with hooks of its own, all of those that Kore looks up by
 * name: they must run whether the profiler is loaded before or after it.
 *
 * Its seccomp rule allows uname(), which is on nobody else's list: without
 * the hook a request to /uname kills its worker.
 */
#include <kore/kore.h>
#include <kore/hooks.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/utsname.h>

int page_uname(struct http_request *);
int page_hooks(struct http_request *);

static int configured, parent_configured;

KORE_SECCOMP_FILTER("hooks_app", KORE_SYSCALL_ALLOW(uname))

void
kore_parent_configure(int argc, char **argv)
{
	(void)argv;
	parent_configured = argc + 1;
	kore_log(LOG_NOTICE, "app: parent configured");
}

void
kore_worker_configure(void)
{
	configured++;
	kore_log(LOG_NOTICE, "app: worker configured");
}

void
kore_worker_teardown(void)
{
	kore_log(LOG_NOTICE, "app: worker torn down");
}

void
kore_parent_teardown(void)
{
	kore_log(LOG_NOTICE, "app: parent torn down");
}

int
page_uname(struct http_request *req)
{
	struct utsname name;

	if (uname(&name) == -1) {
		http_response(req, 500, NULL, 0);
		return (KORE_RESULT_OK);
	}
	http_response(req, 200, name.sysname, strlen(name.sysname));
	return (KORE_RESULT_OK);
}

/* "worker parent": how often, or with how many arguments, each has run. */
int
page_hooks(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %d", configured,
	    parent_configured > 0);
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
