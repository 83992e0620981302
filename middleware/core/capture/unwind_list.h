/*
 * What libunwind asks for while it unwinds on our behalf, answered without a
 * lock and without a system call: the list of loaded objects, which the dynamic
 * linker gives out under a lock, and the masking of signals, which happens
 * eight times for each return address that libunwind has not met.
 *
 * Also what libunwind remembers of addresses, for which it has no function: if
 * code is unloaded whose addresses other code may get, that must be forgotten.
 *
 * If libunwind's caller is somebody else, the original functions are called.
 *
 * Rule: the iterator is hot. pp_unwind_list_refresh() is cold: at start and
 * whenever objects have come or gone, one thread at a time.
 */
#ifndef PP_CAPTURE_UNWIND_LIST_H
#define PP_CAPTURE_UNWIND_LIST_H

#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

typedef int (*pp_unwind_phdr_fn)(struct dl_phdr_info *, size_t, void *);

extern int (*pp_unwind_real_iterate)(pp_unwind_phdr_fn, void *);
extern int (*pp_unwind_real_sigprocmask)(int, const sigset_t *, sigset_t *);
extern int (*pp_unwind_real_sigmask)(int, const sigset_t *, sigset_t *);

/* libunwind calls these in place of dl_iterate_phdr(), sigprocmask() and, since
 * libunwind 1.8, pthread_sigmask(). */
int pp_unwind_iterate(pp_unwind_phdr_fn visit, void *arg);
int pp_unwind_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int pp_unwind_sigmask(int how, const sigset_t *set, sigset_t *old);

/* An object's program headers that are copied: those that the unwinder reads.
 */
#define PP_UNWIND_HEADERS_MAX 16

/* The headers are copies: while a handler looks through the list, another
 * thread may unload the object, and the object's headers with it. */
struct pp_unwind_list {
	unsigned int used;
	unsigned int headers_used;
	struct dl_phdr_info info[PP_OBJECTS_MAX];
	ElfW(Phdr) header[PP_OBJECTS_MAX * PP_UNWIND_HEADERS_MAX / 2];
};

/* Copy the dynamic linker's list (unwind_load.c) over the copy that was
 * published longest ago, and publish the new copy. */
void pp_unwind_list_refresh(void);
struct pp_unwind_list *pp_unwind_list_next(void);
void pp_unwind_list_publish(const struct pp_unwind_list *list);

/* A thread's cache of frames, as libunwind has it since 1.3; its form is
 * checked when libunwind is loaded. A bucket whose first word is 0 is empty. */
struct pp_unwind_cache {
	uint64_t *bucket;
	size_t log_size;
	size_t used;
	size_t destroyed;
};

/* The key under which a thread has its cache, and the words of a bucket. -1:
 * this libunwind is another one, and nothing can be forgotten. */
extern int pp_unwind_cache_key;
extern size_t pp_unwind_cache_words;
/* libunwind's caches of another kind: one call empties those of all threads. */
extern void (*pp_unwind_flush)(void *, uintptr_t, uintptr_t);
extern void *pp_unwind_space;

/*
 * Before any thread unwinds again, it forgets what libunwind remembers. Returns
 * -1 if that cannot be done. Cold: after the list was refreshed, before other
 * code can run at the addresses.
 */
int pp_unwind_forget(void);

/* Called by the thread that is about to unwind. Hot. */
void pp_unwind_forget_own(void);

#endif
