/*
 * What a child of a worker forgets: the worker's slot, threads and locks.
 *
 * Not what makes the child: pthread_atfork() tells of fork() (process.c), call
 * tables tell of _Fork() and clone() (threads.c) and of syscall() (raw.c). A
 * child that the application makes by an instruction of its own is not seen.
 *
 * Rule: whatever is written here is the child's own memory.
 */
#ifndef PP_HOOK_FORKED_H
#define PP_HOOK_FORKED_H

/* In the child, in its only thread, before it runs anything of its own; not in
 * one that shares its parent's memory. Async-signal-safe. */
void pp_process_forked(void);

#endif
