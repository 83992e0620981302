/*
 * Tests of profile/tree.c and of what is made of it: folded stacks, SVG,
 * speedscope. The known profile has known bytes; hostile ones must be read by
 * Python's parsers of XML and JSON and come out of them as they went in.
 *
 * needs: a core, 15 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encode/bytes/xml.h"
#include "encode/profile/folded.h"
#include "encode/profile/speedscope.h"
#include "encode/profile/svg.h"
#include "go_pprof.h"
#include "known_profile.h"
#include "profile/tree.h"
#include "random_profile.h"

typedef int encoder(const struct pp_profile *, uint32_t, const char *,
    struct pp_buf *);

/* Terminated; the caller frees it. */
static struct pp_buf
encoded(encoder *encode, const struct pp_profile *p, uint32_t value,
    const char *title)
{
	struct pp_buf out = { 0 };

	assert_int_equal(encode(p, value, title, &out), 0);
	pp_buf_append(&out, "", 1);
	assert_false(out.failed);
	out.len--;
	return (out);
}

static int64_t
folded_sum(const char *text)
{
	const char *end;
	int64_t sum = 0;

	for (; *text != '\0'; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		while (end[-1] != ' ' && end > text)
			end--;
		sum += atoll(end);
		end = strchr(end, '\n');
	}
	return (sum);
}

static int64_t
profile_sum(const struct pp_profile *p, uint32_t value)
{
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < p->samples; i++)
		sum += p->sample[i].value[value];
	return (sum);
}

static void
known_folded(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf out;

	(void)state;
	out = encoded(pp_encode_folded, p, 1, "x");
	assert_string_equal(out.data,
	    "http_request_run;page_fib;fib 240000000\n"
	    "http_request_run;memcpy 220000000\n");
	pp_buf_free(&out);
	out = encoded(pp_encode_folded, p, 0, "x");
	assert_string_equal(out.data,
	    "http_request_run;page_fib;fib 24\n"
	    "http_request_run;memcpy 22\n");
	pp_buf_free(&out);
	pp_profile_free(p);
}

static void
folded_has_everything(void **state)
{
	static const struct random_shape shape[] = {
		{ 1, 40, 3000, 30, 0 },
		{ 2, 40, 3000, 30, 1 },
		{ 3, 500, 100, 100, 1 },
	};
	struct pp_profile *p;
	struct pp_buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		p = random_profile(&shape[i]);
		out = encoded(pp_encode_folded, p, 1, "x");
		assert_true(folded_sum(out.data) == profile_sum(p, 1));
		pp_buf_free(&out);
		pp_profile_free(p);
	}
}

static void
full_tree(void **state)
{
	struct random_shape shape = { 4, 200, 500, 40, 0 };
	struct pp_profile *p = random_profile(&shape);
	struct pp_tree tree;
	const struct pp_tree_node *child;
	int64_t sum = 0;
	uint32_t i;
	int full = 0;

	(void)state;
	assert_int_equal(pp_tree_build(&tree, p, 1, PP_TREE_ABOVE_ZERO, 1000),
	    0);
	assert_in_range(tree.nodes, 1000, 1002);
	assert_true(tree.unfit > 0 && tree.unfit < 500);
	assert_true(tree.node[0].total == profile_sum(p, 1));
	for (i = 0; i < tree.node[0].children; i++) {
		child = pp_tree_child(&tree, &tree.node[0], i);
		sum += child->total;
		full += strcmp(child->name, PP_TREE_FULL) == 0;
	}
	assert_int_equal(full, 1);
	assert_true(sum == tree.node[0].total);
	pp_tree_free(&tree);
	pp_profile_free(p);
}

static void
ordered_tree(void **state)
{
	struct random_shape shape = { 6, 100, 800, 12, 1 };
	struct pp_profile *p = random_profile(&shape);
	const struct pp_tree_node *node, *child, *last;
	struct pp_tree tree;
	int64_t sum;
	uint32_t i, n;

	(void)state;
	assert_int_equal(pp_tree_build(&tree, p, 1, PP_TREE_ALL_SIGNS, 1 << 20),
	    0);
	for (i = 0; i < tree.nodes; i++) {
		node = &tree.node[i];
		sum = node->self;
		last = NULL;
		for (n = 0; n < node->children; n++, last = child) {
			child = pp_tree_child(&tree, node, n);
			assert_int_equal(child->parent, i);
			assert_int_equal(child->depth, node->depth + 1);
			assert_true(last == NULL ||
			    last->total > child->total ||
			    (last->total == child->total &&
				strcmp(last->name, child->name) < 0));
			sum += child->total;
		}
		assert_true(sum == node->total);
	}
	pp_tree_free(&tree);
	pp_profile_free(p);
}

/* A profile of one stack: a root, and below it the name. */
static struct pp_profile *
profile_named(const char *name, int64_t value)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line line = { 0 };

	p->value_type[0].type = pp_profile_string(p, "cpu");
	p->value_type[0].unit = pp_profile_string(p, "nanoseconds");
	p->value_types = 1;
	line.function = pp_profile_function(p, name, name, 0);
	pp_profile_lines(p, pp_profile_location(p, 1, 0), &line, 1);
	line.function = pp_profile_function(p, "main", "main.c", 0);
	pp_profile_lines(p, pp_profile_location(p, 2, 0), &line, 1);
	pp_profile_sample(p, &value);
	pp_profile_push(p, 1);
	pp_profile_push(p, 2);
	pp_profile_comment(p, "%s", name);
	return (p);
}

static const struct hostile {
	const char *name;
	const char *shown; /* in XML; NULL: the name */
	const char *folded;
} hostile[] = {
	{ "<img src=x onerror=alert(1)>", NULL,
	    "main;<img src=x onerror=alert(1)> 7\n" },
	{ "a]]>b", NULL, "main;a]]>b 7\n" },
	{ "</text></g></svg><script>alert(1)</script>", NULL,
	    "main;</text></g></svg><script>alert(1)</script> 7\n" },
	{ "&amp;&#60;\"'", NULL, "main;&amp:&#60:\"' 7\n" },
	{ "one;two", NULL, "main;one:two 7\n" },
	{ "line\nbreak\r\tand\x01\x7f",
	    "line\xef\xbf\xbd"
	    "break\xef\xbf\xbd\xef\xbf\xbd"
	    "and\xef\xbf\xbd\xef\xbf\xbd",
	    "main;line?break??and?? 7\n" },
	{ "bad\xff\xc3utf", "bad\xef\xbf\xbd\xef\xbf\xbdutf",
	    "main;bad\xef\xbf\xbd\xef\xbf\xbdutf 7\n" },
	{ "not\xef\xbf\xbe\xc2\x85text", "not\xef\xbf\xbd\xef\xbf\xbdtext",
	    "main;not\xef\xbf\xbe\xc2\x85text 7\n" },
	{ "turn\xe2\x80\xaenruter\xe2\x81\xa6",
	    "turn\xef\xbf\xbdnruter"
	    "\xef\xbf\xbd",
	    "main;turn\xe2\x80\xaenruter\xe2\x81\xa6 7\n" },
	{ "gr\xc3\xb6\xc3\x9f\xe6\xbc\xa2\xf0\x9f\x94\xa5", NULL,
	    "main;gr\xc3\xb6\xc3\x9f\xe6\xbc\xa2\xf0\x9f\x94\xa5 7\n" },
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* The tooltips of the boxes, as a parser of XML understands them. */
static const char *
svg_titles(const struct pp_buf *svg)
{
	return (go_ask(svg,
	    "python3 -c \"import sys, xml.etree.ElementTree as t\n"
	    "root = t.parse(sys.stdin.buffer).getroot()\n"
	    "n = '{http://www.w3.org/2000/svg}'\n"
	    "kinds = {e.tag.replace(n, '') for e in root.iter()}\n"
	    "assert kinds <= {'svg', 'title', 'desc', 'style', 'rect', 'g', "
	    "'text'}, kinds\n"
	    "assert not [a for e in root.iter() for a in e.attrib "
	    "if a.startswith('on') or 'href' in a]\n"
	    "out = ''.join('%s|' % g.find(n + 'title').text "
	    "for g in root.iter(n + 'g'))\n"
	    "sys.stdout.buffer.write(out.encode())\""));
}

/* Whose hue is what, to 10 degrees: first in the legend, then of the boxes by
 * their names. */
static const char *
svg_hues(const struct pp_buf *svg)
{
	return (go_ask(svg,
	    "python3 -c \"import sys, colorsys, xml.etree.ElementTree as t\n"
	    "root = t.parse(sys.stdin.buffer).getroot()\n"
	    "n = '{http://www.w3.org/2000/svg}'\n"
	    "def hue(e):\n"
	    " c = [int(e.get('fill')[i:i + 2], 16) / 255 for i in (1, 3, 5)]\n"
	    " return round(36 * colorsys.rgb_to_hls(*c)[0]) * 10\n"
	    "top = list(root)\n"
	    "for e, after in zip(top, top[1:]):\n"
	    " if (e.get('width'), after.tag) == ('10', n + 'text'):\n"
	    "  print(after.text, hue(e), end='|')\n"
	    "boxes = [(g.find(n + 'title').text.split('\\n')[0], "
	    "hue(g.find(n + 'rect'))) for g in root.iter(n + 'g')]\n"
	    "for b in sorted(boxes):\n"
	    " if b[0] != 'all':\n"
	    "  print(*b, end='|')\n\""));
}

static void
svg_hostile(void **state)
{
	struct pp_profile *p;
	struct pp_buf out;
	char want[512];
	size_t i;

	(void)state;
	for (i = 0; i < HOSTILE; i++) {
		p = profile_named(hostile[i].name, 7);
		out = encoded(pp_encode_svg, p, 0,
		    pp_profile_string(p, hostile[i].name));
		snprintf(want, sizeof(want),
		    "main\n7ns, 100%% of all\nmain.c|"
		    "%s\n7ns, 100%% of all\n%s|",
		    hostile[i].shown ? hostile[i].shown : hostile[i].name,
		    hostile[i].shown ? hostile[i].shown : hostile[i].name);
		assert_non_null(strstr(svg_titles(&out), want));
		pp_buf_free(&out);
		pp_profile_free(p);
	}
}

static void
folded_hostile(void **state)
{
	struct pp_profile *p;
	struct pp_buf out;
	size_t i;

	(void)state;
	for (i = 0; i < HOSTILE; i++) {
		p = profile_named(hostile[i].name, 7);
		out = encoded(pp_encode_folded, p, 0, "x");
		assert_string_equal(out.data, hostile[i].folded);
		pp_buf_free(&out);
		pp_profile_free(p);
	}
}

static void
speedscope_hostile(void **state)
{
	struct pp_profile *p;
	struct pp_buf out;
	const char *said;
	char *clean;
	size_t i;

	(void)state;
	for (i = 0; i < HOSTILE; i++) {
		p = profile_named(hostile[i].name, 7);
		out = encoded(pp_encode_speedscope, p, 0,
		    pp_profile_string(p, hostile[i].name));
		said = go_ask(&out,
		    "python3 -c \"import sys, json\n"
		    "d = json.load(sys.stdin.buffer)\n"
		    "names = [f['name'] for f in d['shared']['frames']]\n"
		    "sys.stdout.buffer.write(names[1].encode())\"");
		/* The profile has mended what is not UTF-8. */
		clean = strdup(pp_profile_string(p, hostile[i].name));
		assert_string_equal(said, clean);
		free(clean);
		pp_buf_free(&out);
		pp_profile_free(p);
	}
}

static void
long_names(void **state)
{
	static char name[10001];
	struct pp_profile *p;
	struct pp_buf out;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	p = profile_named(name, 7);
	out = encoded(pp_encode_svg, p, 0, "long");
	assert_true(out.len < 8000);
	assert_non_null(strstr(out.data, "xxx\xe2\x80\xa6\n7ns"));
	assert_non_null(strstr(svg_titles(&out), "xxx\xe2\x80\xa6\n7ns"));
	pp_buf_free(&out);
	out = encoded(pp_encode_folded, p, 0, "x");
	assert_int_equal(out.len, strlen("main;") + 1024 + strlen(" 7\n"));
	pp_buf_free(&out);
	pp_profile_free(p);
}

static void
xml_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} known[] = {
		{ "abc", 3, "abc" },
		{ "abcd", 3, "ab\xe2\x80\xa6" },
		{ "<<<<", 3, "&lt;&lt;\xe2\x80\xa6" },
		{ "\xc3\xb6\xc3\xb6", 4, "\xc3\xb6\xc3\xb6" },
		{ "\xc3\xb6\xc3\xb6", 3, "\xc3\xb6\xe2\x80\xa6" },
		{ "abc", 0, "" },
		{ "", 0, "" },
	};
	struct pp_buf out = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(pp_xml_text(&out, known[i].text,
				known[i].columns) <= known[i].columns);
		pp_buf_append(&out, "", 1);
		assert_string_equal(out.data, known[i].want);
		out.len = 0;
	}
	pp_buf_free(&out);
}

/* Wide frames one by one, narrow ones as one box that says so; each row of
 * boxes is as wide as what it stands for. */
static void
svg_merges(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line line = { 0 };
	struct pp_buf out;
	const char *said;
	char name[32];
	int64_t value;
	uint32_t i;

	(void)state;
	p->value_type[0].type = pp_profile_string(p, "cpu");
	p->value_type[0].unit = pp_profile_string(p, "nanoseconds");
	p->value_types = 1;
	for (i = 0; i <= 1000; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		line.function = pp_profile_function(p, name, "", 0);
		pp_profile_lines(p, pp_profile_location(p, i + 1, 0), &line, 1);
		value = i == 0 ? 100000 : 10; /* 1180 px / 11000: 0.1 px */
		pp_profile_sample(p, &value);
		pp_profile_push(p, i + 1);
	}
	out = encoded(pp_encode_svg, p, 0, "x");
	said = svg_titles(&out);
	assert_non_null(strstr(said, "f0\n100us, 90.91% of all|"));
	assert_non_null(
	    strstr(said, "1000 smaller frames\n10us, 9.09% of all|"));
	assert_null(strstr(said, "f1\n"));
	assert_non_null(
	    strstr(out.data, "1000 frames narrower than 0.3 px in grey"));
	pp_buf_free(&out);
	pp_profile_free(p);
}

/* A file whose functions only call has a colour and its place in the legend. */
static void
svg_legend(void **state)
{
	static const char *const name[] = { "app.so", "libc.so.6", "kore" };
	struct pp_profile *p = pp_profile_new();
	struct pp_mapping mapping = { 0 };
	struct pp_buf out;
	uint32_t kore = 0, location, i;

	(void)state;
	known_head(p);
	for (i = 3; i-- > 0;) {
		mapping.file = name[i];
		mapping.start = (i + 1) * 0x10000;
		mapping.limit = mapping.start + 0x10000;
		location = pp_profile_location(p, mapping.start,
		    pp_profile_mapping(p, &mapping));
		if (i == 2) {
			kore = location;
			continue;
		}
		pp_profile_sample(p, (int64_t[]){ 9 - i, 9 - i });
		pp_profile_push(p, location);
		pp_profile_push(p, kore);
	}
	out = encoded(pp_encode_svg, p, 0, "x");
	assert_string_equal(svg_hues(&out),
	    "app.so 210|libc.so.6 30|kore 150|app.so 210|kore 150|libc.so.6 30|");
	pp_buf_free(&out);
	pp_profile_free(p);
}

/* What is met last in a profile of many files comes first by its weight. */
static void
svg_many_files(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_mapping mapping = { 0 };
	struct pp_buf out;
	char name[32];
	int64_t value;
	uint32_t i;

	(void)state;
	known_head(p);
	mapping.file = name;
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "lib%u.so", i);
		mapping.start = (i + 1) * 0x10000;
		mapping.limit = mapping.start + 0x10000;
		value = i == 99 ? 1000 : 1;
		pp_profile_sample(p, (int64_t[]){ value, value });
		pp_profile_push(p,
		    pp_profile_location(p, mapping.start,
			pp_profile_mapping(p, &mapping)));
	}
	out = encoded(pp_encode_svg, p, 0, "x");
	assert_non_null(strstr(svg_hues(&out), "lib99.so 210|lib0.so 330|"));
	assert_non_null(strstr(svg_hues(&out), "|lib99.so 210|"));
	pp_buf_free(&out);
	pp_profile_free(p);
}

static void
svg_negative(void **state)
{
	struct random_shape shape = { 2, 4, 0, 1, 0 };
	struct pp_profile *p = random_profile(&shape);
	int64_t value[2] = { 1, -2048 };
	struct pp_buf out;

	(void)state;
	pp_profile_sample(p, value);
	pp_profile_push(p, 1);
	out = encoded(pp_encode_svg, p, 1, "heap");
	assert_non_null(
	    strstr(out.data, "not drawn: -2kB of what became less"));
	assert_non_null(strstr(out.data, "nothing was sampled"));
	(void)svg_titles(&out);
	pp_buf_free(&out);
	value[1] = 4096;
	pp_profile_sample(p, value);
	pp_profile_push(p, 2);
	out = encoded(pp_encode_svg, p, 1, "heap");
	assert_non_null(strstr(svg_titles(&out), "all\n4kB, 100% of all|"));
	pp_buf_free(&out);
	pp_profile_free(p);
}

static void
svg_bounded(void **state)
{
	struct random_shape shape = { 8, 300, 20000, 100, 0 };
	struct pp_profile *p = random_profile(&shape);
	struct pp_buf out = encoded(pp_encode_svg, p, 1, "x");
	struct pp_buf again = encoded(pp_encode_svg, p, 1, "x");
	const char *at;
	uint32_t boxes = 0;

	(void)state;
	for (at = out.data; (at = strstr(at, "<g>")) != NULL; at++)
		boxes++;
	assert_in_range(boxes, 500, PP_PICTURE_BOXES_MAX);
	assert_true(out.len < (8U << 20));
	assert_string_equal(out.data, again.data);
	(void)svg_titles(&out);
	pp_buf_free(&out);
	pp_buf_free(&again);
	pp_profile_free(p);
}

static void
known_speedscope(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf out;

	(void)state;
	out = encoded(pp_encode_speedscope, p, 1, "profile");
	assert_string_equal(out.data,
	    "{\"$schema\":\"https://www.speedscope.app/"
	    "file-format-schema.json\",\n"
	    "\"name\":\"profile\",\"exporter\":\"kore-pprof\","
	    "\"activeProfileIndex\":1,\n\"profiles\":[\n"
	    "{\"type\":\"sampled\",\"name\":\"profile: samples\","
	    "\"unit\":\"none\",\"startValue\":0,\"endValue\":46,"
	    "\"samples\":[\n[0,1,2],\n[0,3]],\n\"weights\":[24,22]},\n"
	    "{\"type\":\"sampled\",\"name\":\"profile: cpu\","
	    "\"unit\":\"nanoseconds\",\"startValue\":0,"
	    "\"endValue\":460000000,"
	    "\"samples\":[\n[0,1,2],\n[0,3]],\n"
	    "\"weights\":[240000000,220000000]}],\n"
	    "\"shared\":{\"frames\":[\n"
	    "{\"name\":\"http_request_run\",\"file\":\"src/http.c\"},\n"
	    "{\"name\":\"page_fib\",\"file\":\"src/app.c\"},\n"
	    "{\"name\":\"fib\",\"file\":\"src/app.c\"},\n"
	    "{\"name\":\"memcpy\"}]}}\n");
	pp_buf_free(&out);
	pp_profile_free(p);
}

/* What its schema asks of a file, and that nothing is lost. */
static void
speedscope_schema(void **state)
{
	struct random_shape shape = { 7, 60, 2000, 30, 1 };
	struct pp_profile *p = random_profile(&shape);
	struct pp_buf out = encoded(pp_encode_speedscope, p, 0, "x");
	int64_t above = 0;
	char want[64];
	uint32_t i;

	(void)state;
	for (i = 0; i < p->samples; i++)
		above += p->sample[i].value[1] > 0 ? p->sample[i].value[1] : 0;
	snprintf(want, sizeof(want), "%lld good", (long long)above);
	assert_string_equal(go_ask(&out,
				"python3 -c \"import sys, json\n"
				"d = json.load(sys.stdin.buffer)\n"
				"n = len(d['shared']['frames'])\n"
				"for p in d['profiles']:\n"
				" assert p['type'] == 'sampled'\n"
				" assert p['unit'] in ('none', 'bytes', "
				"'nanoseconds')\n"
				" assert len(p['samples']) == "
				"len(p['weights'])\n"
				" assert all(0 <= f < n for s in "
				"p['samples'] for f in s)\n"
				" assert all(w > 0 for w in p['weights'])\n"
				" assert p['startValue'] == 0 and "
				"p['endValue'] == sum(p['weights'])\n"
				"print(p['endValue'], 'good', end='')\""),
	    want);
	pp_buf_free(&out);
	pp_profile_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_folded),
		cmocka_unit_test(folded_has_everything),
		cmocka_unit_test(folded_hostile),
		cmocka_unit_test(full_tree),
		cmocka_unit_test(ordered_tree),
		cmocka_unit_test(xml_columns),
		cmocka_unit_test(svg_hostile),
		cmocka_unit_test(long_names),
		cmocka_unit_test(svg_merges),
		cmocka_unit_test(svg_legend),
		cmocka_unit_test(svg_many_files),
		cmocka_unit_test(svg_negative),
		cmocka_unit_test(svg_bounded),
		cmocka_unit_test(known_speedscope),
		cmocka_unit_test(speedscope_schema),
		cmocka_unit_test(speedscope_hostile),
	};

	return (cmocka_run_group_tests_name("pictures", tests, go_prepare,
	    go_clean));
}
