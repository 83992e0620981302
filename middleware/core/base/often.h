/*
 * Where code and data lie that each request, each allocation or each turn of
 * the event loop passes: together. Most of a request's time is the kernel's,
 * which uses the same caches; so how many pages and cache lines are met again
 * matters, and a loop around one function does not show it.
 *
 * Rule: for what runs while nobody asks for anything, and for what is written
 * while somebody traces. What is seldom needed is a function apart, without it.
 */
#ifndef PP_BASE_OFTEN_H
#define PP_BASE_OFTEN_H

/* Compilers put these into .text.hot, linkers all of that side by side. */
#define PP_OFTEN __attribute__((hot))

/* Of a variable; not for large ones. */
#define PP_OFTEN_DATA __attribute__((section("pp_often")))

#endif
