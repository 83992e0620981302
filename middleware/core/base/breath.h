/*
 * Long work of the collector's one thread, and what must be done meanwhile:
 * whoever works long calls pp_breathe() now and then, and whoever owns what
 * must not wait says with pp_breathe_by() what is to be done.
 *
 * Rule: what is done there changes nothing that any long work has in its
 * hands, and takes little time.
 */
#ifndef PP_BASE_BREATH_H
#define PP_BASE_BREATH_H

/* From now on; NULL: nothing. */
void pp_breathe_by(void (*call)(void *), void *arg);

/* Calls it if that is long enough ago; never within itself. */
void pp_breathe(void);

#endif
