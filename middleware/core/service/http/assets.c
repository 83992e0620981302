/*
 * The bytes of the assets, put here by the assembler, and the list of them.
 * ep_asset.c serves them.
 *
 * Rule: make puts the files where the assembler finds them, and compiles this
 * again when an asset changes (assets.mk).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mix.h"
#include "service/http/assets.h"

#define ASSET_BYTES(symbol, file, type)                                        \
	__asm__(".pushsection .rodata\n"                                       \
		"pp_asset_" #symbol ":\n"                                      \
		".incbin \"" file "\"\n"                                       \
		"pp_asset_" #symbol "_end:\n"                                  \
		".byte 0\n"                                                    \
		"pp_asset_" #symbol "_gz:\n"                                   \
		".incbin \"" file ".gz\"\n"                                    \
		"pp_asset_" #symbol "_gz_end:\n"                               \
		".byte 0\n"                                                    \
		".popsection\n");                                              \
	extern const char pp_asset_##symbol[];                                 \
	extern const char pp_asset_##symbol##_end[];                           \
	extern const char pp_asset_##symbol##_gz[];                            \
	extern const char pp_asset_##symbol##_gz_end[];
PP_ASSET_TABLE(ASSET_BYTES)

const struct pp_asset *
pp_asset_find(const char *name)
{
#define ASSET_ROW(symbol, file, type)                                          \
	{ file, type, pp_asset_##symbol, 0, pp_asset_##symbol##_gz, 0 },
	static struct pp_asset table[] = { PP_ASSET_TABLE(ASSET_ROW) };
#define ASSET_END(symbol, file, type)                                          \
	{ pp_asset_##symbol##_end, pp_asset_##symbol##_gz_end },
	static const char *const end[][2] = { PP_ASSET_TABLE(ASSET_END) };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, name) != 0)
			continue;
		/* The difference of two symbols is no constant in C. */
		table[i].len = (size_t)(end[i][0] - table[i].data);
		table[i].gz_len = (size_t)(end[i][1] - table[i].gz);
		return (&table[i]);
	}
	return (NULL);
}

/* Whether the parameters of a coding (";q=0.5") refuse it. */
static int
accept_refuses(const char *params, size_t len)
{
	char text[16];

	while (len > 0 && strchr("; \t", *params) != NULL) {
		params++;
		len--;
	}
	if (len < 3 || len >= sizeof(text) || strncasecmp(params, "q=", 2) != 0)
		return (0);
	memcpy(text, params, len);
	text[len] = '\0';
	return (strtod(text + 2, NULL) <= 0);
}

int
pp_asset_takes_gzip(const char *accept)
{
	size_t len, name;

	if (accept == NULL)
		return (0);
	for (; *accept != '\0'; accept += len) {
		accept += strspn(accept, ", \t");
		len = strcspn(accept, ",");
		name = strcspn(accept, ",; \t");
		if (name == strlen("gzip") &&
		    strncasecmp(accept, "gzip", name) == 0)
			return (!accept_refuses(accept + name, len - name));
	}
	return (0);
}

void
pp_asset_tag(const struct pp_asset *asset, int gzip, char tag[PP_ASSET_TAG_MAX])
{
	uint64_t hash = asset->len * 2 + (gzip != 0);
	size_t i;

	for (i = 0; i < asset->len; i++)
		hash = pp_mix(hash, (unsigned char)asset->data[i]);
	snprintf(tag, PP_ASSET_TAG_MAX, "\"%016llx\"",
	    (unsigned long long)hash);
}
