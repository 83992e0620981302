/*
 * From an address in a file to function, file, line and inlined calls.
 *
 * Files are known by build id (by name if there is none), never by process:
 * addresses are the file's own virtual addresses. Files are handed in as
 * descriptors that were opened before the collector gave up its rights; nothing
 * is opened by path afterwards. A file is read when the first address in it is
 * asked for, answers are cached by (file, address), and pp_symbols_trim()
 * closes the DWARF.
 *
 * The order of sources is: DWARF of the file, DWARF of its separate debug file,
 * .symtab, .dynsym, and at last "object+0xoffset". .gnu_debugdata is not read.
 *
 * Rule: cold, one thread. A broken or hostile file gives "object+0xoffset",
 * never a crash and never an endless loop.
 */
#ifndef PP_SYMBOL_SYMBOLS_H
#define PP_SYMBOL_SYMBOLS_H

#include <sys/stat.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "profile/profile.h"

struct pp_symbols;

/* The most frames of one address, innermost inlined call first. */
#define PP_INLINES_MAX 32

struct pp_frame {
	const char *function; /* as in the symbol table, not demangled; owned
				 by the pp_symbols, valid until the next
				 _resolve or _add, since the bounded cache
				 may be emptied then */
	const char *file;     /* "" when unknown; likewise */
	int32_t line;	      /* 0 when unknown */
	int32_t start_line;   /* of the function; 0 when unknown */
	uint32_t offset;      /* of the address from the start of the physical
				 function, plus 1; 0 when unknown */
};

/* What is known of a file's symbols, for the index page and the doctor. */
struct pp_symbols_file {
	const char *name;
	int has_symbols; /* .symtab or .dynsym */
	int has_dwarf;
	uint64_t resolved; /* addresses answered by a name */
	uint64_t unresolved;
};

struct pp_symbols *pp_symbols_new(void);
void pp_symbols_free(struct pp_symbols *s);

/*
 * Make a file known. `fd` and `debug_fd` (each may be -1) become the
 * pp_symbols', also on failure. `build_id` has `build_id_len` bytes; 0: none,
 * and the name is the identity. If the file is known already, a new descriptor
 * is closed unless the known file has none. Returns the file's number (>= 0),
 * or -1 when out of memory or when PP_OBJECTS_MAX files are known.
 */
int pp_symbols_add(struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name, int fd, int debug_fd);

/* Return the number of the file, or -1. */
int pp_symbols_find(const struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name);

/*
 * Write what `vaddr` in `file` stands for: 1..PP_INLINES_MAX frames in `out`,
 * innermost first, the physical function last. *named is 1 if a symbol was
 * found, 0 if the only frame is "object+0xoffset". Never fails.
 */
uint32_t pp_symbols_resolve(struct pp_symbols *s, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named);

/* Return how many addresses have been looked up in files: those whose answer
 * was not in the cache. */
uint64_t pp_symbols_lookups(const struct pp_symbols *s);

/* If `on`, answers come within milliseconds from now on: objects whose DWARF is
 * in a separate file that is not open get no files and lines. */
void pp_symbols_quick(struct pp_symbols *s, int on);

/* Copy the facts of file `number` out. Returns 0, or -1 if there is none. */
int pp_symbols_file(const struct pp_symbols *s, int number,
    struct pp_symbols_file *out);

/* Give back memory that only makes answers faster: open DWARF. Cached answers
 * stay. The caller does this when nobody has asked for a minute. */
void pp_symbols_trim(struct pp_symbols *s);

/* No larger file is read: the debug file of a large program has some hundred
 * MiB. */
#define PP_SYMBOLS_FILE_MAX ((off_t)4 << 30)

/* Whether the file may be read: it is regular, and not larger than that. */
int pp_symbols_is_file(const struct stat *st);

/* The files that may be those of an object, and why a file was not opened. */
#define PP_SYMBOLS_LINKS    3
#define PP_SYMBOLS_LINK_MAX 256 /* a .gnu_debuglink, terminated */
struct pp_symbols_found {
	int fd;			    /* -1: not there */
	int error;		    /* errno, if fd is -1 */
	int debug;		    /* debug file by build id */
	int link[PP_SYMBOLS_LINKS]; /* debug files by .gnu_debuglink */
};

/*
 * Open the file at `path`, and its debug file in /usr/lib/debug by build id,
 * close-on-exec. Nothing is read: this is for a process with privileges.
 */
void pp_symbols_reach(struct pp_symbols_found *found, const char *path,
    const uint8_t *build_id, uint32_t build_id_len);

/* Open, likewise, the files that a .gnu_debuglink of that name may mean. */
void pp_symbols_reach_link(struct pp_symbols_found *found, const char *path,
    const char *name);

/* Read the .gnu_debuglink of a file into `name`: this is for a process without
 * privileges. Returns 0, or -1: the file has none. */
int pp_symbols_link(int fd, const uint8_t *build_id, uint32_t build_id_len,
    char name[PP_SYMBOLS_LINK_MAX]);

/*
 * Choose among the opened files, and close all others: this is for a process
 * without privileges. Returns the file's descriptor, and in *debug_fd that of
 * its debug file or -1. Returns -1 with errno: ESTALE if the file has another
 * build id (it was replaced since it was loaded), ENOEXEC if it is no ELF
 * program or library.
 */
int pp_symbols_choose(const struct pp_symbols_found *found,
    const uint8_t *build_id, uint32_t build_id_len, int *debug_fd);

/* All of these steps in one process; the result is that of
 * pp_symbols_choose(). */
int pp_symbols_open(const char *path, const uint8_t *build_id,
    uint32_t build_id_len, int *debug_fd);

#endif
