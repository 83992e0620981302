/*
 * Names for a profile: gives each location its lines and each mapping its
 * has_ flags. Reads no files itself.
 *
 * Rule: a flag is set only when it is true of every used location of its
 * mapping, since pprof asks no further where one is set. A location without
 * a symbol still gets "object+0xoffset".
 */
#ifndef PP_SYMBOL_SYMBOLIZE_H
#define PP_SYMBOL_SYMBOLIZE_H

#include "merge/canon.h"
#include "profile/profile.h"
#include "symbol/symbols.h"

/*
 * Symbolize all locations that samples use and that have no lines yet. Adds
 * the comment symbols_unresolved=N: used locations for which no symbol was
 * found. Out of memory shows in p->failed.
 */
void pp_symbolize(struct pp_profile *p, const struct pp_canon *canon,
    struct pp_symbols *symbols);

#endif
