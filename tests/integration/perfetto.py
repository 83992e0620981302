"""
Traces for ui.perfetto.dev, read and judged: slices by row, names, arrows.

Not Perfetto's own reader, which Debian does not have: the field numbers are
those of its track events, the rules those that its documents state.

As a program: python3 perfetto.py FILE prints what is in it, and fails when a
rule is broken.
"""
import collections
import sys

BEGIN, END, MOMENT, NUMBER = 1, 2, 3, 4


class Broken(AssertionError):
    """A rule of the format does not hold."""


def fields(data):
    """(field, value) one after the other; bytes, or a number."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise Broken("cut within a number")
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = varint()
        sort = key & 7
        if sort == 0:
            yield key >> 3, varint()
            continue
        length = varint() if sort == 2 else {1: 8, 5: 4}[sort]
        if at + length > len(data):
            raise Broken("field %d is cut" % (key >> 3))
        value = data[at:at + length]
        at += length
        yield key >> 3, value if sort == 2 else int.from_bytes(value, "little")


def first(data):
    return dict(reversed(list(fields(data))))


Slice = collections.namedtuple("Slice", "row name begin end flows depth")


class Perfetto:
    def __init__(self, data):
        self.names, self.rows, self.parents = {}, {}, {}
        self.slices, self.moments, self.numbers = [], [], []
        self.threads, self.events = set(), []
        self.open = collections.defaultdict(list)
        for count, (field, packet) in enumerate(fields(data)):
            if field != 1:
                raise Broken("field %d of the file" % field)
            self._packet(first(packet), count == 0)
        # Readers put events into the order of time, those of one time stay
        # as they are.
        self.events.sort(key=lambda event: event[0])
        for ts, found in self.events:
            self._event(ts, found)

    def _packet(self, packet, begin):
        if packet.get(10) != 1 or packet.get(13) != (1 if begin else 2):
            raise Broken("sequence %r, flags %r" % (
                packet.get(10), packet.get(13)))
        if 12 in packet:
            for _, name in fields(packet[12]):
                name = first(name)
                if name[1] in self.names:
                    raise Broken("name %d is there twice" % name[1])
                self.names[name[1]] = name[2].decode()
        if 60 in packet:
            self._row(first(packet[60]))
        if 11 in packet:
            self._told(packet[8], list(fields(packet[11])))

    def _row(self, row):
        name = row.get(2, b"")
        if 3 in row:
            name = first(row[3])[6]
        elif 4 in row:
            name = first(row[4])[5]
            self.threads.add(row[1])
        self.rows[row[1]] = name.decode()
        self.parents[row[1]] = row.get(5, 0)

    def _told(self, ts, found):
        event = dict(found)
        if event.get(11, 0) not in self.rows:
            raise Broken("no row %d" % event.get(11, 0))
        if event.get(10, 0) and event[10] not in self.names:
            raise Broken("name %d is not told" % event[10])
        self.events.append((ts, found))

    def _event(self, ts, found):
        event = dict(found)
        row, sort = event.get(11, 0), event[9]
        name = self.names.get(event.get(10, 0), "")
        flows = [value for field, value in found if field == 47]
        if sort == BEGIN:
            self.open[row].append((name, ts, flows))
        elif sort == END:
            if not self.open[row] and row not in self.threads:
                return  # of a worker that lies about times
            if not self.open[row]:
                raise Broken("an end without a begin on %s" % self.rows[row])
            name, since, flows = self.open[row].pop()
            self.slices.append(Slice(row, name, since, ts, flows,
                                     len(self.open[row])))
        elif sort == MOMENT:
            note = first(event[4]).get(6, b"") if 4 in event else b""
            self.moments.append((row, name, ts,
                                 note.decode("utf-8", "replace")))
        elif sort == NUMBER:
            self.numbers.append((row, ts, event.get(30, 0)))
        else:
            raise Broken("an event of sort %d" % sort)

    def named(self, name):
        return [s for s in self.slices if s.name == name]


def main():
    with open(sys.argv[1], "rb") as file:
        trace = Perfetto(file.read())
    for name, number in collections.Counter(
            s.name for s in trace.slices).most_common():
        print("%-30s %d" % (name, number))
    print("%d rows, %d moments, %d numbers" % (
        len(trace.rows), len(trace.moments), len(trace.numbers)))


if __name__ == "__main__":
    main()
