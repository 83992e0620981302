/*
 * The table is read in three passes: collect the symbols, sort them and drop
 * doubles, and link each symbol to the one that encloses it. The links are for
 * nested symbols: after the end of the inner one the outer one goes on.
 *
 * A symbol without size (hand-written assembler) reaches to the next symbol or
 * to the end of its section. Within a function that has a size, such a symbol
 * is only a label and is dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "symbol/elf_table.h"

#define NO_PARENT UINT32_MAX
/* How deep symbols may be nested; no compiler makes more. */
#define NESTED_MAX 64

static uint8_t
symbol_rank(const GElf_Sym *sym)
{
	uint8_t rank = 0;

	if (sym->st_size != 0)
		rank += 8;
	if (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE)
		rank += 4;
	if (GELF_ST_BIND(sym->st_info) == STB_GLOBAL)
		rank += 2;
	else if (GELF_ST_BIND(sym->st_info) == STB_WEAK)
		rank += 1;
	return (rank);
}

/* Whether the symbol names code. If so, *end is the end of its section. */
static int
symbol_is_code(const struct pp_elf *e, const GElf_Sym *sym, uint64_t *end)
{
	int type = GELF_ST_TYPE(sym->st_info);
	GElf_Shdr header;
	Elf_Scn *section;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return (0);
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE)
		return (0);
	if ((section = elf_getscn(e->elf, sym->st_shndx)) == NULL ||
	    gelf_getshdr(section, &header) == NULL ||
	    !(header.sh_flags & SHF_EXECINSTR) ||
	    sym->st_value < header.sh_addr ||
	    sym->st_value - header.sh_addr >= header.sh_size)
		return (0);
	*end = header.sh_addr + header.sh_size;
	return (*end > sym->st_value);
}

static void
table_collect(struct pp_elf_table *table, const struct pp_elf *e,
    Elf_Data *data, const GElf_Shdr *header, uint32_t room)
{
	struct pp_elf_symbol *out;
	const char *name;
	uint64_t end;
	GElf_Sym sym;
	uint32_t i;

	for (i = 1; i < room; i++) {
		if (gelf_getsym(data, (int)i, &sym) == NULL)
			return;
		if (!symbol_is_code(e, &sym, &end))
			continue;
		name = elf_strptr(e->elf, header->sh_link, sym.st_name);
		/* ".L" and "$x" are names of the assembler. */
		if (name == NULL || name[0] == '\0' || name[0] == '$' ||
		    strncmp(name, ".L", 2) == 0)
			continue;
		out = &table->symbol[table->count++];
		out->start = sym.st_value;
		out->limit = end;
		if (sym.st_size != 0 && sym.st_size < end - sym.st_value)
			out->limit = sym.st_value + sym.st_size;
		out->name = name;
		out->section = sym.st_shndx;
		out->rank = symbol_rank(&sym);
		out->sized = sym.st_size != 0;
	}
}

/* Compare by address, then the better name first. */
static int
symbol_compare(const void *one, const void *two)
{
	const struct pp_elf_symbol *a = one, *b = two;
	size_t under_a, under_b;

	if (a->start != b->start)
		return (a->start < b->start ? -1 : 1);
	if (a->rank != b->rank)
		return (a->rank > b->rank ? -1 : 1);
	under_a = strspn(a->name, "_");
	under_b = strspn(b->name, "_");
	if (under_a != under_b)
		return (under_a < under_b ? -1 : 1);
	return (strcmp(a->name, b->name));
}

/* Keep one symbol of each address, clip symbols without size, and link nested
 * ones. */
static void
table_link(struct pp_elf_table *table)
{
	struct pp_elf_symbol *s = table->symbol, *in;
	uint32_t kept = 0, i, outer = NO_PARENT;

	for (i = 0; i < table->count; i++) {
		in = &s[i];
		if (kept > 0 && s[kept - 1].start == in->start)
			continue;
		if (kept > 0 && !s[kept - 1].sized &&
		    s[kept - 1].limit > in->start)
			s[kept - 1].limit = in->start;
		outer = kept == 0 ? NO_PARENT : kept - 1;
		while (outer != NO_PARENT && s[outer].limit <= in->start)
			outer = s[outer].parent;
		if (!in->sized && outer != NO_PARENT)
			continue;
		s[kept] = *in;
		s[kept++].parent = outer;
	}
	table->count = kept;
}

uint32_t
pp_elf_table_read(struct pp_elf_table *table, const struct pp_elf *e,
    uint32_t type)
{
	struct pp_elf_symbol *less;
	GElf_Shdr header;
	Elf_Scn *section;
	Elf_Data *data;
	uint64_t room;
	size_t size;

	memset(table, 0, sizeof(*table));
	section = pp_elf_section_type(e, type, &header);
	if (section == NULL || (data = elf_getdata(section, NULL)) == NULL ||
	    data->d_buf == NULL ||
	    (size = gelf_fsize(e->elf, ELF_T_SYM, 1, EV_CURRENT)) == 0)
		return (0);
	room = data->d_size / size;
	if (room > PP_ELF_SYMBOLS_MAX)
		room = PP_ELF_SYMBOLS_MAX;
	if (room == 0 ||
	    (table->symbol = malloc(room * sizeof(*table->symbol))) == NULL)
		return (0);
	table_collect(table, e, data, &header, (uint32_t)room);
	qsort(table->symbol, table->count, sizeof(*table->symbol),
	    symbol_compare);
	table_link(table);
	if (table->count == 0) {
		pp_elf_table_free(table);
		return (0);
	}
	less = realloc(table->symbol, table->count * sizeof(*table->symbol));
	if (less != NULL)
		table->symbol = less;
	return (table->count);
}

void
pp_elf_table_free(struct pp_elf_table *table)
{
	free(table->symbol);
	memset(table, 0, sizeof(*table));
}

const struct pp_elf_symbol *
pp_elf_table_at(const struct pp_elf_table *table, uint64_t vaddr)
{
	uint32_t low = 0, high = table->count, middle, i, depth;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (table->symbol[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	i = low == 0 ? NO_PARENT : low - 1;
	for (depth = 0; i != NO_PARENT && depth < NESTED_MAX; depth++) {
		if (vaddr < table->symbol[i].limit)
			return (&table->symbol[i]);
		i = table->symbol[i].parent;
	}
	return (NULL);
}

const char *
pp_elf_table_find(const struct pp_elf_table *table, uint64_t vaddr)
{
	const struct pp_elf_symbol *symbol = pp_elf_table_at(table, vaddr);

	return (symbol == NULL ? NULL : symbol->name);
}
