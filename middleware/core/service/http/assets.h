/*
 * The files of assets/, carried inside the program: the collector runs in a
 * chroot and may open nothing.
 *
 * Rule: a new file is a new line in the table here; no HTML, CSS or
 * JavaScript in C.
 */
#ifndef PP_SERVICE_HTTP_ASSETS_H
#define PP_SERVICE_HTTP_ASSETS_H

#include <stddef.h>

#define PP_ASSET_CSS "text/css; charset=utf-8"
#define PP_ASSET_JS  "text/javascript; charset=utf-8"

/* X(symbol, file name, type; NULL: a template, not served as it is) */
#define PP_ASSET_TABLE(X)                                                      \
	X(index_html, "index.html", NULL)                                      \
	X(doctor_html, "doctor.html", NULL)                                    \
	X(icon_svg, "icon.svg", "image/svg+xml")                               \
	X(pprof_css, "pprof.css", PP_ASSET_CSS)                                \
	X(app_js, "app.js", PP_ASSET_JS)                                       \
	X(live_js, "live.js", PP_ASSET_JS)                                     \
	X(timeline_js, "timeline.js", PP_ASSET_JS)                             \
	X(viewer_js, "viewer.js", PP_ASSET_JS)                                 \
	X(worker_js, "worker.js", PP_ASSET_JS)

struct pp_asset {
	const char *name;
	const char *type;
	const char *data;
	size_t len;
	const char *gz; /* the same, gzipped */
	size_t gz_len;
};

/* Returns the asset of that name, or NULL. */
const struct pp_asset *pp_asset_find(const char *name);

/* Whether an Accept-Encoding header ("gzip, deflate;q=0.5") allows gzip. */
int pp_asset_takes_gzip(const char *accept);

/* Room for an entity tag: 16 hex digits in quotes. */
#define PP_ASSET_TAG_MAX 24

/* Write the asset's strong entity tag, quotes included. The gzipped form has
 * another tag. */
void pp_asset_tag(const struct pp_asset *asset, int gzip,
    char tag[PP_ASSET_TAG_MAX]);

#endif
