/*
 * The functions of an ELF symbol table, sorted by address. Not lines and
 * inlined calls: the DWARF has these.
 *
 * Rule: if several names fit, the choice is always the same: a symbol with a
 * size before one without, a function before a bare label, global before weak
 * before local; then the name with fewer leading underscores.
 */
#ifndef PP_SYMBOL_ELF_TABLE_H
#define PP_SYMBOL_ELF_TABLE_H

#include <stdint.h>

#include "symbol/elf.h"

/* The most symbols kept of one file, 32 bytes each; further ones have no name.
 * Kore and OpenSSL have less than 10,000, a large C++ program 200,000. */
#ifndef PP_ELF_SYMBOLS_MAX
#define PP_ELF_SYMBOLS_MAX (1U << 18)
#endif

struct pp_elf_symbol {
	uint64_t start, limit;
	const char *name; /* in the ELF's string section */
	uint32_t parent;  /* nearest earlier one that ends later; ~0: none */
	uint16_t section;
	uint8_t rank;
	uint8_t sized;
};

struct pp_elf_table {
	struct pp_elf_symbol *symbol;
	uint32_t count;
};

/* Fill the table from .symtab or .dynsym of `e` (`type` is SHT_SYMTAB or
 * SHT_DYNSYM). `e` must stay open as long as names are used. Returns the number
 * of functions; 0: there are none. */
uint32_t pp_elf_table_read(struct pp_elf_table *table, const struct pp_elf *e,
    uint32_t type);
void pp_elf_table_free(struct pp_elf_table *table);

/* _at(): return the function that holds vaddr. _find(): return its name. Both
 * return NULL if there is none. */
const struct pp_elf_symbol *pp_elf_table_at(const struct pp_elf_table *table,
    uint64_t vaddr);
const char *pp_elf_table_find(const struct pp_elf_table *table, uint64_t vaddr);

#endif
