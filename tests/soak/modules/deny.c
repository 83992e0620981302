/*
 * The kernel refuses one system call: PPROF_SOAK_DENY is its number, the error,
 * and bits of its third argument without which it is not refused ("10:1:4").
 * Several are separated by blanks.
 *
 * For LD_PRELOAD, with PPROF_SOAK_AT=start, in every process of the service,
 * from before the module's constructor; with PPROF_SOAK_AT=worker in workers
 * only, from Kore's last call before its own sandbox. Compiled with PROGRAM, a
 * program that runs the collector named by PPROF_SOAK_PROGRAM like that; with
 * PPROF_SOAK_PRELOAD, by the same file preloaded there, from the collector's own
 * sandbox on.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORD(at) ((unsigned int)offsetof(struct seccomp_data, at))

static void
deny_one(unsigned int call, unsigned int error, unsigned int bits)
{
	struct sock_filter all[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter some[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(all) / sizeof(all[0]), all };

	all[1].k = some[1].k = call;
	all[2].k |= error;
	some[3].k = bits;
	some[4].k |= error;
	if (bits != 0) {
		program.len = sizeof(some) / sizeof(some[0]);
		program.filter = some;
	}
	if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ==
		-1)
		abort();
}

static void
deny(void)
{
	unsigned int call, error, bits;
	const char *text = getenv("PPROF_SOAK_DENY");
	int len;

	for (; text != NULL &&
	     sscanf(text, "%u:%u:%u%n", &call, &error, &bits, &len) == 3;
	     text += len)
		deny_one(call, error, bits);
	if (text == NULL || *text != '\0')
		abort();
}

#if defined(PROGRAM)

int
main(int argc, char **argv)
{
	const char *program = getenv("PPROF_SOAK_PROGRAM");
	const char *preload = getenv("PPROF_SOAK_PRELOAD");

	(void)argc;
	if (preload == NULL) {
		deny();
	} else {
		setenv("LD_PRELOAD", preload, 1);
		setenv("PPROF_SOAK_AT", "worker", 1);
	}
	argv[0] = (char *)program;
	(void)execv(program, argv);
	return (127);
}

#else

static int
at(const char *place)
{
	const char *wanted = getenv("PPROF_SOAK_AT");

	return (wanted != NULL && strcmp(wanted, place) == 0);
}

__attribute__((constructor)) static void
deny_from_the_start(void)
{
	if (at("start"))
		deny();
}

/* Kore's, by way of pprof.so; or the collector's. */
int
prctl(int option, ...)
{
	unsigned long arg[4];
	va_list args;
	int i, result;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	result =
	    (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
	if (option == PR_SET_NO_NEW_PRIVS && at("worker"))
		deny();
	return (result);
}

#endif
