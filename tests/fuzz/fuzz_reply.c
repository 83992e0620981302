/*
 * What a collector that was taken over can send to a worker: the packet that
 * kore/routes/forward.c takes apart.
 *
 *     first byte: even, the rest is the packet as it is; odd, a head of ours
 *     with a status, and the rest as its header lines
 *
 * Rule: what is taken is a status and lines of HTTP, each found once.
 */
#include "base/wire.h"
#include "fuzz.h"

static void
taken(const struct pp_wire_answer *answer, char *headers)
{
	char *lines = headers, *name, *value, *end;
	size_t used = 0;

	fuzz_must(answer->status >= 200 && answer->status < 600);
	fuzz_must(strlen(headers) == answer->headers_len);
	end = headers + answer->headers_len;
	while (pp_wire_header(&lines, &name, &value) == 0) {
		fuzz_must(strpbrk(name, "\r\n") == NULL);
		fuzz_must(strpbrk(value, "\r\n") == NULL);
		used += strlen(name) + strlen(value) + strlen(": \n");
	}
	fuzz_must(lines == end && used == answer->headers_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { data, size };
	struct pp_wire_answer answer, head;
	char headers[PP_ANSWER_HEADERS_MAX + 1];
	uint64_t how = fuzz_number(&f, 1);
	uint8_t *packet;
	size_t len = f.left;

	memset(&head, 0, sizeof(head));
	if (how & 1) {
		head.version = PP_WIRE_VERSION;
		head.kind = PP_WIRE_ANSWER;
		head.status = (uint32_t)fuzz_number(&f, 2) % 1000;
		head.headers_len = (uint32_t)f.left;
		len = sizeof(head) + f.left;
	}
	/* Of exactly its length, so that a byte too far is seen. */
	fuzz_must((packet = malloc(len > 0 ? len : 1)) != NULL);
	if (how & 1)
		memcpy(packet, &head, sizeof(head));
	memcpy(packet + len - f.left, f.data, f.left);
	if (pp_wire_answer(packet, len, &answer, headers) == 0)
		taken(&answer, headers);
	free(packet);
	return (0);
}
