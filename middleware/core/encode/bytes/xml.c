/*
 * Escaping and cutting of texts for XML, character by character.
 */
#include "encode/bytes/xml.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS    "\xe2\x80\xa6"

/* Return the bytes of the character; the text is known to be valid. */
static size_t
char_len(unsigned char first)
{
	return (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
}

/* Whether the character may be shown. XML 1.0 forbids the other control
 * characters, U+FFFE and U+FFFF. Marks that turn the direction of writing
 * (U+202A-E, U+2066-9) would make a name look like another one. */
static int
char_shown(const char *c, size_t len)
{
	const unsigned char *u = (const unsigned char *)c;

	if (len == 1)
		return (u[0] >= ' ' && u[0] != 0x7f);
	if (len == 2)
		return (u[0] != 0xc2 || u[1] >= 0xa0);
	if (len > 3)
		return (1);
	if (u[0] == 0xe2 && u[1] == 0x80)
		return (u[2] < 0xaa || u[2] > 0xae);
	if (u[0] == 0xe2 && u[1] == 0x81)
		return (u[2] < 0xa6 || u[2] > 0xa9);
	return (u[0] != 0xef || u[1] != 0xbf || u[2] < 0xbe);
}

static void
char_write(struct pp_buf *out, const char *c, size_t len)
{
	if (char_shown(c, len))
		pp_buf_escape(out, c, len);
	else
		pp_buf_text(out, REPLACEMENT);
}

static size_t
char_columns(size_t len)
{
	return (len == 1 ? 1 : 2);
}

/* Whether the text has at most that many columns. */
static int
text_fits(const char *text, size_t columns)
{
	size_t len, used = 0;

	for (; *text != '\0'; text += len) {
		len = char_len((unsigned char)*text);
		used += char_columns(len);
		if (used > columns)
			return (0);
	}
	return (1);
}

size_t
pp_xml_text(struct pp_buf *out, const char *text, size_t columns)
{
	size_t len, used = 0, most = columns;
	int cut = !text_fits(text, columns);

	if (cut)
		most = columns > 0 ? columns - 1 : 0;
	for (; *text != '\0'; text += len) {
		len = char_len((unsigned char)*text);
		if (used + char_columns(len) > most)
			break;
		char_write(out, text, len);
		used += char_columns(len);
	}
	if (cut && columns > 0) {
		pp_buf_text(out, ELLIPSIS);
		used++;
	}
	return (used);
}
