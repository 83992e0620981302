/*
 * symbol/ on a file that is the input: whatever it holds, each address gets an
 * answer.
 *
 * Starts from real files, which tests/fuzz.mk compiles.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbol/symbols.h"

#define STEP  7 /* bytes between the addresses asked for */
#define STEPS 300

static int
file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	fuzz_must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	return (fd);
}

static void
ask(struct pp_symbols *s, int file, uint64_t address)
{
	struct pp_frame frame[PP_INLINES_MAX];
	uint32_t count, i;
	int named;

	count = pp_symbols_resolve(s, file, address, frame, &named);
	fuzz_must(count >= 1 && count <= PP_INLINES_MAX);
	for (i = 0; i < count; i++) {
		fuzz_must(strlen(frame[i].function) > 0);
		fuzz_must(strlen(frame[i].file) < 1 << 20);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_symbols *s = pp_symbols_new();
	struct pp_symbols_file facts;
	int file, i;

	fuzz_must(s != NULL);
	/* As the object, and as the debug file of another. */
	file = pp_symbols_add(s, NULL, 0, "/fuzz/object", file_of(data, size),
	    size > 0 && data[size - 1] & 1 ? file_of(data, size) : -1);
	fuzz_must(file >= 0);
	for (i = 0; i < STEPS; i++)
		ask(s, file, 0x1000 + (uint64_t)i * STEP);
	ask(s, file, 0);
	ask(s, file, UINT64_MAX);
	fuzz_must(pp_symbols_file(s, file, &facts) == 0);
	pp_symbols_trim(s);
	ask(s, file, 0x1001);
	pp_symbols_free(s);
	return (0);
}
