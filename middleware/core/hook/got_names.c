/*
 * See got_names.h. The tables that are read are those of the System V ABI and
 * of GNU's symbol versioning.
 */
#include <dlfcn.h>
#include <string.h>

#include "hook/got_names.h"

#define BUCKETS	     512
#define VERSION_MASK 0x7fff /* the top bit hides a symbol */

static struct pp_got_name names[PP_GOT_NAMES_MAX];
static uint16_t names_used;
static uint16_t bucket[BUCKETS];
static uint16_t next_hook[PP_GOT_HOOKS_MAX];

static uint32_t
gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name != '\0'; name++)
		hash = hash * 33 + (uint8_t)*name;
	return (hash);
}

static uint32_t
sysv_hash(const char *name)
{
	uint32_t hash = 0, high;

	for (; *name != '\0'; name++) {
		hash = (hash << 4) + (uint8_t)*name;
		high = hash & 0xf0000000;
		hash = (hash ^ high >> 24) & ~high;
	}
	return (hash);
}

struct pp_got_name *
pp_got_name(const char *name)
{
	uint32_t hash = gnu_hash(name);
	uint16_t i;

	for (i = bucket[hash % BUCKETS]; i != PP_GOT_END; i = names[i].next) {
		if (names[i].hash == hash && strcmp(names[i].name, name) == 0)
			return (&names[i]);
	}
	return (NULL);
}

uint16_t
pp_got_next(uint16_t hook)
{
	return (next_hook[hook]);
}

int
pp_got_names(const struct pp_got_hook *hooks, size_t count)
{
	struct pp_got_name *name;
	size_t i;

	names_used = 0;
	memset(bucket, 0xff, sizeof(bucket));
	if (count > PP_GOT_HOOKS_MAX)
		return (-1);
	/* The loop goes backwards: of the hooks of one name the first one then
	 * comes first in the chain. */
	for (i = count; i-- > 0;) {
		if (*hooks[i].original == NULL)
			*hooks[i].original = dlsym(RTLD_DEFAULT, hooks[i].name);
		name = pp_got_name(hooks[i].name);
		if (name == NULL) {
			if (names_used == PP_GOT_NAMES_MAX)
				return (-1);
			name = &names[names_used];
			memset(name, 0, sizeof(*name));
			name->name = hooks[i].name;
			name->hash = gnu_hash(name->name);
			name->original = *hooks[i].original;
			name->hook = PP_GOT_END;
			name->next = bucket[name->hash % BUCKETS];
			bucket[name->hash % BUCKETS] = names_used++;
		}
		next_hook[i] = name->hook;
		name->hook = (uint16_t)i;
	}
	return (0);
}

/* glibc relocates d_ptr in place, but not that of the versions' sections, nor
 * in a dynamic section that is read-only (the vDSO's), where nothing is to be
 * patched. */
static void
got_read_dynamic(struct pp_got_object *o, const ElfW(Dyn) * dyn)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)dyn->d_un.d_ptr;

		switch (dyn->d_tag) {
		case DT_SYMTAB:
			o->symbols = at;
			break;
		case DT_STRTAB:
			o->strings = at;
			break;
		case DT_JMPREL:
			o->rela[0] = at;
			break;
		case DT_PLTRELSZ:
			o->relas[0] = dyn->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_RELA:
			o->rela[1] = at;
			break;
		case DT_RELASZ:
			o->relas[1] = dyn->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_GNU_HASH:
			o->gnu_hash = at;
			break;
		case DT_HASH:
			o->hash = at;
			break;
		case DT_VERSYM:
			o->versions = at;
			break;
		case DT_VERDEF:
			o->defined = (const void *)(o->info->dlpi_addr +
			    dyn->d_un.d_ptr);
			break;
		case DT_VERNEED:
			o->needed = (const void *)(o->info->dlpi_addr +
			    dyn->d_un.d_ptr);
			break;
		}
	}
}

int
pp_got_describe(struct pp_got_object *object, const struct dl_phdr_info *info)
{
	const ElfW(Phdr) * ph;
	unsigned int i;

	memset(object, 0, sizeof(*object));
	object->info = info;
	for (i = 0; i < info->dlpi_phnum; i++) {
		ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_DYNAMIC)
			got_read_dynamic(object,
			    (const void *)(info->dlpi_addr + ph->p_vaddr));
		if (ph->p_type == PT_GNU_RELRO) {
			object->relro_start = info->dlpi_addr + ph->p_vaddr;
			object->relro_limit = object->relro_start + ph->p_memsz;
		}
	}
	return (object->strings != NULL && object->symbols != NULL &&
	    (uintptr_t)object->symbols >= info->dlpi_addr);
}

/* The next symbol after `at` that may have the name; 0: there is none. The
 * first call has `at` 0. */
static uint32_t
symbol_next(const struct pp_got_object *object, const struct pp_got_name *name,
    uint32_t at)
{
	/* The section holds the numbers of buckets, of the first symbol, of the
	 * filter's words, and its shift; then the filter, buckets, chain. */
	const uint32_t *head = object->gnu_hash, *buckets, *chain;

	if (head != NULL) {
		buckets = head + 4 + head[2] * (sizeof(ElfW(Addr)) / 4);
		chain = buckets + head[0] - head[1];
		if (at == 0)
			at = head[0] == 0 ? 0 : buckets[name->hash % head[0]];
		else
			at = (chain[at] & 1) != 0 ? 0 : at + 1;
		while (at != 0 && ((chain[at] ^ name->hash) & ~1U) != 0)
			at = (chain[at] & 1) != 0 ? 0 : at + 1;
		return (at);
	}
	/* The section holds the numbers of buckets and of symbols; then the
	 * buckets and the chain. */
	head = object->hash;
	if (head == NULL || head[0] == 0)
		return (0);
	if (at == 0)
		return (head[2 + sysv_hash(name->name) % head[0]]);
	return (head[2 + head[0] + at]);
}

/* The object's next definition of the name after `at`; 0: there is none. */
static uint32_t
symbol_defined(const struct pp_got_object *object,
    const struct pp_got_name *name, uint32_t at)
{
	const ElfW(Sym) * symbol;

	while ((at = symbol_next(object, name, at)) != 0) {
		symbol = &object->symbols[at];
		if (symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
		    ELF64_ST_BIND(symbol->st_info) != STB_LOCAL &&
		    strcmp(object->strings + symbol->st_name, name->name) == 0)
			return (at);
	}
	return (0);
}

static const void *
symbol_address(const struct pp_got_object *object, uint32_t at)
{
	return ((const void *)(object->info->dlpi_addr +
	    object->symbols[at].st_value));
}

/* The name of the version of a symbol that the object defines. */
static const char *
version_defined(const struct pp_got_object *object, uint32_t at)
{
	const ElfW(Verdef) *definition = object->defined;
	const ElfW(Verdaux) * name;
	uint16_t wanted;

	if (object->versions == NULL || definition == NULL)
		return (NULL);
	wanted = object->versions[at] & VERSION_MASK;
	while (definition->vd_ndx != wanted) {
		if (definition->vd_next == 0)
			return (NULL);
		definition = (const void *)((const char *)definition +
		    definition->vd_next);
	}
	name = (const void *)((const char *)definition + definition->vd_aux);
	return (object->strings + name->vda_name);
}

/* The version that the object wants of a symbol that it does not define. */
static const char *
version_needed(const struct pp_got_object *object, size_t symbol)
{
	const ElfW(Verneed) *file = object->needed;
	const ElfW(Vernaux) * name;
	uint16_t wanted, left;

	if (object->versions == NULL || file == NULL)
		return (NULL);
	wanted = object->versions[symbol] & VERSION_MASK;
	for (;;) {
		name = (const void *)((const char *)file + file->vn_aux);
		for (left = file->vn_cnt; left != 0; left--) {
			if ((name->vna_other & VERSION_MASK) == wanted)
				return (object->strings + name->vna_name);
			name =
			    (const void *)((const char *)name + name->vna_next);
		}
		if (file->vn_next == 0)
			return (NULL);
		file = (const void *)((const char *)file + file->vn_next);
	}
}

/* Returns 1 if the address lies in the object. */
static int
object_has(const struct pp_got_object *object, const void *at)
{
	const ElfW(Phdr) * ph;
	uintptr_t start;
	unsigned int i;

	for (i = 0; i < object->info->dlpi_phnum; i++) {
		ph = &object->info->dlpi_phdr[i];
		start = object->info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type == PT_LOAD && (uintptr_t)at >= start &&
		    (uintptr_t)at - start < ph->p_memsz)
			return (1);
	}
	return (0);
}

void
pp_got_defines(const struct pp_got_object *object)
{
	struct pp_got_name *name;
	uint32_t at;

	for (name = names; name < names + names_used; name++) {
		if (name->original == NULL)
			continue;
		at = 0;
		while ((at = symbol_defined(object, name, at)) != 0) {
			if (symbol_address(object, at) == name->original)
				name->version = version_defined(object, at);
			else if (object_has(object, name->original))
				name->old = 1;
			else
				name->foreign = 1;
		}
	}
}

int
pp_got_is_own(const struct pp_got_object *object,
    const struct pp_got_name *name, const void *address)
{
	uint32_t at = 0;

	while ((at = symbol_defined(object, name, at)) != 0) {
		if (symbol_address(object, at) == address)
			return (1);
	}
	return (0);
}

int
pp_got_certain(const struct pp_got_object *object,
    const struct pp_got_name *name, size_t symbol)
{
	const char *wanted;

	if (name->foreign)
		return (0);
	if (!name->old)
		return (1);
	wanted = version_needed(object, symbol);
	return (wanted != NULL && name->version != NULL &&
	    strcmp(wanted, name->version) == 0);
}
