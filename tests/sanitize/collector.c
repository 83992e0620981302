/*
 * What a sanitizer is told by the program that it is in: linked into the
 * pprof-collector of tests/sanitize.mk, and nowhere else.
 */
#include <unistd.h>

int __lsan_is_turned_off(void);

/* In a chroot there is no /proc, by which it finds the threads. */
int
__lsan_is_turned_off(void)
{
	return (access("/proc/self/task", F_OK) == -1);
}
