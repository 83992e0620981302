/*
 * The texts that strangers and operators write: queries, the numbers in them,
 * addresses, PPROF_ALLOW, PPROF_HOSTS, PPROF_LISTEN, Accept-Encoding.
 *
 *     first byte: which reader; the rest: its text
 */
#include "base/allow.h"
#include "base/listen.h"
#include "fuzz.h"
#include "service/http/assets.h"
#include "service/http/query.h"

/* First bytes from these on are theirs, whatever they are modulo three. */
#define ACCEPT 0xc0
#define LISTEN 0xe0

static void
numbers(const struct pp_query_value *value)
{
	char shown[PP_QUERY_VALUE_MAX + 4];
	int64_t number = 0;
	double real;
	size_t i;

	fuzz_must(value->len <= PP_QUERY_VALUE_MAX);
	fuzz_must(value->text[value->len] == '\0');
	(void)pp_query_int(value, &number);
	real = pp_query_float(value);
	fuzz_must(value->len > 0 || real == 0);
	(void)pp_query_address(value->text, value->len);
	pp_query_show(value, shown);
	fuzz_must(strlen(shown) < sizeof(shown));
	for (i = 0; shown[i] != '\0'; i++)
		fuzz_must(shown[i] >= ' ' && shown[i] <= '~');
}

static void
query(const char *text, size_t len)
{
	static const char *const keys[] = { "seconds", "hz", "debug", "gc", "",
		"a b", "max", "since", "until", "sample_index", "format" };
	struct pp_query_value value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		pp_query_get(text, len, keys[i], &value);
		numbers(&value);
	}
}

static void
allow(const char *text)
{
	struct pp_allow list;
	char why[128];
	int hosts;

	for (hosts = 0; hosts < 2; hosts++) {
		memset(why, 'x', sizeof(why));
		if (pp_allow_parse(&list, hosts ? NULL : text,
			hosts ? text : NULL, NULL, why, sizeof(why)) == 0) {
			fuzz_must(list.nets <= PP_ALLOW_NETS_MAX);
			fuzz_must(list.hosts <= PP_ALLOW_HOSTS_MAX);
			continue;
		}
		fuzz_must(
		    memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
	}
}

static void
listen_at(const char *text)
{
	struct pp_listen at;
	char why[128];

	memset(why, 'x', sizeof(why));
	if (pp_listen_parse(&at, text, why, sizeof(why)) == 0) {
		fuzz_must(at.len > 0 && at.len <= sizeof(at.address));
		fuzz_must(at.address.any.sa_family == AF_UNIX ||
		    at.address.any.sa_family == AF_INET ||
		    at.address.any.sa_family == AF_INET6);
		return;
	}
	fuzz_must(memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_query_value value;
	char *text;
	size_t len;

	if (size == 0)
		return (0);
	len = size - 1;
	/* Of exactly its length, so that a byte too far is seen. */
	if ((text = malloc(len + 1)) == NULL)
		abort();
	memcpy(text, data + 1, len);
	text[len] = '\0';
	if (data[0] >= LISTEN)
		listen_at(text);
	else if (data[0] >= ACCEPT)
		(void)pp_asset_takes_gzip(text);
	else if (data[0] % 3 == 2)
		allow(text);
	if ((text = realloc(text, len > 0 ? len : 1)) == NULL)
		abort();
	if (data[0] % 3 == 0)
		query(text, len);
	if (data[0] % 3 == 1) {
		(void)pp_query_address(text, len);
		memset(&value, 0, sizeof(value));
		value.len = len < PP_QUERY_VALUE_MAX ? len : PP_QUERY_VALUE_MAX;
		memcpy(value.text, text, value.len);
		value.cut = len > value.len;
		numbers(&value);
	}
	free(text);
	return (0);
}
