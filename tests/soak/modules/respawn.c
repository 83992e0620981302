/*
 * An application whose workers are killed in the middle of anything. How often
 * it has allocated is counted in memory that outlives them: before each call
 * and after it, so that a kill between the two is a difference of 1.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/mman.h>

#include <pprof.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OBJECTS 10
#define BYTES	3000
#define WORKERS 16

int page_work(struct http_request *);
int page_who(struct http_request *);
int page_truth(struct http_request *);
void respawn_allocates(void);
void respawn_holds(void);

static struct truth {
	atomic_ullong begun, done;
	atomic_int holder[WORKERS]; /* by worker: the pid that holds one */
} * truth;

static void *volatile kept;
static void *held; /* by each worker, from its first request on */

/* In the parent, before its workers. */
__attribute__((constructor)) static void
respawn_shares(void)
{
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (truth == MAP_FAILED)
		abort();
}

__attribute__((noinline)) void
respawn_allocates(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		atomic_fetch_add(&truth->begun, 1);
		kept = malloc(BYTES);
		atomic_fetch_add(&truth->done, 1);
		free(kept);
	}
}

__attribute__((noinline)) void
respawn_holds(void)
{
	struct pprof_profile *profile;

	if (held != NULL)
		return;
	held = malloc(BYTES);
	profile = pprof_profile_new("respawn.held");
	if (profile != NULL)
		(void)pprof_profile_add(profile, held, 0);
	atomic_store(&truth->holder[worker->id % WORKERS], (int)getpid());
}

int
page_work(struct http_request *req)
{
	respawn_holds();
	respawn_allocates();
	http_response(req, 200, "work\n", 5);
	return (KORE_RESULT_OK);
}

int
page_who(struct http_request *req)
{
	char text[64];
	int len;

	len =
	    snprintf(text, sizeof(text), "%d %d\n", worker->id, (int)getpid());
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}

int
page_truth(struct http_request *req)
{
	char text[512];
	int len, i;

	len = snprintf(text, sizeof(text), "%llu %llu",
	    atomic_load(&truth->begun), atomic_load(&truth->done));
	for (i = 0; i < WORKERS; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %d",
		    atomic_load(&truth->holder[i]));
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}
