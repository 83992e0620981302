/*
 * A service for kodev's single binary: Kore and the application in one
 * program, whose conf is compiled in. Not a module.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <stdlib.h>

int page(struct http_request *);
int page_burn(struct http_request *);
void kore_parent_configure(int, char **);

/* Kore's own main() leaves the options to the application. */
void
kore_parent_configure(int argc, char **argv)
{
	kore_default_getopt(argc, argv);
}

int
page(struct http_request *req)
{
	http_response(req, 200, "ok", 2);
	return (KORE_RESULT_OK);
}

static void
burn_single(void)
{
	unsigned long i;

	for (i = 0; i < 20 * 1000 * 1000; i++)
		__asm__ volatile("");
}

int
page_burn(struct http_request *req)
{
	void *block = malloc(1 << 20);

	burn_single();
	free(block);
	return (page(req));
}
