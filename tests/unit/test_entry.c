/*
 * hook/entry: functions with beginnings of all sorts are patched, called,
 * and put back, or refused with nothing changed.
 */
#include <sys/mman.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "fixture.h"
#include "capture/jumps.h"
#include "hook/entry.h"

/* Each adds a number of its own to its argument. No padding in between:
 * what is written beyond a function's end is in the next one. */
static const char source[] =
    "#define F(name, code) __asm__(\".text\\n.globl \" #name \"\\n\"\\\n"
    "	\".type \" #name \", @function\\n\" #name \":\\n\" code \"\\n\"\\\n"
    "	\".size \" #name \", . - \" #name \"\\n\")\n"
    "F(endbr, \"endbr64; lea 1(%rdi),%eax; ret\");\n"
    "F(push, \"push %rbp; mov %rsp,%rbp; lea 2(%rdi),%eax; pop %rbp; ret\");"
    "\n"
    "F(exact, \"mov $3,%eax; add %edi,%eax; ret\");\n"
    "F(longest, \"movabs $4,%rax; add %edi,%eax; ret\");\n"
    "F(stack, \"sub $0x108,%rsp; lea 5(%rdi),%eax; add $0x108,%rsp; ret\");\n"
    "F(rip, \"mov six(%rip),%eax; add %edi,%eax; ret; six: .long 6\");\n"
    "F(jump, \"jmp 1f; nop; 1: lea 7(%rdi),%eax; ret\");\n"
    "F(call, \"call 1f; add $8,%eax; ret; 1: mov %edi,%eax; ret\");\n"
    "F(branch, \"test %edi,%edi; je 1f; 1: lea 9(%rdi),%eax; ret\");\n"
    "F(brief, \"lea 10(%rdi),%eax; ret\");\n"
    "F(after, \"lea 11(%rdi),%eax; nopl 0(%rax); ret\");\n"
    "F(leaves, \"jmp *%rsi\");\n"
    "F(empty, \"ret; nopl 0(%rax); nopl 0(%rax)\");\n"
    "F(tight, \"ret; tighter: ret; nopl 0(%rax)\");\n"
    /* The loop comes back to its second instruction. */
    "F(loop, \"xor %eax,%eax; 1: inc %eax; cmp $13,%eax; jne 1b;\"\n"
    "	\"add %edi,%eax; ret\");\n"
    "extern int push(int); int inner(int x) { return push(x); }\n";

typedef int (*function)(int);

static const struct {
	const char *name;
	int adds;
	int refused;
} functions[] = {
	{ "endbr", 1, 0 },
	{ "push", 2, 0 },
	{ "exact", 3, 0 },
	{ "longest", 4, 0 },
	{ "stack", 5, 0 },
	{ "rip", 6, 1 },
	{ "jump", 7, 1 },
	{ "call", 8, 1 },
	{ "branch", 9, 1 },
	{ "brief", 10, 1 },
	{ "after", 11, 0 },
	{ "loop", 13, 1 },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static void *library;
static function original;
static int calls;

static int
replacement(int x)
{
	calls++;
	return (original(x) + 1000);
}

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	fixture_write("entry.c", source);
	fixture_sh("cc -w -O1 -fPIC -shared -Wl,-Bsymbolic -o entry.so "
		   "entry.c");
	library = dlopen(fixture_path("entry.so"), RTLD_NOW | RTLD_LOCAL);
	return (library == NULL ? -1 : 0);
}

static function
get(const char *name)
{
	void *symbol = dlsym(library, name);
	function f;

	assert_non_null(symbol);
	*(void **)&f = symbol;
	return (f);
}

static void
each_is_patched_and_put_back_or_refused(void **state)
{
	uint8_t before[32];
	const char *why;
	size_t i, k;
	int result;
	function f;

	(void)state;
	for (i = 0; i < FUNCTIONS; i++) {
		f = get(functions[i].name);
		memcpy(before, (void *)(uintptr_t)f, sizeof(before));
		why = NULL;
		result = pp_entry_patch((void *)(uintptr_t)f,
		    (void *)(uintptr_t)replacement, (void **)&original, &why);
		print_message("%s: %s\n", functions[i].name,
		    result == 0 ? "patched" : why);
		assert_int_equal(result, functions[i].refused ? -1 : 0);
		calls = 0;
		assert_int_equal(f(20),
		    20 + functions[i].adds + (functions[i].refused ? 0 : 1000));
		assert_int_equal(calls, functions[i].refused ? 0 : 1);
		if (!functions[i].refused)
			pp_entry_restore((void *)(uintptr_t)f,
			    (void *)(uintptr_t)original);
		else
			assert_non_null(why);
		assert_memory_equal((void *)(uintptr_t)f, before,
		    sizeof(before));
		for (k = 0; k < FUNCTIONS; k++)
			assert_int_equal(get(functions[k].name)(1),
			    1 + functions[k].adds);
		assert_int_equal(calls, functions[i].refused ? 0 : 1);
	}
}

/* A jump that ends the function ends what may be moved. */
static void
a_function_that_is_one_jump_is_refused(void **state)
{
	const char *why = NULL;
	void *o;

	(void)state;
	assert_int_equal(pp_entry_patch(dlsym(library, "leaves"),
			     (void *)(uintptr_t)replacement, &o, &why),
	    -1);
	assert_non_null(why);
}

static void
calls_from_its_own_object_arrive(void **state)
{
	function push = get("push"), inner = get("inner");
	const char *why;

	(void)state;
	assert_int_equal(pp_entry_patch((void *)(uintptr_t)push,
			     (void *)(uintptr_t)replacement, (void **)&original,
			     &why),
	    0);
	calls = 0;
	assert_int_equal(inner(1), 1003);
	assert_int_equal(calls, 1);
	pp_entry_restore((void *)(uintptr_t)push, (void *)(uintptr_t)original);
	assert_int_equal(inner(1), 3);
	assert_int_equal(calls, 1);
}

/* One trampoline page cannot serve both: they are further apart than a jump
 * reaches. The first must work on. */
static void
targets_far_apart_do_not_disturb_each_other(void **state)
{
	static const uint8_t code[] = { 0xb8, 14, 0, 0, 0, 0x01, 0xf8, 0xc3 };
	function near = get("exact"), far, near_original, far_original;
	const char *why;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *low;

	(void)state;
	low = mmap((void *)(uintptr_t)0x20000000, page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(low, (void *)(uintptr_t)0x20000000);
	memcpy(low, code, sizeof(code));
	assert_int_equal(mprotect(low, page, PROT_READ | PROT_EXEC), 0);
	*(void **)&far = low;
	assert_int_equal(pp_entry_patch((void *)(uintptr_t)near,
			     (void *)(uintptr_t)replacement,
			     (void **)&near_original, &why),
	    0);
	assert_int_equal(pp_entry_patch(low, (void *)(uintptr_t)replacement,
			     (void **)&far_original, &why),
	    0);
	original = near_original;
	assert_int_equal(near(1), 1004);
	original = far_original;
	assert_int_equal(far(1), 1015);
	pp_entry_restore(low, (void *)(uintptr_t)far_original);
	pp_entry_restore((void *)(uintptr_t)near,
	    (void *)(uintptr_t)near_original);
	assert_int_equal(near(1), 4);
	assert_int_equal(far(1), 15);
	(void)munmap(low, page);
}

/* As the jump's bytes do: moved ones, where they go on, and where no byte of
 * the function has run yet. */
static void
a_pc_among_moved_instructions_is_one_of_their_function(void **state)
{
	function f = get("push");
	uint64_t target = (uint64_t)(uintptr_t)f, moved, pc;
	const char *why;
	size_t len;

	(void)state;
	assert_int_equal(pp_entry_patch((void *)(uintptr_t)f,
			     (void *)(uintptr_t)replacement, (void **)&original,
			     &why),
	    0);
	moved = (uint64_t)(uintptr_t)original;
	for (len = 0; pp_jumps_home(moved + len) == target + len; len++)
		;
	/* Five bytes at least, and the jump back. */
	assert_in_range(len, 6, 20);
	assert_int_equal(pp_jumps_home(moved + len), target + len - 1);
	assert_int_equal(pp_jumps_home(moved + PP_JUMP_BYTES - 1), target);
	for (pc = target; pc < target + 16; pc++)
		assert_int_equal(pp_jumps_home(pc), pc);
	pp_entry_restore((void *)(uintptr_t)f, (void *)(uintptr_t)original);
}

static void
told(void)
{
	calls++;
}

/* What only returns may have a jump if no other function is in its place. */
static void
a_function_that_only_returns_tells(void **state)
{
	void (*empty)(void) = (void (*)(void))(uintptr_t)get("empty");
	const char *why = NULL;
	void *was;

	(void)state;
	assert_int_equal(pp_entry_patch_empty((void *)(uintptr_t)empty,
			     (void *)(uintptr_t)told, &was, &why),
	    0);
	calls = 0;
	empty();
	assert_int_equal(calls, 1);
	pp_entry_restore((void *)(uintptr_t)empty, was);
	empty();
	assert_int_equal(calls, 1);
	assert_int_equal(pp_entry_patch_empty(dlsym(library, "tight"),
			     (void *)(uintptr_t)told, &was, &why),
	    -1);
	assert_int_equal(pp_entry_patch_empty((void *)(uintptr_t)get("push"),
			     (void *)(uintptr_t)told, &was, &why),
	    -1);
	assert_string_equal(why, "it does something");
}

/* More than one page of trampolines holds. */
static void
many_patches_find_room(void **state)
{
	function f = get("stack");
	const char *why;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		assert_int_equal(pp_entry_patch((void *)(uintptr_t)f,
				     (void *)(uintptr_t)replacement,
				     (void **)&original, &why),
		    0);
		assert_int_equal(f(i), i + 1005);
		pp_entry_restore((void *)(uintptr_t)f,
		    (void *)(uintptr_t)original);
	}
	assert_int_equal(f(1), 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_patched_and_put_back_or_refused),
		cmocka_unit_test(a_function_that_is_one_jump_is_refused),
		cmocka_unit_test(calls_from_its_own_object_arrive),
		cmocka_unit_test(targets_far_apart_do_not_disturb_each_other),
		cmocka_unit_test(
		    a_pc_among_moved_instructions_is_one_of_their_function),
		cmocka_unit_test(a_function_that_only_returns_tells),
		cmocka_unit_test(many_patches_find_room),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
