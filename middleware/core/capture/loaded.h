/*
 * What the dynamic linker has loaded now: in the program's own namespace, as
 * dl_iterate_phdr() shows it, and in the namespaces that dlmopen() has made.
 *
 * Not what was loaded before: that is scan.h.
 *
 * Rule: outside of signal handlers.
 */
#ifndef PP_CAPTURE_LOADED_H
#define PP_CAPTURE_LOADED_H

#include <link.h>

typedef int (*pp_loaded_fn)(struct dl_phdr_info *, size_t, void *);

/* Calls visit() for each object until visit() returns something else than 0.
 * The dynamic linker holds a lock meanwhile. */
void pp_loaded_each(pp_loaded_fn visit, void *arg);

#endif
