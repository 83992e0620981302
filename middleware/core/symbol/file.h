/*
 * One known file: its descriptors, and what is open of it while questions are
 * answered. Not the answers: symbols.c has these.
 *
 * Rule: nothing is opened by path. A file whose content no longer has its build
 * id (or, if it has none, whose size or time has changed) is not read.
 */
#ifndef PP_SYMBOL_FILE_H
#define PP_SYMBOL_FILE_H

#include <stdint.h>
#include <time.h>

#include "base/limits.h"
#include "symbol/dwarf.h"
#include "symbol/elf.h"
#include "symbol/elf_table.h"

struct pp_file_stamp {
	int64_t size;
	struct timespec changed;
};

/* How much of a file is open. QUICK: all but the DWARF of a separate debug
 * file, which may be large. */
enum pp_file_loaded { PP_FILE_SHUT, PP_FILE_QUICK, PP_FILE_LOADED };

struct pp_file {
	char name[PP_OBJECT_NAME_MAX];
	uint8_t build_id[PP_BUILD_ID_MAX];
	uint32_t build_id_len;
	int fd, debug_fd; /* owned; -1: none */
	struct pp_file_stamp stamp, debug_stamp;
	int has_symbols, has_dwarf;
	uint64_t resolved, unresolved;

	/* The members below are valid only while `loaded` is not
	 * PP_FILE_SHUT. */
	enum pp_file_loaded loaded;
	struct pp_elf elf, debug;
	struct pp_elf_table table;
	struct pp_dwarf *dwarf;
};

/* Take the descriptors that the file does not have yet; close the others. */
void pp_file_take(struct pp_file *f, int fd, int debug_fd);

/* Open what the file has, once; `how` says how much of it. */
void pp_file_load(struct pp_file *f, enum pp_file_loaded how);

/* Close everything but the descriptors. */
void pp_file_unload(struct pp_file *f);

/* Close everything, with the descriptors. */
void pp_file_close(struct pp_file *f);

/* Return the part of the name after the last slash. */
const char *pp_file_base(const struct pp_file *f);

#endif
