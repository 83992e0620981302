/*
 * The library whose threads allocate: handing memory to each other, and in
 * known amounts of known sizes.
 */
#ifndef TESTS_HEAP_THREADS_H
#define TESTS_HEAP_THREADS_H

static const char heap_threads[] =
    "#include <pthread.h>\n"
    "#include <stdatomic.h>\n"
    "#include <stdint.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "void (*on_thread)(void);\n"
    "static void *list[20000];\n"
    "static void *makes(void *n) { size_t i; on_thread();\n"
    "	for (i = 0; i < (size_t)n; i++) list[i] = malloc(i % 512);\n"
    "	return NULL; }\n"
    "static void *ends(void *n) { size_t i; on_thread();\n"
    "	for (i = 0; i < (size_t)n; i++) free(list[i]);\n"
    "	return NULL; }\n"
    "static void one_after(void *(*f)(void *), size_t n) { pthread_t t;\n"
    "	pthread_create(&t, NULL, f, (void *)n); pthread_join(t, NULL); }\n"
    "void make_and_end(size_t n)\n"
    "{ one_after(makes, n); one_after(ends, n); }\n"
    "static _Atomic(void *) hand[4];\n"
    "static void *swaps(void *n) { size_t i; on_thread();\n"
    "	for (i = 0; i < (size_t)n; i++) {\n"
    "		void *p = malloc(16 + i % 4 * 16);\n"
    "		memset(p, 1, 16);\n"
    "		if (i % 3 == 0) p = realloc(p, 80);\n"
    "		free(atomic_exchange(&hand[i % 4], p)); }\n"
    "	return NULL; }\n"
    "void swap(size_t threads, size_t n) { pthread_t t[8]; size_t i;\n"
    "	for (i = 0; i < threads; i++)\n"
    "		pthread_create(&t[i], NULL, swaps, (void *)n);\n"
    "	for (i = 0; i < threads; i++) pthread_join(t[i], NULL);\n"
    "	for (i = 0; i < 4; i++) free(atomic_exchange(&hand[i], NULL)); }\n"
    /* `hold`: one in so many is kept until let_go(). */
    "struct job { size_t size, count, hold; };\n"
    "static const struct job *jobs; static size_t jobs_count;\n"
    "static void *held[4][65536]; static size_t holds[4];\n"
    "static void *works(void *me) { size_t j, i, k = (size_t)me; void *p;\n"
    "	on_thread();\n"
    "	for (j = 0; j < jobs_count; j++)\n"
    "	for (i = 0; i < jobs[j].count; i++) {\n"
    "		p = malloc(jobs[j].size);\n"
    "		if (jobs[j].hold != 0 && i % jobs[j].hold == 0)\n"
    "			held[k][holds[k]++] = p;\n"
    "		else\n"
    "			free(p); }\n"
    "	return NULL; }\n"
    "void work(const struct job *list, size_t n) { pthread_t t[4];\n"
    "	size_t i; jobs = list; jobs_count = n;\n"
    "	for (i = 0; i < 4; i++)\n"
    "		pthread_create(&t[i], NULL, works, (void *)i);\n"
    "	for (i = 0; i < 4; i++) pthread_join(t[i], NULL); }\n"
    "void let_go(void) { for (size_t k = 0; k < 4; k++)\n"
    "	while (holds[k] > 0) free(held[k][--holds[k]]); }\n";

#endif
