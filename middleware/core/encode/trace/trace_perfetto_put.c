/*
 * Packets of a track event trace, as bytes of the file.
 */
#include <string.h>

#include "base/varint.h"
#include "encode/trace/trace_perfetto_private.h"

void
pp_pf_flush(struct pp_perfetto *pf)
{
	pp_spool_append(&pf->spool, pf->buffer, pf->used);
	pf->used = 0;
}

/* Set the bit, and return whether it was set before. */
static int
bit_set(uint8_t *bits, uint32_t at)
{
	uint8_t bit = (uint8_t)(1U << at % 8);
	int was = (bits[at / 8] & bit) != 0;

	bits[at / 8] |= bit;
	return (was);
}

ProtobufCBinaryData
pp_pf_bytes(const char *text, size_t len)
{
	ProtobufCBinaryData data;

	data.len = len;
	data.data = (uint8_t *)(uintptr_t)text;
	return (data);
}

ProtobufCBinaryData
pp_pf_name(const struct pp_perfetto *pf, uint32_t name)
{
	const char *text = pp_tracer_name(pf->tracer, name);

	if (name == NAME_TRACE)
		text = "trace";
	return (pp_pf_bytes(text, strlen(text)));
}

/* Write the last event, which says that the file ends early. */
static void
put_ended_early(struct pp_perfetto *pf)
{
	const struct pp_pf_detail note = { .name = NAME_TRACE,
		.text = PP_TRACE_ENDED_EARLY,
		.len = sizeof(PP_TRACE_ENDED_EARLY) - 1 };

	pf->full = 1;
	pp_pf_event(pf, pf->row[0].uuid, pf->last, SLICE_MOMENT, &note);
	pf->closed = 1;
}

/* Write the packet, as field 1 of the file. */
static void
put_packet(struct pp_perfetto *pf, Pp__Perfetto__TracePacket *packet)
{
	size_t len;

	packet->trusted_packet_sequence_id = SEQUENCE;
	len = pp__perfetto__trace_packet__get_packed_size(packet) + 16;
	if (pf->spool.len + pf->used + len + (pf->full ? 0 : NOTE_BYTES) >
	    pf->max) {
		if (!pf->full)
			put_ended_early(pf);
		return;
	}
	if (pf->closed)
		return;
	packet->sequence_flags = pf->begun ? NAMES_GO_ON : NAMES_BEGIN;
	pf->begun = 1;
	len = pp__perfetto__trace_packet__get_packed_size(packet);
	if (len + 8 > BUFFER_BYTES) {
		pf->failed = 1;
		return;
	}
	if (pf->used + len + 8 > BUFFER_BYTES)
		pp_pf_flush(pf);
	pf->buffer[pf->used++] = 1 << 3 | 2;
	pf->used += pp_varint(pf->buffer + pf->used, len);
	pf->used += (uint32_t)pp__perfetto__trace_packet__pack(packet,
	    pf->buffer + pf->used);
}

void
pp_pf_event(struct pp_perfetto *pf, uint64_t uuid, int64_t ts,
    enum pp_pf_slice slice, const struct pp_pf_detail *detail)
{
	Pp__Perfetto__TracePacket packet = PP__PERFETTO__TRACE_PACKET__INIT;
	Pp__Perfetto__TrackEvent event = PP__PERFETTO__TRACK_EVENT__INIT;
	Pp__Perfetto__InternedData data = PP__PERFETTO__INTERNED_DATA__INIT;
	Pp__Perfetto__EventName name = PP__PERFETTO__EVENT_NAME__INIT;
	Pp__Perfetto__EventName *names = &name;
	Pp__Perfetto__DebugAnnotation note =
	    PP__PERFETTO__DEBUG_ANNOTATION__INIT;
	Pp__Perfetto__DebugAnnotation *notes = &note;
	uint64_t flow = detail->flow;

	event.type = (int32_t)slice;
	event.track_uuid = uuid;
	event.name_iid = detail->name;
	event.counter_value = detail->number;
	if (flow != 0) {
		event.n_flow_ids = 1;
		event.flow_ids = &flow;
	}
	if (detail->len > 0) {
		note.name = pp_pf_bytes("message", 7);
		note.string_value = pp_pf_bytes(detail->text, detail->len);
		event.n_debug_annotations = 1;
		event.debug_annotations = &notes;
	}
	if (detail->name != 0 && detail->name <= NAME_TRACE &&
	    !bit_set(pf->name_used, detail->name)) {
		name.iid = detail->name;
		name.name = pp_pf_name(pf, detail->name);
		data.n_event_names = 1;
		data.event_names = &names;
		packet.interned_data = &data;
	}
	packet.timestamp = (uint64_t)ts;
	packet.track_event = &event;
	put_packet(pf, &packet);
}

void
pp_pf_track(struct pp_perfetto *pf, Pp__Perfetto__TrackDescriptor *track)
{
	Pp__Perfetto__TracePacket packet = PP__PERFETTO__TRACE_PACKET__INIT;

	packet.track_descriptor = track;
	put_packet(pf, &packet);
}
