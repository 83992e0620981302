/*
 * Names for a profile: each location gets its lines, and each mapping its has_
 * flags. No file is read here: symbols.h does that.
 *
 * Rule: a flag is set only if it is true of every used location of its mapping,
 * since pprof looks no further if a flag is set. A location without a symbol
 * still gets "object+0xoffset".
 */
#ifndef PP_SYMBOL_SYMBOLIZE_H
#define PP_SYMBOL_SYMBOLIZE_H

#include "merge/address_map.h"
#include "profile/profile.h"
#include "symbol/symbols.h"

/*
 * Symbolize all locations that samples use and that have no lines yet. The
 * comment symbols_unresolved=N is added: the number of used locations for which
 * no symbol was found. When out of memory, p->failed is set.
 */
void pp_symbolize(struct pp_profile *p, const struct pp_address_map *map,
    struct pp_symbols *symbols);

#endif
