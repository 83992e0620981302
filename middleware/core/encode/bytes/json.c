/*
 * Strings of JSON; see json.h.
 */
#include "encode/bytes/json.h"

void
pp_json_string(struct pp_buf *out, const char *text)
{
	unsigned char c;

	pp_buf_text(out, "\"");
	for (; (c = (unsigned char)*text) != '\0'; text++) {
		if (c < ' ' || c == 0x7f)
			pp_buf_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			pp_buf_printf(out, "\\%c", c);
		else
			pp_buf_append(out, text, 1);
	}
	pp_buf_text(out, "\"");
}
