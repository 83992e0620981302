/*
 * A library with three executable segments, as a linker or an optimizer that
 * moves hot code makes them: the test gives two sections places of their own.
 */
int go(int);

#define WORK(name, section)                                                    \
	__attribute__((noinline, section)) static unsigned int name(int n)     \
	{                                                                      \
		volatile unsigned int x = 1;                                   \
		int i;                                                         \
                                                                               \
		for (i = 0; i < n; i++)                                        \
			x = x * 1664525 + 1013904223;                          \
		return (x);                                                    \
	}

WORK(in_first, section(".text"))
WORK(in_second, section(".text2"))
WORK(in_third, section(".text3"))

int
go(int n)
{
	unsigned int sum = in_first(20000 + n);

	sum += in_second(20000 + n);
	sum += in_third(20000 + n);
	return (sum == 0);
}
