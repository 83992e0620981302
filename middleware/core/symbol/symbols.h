/*
 * From an address in a file to function, file, line and inlined calls.
 *
 * Knows files by build id (by name where there is none), never processes:
 * addresses are the file's own virtual addresses. Files are handed in as
 * descriptors, opened before the collector gave up its rights; nothing is
 * opened by path afterwards. A file is read when the first address in it is
 * asked for, answers are cached by (file, address), and the DWARF is dropped
 * by pp_symbols_trim().
 *
 * Order of sources: DWARF of the file, DWARF of its separate debug file,
 * .symtab, .dynsym, .gnu_debugdata is not read; at last "object+0xoffset".
 *
 * Rule: a broken or hostile file gives "object+0xoffset", never a crash and
 * never an endless loop.
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

/* Frames that one address can stand for, innermost inlined call first. */
#define PP_INLINES_MAX 32

struct pp_frame {
	const char *function; /* as in the symbol table, not demangled; owned
				 by the pp_symbols, valid until the next
				 _resolve or _add (it is bounded: when it is
				 full it forgets) */
	const char *file;     /* "" when unknown; likewise */
	int32_t line;	      /* 0 when unknown */
	int32_t start_line;   /* of the function; 0 when unknown */
	uint32_t offset;      /* of the address from the start of the physical
				 function, plus 1; 0 when unknown */
};

/* What is known of a file's symbols, for the index page and doctor. */
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
 * Make a file known. Takes `fd` and `debug_fd` (either may be -1), also on
 * failure. `build_id` has `build_id_len` bytes (0: none; then the name is the
 * identity). Known already: the new descriptors are closed unless the known
 * entry has none. Returns the file's number (>= 0), or -1 when out of memory
 * or when PP_OBJECTS_MAX files are known.
 */
int pp_symbols_add(struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name, int fd, int debug_fd);

/* Number of the file, or -1. */
int pp_symbols_find(const struct pp_symbols *s, const uint8_t *build_id,
    uint32_t build_id_len, const char *name);

/*
 * What `vaddr` in `file` stands for: 1..PP_INLINES_MAX frames in `out`,
 * innermost first, the physical function last. *named is 1 when a symbol was
 * found, 0 when the one frame is "object+0xoffset". Never fails.
 */
uint32_t pp_symbols_resolve(struct pp_symbols *s, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named);

/* How many addresses have been looked for in files: those whose answer was not
 * in the cache. */
uint64_t pp_symbols_looked(const struct pp_symbols *s);

/* Until it is turned off again: answer within milliseconds, without files and
 * lines of objects whose DWARF lies in a separate file that is not open. */
void pp_symbols_quick(struct pp_symbols *s, int on);

/* Copy the facts of file `number` out; 0, or -1 when there is none. */
int pp_symbols_file(const struct pp_symbols *s, int number,
    struct pp_symbols_file *out);

/* Give back what only speeds up: open DWARF and its memory. Cached answers
 * stay. Called when nobody asked for a minute. */
void pp_symbols_trim(struct pp_symbols *s);

/* The larger file of a program that is debugged is of some hundred MiB. */
#define PP_SYMBOLS_FILE_MAX ((off_t)4 << 30)

/* Whether it is one to be read: regular, and no larger than that. */
int pp_symbols_is_file(const struct stat *st);

/* What may be the file of an object, and its debug file. */
#define PP_SYMBOLS_LINKS    3
#define PP_SYMBOLS_LINK_MAX 256 /* a .gnu_debuglink, terminated */
struct pp_symbols_found {
	int fd;			    /* -1: not there */
	int error;		    /* why */
	int debug;		    /* by build id */
	int link[PP_SYMBOLS_LINKS]; /* by .gnu_debuglink */
};

/*
 * Open what there is at `path`, and its debug file in /usr/lib/debug by build
 * id, close-on-exec. Reads nothing: for a process with privileges.
 */
void pp_symbols_reach(struct pp_symbols_found *found, const char *path,
    const uint8_t *build_id, uint32_t build_id_len);

/* Likewise what a .gnu_debuglink of that name may mean. */
void pp_symbols_reach_link(struct pp_symbols_found *found, const char *path,
    const char *name);

/* Read the .gnu_debuglink of a file: for a process without privileges. 0, or
 * -1: it has none. */
int pp_symbols_link(int fd, const uint8_t *build_id, uint32_t build_id_len,
    char name[PP_SYMBOLS_LINK_MAX]);

/*
 * Look at what was reached. Returns the file's descriptor, and in *debug_fd
 * that of its debug file or -1; or -1 with errno: ESTALE when the file has
 * another build id (it was replaced since it was loaded), ENOEXEC when it is no
 * ELF program or library. Closes all others. For a process without privileges.
 */
int pp_symbols_choose(const struct pp_symbols_found *found,
    const uint8_t *build_id, uint32_t build_id_len, int *debug_fd);

/* All of this, by one process. */
int pp_symbols_open(const char *path, const uint8_t *build_id,
    uint32_t build_id_len, int *debug_fd);

#endif
