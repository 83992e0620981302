/*
 * Compiled as the first inputs of fuzz_elf.c: a little of everything that is
 * read of an ELF file and its DWARF. Does nothing of use.
 */
int one(int *numbers, int count);
int two(int x);

static inline __attribute__((always_inline)) int
inner(int x, int y)
{
	return (x * y + 1);
}

static inline __attribute__((always_inline)) int
outer(int x)
{
	return (inner(x, 3) ^ inner(x, 5));
}

int
one(int *numbers, int count)
{
	int i, sum = 0;

	for (i = 0; i < count; i++)
		sum += outer(numbers[i]);
	return (sum);
}

__attribute__((cold)) int
two(int x)
{
	int numbers[2] = { x, outer(x) };

	return (one(numbers, 2));
}
