/*
 * The names that are followed, and which objects define them: whether an entry
 * that is not filled yet can lead elsewhere than to the function we know.
 *
 * Not who calls them: that is got.c.
 *
 * Rule: as for got.h. Only what the dynamic linker has mapped is read.
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
	uint8_t old;	     /* its object has other versions of it, too */
	uint8_t foreign;     /* another object has defined it */
};

/* An object's dynamic section, as far as it is needed. */
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

/* Returns 0 for one without a call table. */
int pp_got_describe(struct pp_got_object *object,
    const struct dl_phdr_info *info);

/* Returns -1 when there are too many. */
int pp_got_names(const struct pp_got_hook *hooks, size_t count);
struct pp_got_name *pp_got_name(const char *name);

/* The next hook of the same name, or PP_GOT_END. */
uint16_t pp_got_next(uint16_t hook);

/* Take note of what a new object defines of the names. */
void pp_got_defines(const struct pp_got_object *object);

/* Whether the object itself defines the name, at that address. */
int pp_got_is_own(const struct pp_got_object *object,
    const struct pp_got_name *name, const void *address);

/* Whether the object's symbol, an undefined one of that name, can only be the
 * original, whoever loaded the object and how. */
int pp_got_certain(const struct pp_got_object *object,
    const struct pp_got_name *name, size_t symbol);

#endif
