/*
 * Assembly without unwind information, that does not keep the frame pointer:
 * whoever walks a stack through it comes no further. It works itself, and
 * calls what allocates and what waits. And a stack that is deeper than any
 * profile keeps.
 */
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

int bare_work(int);
int bare_hold(int);
int bare_wait(int);
int deep_hold(int);
int deep_wait(int);
void bare_loop(long);
int bare_call(int (*)(void));

#define DEPTH 200

#if defined(__x86_64__)
__asm__(".text\n"
	".type bare_loop,@function\n"
	"bare_loop:\n"
	"	push %rbp\n"
	"	xor %ebp,%ebp\n"
	"1:	dec %rdi\n"
	"	jnz 1b\n"
	"	pop %rbp\n"
	"	ret\n"
	".size bare_loop,.-bare_loop\n"
	".type bare_call,@function\n"
	"bare_call:\n"
	"	push %rbp\n"
	"	xor %ebp,%ebp\n"
	"	call *%rdi\n"
	"	pop %rbp\n"
	"	ret\n"
	".size bare_call,.-bare_call\n");
#endif

static void *volatile held;

__attribute__((noinline)) static int
hold(void)
{
	held = malloc(1000);
	return (held == NULL);
}

__attribute__((noinline)) static int
waits(void)
{
	struct timespec until;
	sem_t never;

	(void)sem_init(&never, 0, 0);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 5000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return (sem_timedwait(&never, &until) == 0);
}

__attribute__((noinline)) static int
deep(int depth, int (*call)(void))
{
	volatile int result;

	result = depth == 0 ? call() : deep(depth - 1, call);
	return (result);
}

int
bare_work(int n)
{
	bare_loop(20000 + n);
	return (0);
}

int
bare_hold(int n)
{
	return (bare_call(hold) + 0 * n);
}

int
bare_wait(int n)
{
	return (bare_call(waits) + 0 * n);
}

int
deep_hold(int n)
{
	return (deep(DEPTH, hold) + 0 * n);
}

int
deep_wait(int n)
{
	return (deep(DEPTH, waits) + 0 * n);
}
