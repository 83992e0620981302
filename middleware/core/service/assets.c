/*
 * The bytes of the assets, put here by the assembler, and the list of them.
 * Which of them are answers is in ep_asset.c.
 *
 * Rule: compiled in the top folder, so that the names below are found; make
 * compiles this file again when an asset changes (assets.mk).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mix.h"
#include "service/assets.h"

#define ASSET_BYTES(symbol, file, type)                                        \
	__asm__(".pushsection .rodata\n"                                       \
		"pp_asset_" #symbol ":\n"                                      \
		".incbin \"assets/" file "\"\n"                                \
		"pp_asset_" #symbol "_end:\n"                                  \
		".byte 0\n"                                                    \
		".popsection\n");                                              \
	extern const char pp_asset_##symbol[];                                 \
	extern const char pp_asset_##symbol##_end[];
PP_ASSET_TABLE(ASSET_BYTES)

const struct pp_asset *
pp_asset_find(const char *name)
{
#define ASSET_ROW(symbol, file, type) { file, type, pp_asset_##symbol, 0 },
	static struct pp_asset table[] = { PP_ASSET_TABLE(ASSET_ROW) };
#define ASSET_END(symbol, file, type) pp_asset_##symbol##_end,
	static const char *const end[] = { PP_ASSET_TABLE(ASSET_END) };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, name) != 0)
			continue;
		/* The difference of two symbols is no constant in C. */
		table[i].len = (size_t)(end[i] - table[i].data);
		return (&table[i]);
	}
	return (NULL);
}

void
pp_asset_tag(const struct pp_asset *asset, char tag[PP_ASSET_TAG_MAX])
{
	uint64_t hash = asset->len;
	size_t i;

	for (i = 0; i < asset->len; i++)
		hash = pp_mix(hash, (unsigned char)asset->data[i]);
	snprintf(tag, PP_ASSET_TAG_MAX, "\"%016llx\"",
	    (unsigned long long)hash);
}
