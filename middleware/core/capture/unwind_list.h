/*
 * What libunwind asks for while it unwinds on our behalf, answered without a
 * lock and without a system call: the list of loaded objects, which the
 * dynamic linker gives out under a lock, and masking signals, which happens
 * eight times for each return address that it has not met.
 *
 * For calls of libunwind's that are not ours the originals are called.
 *
 * Rule: the iterator is hot. pp_unwind_list_refresh() is cold: at start and
 * whenever objects have come or gone, one thread at a time.
 */
#ifndef PP_CAPTURE_UNWIND_LIST_H
#define PP_CAPTURE_UNWIND_LIST_H

#include <link.h>
#include <signal.h>

#include "base/limits.h"

typedef int (*pp_unwind_phdr_fn)(struct dl_phdr_info *, size_t, void *);

extern int (*pp_unwind_real_iterate)(pp_unwind_phdr_fn, void *);
extern int (*pp_unwind_real_sigprocmask)(int, const sigset_t *, sigset_t *);
extern int (*pp_unwind_real_sigmask)(int, const sigset_t *, sigset_t *);

/* In place of libunwind's dl_iterate_phdr(), sigprocmask() and, since its 1.8,
 * pthread_sigmask(). */
int pp_unwind_iterate(pp_unwind_phdr_fn visit, void *arg);
int pp_unwind_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int pp_unwind_sigmask(int how, const sigset_t *set, sigset_t *old);

struct pp_unwind_list {
	unsigned int used;
	struct dl_phdr_info info[PP_OBJECTS_MAX];
};

/* Copy the dynamic linker's list (unwind_load.c): into the copy that was
 * published longest ago, and publish it. */
void pp_unwind_list_refresh(void);
struct pp_unwind_list *pp_unwind_list_next(void);
void pp_unwind_list_publish(const struct pp_unwind_list *list);

#endif
