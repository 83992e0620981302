/*
 * A module with a pool of its own, in its own memory, which is gone when the
 * module is: Kore does not ask a module to clean its pools up. Built once
 * with -DLARGE and once without, it lies at different addresses.
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>

int pools_load(int);

#if defined(LARGE)
static char before[8 << 20];
static struct kore_pool own;
#endif

int
pools_load(int action)
{
#if defined(LARGE)
	if (action == KORE_MODULE_LOAD) {
		before[sizeof(before) - 1] = 1;
		kore_pool_init(&own, "own-pool", 100, 50);
	}
#else
	(void)action;
#endif
	return (KORE_RESULT_OK);
}
