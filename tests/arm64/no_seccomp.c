/*
 * Preloaded into Kore and the collector under qemu-user, which refuses seccomp
 * filters: both take that for a reason to end.
 *
 * Not for a test on a real processor: there is no sandbox with it.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <stdarg.h>
#include <unistd.h>

int prctl(int option, ...);

int
prctl(int option, ...)
{
	unsigned long arg[4];
	va_list args;
	int i;

	if (option == PR_SET_SECCOMP)
		return (0);
	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	return (
	    (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]));
}
