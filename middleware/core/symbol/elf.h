/*
 * One ELF file by descriptor, or the kernel's vDSO, opened with libelf.
 *
 * Small files are read (pread), large ones are mapped: a mapped file that
 * someone cuts short under us ends the process with SIGBUS, a read one only
 * gives an error; but a large one does not fit our memory.
 *
 * Rule: the content is the enemy's. Whatever is wrong with it means "no".
 */
#ifndef PP_SYMBOL_ELF_H
#define PP_SYMBOL_ELF_H

#include <gelf.h>
#include <stddef.h>
#include <stdint.h>

/* Up to here a file is read: Kore, OpenSSL and libc have 0.2 to 6 MB. */
#ifndef PP_ELF_READ_MAX
#define PP_ELF_READ_MAX (24U << 20)
#endif
#define PP_ELF_CODE_MAX 16 /* executable segments; linkers make one */

struct pp_elf {
	Elf *elf;    /* NULL: not open */
	void *image; /* of a vDSO, owned; NULL else */
	struct {
		uint64_t start, limit;
	} code[PP_ELF_CODE_MAX]; /* executable segments */
	uint32_t codes;
	int mapped;
};

/*
 * Open. `fd` stays the caller's and must outlive `e`. With `build_id_len` not
 * 0 the file must have that build id. Returns 0, or -1 with errno: ENOEXEC
 * (no ELF program or library), ESTALE (another build id).
 */
int pp_elf_open(struct pp_elf *e, int fd, const uint8_t *build_id,
    uint32_t build_id_len);

/* The same for the vDSO of this process, which has no file. */
int pp_elf_open_vdso(struct pp_elf *e, const uint8_t *build_id,
    uint32_t build_id_len);

void pp_elf_close(struct pp_elf *e);

/* Whether vaddr lies in an executable segment. */
int pp_elf_is_code(const struct pp_elf *e, uint64_t vaddr);

/* First section of that type, or of that name; NULL when there is none. Its
 * header is copied out. */
Elf_Scn *pp_elf_section_type(const struct pp_elf *e, uint32_t type,
    GElf_Shdr *header);
Elf_Scn *pp_elf_section_name(const struct pp_elf *e, const char *name,
    GElf_Shdr *header);

/* Bytes of memory that its .debug_ sections take when they are read
 * (uncompressed; without those that stay a mapping). */
uint64_t pp_elf_dwarf_size(const struct pp_elf *e);

/* Uncompress them, and check that their texts end: libdw 0.188 reads over
 * the end of a .debug_line_str that does not. Returns 0, or -1: do not read
 * the DWARF of this file. */
int pp_elf_dwarf_unpack(const struct pp_elf *e);

int pp_elf_has_dwarf(const struct pp_elf *e);

#endif
