/*
 * See streams.h: one table, from which the wrappers and the hooks are made.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <threads.h>

#include "hook/calls_private.h"
#include "hook/streams.h"

/* X(result, name, call of base/calls.h, parameters, arguments). Programs that
 * are built with _FORTIFY_SOURCE call the names that end in _chk. */
#define STREAMS(X)                                                             \
	X(FILE *, fopen, fopen, (const char *path, const char *mode),          \
	    (path, mode))                                                      \
	X(FILE *, fopen64, fopen, (const char *path, const char *mode),        \
	    (path, mode))                                                      \
	X(int, fclose, fclose, (FILE * f), (f))                                \
	X(int, pclose, pclose, (FILE * f), (f))                                \
	X(int, fflush, fflush, (FILE * f), (f))                                \
	X(int, fflush_unlocked, fflush, (FILE * f), (f))                       \
	X(int, fgetc, fgetc, (FILE * f), (f))                                  \
	X(int, getc, fgetc, (FILE * f), (f))                                   \
	X(int, getc_unlocked, fgetc, (FILE * f), (f))                          \
	X(int, __uflow, fgetc, (FILE * f), (f))                                \
	X(int, __underflow, fgetc, (FILE * f), (f))                            \
	X(char *, fgets, fgets, (char *to, int n, FILE *f), (to, n, f))        \
	X(char *, fgets_unlocked, fgets, (char *to, int n, FILE *f),           \
	    (to, n, f))                                                        \
	X(char *, __fgets_chk, fgets, (char *to, size_t r, int n, FILE *f),    \
	    (to, r, n, f))                                                     \
	X(char *, __fgets_unlocked_chk, fgets,                                 \
	    (char *to, size_t r, int n, FILE *f), (to, r, n, f))               \
	X(ssize_t, getline, getline, (char **to, size_t *n, FILE *f),          \
	    (to, n, f))                                                        \
	X(ssize_t, getdelim, getline, (char **to, size_t *n, int d, FILE *f),  \
	    (to, n, d, f))                                                     \
	X(ssize_t, __getdelim, getline,                                        \
	    (char **to, size_t *n, int d, FILE *f), (to, n, d, f))             \
	X(size_t, fread, fread, (void *to, size_t size, size_t n, FILE *f),    \
	    (to, size, n, f))                                                  \
	X(size_t, fread_unlocked, fread,                                       \
	    (void *to, size_t size, size_t n, FILE *f), (to, size, n, f))      \
	X(size_t, __fread_chk, fread,                                          \
	    (void *to, size_t r, size_t size, size_t n, FILE *f),              \
	    (to, r, size, n, f))                                               \
	X(size_t, __fread_unlocked_chk, fread,                                 \
	    (void *to, size_t r, size_t size, size_t n, FILE *f),              \
	    (to, r, size, n, f))                                               \
	X(int, vfscanf, fscanf, (FILE * f, const char *format, va_list args),  \
	    (f, format, args))                                                 \
	X(int, __isoc99_vfscanf, fscanf,                                       \
	    (FILE * f, const char *format, va_list args), (f, format, args))   \
	X(int, __isoc23_vfscanf, fscanf,                                       \
	    (FILE * f, const char *format, va_list args), (f, format, args))   \
	X(int, fputc, fputc, (int c, FILE *f), (c, f))                         \
	X(int, putc, fputc, (int c, FILE *f), (c, f))                          \
	X(int, __overflow, fputc, (FILE * f, int c), (f, c))                   \
	X(int, putchar, fputc, (int c), (c))                                   \
	X(int, puts, fputs, (const char *text), (text))                        \
	X(int, fputs, fputs, (const char *text, FILE *f), (text, f))           \
	X(int, fputs_unlocked, fputs, (const char *text, FILE *f), (text, f))  \
	X(size_t, fwrite, fwrite,                                              \
	    (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f))  \
	X(size_t, fwrite_unlocked, fwrite,                                     \
	    (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f))  \
	X(int, vfprintf, fprintf,                                              \
	    (FILE * f, const char *format, va_list args), (f, format, args))   \
	X(int, __vfprintf_chk, fprintf,                                        \
	    (FILE * f, int flag, const char *format, va_list args),            \
	    (f, flag, format, args))

#define STREAM_WRAPPER(type, name, call, parameters, arguments)                \
	static type(*real_##name) parameters;                                  \
                                                                               \
	PP_SLOW_WRAPPER(type, name, call, real_##name, parameters, arguments)
STREAMS(STREAM_WRAPPER)

/* A function with any number of arguments goes on to the relative of its
 * original that takes a va_list. */
#define LISTED(name, through, stream, parameters, last, arguments)             \
	static int(*real_##name) parameters;                                   \
                                                                               \
	static int hook_##name parameters                                      \
	{                                                                      \
		va_list list;                                                  \
		int result;                                                    \
                                                                               \
		va_start(list, last);                                          \
		result = hook_##through arguments;                             \
		va_end(list);                                                  \
		return (result);                                               \
	}
LISTED(fscanf, vfscanf, f, (FILE * f, const char *format, ...), format,
    (f, format, list))
LISTED(__isoc99_fscanf, __isoc99_vfscanf, f,
    (FILE * f, const char *format, ...), format, (f, format, list))
LISTED(__isoc23_fscanf, __isoc23_vfscanf, f,
    (FILE * f, const char *format, ...), format, (f, format, list))
LISTED(fprintf, vfprintf, f, (FILE * f, const char *format, ...), format,
    (f, format, list))
LISTED(__fprintf_chk, __vfprintf_chk, f,
    (FILE * f, int flag, const char *format, ...), format,
    (f, flag, format, list))
LISTED(printf, vfprintf, stdout, (const char *format, ...), format,
    (stdout, format, list))
LISTED(__printf_chk, __vfprintf_chk, stdout,
    (int flag, const char *format, ...), format, (stdout, flag, format, list))

static void (*real_flockfile)(FILE *);
static int (*real_pthread_once)(pthread_once_t *, void (*)(void));
static void (*real_call_once)(once_flag *, void (*)(void));

static __attribute__((noinline)) void
watched_flockfile(FILE *f)
{
	struct pp_called called;

	pp_called_begin_slow(&called);
	real_flockfile(f);
	pp_called_end_slow(&called, PP_CALL_flockfile);
}

static void
hook_flockfile(FILE *f)
{
	if (pp_called_watched())
		watched_flockfile(f);
	else
		real_flockfile(f);
}

/* The function that the calling thread asks to be run once. If this thread runs
 * the function, the thread has not waited for it. */
struct once {
	void (*function)(void);
	struct pp_called called;
	int ran;
};
static __thread struct once *once_now;

static void
once_run(void)
{
	once_now->ran = 1;
	pp_called_not(&once_now->called);
	once_now->function();
}

static __attribute__((noinline)) int
watched_once(int (*real)(pthread_once_t *, void (*)(void)),
    pthread_once_t *flag, void (*function)(void))
{
	struct once once = { .function = function }, *outer = once_now;
	int result;

	once_now = &once;
	pp_called_begin_slow(&once.called);
	result = real(flag, once_run);
	once_now = outer;
	if (!once.ran)
		pp_called_end_slow(&once.called, PP_CALL_pthread_once);
	return (result);
}

static int
hook_pthread_once(pthread_once_t *flag, void (*function)(void))
{
	if (pp_called_watched())
		return (watched_once(real_pthread_once, flag, function));
	return (real_pthread_once(flag, function));
}

static int
once_call(pthread_once_t *flag, void (*function)(void))
{
	real_call_once((once_flag *)flag, function);
	return (0);
}

static void
hook_call_once(once_flag *flag, void (*function)(void))
{
	if (pp_called_watched())
		(void)watched_once(once_call, (pthread_once_t *)flag, function);
	else
		real_call_once(flag, function);
}

/* The program itself and the unwinder are left out, as in calls.c. */
#define STREAM_HOOK(type, name, call, parameters, arguments) HOOK(name)
#define HOOK(name)                                                             \
	{ #name, (void *)hook_##name, (void **)&real_##name,                   \
		PP_GOT_BUT_UNWINDER },

const struct pp_got_hook pp_hook_stream[] = { STREAMS(STREAM_HOOK) HOOK(fscanf)
	    HOOK(__isoc99_fscanf) HOOK(__isoc23_fscanf) HOOK(fprintf)
		HOOK(__fprintf_chk) HOOK(printf) HOOK(__printf_chk)
		    HOOK(flockfile) HOOK(pthread_once) HOOK(call_once) };

_Static_assert(sizeof(pp_hook_stream) ==
	PP_STREAM_HOOKS * sizeof(struct pp_got_hook),
    "PP_STREAM_HOOKS is not how many there are");
