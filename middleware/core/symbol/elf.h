/*
 * One ELF file by descriptor, or the kernel's vDSO, opened with libelf.
 *
 * A small file is read (pread), a large one is mapped, since it would take too
 * much memory. If somebody truncates a mapped file, the process ends with
 * SIGBUS; a read file only gives an error.
 *
 * Rule: the content is read as if an enemy had written it. Whatever is wrong
 * with it means failure, never a crash.
 */
#ifndef PP_SYMBOL_ELF_H
#define PP_SYMBOL_ELF_H

#include <gelf.h>
#include <stddef.h>
#include <stdint.h>

/* A file of at most this size is read: Kore, OpenSSL and libc have 0.2 to 6
 * MB. */
#ifndef PP_ELF_READ_MAX
#define PP_ELF_READ_MAX (24U << 20)
#endif
#define PP_ELF_CODE_MAX 16 /* executable segments; linkers make one */

struct pp_elf {
	Elf *elf;    /* NULL: not open */
	void *image; /* of a vDSO, owned; else NULL */
	struct {
		uint64_t start, limit;
	} code[PP_ELF_CODE_MAX]; /* executable segments */
	uint32_t codes;
	int mapped;
};

/*
 * Open a file. `fd` stays the caller's and must outlive `e`. If `build_id_len`
 * is not 0, the file must have that build id. Returns 0, or -1 with errno:
 * ENOEXEC (no ELF program or library), ESTALE (another build id).
 */
int pp_elf_open(struct pp_elf *e, int fd, const uint8_t *build_id,
    uint32_t build_id_len);

/* Open the vDSO of this process, which has no file; otherwise as
 * pp_elf_open(). */
int pp_elf_open_vdso(struct pp_elf *e, const uint8_t *build_id,
    uint32_t build_id_len);

void pp_elf_close(struct pp_elf *e);

/* Whether vaddr lies in an executable segment. */
int pp_elf_is_code(const struct pp_elf *e, uint64_t vaddr);

/* Return the first section of that type, or of that name, and copy its header
 * out; NULL: there is none. */
Elf_Scn *pp_elf_section_type(const struct pp_elf *e, uint32_t type,
    GElf_Shdr *header);
Elf_Scn *pp_elf_section_name(const struct pp_elf *e, const char *name,
    GElf_Shdr *header);

/* Return the bytes of memory that the .debug_ sections take when they are read:
 * their uncompressed size, without those that stay a mapping. */
uint64_t pp_elf_dwarf_size(const struct pp_elf *e);

/* Uncompress the .debug_ sections, and check that their texts are terminated:
 * libdw 0.188 reads over the end of a .debug_line_str that is not. Returns 0,
 * or -1: the DWARF of this file must not be read. */
int pp_elf_dwarf_unpack(const struct pp_elf *e);

int pp_elf_has_dwarf(const struct pp_elf *e);

#endif
