/*
 * The rule of who may ask: headers in any order, case and number, names that
 * nearly are those that count, Host as anybody may spell it.
 *
 *     bytes: peer, method, history and more; then headers, each a byte that
 *     chooses its name (or says that its text follows) and a text, its value
 */
#include <sys/un.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <strings.h>

#include "base/allow.h"
#include "fuzz.h"

#define HEADERS_MAX 40
#define TEXT_MAX    80

/* What decides, and honest ones. */
static const char *const known[] = { "Host", "Origin", "Sec-Fetch-Site",
	"Sec-Fetch-Mode", "Sec-Fetch-Dest", "Content-Length",
	"Transfer-Encoding", "User-Agent", "Accept", "Via", "X-Forwarded-For",
	"X-Real-IP" };
static const char *const values[] = { "localhost", "127.0.0.1:80", "[::1]",
	"evil.example", "dev.example", "http://localhost", "same-origin",
	"cross-site", "navigate", "document", "0", "5" };

#define KNOWN  (sizeof(known) / sizeof(known[0]))
#define VALUES (sizeof(values) / sizeof(values[0]))

struct header {
	char name[TEXT_MAX + 1];
	char value[TEXT_MAX + 1];
};

static struct header headers[HEADERS_MAX];
static size_t count;

static void
read_text(struct fuzz *f, const char *const *table, size_t rows, char *out)
{
	unsigned int choice = (unsigned int)fuzz_number(f, 1);

	if (choice < rows)
		(void)strcpy(out, table[choice]);
	else
		fuzz_text(f, choice % TEXT_MAX, out);
}

/* The same headers from the other end, and in capitals: means the same. */
static enum pp_refusal
refused(const struct pp_allow *allow, const struct pp_asked *blank, int other)
{
	static char name[HEADERS_MAX][TEXT_MAX + 1];
	struct pp_asked asked = *blank;
	size_t i, at, k;

	for (i = 0; i < count; i++) {
		at = other ? count - 1 - i : i;
		for (k = 0; k <= strlen(headers[at].name); k++)
			name[at][k] = other
			    ? (char)toupper((unsigned char)headers[at].name[k])
			    : headers[at].name[k];
		pp_allow_asked_header(&asked, allow, name[at],
		    headers[at].value);
	}
	fuzz_must(pp_allow_asked_history(&asked) & PP_HISTORY_MET);
	return (pp_allow_asked(allow, &asked));
}

/* By the table, the slow way. */
static int
came_through_a_proxy(void)
{
	const char *const *row;
	size_t i, all;

	for (i = 0; i < count; i++) {
		for (row = pp_allow_proxies; *row != NULL; row++) {
			all = strlen(*row);
			if ((*row)[all - 1] == '*'
				? strncasecmp(headers[i].name, *row, all - 1) ==
				    0
				: strcasecmp(headers[i].name, *row) == 0)
				return (1);
		}
	}
	return (0);
}

/* A name that others may own has a letter that no address has, in its last
 * label but one at the latest; and is none of ours. */
static void
hosts_are_ours(const struct pp_allow *allow)
{
	const char *value;
	size_t i;

	for (i = 0; i < count; i++) {
		value = headers[i].value;
		if (strcasecmp(headers[i].name, "host") != 0)
			continue;
		fuzz_must(pp_allow_host(allow, value));
		fuzz_must(strncasecmp(value, "localhost", 9) == 0 ||
		    strncasecmp(value, "dev.example", 11) == 0 ||
		    value[0] == '[' ||
		    value[strspn(value, "0123456789abcdefABCDEFxX.:")] == '\0');
		/* A zone is this machine's own word. */
		fuzz_must(strstr(value, "evil") == NULL ||
		    (strncasecmp(value, "[fe", 3) == 0 &&
			strchr(value, '%') != NULL));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const rules[] = { "loopback", "any", "10.0.0.0/8" };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct fuzz f = { .data = data, .left = size };
	struct pp_asked asked = { 0 };
	struct pp_allow allow;
	unsigned int bits;
	enum pp_refusal why;
	char text[256];

	bits = (unsigned int)fuzz_number(&f, 2);
	fuzz_must(pp_allow_parse(&allow, rules[bits % 3], "dev.example", "0",
		      text, sizeof(text)) == 0);
	v4.sin_addr.s_addr = htonl(bits & 4 ? INADDR_LOOPBACK : 0x0a000001);
	asked.peer = bits & 8 ? (const struct sockaddr *)&un
			      : (const struct sockaddr *)&v4;
	asked.method = (enum pp_method)(bits >> 4 & 3);
	asked.index = bits >> 6 & 1;
	asked.full = (bits >> 7 & 7) == 7;
	asked.history = (bits >> 10 & 7) == 7 ? PP_HISTORY_REMOTE : 0;
	for (count = 0; f.left > 0 && count < HEADERS_MAX; count++) {
		read_text(&f, known, KNOWN, headers[count].name);
		read_text(&f, values, VALUES, headers[count].value);
	}
	why = refused(&allow, &asked, 0);
	fuzz_must(why < PP_REFUSALS);
	fuzz_must((why == PP_REFUSED_NOT) == (pp_allow_refusals[why] == NULL));
	fuzz_must(why == refused(&allow, &asked, 1));
	if (allow.any || why != PP_REFUSED_NOT)
		return (0);
	fuzz_must(pp_allow_peer(&allow, asked.peer));
	fuzz_must(!came_through_a_proxy() && !asked.full && !asked.history);
	if (!(bits & 8))
		hosts_are_ours(&allow);
	return (0);
}
