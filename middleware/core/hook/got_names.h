/*
 * This table holds the names that are followed, and knows which objects define
 * them. So it tells whether an entry that is not filled yet can lead elsewhere
 * than to the original.
 *
 * It does not know who calls the names: got.c does.
 *
 * Rule: as for got.h. Only memory that the dynamic linker has mapped is read.
 */
#ifndef PP_HOOK_GOT_NAMES_H
#define PP_HOOK_GOT_NAMES_H

#include <elf.h>
#include <link.h>
#include <stdint.h>

#include "hook/got.h"

#define PP_GOT_END UINT16_MAX

struct pp_got_name {
	const char *name;
	uint32_t hash;
	uint16_t next; /* of the same bucket */
	uint16_t hook; /* the first of that name */
	void *original;
	const char *version; /* of the original, as its object calls it */
	uint8_t old;	     /* its object has other versions, too */
	uint8_t foreign;     /* another object has defined it */
};

/* The parts of an object's dynamic section that are needed here. */
struct pp_got_object {
	const struct dl_phdr_info *info;
	const char *strings;
	const ElfW(Sym) * symbols;
	const ElfW(Rela) * rela[2]; /* .rela.plt, .rela.dyn */
	size_t relas[2];
	const uint32_t *gnu_hash;
	const uint32_t *hash;
	const uint16_t *versions; /* by symbol */
	const ElfW(Verdef) * defined;
	const ElfW(Verneed) * needed;
	uintptr_t relro_start, relro_limit;
};

/* Fill *object, which keeps `info` by reference. Returns 1, or 0 if `info` is
 * of an object without the tables that are needed. */
int pp_got_describe(struct pp_got_object *object,
    const struct dl_phdr_info *info);

/* Fill the table of names, and *original of each hook that has none yet.
 * Returns 0, or -1 if there are too many hooks or names. */
int pp_got_names(const struct pp_got_hook *hooks, size_t count);
/* Returns NULL if the name is not followed. */
struct pp_got_name *pp_got_name(const char *name);

/* The next hook of the same name, or PP_GOT_END. */
uint16_t pp_got_next(uint16_t hook);

/* Take note of the names that a new object defines. */
void pp_got_defines(const struct pp_got_object *object);

/* Returns 1 if the object itself defines the name, at that address. */
int pp_got_is_own(const struct pp_got_object *object,
    const struct pp_got_name *name, const void *address);

/* `symbol` is an undefined symbol of that name in the object. Returns 1 if it
 * can only lead to the original, whoever has loaded the object and how. */
int pp_got_certain(const struct pp_got_object *object,
    const struct pp_got_name *name, size_t symbol);

#endif
