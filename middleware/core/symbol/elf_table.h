/*
 * The functions of an ELF symbol table, sorted by address. No lines, no
 * inlines: those are in the DWARF.
 *
 * Rule: where several names fit, one is chosen always the same way: with a
 * size before without, a function before a bare label, global before weak
 * before local; then the name with fewer leading underscores.
 */
#ifndef PP_SYMBOL_ELF_TABLE_H
#define PP_SYMBOL_ELF_TABLE_H

#include <stdint.h>

#include "symbol/elf.h"

/* Symbols kept of one file, 32 bytes each; what is beyond has no name. Kore
 * and OpenSSL have under 10,000, a large C++ program 200,000. */
#ifndef PP_ELF_SYMBOLS_MAX
#define PP_ELF_SYMBOLS_MAX (1U << 18)
#endif

struct pp_elf_symbol {
	uint64_t start, limit;
	const char *name; /* in the ELF's string section */
	uint32_t parent;  /* nearest one before that ends later; ~0: none */
	uint16_t section;
	uint8_t rank;
	uint8_t sized;
};

struct pp_elf_table {
	struct pp_elf_symbol *symbol;
	uint32_t count;
};

/* Fill from .symtab (or .dynsym, by `type` SHT_SYMTAB or SHT_DYNSYM) of `e`,
 * which must stay open as long as names are used. Returns the number of
 * functions, 0 when there are none. */
uint32_t pp_elf_table_read(struct pp_elf_table *table, const struct pp_elf *e,
    uint32_t type);
void pp_elf_table_free(struct pp_elf_table *table);

/* The function that holds vaddr, and its name; or NULL. */
const struct pp_elf_symbol *pp_elf_table_at(const struct pp_elf_table *table,
    uint64_t vaddr);
const char *pp_elf_table_find(const struct pp_elf_table *table, uint64_t vaddr);

#endif
