/*
 * Stalls and deaths in sentences: for the log, and for the texts of
 * ep_stalls.c. What happened is live/stalls.h.
 *
 * Rule: a line of printable ASCII, whatever a client or a worker has sent.
 */
#ifndef PP_SERVICE_ENDPOINTS_STALL_TEXT_H
#define PP_SERVICE_ENDPOINTS_STALL_TEXT_H

#include "live/stalls.h"

struct pp_service;

#define PP_SENTENCE_MAX 768

/* Writes one sentence on the stall as it is now. */
void pp_ep_stall_sentence(struct pp_service *service,
    const struct pp_stall *stall, char out[PP_SENTENCE_MAX]);

/* This is a pp_activity_name_fn; `service` is its argument. */
const char *pp_ep_stall_name(void *service, uint64_t address);

/* This is a pp_stall_report_fn, which writes the sentence to the log. */
void pp_ep_stall_log(void *service, const struct pp_stall *stall);

#endif
