/*
 * Texts as strings of JSON. Not a writer of documents: the caller writes
 * everything around the strings.
 *
 * Rule: `text` is valid UTF-8, as all text of a profile is.
 */
#ifndef PP_ENCODE_BYTES_JSON_H
#define PP_ENCODE_BYTES_JSON_H

#include "base/buf.h"

/* Append the text in quotes. */
void pp_json_string(struct pp_buf *out, const char *text);

#endif
