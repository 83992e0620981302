/*
 * Opens and checks a file, and finds sections. libelf checks offsets against
 * the file's size; what libelf does not promise is checked here.
 */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "symbol/elf.h"

/* A vDSO has two pages; an image larger than this is none. */
#define VDSO_MAX (256U << 10)

static int
elf_fail(struct pp_elf *e, int error)
{
	pp_elf_close(e);
	errno = error;
	return (-1);
}

static void
elf_read_code(struct pp_elf *e)
{
	GElf_Phdr segment;
	size_t count, i;

	if (elf_getphdrnum(e->elf, &count) != 0)
		return;
	for (i = 0; i < count && e->codes < PP_ELF_CODE_MAX; i++) {
		if (gelf_getphdr(e->elf, (int)i, &segment) == NULL)
			return;
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X) ||
		    segment.p_vaddr + segment.p_memsz < segment.p_vaddr)
			continue;
		e->code[e->codes].start = segment.p_vaddr;
		e->code[e->codes++].limit = segment.p_vaddr + segment.p_memsz;
	}
}

/* Check and complete `e` after `e->elf` was set: the common part for files and
 * the vDSO. */
static int
elf_check(struct pp_elf *e, const uint8_t *build_id, uint32_t build_id_len)
{
	const void *found;
	GElf_Ehdr header;
	ssize_t len;

	if (e->elf == NULL || elf_kind(e->elf) != ELF_K_ELF ||
	    gelf_getehdr(e->elf, &header) == NULL ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN))
		return (elf_fail(e, ENOEXEC));
	if (build_id_len != 0) {
		len = dwelf_elf_gnu_build_id(e->elf, &found);
		if (len != (ssize_t)build_id_len ||
		    memcmp(found, build_id, build_id_len) != 0)
			return (elf_fail(e, ESTALE));
	}
	elf_read_code(e);
	return (0);
}

int
pp_elf_open(struct pp_elf *e, int fd, const uint8_t *build_id,
    uint32_t build_id_len)
{
	struct stat st;

	memset(e, 0, sizeof(*e));
	if (fd == -1 || fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode))
		return (elf_fail(e, ENOEXEC));
	elf_version(EV_CURRENT);
	e->mapped = st.st_size > (off_t)PP_ELF_READ_MAX;
	e->elf = elf_begin(fd, e->mapped ? ELF_C_READ_MMAP : ELF_C_READ, NULL);
	return (elf_check(e, build_id, build_id_len));
}

/* Return the bytes of the image at `base`: up to the end of its section
 * headers, which lie last and which the kernel maps, too. */
static size_t
vdso_size(const char *base)
{
	Elf64_Ehdr header;
	size_t size;

	memcpy(&header, base, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return (0);
	size = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize;
	return (size <= VDSO_MAX ? size : 0);
}

int
pp_elf_open_vdso(struct pp_elf *e, const uint8_t *build_id,
    uint32_t build_id_len)
{
	/* getauxval() returns the address as a number. */
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	size_t size;

	memset(e, 0, sizeof(*e));
	if (base == NULL || build_id_len == 0 || (size = vdso_size(base)) == 0)
		return (elf_fail(e, ENOEXEC));
	if ((e->image = malloc(size)) == NULL)
		return (elf_fail(e, ENOMEM));
	memcpy(e->image, base, size);
	elf_version(EV_CURRENT);
	e->elf = elf_memory(e->image, size);
	return (elf_check(e, build_id, build_id_len));
}

void
pp_elf_close(struct pp_elf *e)
{
	elf_end(e->elf);
	free(e->image);
	memset(e, 0, sizeof(*e));
}

int
pp_elf_is_code(const struct pp_elf *e, uint64_t vaddr)
{
	uint32_t i;

	for (i = 0; i < e->codes; i++) {
		if (vaddr >= e->code[i].start && vaddr < e->code[i].limit)
			return (1);
	}
	return (0);
}

Elf_Scn *
pp_elf_section_type(const struct pp_elf *e, uint32_t type, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(e->elf, section)) != NULL) {
		if (gelf_getshdr(section, header) != NULL &&
		    header->sh_type == type)
			break;
	}
	return (section);
}

Elf_Scn *
pp_elf_section_name(const struct pp_elf *e, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	const char *found;
	size_t names;

	if (elf_getshdrstrndx(e->elf, &names) != 0)
		return (NULL);
	while ((section = elf_nextscn(e->elf, section)) != NULL) {
		if (gelf_getshdr(section, header) == NULL)
			continue;
		found = elf_strptr(e->elf, names, header->sh_name);
		if (found != NULL && strcmp(found, name) == 0)
			break;
	}
	return (section);
}

/* Return the bytes that one section takes in memory. */
static uint64_t
section_size(const struct pp_elf *e, Elf_Scn *section, const char *name,
    const GElf_Shdr *header)
{
	GElf_Chdr compressed;

	if (header->sh_flags & SHF_COMPRESSED) {
		if (gelf_getchdr(section, &compressed) == NULL)
			return (UINT32_MAX);
		return (compressed.ch_size);
	}
	/* This is the old GNU way to compress, which no tool uses since
	 * 2015. */
	if (strncmp(name, ".zdebug_", 8) == 0)
		return (UINT32_MAX);
	return (e->mapped ? 0 : header->sh_size);
}

/* Return the name of a section that has DWARF, or NULL. */
static const char *
dwarf_section(const struct pp_elf *e, Elf_Scn *section, GElf_Shdr *header)
{
	const char *name;
	size_t names;

	if (elf_getshdrstrndx(e->elf, &names) != 0 ||
	    gelf_getshdr(section, header) == NULL ||
	    header->sh_type == SHT_NOBITS ||
	    (name = elf_strptr(e->elf, names, header->sh_name)) == NULL)
		return (NULL);
	if (strncmp(name, ".debug_", 7) != 0 &&
	    strncmp(name, ".zdebug_", 8) != 0)
		return (NULL);
	return (name);
}

uint64_t
pp_elf_dwarf_size(const struct pp_elf *e)
{
	uint64_t total = 0, size;
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr header;

	while ((section = elf_nextscn(e->elf, section)) != NULL) {
		if ((name = dwarf_section(e, section, &header)) == NULL)
			continue;
		size = section_size(e, section, name, &header);
		if (size > UINT32_MAX)
			return (UINT32_MAX);
		total += size;
	}
	return (total);
}

int
pp_elf_dwarf_unpack(const struct pp_elf *e)
{
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr header;
	Elf_Data *data;

	while ((section = elf_nextscn(e->elf, section)) != NULL) {
		if ((name = dwarf_section(e, section, &header)) == NULL)
			continue;
		if ((header.sh_flags & SHF_COMPRESSED) &&
		    elf_compress(section, 0, 0) < 0)
			return (-1);
		if (strcmp(name, ".debug_str") != 0 &&
		    strcmp(name, ".debug_line_str") != 0)
			continue;
		data = elf_rawdata(section, NULL);
		if (data == NULL ||
		    (data->d_size > 0 &&
			(data->d_buf == NULL ||
			    ((const char *)data->d_buf)[data->d_size - 1] !=
				'\0')))
			return (-1);
	}
	return (0);
}

int
pp_elf_has_dwarf(const struct pp_elf *e)
{
	GElf_Shdr header;

	return (pp_elf_section_name(e, ".debug_info", &header) != NULL &&
	    header.sh_type != SHT_NOBITS);
}
