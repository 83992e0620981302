/* Hot: signal handlers run what is in this file. */
/*
 * See own_stack.h: the switch in assembler, and the choice of a stack.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include <stddef.h>
#include <unistd.h>

#include "capture/own_stack.h"

#if defined(__x86_64__)
__asm__(".text\n"
	".globl pp_own_stack_call\n"
	".hidden pp_own_stack_call\n"
	".type pp_own_stack_call, @function\n"
	"pp_own_stack_call:\n"
	".cfi_startproc\n"
	"	push %rbp\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	".cfi_def_cfa_register %rbp\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsp\n"
	"	call *%rax\n"
	"	leave\n"
	".cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	".cfi_endproc\n"
	".size pp_own_stack_call, . - pp_own_stack_call\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl pp_own_stack_call\n"
	".hidden pp_own_stack_call\n"
	".type pp_own_stack_call, @function\n"
	"pp_own_stack_call:\n"
	".cfi_startproc\n"
	"	stp x29, x30, [sp, -16]!\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset x29, -16\n"
	".cfi_offset x30, -8\n"
	"	mov x29, sp\n"
	".cfi_def_cfa_register x29\n"
	"	mov x9, x0\n"
	"	mov x0, x1\n"
	"	mov sp, x2\n"
	"	blr x9\n"
	"	mov sp, x29\n"
	".cfi_def_cfa_register sp\n"
	"	ldp x29, x30, [sp], 16\n"
	".cfi_def_cfa_offset 0\n"
	".cfi_restore x29\n"
	".cfi_restore x30\n"
	"	ret\n"
	".cfi_endproc\n"
	".size pp_own_stack_call, . - pp_own_stack_call\n");
#else
#error "no way to switch stacks on this processor"
#endif

/* The kernel is called directly: mmap() may be a function of the application.
 */
void *
pp_own_stack_top(struct pp_thread *thread)
{
	char *base = thread->own_stack;
	long got;

	if (base == NULL) {
		got = syscall(SYS_mmap, NULL, PP_OWN_STACK_SIZE,
		    PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1,
		    0L);
		if (got == -1)
			return (NULL);
		thread->own_stack = base = (char *)(uintptr_t)got;
	}
	return (base + PP_OWN_STACK_SIZE);
}

/* The bytes of [start, start + size) below the caller's frame; 0 if the caller
 * is on another stack. */
static inline size_t
room_in(uintptr_t start, size_t size)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return (start != 0 && here >= start && here - start < size
		? here - start
		: 0);
}

static inline size_t
room_in_own(const struct pp_thread *thread)
{
	return (room_in((uintptr_t)thread->own_stack, PP_OWN_STACK_SIZE));
}

int
pp_own_stack_in_handler(struct pp_thread *thread, void (*run)(void *),
    void *argument)
{
	void *top;

	if (room_in_own(thread) != 0) {
		if (room_in_own(thread) < PP_OWN_STACK_NEED)
			return (-1);
		run(argument);
		return (0);
	}
	top = pp_own_stack_top(thread);
	if (top == NULL)
		return (-1);
	pp_own_stack_call(run, argument, top);
	return (0);
}

int
pp_own_stack_run(void (*run)(void *), void *argument)
{
	struct pp_thread *thread = pp_thread_self;

	if (thread == NULL && pp_self.worker != 0)
		return (-1);
	/* The parent has one thread, whose stack is large. */
	if (thread == NULL) {
		run(argument);
		return (0);
	}
	if (room_in(atomic_load_explicit(&thread->stack_start,
			memory_order_relaxed),
		atomic_load_explicit(&thread->stack_size,
		    memory_order_relaxed)) < PP_OWN_STACK_NEED)
		return (pp_own_stack_in_handler(thread, run, argument));
	run(argument);
	return (0);
}
