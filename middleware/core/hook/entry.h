/*
 * Replacing a function for all its callers, also those in its own object: a
 * jump is written over its first instructions, which move to a trampoline.
 *
 * Not for every function: its first five bytes must be whole instructions
 * that mean the same elsewhere, all its own, and no loop may come back into
 * them. Lengths come from Zydis, loaded for that moment only. x86-64;
 * elsewhere each patch is refused with a sentence.
 *
 * Rule: in the parent's constructor, while there is one thread and before
 * seccomp forbids writable code.
 */
#ifndef PP_HOOK_ENTRY_H
#define PP_HOOK_ENTRY_H

/* Whether the environment leaves it to us: PPROF_ENTRY_PATCH is not 0. */
int pp_entry_wanted(void);

/*
 * Make calls of `target` arrive at `replacement`; *original then calls what
 * `target` was. Returns 0, or -1 with *why (a constant sentence) and nothing
 * changed.
 */
int pp_entry_patch(void *target, void *replacement, void **original,
    const char **why);

/* The same for a function that does nothing but return, and may be shorter than
 * the jump. */
int pp_entry_patch_empty(void *target, void *replacement, void **original,
    const char **why);

/* Load and unload a library, to see whether that is noticed. */
void pp_entry_probe(void);

/* Undo the patch whose trampoline is `original`. */
void pp_entry_restore(void *target, void *original);

#endif
