"""
The bytes of a profile, message by message and in the order of the file, for
what `go tool pprof` reads but does not show: ids, order, repeats, UTF-8.

Not a reader for anything else: profiles.py asks pprof itself.

Source of the field numbers: profile.proto of google/pprof.
"""
import zlib

PROFILE = {1: ("sample_type", "value_type"), 2: ("sample", "sample"),
           3: ("mapping", "mapping"), 4: ("location", "location"),
           5: ("function", "function"), 6: ("string_table", "text"),
           7: ("drop_frames", int), 8: ("keep_frames", int),
           9: ("time_nanos", int), 10: ("duration_nanos", int),
           11: ("period_type", "value_type"), 12: ("period", int),
           13: ("comment", int), 14: ("default_sample_type", int)}
MESSAGES = {
    "value_type": {1: ("type", int), 2: ("unit", int)},
    "sample": {1: ("location_id", int), 2: ("value", int),
               3: ("label", "label")},
    "label": {1: ("key", int), 2: ("str", int), 3: ("num", int),
              4: ("num_unit", int)},
    "mapping": {1: ("id", int), 2: ("memory_start", int),
                3: ("memory_limit", int), 4: ("file_offset", int),
                5: ("filename", int), 6: ("build_id", int),
                7: ("has_functions", int), 8: ("has_filenames", int),
                9: ("has_line_numbers", int), 10: ("has_inline_frames", int)},
    "location": {1: ("id", int), 2: ("mapping_id", int), 3: ("address", int),
                 4: ("line", "line"), 5: ("is_folded", int)},
    "line": {1: ("function_id", int), 2: ("line", int)},
    "function": {1: ("id", int), 2: ("name", int), 3: ("system_name", int),
                 4: ("filename", int), 5: ("start_line", int)},
}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
        if shift > 63:
            raise AssertionError("a varint of more than 10 bytes")
    return value - (1 << 64) if value >= 1 << 63 else value, at


def varints(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value = data[at:at + size]
            if len(value) != size:
                raise AssertionError("a field goes over the end")
            at += size
        else:
            raise AssertionError("wire type %d" % (key & 7))
        yield key >> 3, value


class Message:
    """Each field as the list of its values, in the order of the file."""

    def __init__(self, data, table):
        for name, _ in table.values():
            setattr(self, name, [])
        for number, value in fields(data):
            if number not in table:
                raise AssertionError("field %d is not in the schema" % number)
            name, kind = table[number]
            into = getattr(self, name)
            if kind == "text":
                into.append(value.decode("utf-8", "strict"))
            elif kind is int:
                into += ([value] if isinstance(value, int)
                         else varints(value))
            else:
                into.append(Message(value, MESSAGES[kind]))

    def one(self, name):
        """A field that may occur once; 0 when it does not."""
        values = getattr(self, name)
        if len(values) > 1:
            raise AssertionError("%s occurs %d times" % (name, len(values)))
        return values[0] if values else 0


def read(body):
    """The profile in the bytes of one whole gzip member."""
    gzip = zlib.decompressobj(31)
    data = gzip.decompress(body)
    if not gzip.eof or gzip.unused_data:
        raise AssertionError("not exactly one whole gzip member")
    profile = Message(data, PROFILE)
    profile.size = len(data)
    return profile
