/*
 * The registry of files, and the answer to one address: from the cache, or else
 * put together from DWARF and symbol table. Not the reading of either: dwarf.h
 * and elf_table.h do that.
 *
 * Only as many files stay loaded as fit into LOADED_BYTES. The others are
 * closed when a further one is opened, so that a profile is best symbolized
 * file by file.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/cache.h"
#include "symbol/file.h"
#include "symbol/symbols.h"

/* The most memory of DWARF and symbol tables of all loaded files. With the
 * cache (10 MiB) and what libdw needs while it reads, the process stays below
 * 64 MiB. */
#define LOADED_BYTES (40U << 20)

struct pp_symbols {
	struct pp_cache *cache;
	struct pp_file *file[PP_OBJECTS_MAX];
	int files;
	struct pp_dwarf_scratch scratch;
	int quick;	  /* 1: pp_symbols_quick() */
	uint64_t lookups; /* addresses that were not in the cache */
};

struct pp_symbols *
pp_symbols_new(void)
{
	struct pp_symbols *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if ((s->cache = pp_cache_new()) == NULL) {
		free(s);
		return (NULL);
	}
	return (s);
}

void
pp_symbols_free(struct pp_symbols *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < s->files; i++) {
		pp_file_close(s->file[i]);
		free(s->file[i]);
	}
	pp_cache_free(s->cache);
	free(s);
}

int
pp_symbols_find(const struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name)
{
	const struct pp_file *f;
	int i;

	for (i = 0; i < s->files; i++) {
		f = s->file[i];
		if (f->build_id_len != build_id_len)
			continue;
		if (build_id_len == 0
			? strncmp(f->name, name, sizeof(f->name) - 1) == 0
			: memcmp(f->build_id, build_id, build_id_len) == 0)
			return (i);
	}
	return (-1);
}

int
pp_symbols_add(struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name, int fd, int debug_fd)
{
	struct pp_file *f = NULL;
	int number;

	if (build_id_len <= PP_BUILD_ID_MAX)
		number = pp_symbols_find(s, build_id, build_id_len, name);
	else
		number = PP_OBJECTS_MAX;
	if (number == -1) {
		number = s->files;
		if (number == PP_OBJECTS_MAX ||
		    (f = calloc(1, sizeof(*f))) == NULL)
			number = PP_OBJECTS_MAX;
	}
	if (number == PP_OBJECTS_MAX) {
		if (fd != -1)
			close(fd);
		if (debug_fd != -1)
			close(debug_fd);
		return (-1);
	}
	if (f != NULL) {
		snprintf(f->name, sizeof(f->name), "%s", name);
		if (build_id_len != 0)
			memcpy(f->build_id, build_id, build_id_len);
		f->build_id_len = build_id_len;
		f->fd = f->debug_fd = -1;
		s->file[s->files++] = f;
	} else if ((s->file[number]->fd == -1 && fd != -1) ||
	    (s->file[number]->debug_fd == -1 && debug_fd != -1)) {
		/* Answers that were given without the file are made anew. */
		pp_cache_empty(s->cache);
	}
	pp_file_take(s->file[number], fd, debug_fd);
	return (number);
}

static uint64_t
file_bytes(const struct pp_file *f)
{
	uint64_t bytes = (uint64_t)f->table.count * sizeof(*f->table.symbol);

	return (f->dwarf == NULL
		? bytes
		: bytes + f->dwarf->sections + f->dwarf->tables);
}

/* Load the file. If all loaded files are too much, close the others. */
static void
file_load(struct pp_symbols *s, struct pp_file *f)
{
	uint64_t bytes = 0;
	int i;

	if (f->dwarf != NULL && f->dwarf->tables > f->dwarf->tables_opened &&
	    f->dwarf->tables - f->dwarf->tables_opened > PP_DWARF_TABLES_MAX)
		pp_file_unload(f);
	pp_file_load(f, s->quick ? PP_FILE_QUICK : PP_FILE_LOADED);
	for (i = 0; i < s->files; i++)
		bytes += file_bytes(s->file[i]);
	for (i = 0; i < s->files && bytes > LOADED_BYTES; i++) {
		if (s->file[i] == f || !s->file[i]->loaded)
			continue;
		bytes -= file_bytes(s->file[i]);
		pp_file_unload(s->file[i]);
	}
}

/* Make all texts the cache's own; afterwards none is NULL. */
static void
frames_keep(struct pp_symbols *s, struct pp_frame *frame, uint32_t frames)
{
	uint32_t i;

	for (i = 0; i < frames; i++) {
		/* Only a broken file has inlined calls without a name. */
		if (frame[i].function == NULL)
			frame[i].function = "unknown";
		frame[i].function = pp_cache_text(s->cache, frame[i].function);
		frame[i].file = pp_cache_text(s->cache, frame[i].file);
	}
}

/* Set how far the address is from the start of the physical function. */
static void
frames_offset(const struct pp_elf_symbol *symbol, uint64_t vaddr,
    struct pp_frame *frame, uint32_t frames)
{
	uint64_t offset = symbol == NULL ? 0 : vaddr - symbol->start + 1;
	uint32_t i;

	for (i = 0; i < frames; i++)
		frame[i].offset = offset <= UINT32_MAX ? (uint32_t)offset : 0;
}

static uint32_t
answer_make(struct pp_symbols *s, struct pp_file *f, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named)
{
	char text[PP_OBJECT_NAME_MAX + 32];
	const struct pp_elf_symbol *symbol;
	struct pp_frame *last;
	uint32_t frames = 0;

	errno = 0;
	file_load(s, f);
	if (f->dwarf != NULL)
		frames = pp_dwarf_frames(f->dwarf, vaddr, out, &s->scratch);
	if (frames == 0) {
		memset(out, 0, sizeof(*out));
		frames = 1;
	}
	last = &out[frames - 1];
	symbol = pp_elf_table_at(&f->table, vaddr);
	if (last->function == NULL && symbol != NULL)
		last->function = symbol->name;
	frames_offset(symbol, vaddr, out, frames);
	*named = last->function != NULL;
	if (!*named) {
		snprintf(text, sizeof(text), "%s+0x%llx", pp_file_base(f),
		    (unsigned long long)vaddr);
		last->function = text;
	}
	frames_keep(s, out, frames);
	/* libelf does not say that memory was the reason; malloc() does. */
	if (errno == ENOMEM || (f->dwarf != NULL && f->dwarf->starved))
		pp_file_unload(f);
	f->resolved += *named != 0;
	f->unresolved += *named == 0;
	return (frames);
}

uint32_t
pp_symbols_resolve(struct pp_symbols *s, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named)
{
	uint32_t frames;

	*named = 0;
	if (file < 0 || file >= s->files) {
		memset(out, 0, sizeof(*out));
		out[0].function = "unknown";
		out[0].file = "";
		return (1);
	}
	if ((frames = pp_cache_get(s->cache, file, vaddr, out, named)) != 0)
		return (frames);
	if (!pp_cache_has_room(s->cache))
		pp_cache_empty(s->cache);
	s->lookups++;
	frames = answer_make(s, s->file[file], vaddr, out, named);
	/* An answer that was made in haste, or without memory, is not cached: a
	 * later one may be better. */
	if (s->file[file]->loaded == PP_FILE_LOADED)
		pp_cache_put(s->cache, file, vaddr, out, frames, *named);
	return (frames);
}

uint64_t
pp_symbols_lookups(const struct pp_symbols *s)
{
	return (s->lookups);
}

void
pp_symbols_quick(struct pp_symbols *s, int on)
{
	s->quick = on;
}

int
pp_symbols_file(const struct pp_symbols *s, int number,
    struct pp_symbols_file *out)
{
	const struct pp_file *f;

	if (number < 0 || number >= s->files)
		return (-1);
	f = s->file[number];
	out->name = f->name;
	out->has_symbols = f->has_symbols;
	out->has_dwarf = f->has_dwarf;
	out->resolved = f->resolved;
	out->unresolved = f->unresolved;
	return (0);
}

void
pp_symbols_trim(struct pp_symbols *s)
{
	int i;

	for (i = 0; i < s->files; i++)
		pp_file_unload(s->file[i]);
	malloc_trim(0);
}
