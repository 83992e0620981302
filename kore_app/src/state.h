/*
 * A request's state, with a function that is called when the request ends. Each
 * version of Kore wants that written in another way: state41.c is for Kore 4.1,
 * state42.c for 4.2; kodev compiles both, and one of them is empty.
 */
#ifndef STATE_H
#define STATE_H

#include <stddef.h>

#include <kore/kore.h>

/* 4.2 defines this name and 4.1 does not; no header says the version. */
#if defined(KORE_QUIT_NORMAL)
#define APP_KORE_42 1
#endif

struct http_request;

/*
 * Makes a state of `len` zero bytes for http_state_get(). Kore calls `freed`
 * when it tries to free the request, which may be more than once. All requests
 * of a route have to give the same function.
 */
void *state_create(struct http_request *req, size_t len,
    void (*freed)(struct http_request *));

/* This module may be unloaded. After state_forget(), `freed` is not called for
 * the request; after state_leave(), it is called for no request. */
void state_forget(struct http_request *req);
void state_leave(void);

#endif
