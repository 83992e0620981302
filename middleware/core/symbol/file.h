/*
 * One known file: its descriptors, and what is open of it while it is asked.
 *
 * Rule: opens nothing by path. A file whose content is no longer that of its
 * build id (or, without one, whose size or time changed) is not read.
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

/* All but the DWARF of a separate debug file, which may be large. */
enum pp_file_loaded { PP_FILE_SHUT, PP_FILE_QUICK, PP_FILE_LOADED };

struct pp_file {
	char name[PP_OBJECT_NAME_MAX];
	uint8_t build_id[PP_BUILD_ID_MAX];
	uint32_t build_id_len;
	int fd, debug_fd; /* owned; -1: none */
	struct pp_file_stamp stamp, debug_stamp;
	int has_symbols, has_dwarf;
	uint64_t resolved, unresolved;

	/* Only while loaded. */
	enum pp_file_loaded loaded;
	struct pp_elf elf, debug;
	struct pp_elf_table table;
	struct pp_dwarf *dwarf;
};

/* Take over what of the descriptors the file has not; close the others. */
void pp_file_take(struct pp_file *f, int fd, int debug_fd);

/* Open what there is, once; `how` much of it. */
void pp_file_load(struct pp_file *f, enum pp_file_loaded how);

/* Close all but the descriptors. */
void pp_file_unload(struct pp_file *f);

/* unload, and close the descriptors. */
void pp_file_close(struct pp_file *f);

/* The part of the name after the last slash. */
const char *pp_file_base(const struct pp_file *f);

#endif
