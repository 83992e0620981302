/*
 * Texts inside XML. Not a writer of documents.
 *
 * Rule: whatever a name contains is shown, and never read as markup; characters
 * that XML forbids become U+FFFD.
 */
#ifndef PP_ENCODE_BYTES_XML_H
#define PP_ENCODE_BYTES_XML_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Append valid UTF-8, escaped for the content of an element and for a value in
 * quotes. The text gets at most `columns` columns (a character that is not
 * ASCII counts as two); a longer one is cut and ends with "…". Returns the
 * columns used.
 */
size_t pp_xml_text(struct pp_buf *out, const char *text, size_t columns);

#endif
