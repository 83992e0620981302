/*
 * Threads that write down their own stacks: all of them, whatever they do,
 * within the time that a reader waits for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/ask.h"
#include "base/clock.h"
#include "wait_fixture.h"

#define THREADS	    50
#define PATIENCE_NS (100 * PP_NS_PER_MS)

/* The library whose threads burn, sleep and wait in turn. */
static const char source[] =
    "#include <pthread.h>\n"
    "#include <semaphore.h>\n"
    "#include <signal.h>\n"
    "#include <stdatomic.h>\n"
    "#include <stddef.h>\n"
    "#include <sys/syscall.h>\n"
    "#include <time.h>\n"
    "#include <unistd.h>\n"
    "#define MAX 64\n"
    "void (*on_thread)(void); _Atomic int here, stop; int tid[MAX];\n"
    "static pthread_t t[MAX]; static volatile unsigned long x;\n"
    "static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;\n"
    "static pthread_mutex_t idle = PTHREAD_MUTEX_INITIALIZER;\n"
    "static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;\n"
    "static sem_t sem; static int started;\n"
    "void burns(void) { while (!stop) x++; }\n"
    "void sleeps(void) { struct timespec n = { 0, 20000000 };\n"
    "	while (!stop) nanosleep(&n, NULL); }\n"
    "void waits_mutex(void) { pthread_mutex_lock(&mutex);\n"
    "	pthread_mutex_unlock(&mutex); }\n"
    "void waits_cond(void) { pthread_mutex_lock(&idle);\n"
    "	while (!stop) pthread_cond_wait(&cond, &idle);\n"
    "	pthread_mutex_unlock(&idle); }\n"
    "void waits_sem(void) { while (sem_wait(&sem) == -1) ; }\n"
    "void blocks(void) { sigset_t all; sigfillset(&all);\n"
    "	pthread_sigmask(SIG_BLOCK, &all, NULL); sleeps(); }\n"
    "void is_deaf(void) { sigset_t all; sigfillset(&all);\n"
    "	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8); sleeps(); }\n"
    "static void (*what[])(void) = { sleeps, waits_mutex, waits_cond,\n"
    "	waits_sem };\n"
    "void *begins(void *me) { size_t i = (size_t)me; on_thread();\n"
    "	tid[i] = gettid(); here++;\n"
    "	if (i < started) (i < 2 ? burns : what[i % 4])();\n"
    "	else (i == started ? blocks : is_deaf)();\n"
    "	return NULL; }\n"
    "void begin(int n, int deaf) { size_t i; stop = here = 0; started = n;\n"
    "	sem_init(&sem, 0, 0); pthread_mutex_lock(&mutex);\n"
    "	for (i = 0; i < n + deaf; i++)\n"
    "		pthread_create(&t[i], NULL, begins, (void *)i);\n"
    "	while (here < n + deaf) usleep(1000);\n"
    "	usleep(50000); }\n"
    "void end(int n) { int i; stop = 1; pthread_mutex_unlock(&mutex);\n"
    "	pthread_mutex_lock(&idle); pthread_cond_broadcast(&cond);\n"
    "	pthread_mutex_unlock(&idle);\n"
    "	for (i = 0; i < n; i++) sem_post(&sem);\n"
    "	for (i = 0; i < n; i++) pthread_join(t[i], NULL); }\n";

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	wait_load(source);
	if (wait_begin() == -1)
		return (-1);
	*(void (**)(void))wait_symbol("on_thread") = wait_take_label;
	return (0);
}

static struct pp_thread_facts *
facts_of(int tid)
{
	uint32_t i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		if (atomic_load(&wait_slot()->thread[i].tid) == (uint32_t)tid)
			return (&wait_slot()->thread[i]);
	}
	return (NULL);
}

static int
dumped(int tid, uint32_t number)
{
	struct pp_thread_facts *facts = facts_of(tid);

	return (facts != NULL && atomic_load(&facts->dumped) == number);
}

/* Ask as the collector does; how many of the tids answered in how long. */
static int
dump(const int *tids, int count, int64_t patience, int64_t *took)
{
	uint32_t number = atomic_fetch_add(&wait_arena->control.dump, 1) + 1;
	int64_t start = pp_clock_mono();
	int i, answered;

	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	do {
		for (answered = i = 0; i < count; i++)
			answered += dumped(tids[i], number);
		*took = pp_clock_mono() - start;
		if (answered < count)
			(void)usleep(500);
	} while (answered < count && *took < patience);
	return (answered);
}

static int
facts_have(const struct pp_thread_facts *facts, const char *function)
{
	uint32_t i, frames = atomic_load(&facts->frames);
	uint64_t pc;
	Dl_info info;

	for (i = 0; i < frames && i < PP_FRAMES_MAX; i++) {
		pc = atomic_load(&facts->pc[i]) - (i > 0);
		if (dladdr((void *)(uintptr_t)pc, &info) != 0 &&
		    info.dli_sname != NULL &&
		    strcmp(info.dli_sname, function) == 0)
			return (1);
	}
	return (0);
}

static void
fifty_threads_write_their_stacks_in_time(void **state)
{
	static const char *const doing[] = { "sleeps", "waits_mutex",
		"waits_cond", "waits_sem" };
	const int *tids = wait_symbol("tid");
	int64_t took, worst = 0;
	int i, turn, late = 0;

	(void)state;
	wait_label_now = wait_label("fifty");
	wait_call(void (*)(int, int), "begin")(THREADS, 0);
	for (turn = 0; turn < 20; turn++) {
		late += dump(tids, THREADS, PATIENCE_NS, &took) != THREADS;
		worst = took > worst ? took : worst;
	}
	print_message("20 dumps of %d threads, two of them busy: at most "
		      "%.1f ms, %d not in time\n",
	    THREADS, (double)worst / PP_NS_PER_MS, late);
	/* Others may want these cores as well, but not always. */
	assert_true(late <= 5);
	assert_int_equal(dump(tids, THREADS, 50 * PATIENCE_NS, &took), THREADS);
	for (i = 0; i < THREADS; i++) {
		assert_true(facts_have(facts_of(tids[i]),
		    i < 2 ? "burns" : doing[i % 4]));
		assert_true(facts_have(facts_of(tids[i]), "begins"));
		assert_int_equal(facts_of(tids[i])->label, wait_label_now);
	}
	wait_call(void (*)(int), "end")(THREADS);
	for (i = 0; i < THREADS; i++)
		assert_null(facts_of(tids[i]));
}

/* Who blocks all signals does not block ours, unless by the kernel itself. */
static void
a_thread_without_ears_does_not_answer(void **state)
{
	const int *tids = wait_symbol("tid");
	int64_t took;

	(void)state;
	wait_call(void (*)(int, int), "begin")(4, 2);
	assert_int_equal(dump(tids, 5, 50 * PATIENCE_NS, &took), 5);
	assert_int_equal(dump(tids, 6, PATIENCE_NS, &took), 5);
	assert_non_null(facts_of(tids[5]));
	assert_false(dumped(tids[5], atomic_load(&wait_arena->control.dump)));
	wait_call(void (*)(int), "end")(6);
}

/* The main thread is one, too. */
static void
who_was_not_asked_writes_nothing(void **state)
{
	int self = (int)syscall(SYS_gettid);
	uint32_t before;
	int64_t took;

	(void)state;
	assert_int_equal(dump(&self, 1, 50 * PATIENCE_NS, &took), 1);
	before = atomic_load(&facts_of(self)->dumped);
	atomic_store(&facts_of(self)->frames, 7777);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	(void)usleep(20000);
	assert_int_equal(atomic_load(&facts_of(self)->frames), 7777);
	assert_int_equal(atomic_load(&facts_of(self)->dumped), before);
}

/* A thread that begins after the question has not been asked. */
static void
a_new_thread_has_no_stack_to_show(void **state)
{
	const int *tids = wait_symbol("tid");

	(void)state;
	wait_call(void (*)(int, int), "begin")(4, 0);
	assert_int_equal(facts_of(tids[3])->frames, 0);
	assert_int_not_equal(facts_of(tids[3])->creator, 0);
	assert_true(wait_stack_has(facts_of(tids[3])->creator, "begin", 1));
	wait_call(void (*)(int), "end")(4);
}

/* The ticks of a CPU profile use the same signal, and a thread has but one of
 * it waiting: the tick does what the dump's would have done. */
static void
dumps_and_cpu_samples_live_together(void **state)
{
	const int *tids = wait_symbol("tid");
	int turn, late = 0;
	int64_t took;

	(void)state;
	wait_call(void (*)(int, int), "begin")(6, 0);
	atomic_store(&wait_arena->control.cpu_period_ns, 100000);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	(void)usleep(50000);
	for (turn = 0; turn < 200; turn++)
		late += dump(tids, 6, 10 * PATIENCE_NS, &took) != 6;
	atomic_store(&wait_arena->control.cpu_period_ns, 0);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	print_message("%d of 200 dumps at 10,000 Hz lacked a thread\n", late);
	wait_call(void (*)(int), "end")(6);
	assert_int_equal(late, 0);
}

static void
a_forked_child_writes_nothing(void **state)
{
	int self = (int)syscall(SYS_gettid), status;
	struct pp_thread_facts *facts = facts_of(self);
	pid_t pid;

	(void)state;
	atomic_store(&facts->frames, 8888);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		atomic_fetch_add(&wait_arena->control.dump, 1);
		(void)pp_ask(getpid(), 0, PP_ASK_CONTROL);
		_exit(atomic_load(&facts->frames) == 8888 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_threads_write_their_stacks_in_time),
		cmocka_unit_test(a_thread_without_ears_does_not_answer),
		cmocka_unit_test(who_was_not_asked_writes_nothing),
		cmocka_unit_test(a_new_thread_has_no_stack_to_show),
		cmocka_unit_test(dumps_and_cpu_samples_live_together),
		cmocka_unit_test(a_forked_child_writes_nothing),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
