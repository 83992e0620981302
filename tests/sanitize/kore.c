/*
 * What AddressSanitizer is told by a Kore that it is in: a shared object that
 * is preloaded behind the sanitizer's own, by `make asan`.
 *
 * Kore lets go of what it has by ending. Leaks are looked for in the collector,
 * whose own word comes first (collector.c). It is linked with libstdc++, which
 * the sanitizer must find at the start: a module may throw exceptions.
 */
#include <locale.h>

int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return (1);
}

/* With the sanitizer's library, a Kore without any module has -1 readers of
 * glibc's lock of the locales, and who would write waits for ever: libp11-kit
 * frees one at the end. */
void
freelocale(locale_t locale)
{
	(void)locale;
}
