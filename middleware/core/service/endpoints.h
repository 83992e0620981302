/*
 * The table of endpoints: private to service/.
 *
 * Rule: endpoints do not include this header; they get the table from their
 * service.
 */
#ifndef PP_SERVICE_ENDPOINTS_H
#define PP_SERVICE_ENDPOINTS_H

#include "service/endpoints/endpoint.h"

extern const struct pp_endpoint pp_endpoints[];
extern const size_t pp_endpoints_count;

/* Returns the endpoint for a path after the prefix ("/heap"), or NULL. */
const struct pp_endpoint *pp_endpoint_find(const char *path);

#endif
