/*
 * The lines of the heap profile itself; see text_heap.h.
 *
 *     heap profile: 3: 96 [10: 320] @ heap/1048576
 *     3: 96 [10: 320] @ 0x401136 0x40119d
 *     # labels: {"http.route":"/concat/", "worker":1, "bytes":32}
 *     #	0x401135	concat+0x25	concat.c:31
 *
 * A line has in use, allocated and the stack; the first line has the sums and
 * twice the rate, as gperftools writes it. Lines come in the profile's order:
 * most bytes in use first.
 */
#include "encode/text/text.h"
#include "encode/text/text_heap.h"

/* If both columns of the first line are equal, a reader takes the file for one
 * without alloc_ values. */
static void
heap_head(const struct pp_profile *p, uint64_t rate, struct pp_buf *out)
{
	uint64_t sum[PP_VALUES_MAX] = { 0 };
	uint32_t i, v;

	for (i = 0; i < p->samples; i++) {
		for (v = 0; v < PP_VALUES_MAX; v++)
			sum[v] += (uint64_t)p->sample[i].value[v];
	}
	if (sum[PP_HEAP_TYPE_ALLOC_OBJECTS] ==
		sum[PP_HEAP_TYPE_INUSE_OBJECTS] &&
	    sum[PP_HEAP_TYPE_ALLOC_SPACE] == sum[PP_HEAP_TYPE_INUSE_SPACE])
		sum[PP_HEAP_TYPE_ALLOC_SPACE]++;
	pp_buf_printf(out,
	    "heap profile: %llu: %llu [%llu: %llu] @ heap/%llu\n",
	    (unsigned long long)sum[PP_HEAP_TYPE_INUSE_OBJECTS],
	    (unsigned long long)sum[PP_HEAP_TYPE_INUSE_SPACE],
	    (unsigned long long)sum[PP_HEAP_TYPE_ALLOC_OBJECTS],
	    (unsigned long long)sum[PP_HEAP_TYPE_ALLOC_SPACE],
	    (unsigned long long)(2 * rate));
}

void
pp_encode_text_heap(const struct pp_profile *p, const struct pp_heap_view *view,
    struct pp_buf *out)
{
	const struct pp_sample *sample;
	uint32_t i;

	heap_head(p, view->rate, out);
	if (view->mixed)
		pp_buf_text(out,
		    "# The sampling rate was changed while the service ran, "
		    "and a reader can scale by one\n"
		    "# rate only: the values here are scaled already, "
		    "heap/2 tells the reader to leave them.\n");
	for (i = 0; i < p->samples; i++) {
		sample = &p->sample[i];
		pp_buf_printf(out, "%lld: %lld [%lld: %lld] @",
		    (long long)sample->value[PP_HEAP_TYPE_INUSE_OBJECTS],
		    (long long)sample->value[PP_HEAP_TYPE_INUSE_SPACE],
		    (long long)sample->value[PP_HEAP_TYPE_ALLOC_OBJECTS],
		    (long long)sample->value[PP_HEAP_TYPE_ALLOC_SPACE]);
		pp_text_addresses(p, sample, out);
		pp_buf_text(out, "\n");
		pp_text_labels(p, sample, out);
		pp_text_frames(p, sample, out);
	}
}
