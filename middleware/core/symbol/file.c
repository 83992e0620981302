/*
 * This file defines the order of sources: DWARF of the file, then of its debug
 * file; .symtab of the file, then of its debug file; then .dynsym.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/file.h"

static void
stamp_read(struct pp_file_stamp *stamp, int fd)
{
	struct stat st;

	memset(stamp, 0, sizeof(*stamp));
	if (fd == -1 || fstat(fd, &st) == -1)
		return;
	stamp->size = st.st_size;
	stamp->changed = st.st_mtim;
}

static int
stamp_same(const struct pp_file_stamp *stamp, int fd)
{
	struct pp_file_stamp now;

	stamp_read(&now, fd);
	return (now.size == stamp->size &&
	    now.changed.tv_sec == stamp->changed.tv_sec &&
	    now.changed.tv_nsec == stamp->changed.tv_nsec);
}

const char *
pp_file_base(const struct pp_file *f)
{
	const char *slash = strrchr(f->name, '/');

	if (slash != NULL && slash[1] != '\0')
		return (slash + 1);
	return (f->name[0] == '\0' ? "unknown" : f->name);
}

static int
is_vdso(const struct pp_file *f)
{
	return (f->fd == -1 &&
	    (strcmp(f->name, "linux-vdso.so.1") == 0 ||
		strcmp(f->name, "[vdso]") == 0));
}

static void
file_open(struct pp_file *f)
{
	if (is_vdso(f))
		pp_elf_open_vdso(&f->elf, f->build_id, f->build_id_len);
	else if (f->fd != -1 && stamp_same(&f->stamp, f->fd))
		pp_elf_open(&f->elf, f->fd, f->build_id, f->build_id_len);
	if (f->elf.elf != NULL && f->debug_fd != -1 &&
	    stamp_same(&f->debug_stamp, f->debug_fd))
		pp_elf_open(&f->debug, f->debug_fd, f->build_id,
		    f->build_id_len);
}

/* Set the facts that are known without reading the tables. */
static void
file_stat(struct pp_file *f)
{
	const struct pp_elf *e = &f->elf, *debug = &f->debug;
	GElf_Shdr header;

	file_open(f);
	f->has_symbols = e->elf != NULL &&
	    (pp_elf_section_type(e, SHT_SYMTAB, &header) != NULL ||
		pp_elf_section_type(e, SHT_DYNSYM, &header) != NULL);
	f->has_dwarf = (e->elf != NULL && pp_elf_has_dwarf(e)) ||
	    (debug->elf != NULL && pp_elf_has_dwarf(debug));
	pp_file_unload(f);
}

void
pp_file_take(struct pp_file *f, int fd, int debug_fd)
{
	if (f->fd == -1 && fd != -1) {
		f->fd = fd;
		stamp_read(&f->stamp, fd);
	} else if (fd != -1) {
		close(fd);
	}
	if (f->debug_fd == -1 && debug_fd != -1) {
		f->debug_fd = debug_fd;
		stamp_read(&f->debug_stamp, debug_fd);
	} else if (debug_fd != -1) {
		close(debug_fd);
	}
	pp_file_unload(f);
	file_stat(f);
}

static void
file_first(struct pp_file *f)
{
	file_open(f);
	if (f->elf.elf == NULL)
		return;
	f->dwarf = pp_dwarf_open(&f->elf, &f->elf);
	if (pp_elf_table_read(&f->table, &f->elf, SHT_SYMTAB) > 0)
		return;
	if (f->debug.elf != NULL &&
	    pp_elf_table_read(&f->table, &f->debug, SHT_SYMTAB) > 0)
		return;
	pp_elf_table_read(&f->table, &f->elf, SHT_DYNSYM);
}

void
pp_file_load(struct pp_file *f, enum pp_file_loaded how)
{
	if (f->loaded >= how)
		return;
	if (f->loaded == PP_FILE_SHUT)
		file_first(f);
	if (how == PP_FILE_LOADED && f->dwarf == NULL && f->elf.elf != NULL &&
	    f->debug.elf != NULL)
		f->dwarf = pp_dwarf_open(&f->debug, &f->elf);
	f->loaded = how;
}

void
pp_file_unload(struct pp_file *f)
{
	pp_dwarf_close(f->dwarf);
	f->dwarf = NULL;
	pp_elf_table_free(&f->table);
	pp_elf_close(&f->debug);
	pp_elf_close(&f->elf);
	f->loaded = PP_FILE_SHUT;
}

void
pp_file_close(struct pp_file *f)
{
	pp_file_unload(f);
	if (f->fd != -1)
		close(f->fd);
	if (f->debug_fd != -1)
		close(f->debug_fd);
	f->fd = f->debug_fd = -1;
}
