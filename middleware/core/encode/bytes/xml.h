/*
 * Texts inside XML. Not a writer of documents.
 *
 * Rule: whatever a name holds, it is shown and never read as markup: what XML
 * cannot hold becomes U+FFFD.
 */
#ifndef PP_ENCODE_BYTES_XML_H
#define PP_ENCODE_BYTES_XML_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Append valid UTF-8, escaped for the content of an element and for a value in
 * quotes; at most `columns` wide (a character that is not of ASCII counts as
 * two), else cut, with "…" as the last. Returns the columns taken.
 */
size_t pp_xml_text(struct pp_buf *out, const char *text, size_t columns);

#endif
