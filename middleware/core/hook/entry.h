/*
 * A patched entry replaces a function for all its callers, also those in its
 * own object: a jump is written over the function's first instructions, which
 * move to a trampoline.
 *
 * Not every function can be replaced so. The first instructions, five bytes or
 * more, must belong to the function and mean the same at another address, and
 * no loop may jump back into them. The lengths come from Zydis, which is loaded
 * for that moment only. On machines other than x86-64 each patch is refused
 * with a sentence.
 *
 * Rule: these functions run in the parent's constructor, while there is one
 * thread and before seccomp forbids writable code.
 */
#ifndef PP_HOOK_ENTRY_H
#define PP_HOOK_ENTRY_H

/* Returns 1 if the environment allows patches: PPROF_ENTRY_PATCH is not 0. */
int pp_entry_wanted(void);

/*
 * Make calls of `target` arrive at `replacement`; a call of *original then does
 * what `target` did before. The trampoline is never freed. Returns 0, or -1
 * with *why (a constant sentence) and `target` unchanged.
 */
int pp_entry_patch(void *target, void *replacement, void **original,
    const char **why);

/* The same for a function that does nothing but return, and may be shorter than
 * the jump. */
int pp_entry_patch_empty(void *target, void *replacement, void **original,
    const char **why);

/* Load and unload a library, so that the caller can see whether its patches of
 * the dynamic linker notice that. */
void pp_entry_probe(void);

/* Undo the patch of `target` that gave `original`. */
void pp_entry_restore(void *target, void *original);

#endif
