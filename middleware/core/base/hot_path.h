/*
 * The marks of the hot path: code and data that each request, each allocation
 * or each turn of the event loop uses lie together. Most of a request's time
 * passes in the kernel, which uses the same caches; so the number of pages and
 * cache lines matters, and a benchmark that repeats one function does not show
 * it.
 *
 * Rule: the mark is for code that runs while nobody asks for anything, and for
 * code that writes trace records. A part that is seldom needed is a function of
 * its own, without the mark.
 */
#ifndef PP_BASE_HOT_PATH_H
#define PP_BASE_HOT_PATH_H

/* Compilers put such functions into .text.hot, and linkers keep those sections
 * side by side. */
#define PP_HOT_PATH __attribute__((hot))

/* The same for a variable, if it is small. */
#define PP_HOT_PATH_DATA __attribute__((section("pp_hot_path")))

#endif
