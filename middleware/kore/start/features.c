/*
 * This file tells whether the running Kore is the one that the module was
 * compiled for. The options of Kore's build (PGSQL=1, TASKS=1, ...) decide
 * where fields are in its structures, and a single binary of kodev has a Kore
 * of its own.
 *
 * Rule: only the dynamic linker is asked; nothing of Kore is touched.
 */
#include <kore/kore.h>

#include <dlfcn.h>
#include <stdio.h>

#include "kore/adapter.h"

#if defined(KORE_USE_ACME)
#define HAS_ACME 1
#else
#define HAS_ACME 0
#endif
#if defined(KORE_USE_CURL)
#define HAS_CURL 1
#else
#define HAS_CURL 0
#endif
#if defined(KORE_USE_PGSQL)
#define HAS_PGSQL 1
#else
#define HAS_PGSQL 0
#endif
#if defined(KORE_USE_PYTHON)
#define HAS_PYTHON 1
#else
#define HAS_PYTHON 0
#endif
#if defined(KORE_USE_TASKS)
#define HAS_TASKS 1
#else
#define HAS_TASKS 0
#endif

static const struct {
	const char *flavor;
	const char *function; /* that only such a Kore has */
	int wanted;
} features[] = {
	{ "ACME", "kore_acme_init", HAS_ACME },
	{ "CURL", "kore_curl_sysinit", HAS_CURL },
	{ "PGSQL", "kore_pgsql_sys_init", HAS_PGSQL },
	{ "PYTHON", "kore_python_init", HAS_PYTHON },
	{ "TASKS", "kore_task_run", HAS_TASKS },
};

const char *
pp_features_differ(void)
{
	static char why[128];
	size_t i;
	int has;

	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		has = dlsym(RTLD_DEFAULT, features[i].function) != NULL;
		if (has == features[i].wanted)
			continue;
		(void)snprintf(why, sizeof(why),
		    "this Kore was built %s %s=1, and pprof.so for one %s it",
		    has ? "with" : "without", features[i].flavor,
		    has ? "without" : "with");
		return (why);
	}
	return (NULL);
}
