/*
 * The files of assets/, carried inside the program: the collector runs in a
 * chroot and may open nothing.
 *
 * Rule: a new file is a new line in the table here; no HTML or CSS in C.
 */
#ifndef PP_SERVICE_ASSETS_H
#define PP_SERVICE_ASSETS_H

#include <stddef.h>

/* X(symbol, file name, type; NULL: a template, not served as it is) */
#define PP_ASSET_TABLE(X)                                                      \
	X(index_html, "index.html", NULL)                                      \
	X(pprof_css, "pprof.css", "text/css; charset=utf-8")                   \
	X(icon_svg, "icon.svg", "image/svg+xml")

struct pp_asset {
	const char *name;
	const char *type;
	const char *data;
	size_t len;
};

/* The asset of that name, or NULL. */
const struct pp_asset *pp_asset_find(const char *name);

/* Room for an entity tag: 16 hex digits in quotes. */
#define PP_ASSET_TAG_MAX 24

/* Write the asset's strong entity tag, quotes included. */
void pp_asset_tag(const struct pp_asset *asset, char tag[PP_ASSET_TAG_MAX]);

#endif
