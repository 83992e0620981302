/*
 * A handler that gives a service more label sets than a worker's table holds.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <stdio.h>
#include <string.h>

#include "../../../middleware/include/pprof.h"

int page_labels(struct http_request *);

int
page_labels(struct http_request *req)
{
	char value[900];
	int i;

	memset(value, 'x', sizeof(value));
	for (i = 0; i < 400; i++) {
		(void)snprintf(value, sizeof(value), "%0800d", i);
		pprof_label_push("many", value);
		pprof_label_pop();
	}
	http_response(req, 200, "many\n", 5);
	return (KORE_RESULT_OK);
}
