"""
The trace format of Go 1.19, read and judged.

Trace is a file taken apart: events in their order, names and stacks
resolved. check() holds it against the rules that make a reader refuse a file
or go wrong, those too that only newer versions of Go insist on; they are
listed in docs/formats.md. Not a viewer.

As a program: python3 tracefile.py FILE prints what is in it, and fails when a
rule is broken.
"""
import collections
import sys

HEAD = b"go 1.19 trace\0\0\0"

# name, names of the arguments behind the time
EVENTS = {
    4: ("Gomaxprocs", "n stk"), 5: ("ProcStart", "thread"),
    6: ("ProcStop", ""), 13: ("GoCreate", "g entry stk"),
    14: ("GoStart", "g seq"), 15: ("GoEnd", ""), 17: ("GoSched", "stk"),
    19: ("GoSleep", "stk"), 21: ("GoUnblock", "g seq stk"), 23: ("GoBlockRecv", "stk"),
    25: ("GoBlockSync", "stk"), 26: ("GoBlockCond", "stk"),
    27: ("GoBlockNet", "stk"), 28: ("GoSysCall", "stk"),
    29: ("GoSysExit", "g seq real"), 30: ("GoSysBlock", ""),
    31: ("GoWaiting", "g"), 32: ("GoInSyscall", "g"),
    33: ("HeapAlloc", "bytes"), 38: ("GoStartLocal", "g"),
    39: ("GoUnblockLocal", "g stk"), 41: ("GoStartLabel", "g seq label"),
    45: ("UserTaskCreate", "task parent name stk"),
    46: ("UserTaskEnd", "task stk"),
    47: ("UserRegion", "task mode name stk"), 48: ("UserLog", "task key stk"),
    49: ("CPUSample", "real p g stk"),
}
BLOCKS = ("GoBlockRecv", "GoBlockSync", "GoBlockCond", "GoBlockNet",
          "GoSleep")
STARTS = ("GoStart", "GoStartLocal", "GoStartLabel")
NEEDS_STACK = BLOCKS + ("GoUnblock", "GoUnblockLocal", "GoSched", "GoSysCall")


class Broken(AssertionError):
    """A rule of the format does not hold."""


class Event:
    __slots__ = ("name", "p", "ts", "g", "text", "args")

    def __getattr__(self, key):
        try:
            return self.args[key]
        except KeyError:
            raise AttributeError(key)

    def __repr__(self):
        return "%s p=%d ts=%d g=%s %r" % (
            self.name, self.p, self.ts, self.g, self.args)


class Trace:
    def __init__(self, data):
        self.data = data
        self.strings = {0: ""}
        self.stacks = {}
        self.frames = {}
        self.frequency = None
        self.rows = collections.defaultdict(list)
        self.samples = []
        self._parse()
        self.rows = {p: row for p, row in self.rows.items() if row}
        self.events = self._merge()

    # Bytes.

    def _varint(self, at):
        value = shift = 0
        while True:
            if at >= len(self.data):
                raise Broken("cut within a number, at byte %d" % at)
            if shift > 63:
                raise Broken("a number of more than 10 bytes, at %d" % at)
            byte = self.data[at]
            value |= (byte & 0x7f) << shift
            at += 1
            if byte < 0x80:
                return value, at
            shift += 7

    def _parse(self):
        data, p, last = self.data, None, 0
        if data[:16] != HEAD:
            raise Broken("the head is %r" % data[:16])
        at = 16
        while at < len(data):
            kind, code = data[at] & 0x3f, data[at] >> 6
            at += 1
            if p is None and kind != 1:
                raise Broken("event %d before the first batch" % kind)
            if kind == 37:
                number, at = self._varint(at)
                length, at = self._varint(at)
                if number == 0 or number in self.strings:
                    raise Broken("string %d is there twice" % number)
                if not 0 < length <= 1000000 or at + length > len(data):
                    raise Broken("string %d has %d bytes" % (number, length))
                self.strings[number] = data[at:at + length].decode()
                at += length
                continue
            if code == 3:
                length, at = self._varint(at)
                end = at + length
                if kind == 3 and length > 2048:
                    raise Broken("a stack has %d bytes" % length)
                values = []
                while at < end:
                    value, at = self._varint(at)
                    values.append(value)
                if at != end:
                    raise Broken("a record is longer than it says")
            else:
                values = []
                for _ in range(code + 1):
                    value, at = self._varint(at)
                    values.append(value)
            if kind == 1:
                if code != 1:
                    raise Broken("a batch with code %d" % code)
                p, last = values
                if p >= 1000000:
                    raise Broken("P %d" % p)
            elif kind == 2:
                if code != 0 or self.frequency is not None or (
                        values[0] != 1000000000):
                    raise Broken("a frequency of %r" % values)
                self.frequency = values[0]
            elif kind == 3:
                self._stack(values)
            else:
                last += values[0]
                at = self._event(kind, p, last, values[1:], at)
        if self.frequency is None:
            raise Broken("no frequency")

    def _stack(self, values):
        number, count = values[:2]
        if not 0 < number < 1 << 32:
            raise Broken("stack id %d" % number)
        if number in self.stacks:
            raise Broken("stack %d is there twice" % number)
        if not 1 <= count <= 64 or len(values) != 2 + 4 * count:
            raise Broken("stack %d has %d frames" % (number, count))
        frames = [tuple(values[i:i + 4]) for i in range(2, len(values), 4)]
        for frame in frames:
            if self.frames.setdefault(frame[0], frame) != frame:
                raise Broken("address %#x has two meanings" % frame[0])
        self.stacks[number] = frames

    def _event(self, kind, p, ts, values, at):
        if kind not in EVENTS:
            raise Broken("event type %d" % kind)
        event = Event()
        event.name, names = EVENTS[kind]
        names = names.split()
        if len(names) != len(values):
            raise Broken("%s has %d values" % (event.name, len(values)))
        event.p, event.ts, event.g, event.text = p, ts, None, None
        event.args = dict(zip(names, values))
        if event.name == "UserLog":
            length, at = self._varint(at)
            event.text = self.data[at:at + length].decode("utf-8", "replace")
            at += length
        if event.name == "CPUSample":
            self.samples.append(event)
        else:
            if self.rows[p] and ts < self.rows[p][-1].ts:
                raise Broken("batches of P %d are not in order" % p)
            self.rows[p].append(event)
        return at

    # Order, as Go 1.19 finds it: of the events that come next on their Ps,
    # the earliest whose G is in the state that it needs.

    def _merge(self):
        state = {}
        heads = {p: 0 for p in self.rows}
        merged = []
        while heads:
            best = None
            for p, i in heads.items():
                event = self.rows[p][i]
                if self._ready(event, state) and (
                        best is None or event.ts < best.ts):
                    best = event
            if best is None:
                raise Broken("no consistent order: %s" % [
                    self.rows[p][i] for p, i in heads.items()][:4])
            self._move(best, state)
            merged.append(best)
            heads[best.p] += 1
            if heads[best.p] == len(self.rows[best.p]):
                del heads[best.p]
        for before, after in zip(merged, merged[1:]):
            if after.ts < before.ts:
                raise Broken("time goes back: %r, %r" % (before, after))
        return merged

    @staticmethod
    def _ready(event, state):
        if event.name == "GoCreate":
            return event.args["g"] not in state
        need = {"GoWaiting": "runnable", "GoInSyscall": "runnable",
                "GoStart": "runnable", "GoStartLocal": "runnable",
                "GoStartLabel": "runnable", "GoUnblock": "waiting",
                "GoUnblockLocal": "waiting", "GoSysExit": "waiting"
                }.get(event.name)
        if need is None:
            return True
        seq, now = state.get(event.args["g"], (0, "dead"))
        return now == need and event.args.get("seq", seq) == seq

    @staticmethod
    def _move(event, state):
        name, args = event.name, event.args
        if name == "GoCreate":
            state[args["g"]] = (1, "runnable")
        elif name in ("GoWaiting", "GoInSyscall"):
            state[args["g"]] = (2, "waiting")
        elif name in STARTS:
            state[("p", event.p)] = args["g"]
            state[args["g"]] = (state[args["g"]][0] + 1, "running")
        elif name in ("GoUnblock", "GoUnblockLocal", "GoSysExit"):
            state[args["g"]] = (state[args["g"]][0] + 1, "runnable")
        event.g = state.get(("p", event.p), 0)
        if name in BLOCKS + ("GoEnd", "GoSched", "GoSysBlock") and (
                event.g == 0):
            raise Broken("nothing runs: %r" % event)
        if name == "GoEnd":
            state[event.g] = (0, "ended")
        elif name in BLOCKS or name == "GoSysBlock":
            state[event.g] = (state[event.g][0], "waiting")
        elif name == "GoSched":
            state[event.g] = (state[event.g][0], "runnable")
        if name in BLOCKS + ("GoEnd", "GoSched", "GoSysBlock"):
            state[("p", event.p)] = 0

    # Meaning.

    def stack(self, number):
        """Function names, the leaf first."""
        return [self.strings[frame[1]] for frame in self.stacks[number]]

    def goroutines(self):
        """Name by number."""
        return {e.args["g"]: self.stack(e.entry)[0]
                for e in self.events if e.name == "GoCreate"}

    def named(self, name):
        return [g for g, n in self.goroutines().items() if n == name]

    def of(self, name):
        return [e for e in self.events if e.name == name]

    def spans(self):
        """What each G did: (g, "running" or the event that made it stop,
        begin, end, stack). Ends with the trace what has no other end."""
        since, spans, called = {}, [], {}
        end = self.events[-1].ts
        names = self.goroutines()

        def close(g, ts):
            if g in since:
                what, begin, stack = since.pop(g)
                spans.append((g, what, begin, ts, stack))

        for e in self.events:
            if e.name in STARTS:
                close(e.args["g"], e.ts)
                since[e.args["g"]] = ("running", e.ts, 0)
            elif e.name in ("GoUnblock", "GoUnblockLocal", "GoSysExit",
                            "GoCreate"):
                close(e.args["g"], e.ts)
                since[e.args["g"]] = ("runnable", e.ts, 0)
            elif e.name == "GoSysCall":
                called[e.p] = e.stk
            elif e.name in BLOCKS + ("GoSched", "GoSysBlock"):
                close(e.g, e.ts)
                since[e.g] = ("runnable" if e.name == "GoSched" else e.name,
                              e.ts, e.args.get("stk") or called[e.p])
            elif e.name == "GoEnd":
                close(e.g, e.ts)
        for g in list(since):
            close(g, end)
        assert all(span[0] in names for span in spans)
        return spans

    def seconds(self, what="running", name=None):
        names = self.goroutines()
        return sum(end - begin for g, did, begin, end, _ in self.spans()
                   if did == what and (name is None or names[g] == name)) / 1e9

    def logs(self):
        return [(self.strings[e.key], e.text) for e in self.of("UserLog")]

    # Rules.

    def check(self):
        self._check_rows()
        self._check_tasks()
        self._check_stacks()
        self._check_begin()
        self._check_samples()
        return self

    def _check_rows(self):
        running, up, syscall, blocked = {}, set(), {}, {}
        for e in self.events:
            p = e.p
            if syscall.get(p) and e.name != "ProcStop":
                raise Broken("GoSysBlock is not followed by ProcStop: %r" % e)
            syscall[p] = e.name == "GoSysBlock"
            if e.name == "GoSysBlock":
                if e.ts == 0:
                    raise Broken("GoSysBlock at tick 0: %r" % e)
                blocked[e.g] = e.ts
            elif e.name == "GoSysExit":
                if p not in up:
                    raise Broken("GoSysExit on a stopped P: %r" % e)
                since = blocked.pop(e.args["g"], 0)
                if e.real != 0 and not since <= e.real <= e.ts:
                    raise Broken("GoSysExit with real ticks: %r" % e)
            if e.name == "ProcStart":
                if p in up:
                    raise Broken("P %d is running before start" % p)
                up.add(p)
            elif e.name == "ProcStop":
                if p not in up or running.get(p):
                    raise Broken("ProcStop of P %d" % p)
                up.discard(p)
            elif e.name in STARTS:
                if p not in up:
                    raise Broken("a G starts on a stopped P: %r" % e)
                if running.get(p):
                    raise Broken("two Gs on one P: %r" % e)
                running[p] = e.args["g"]
            elif e.name in BLOCKS + ("GoEnd", "GoSched", "GoSysBlock"):
                running[p] = 0
        if any(running.values()):
            raise Broken("a G runs at the end: %r" % running)

    def _check_tasks(self):
        tasks, regions = set(), collections.defaultdict(list)
        ended = set()
        for e in self.events:
            if e.name == "UserTaskCreate":
                if e.task in tasks or e.task in ended or e.task == 0:
                    raise Broken("task %d is there twice" % e.task)
                tasks.add(e.task)
            elif e.name == "UserTaskEnd" and e.task in tasks:
                tasks.discard(e.task)
                ended.add(e.task)
            elif e.name == "UserRegion" and e.mode not in (0, 1):
                raise Broken("mode of a region: %r" % e)
            elif e.name == "UserRegion" and e.mode == 0:
                regions[e.g].append((e.task, self.strings[e.args["name"]]))
            elif e.name == "UserRegion" and regions[e.g]:
                if regions[e.g].pop() != (e.task,
                                          self.strings[e.args["name"]]):
                    raise Broken("misuse of region: %r" % e)

    def _check_stacks(self):
        names = self.goroutines()
        for frames in self.stacks.values():
            for frame in frames:
                if frame[1] not in self.strings or (
                        frame[2] not in self.strings):
                    raise Broken("a frame without its string")
        for e in self.events:
            stack = e.args.get("stk", 0)
            if stack and stack not in self.stacks:
                raise Broken("no stack %d: %r" % (stack, e))
            if e.name in NEEDS_STACK and not stack:
                raise Broken("no stack: %r" % e)
            for key in ("name", "key", "label"):
                if key in e.args and e.args[key] not in self.strings:
                    raise Broken("no string %d: %r" % (e.args[key], e))
            if e.name == "GoCreate" and (e.entry not in self.stacks or
                                         len(self.stacks[e.entry]) != 1):
                raise Broken("the entry is not one frame: %r" % e)
            if stack and e.g and e.name != "GoCreate" and (
                    self.stack(stack)[-1] != names[e.g]):
                raise Broken("a stack of %s ends in %s: %r" % (
                    names[e.g], self.stack(stack)[-1], e))
            if e.name == "GoStartLabel" and self.strings[
                    e.label].startswith("GC "):
                raise Broken("a label that begins with GC")

    def _check_samples(self):
        created = {e.args["g"]: e.ts for e in self.of("GoCreate")}
        for e in self.samples:
            if e.real <= created.get(e.args["g"], 0):
                raise Broken("a sample before its G is created: %r" % e)
            if e.stk not in self.stacks:
                raise Broken("no stack: %r" % e)

    def _check_begin(self):
        begins = [i for i, e in enumerate(self.events)
                  if e.name == "Gomaxprocs"]
        if len(begins) != 1:
            raise Broken("%d Gomaxprocs" % len(begins))
        rows = self.events[begins[0]].n + len(self.rows)
        for e in self.events + self.samples:
            if e.p >= rows or e.args.get("p", 0) >= rows:
                raise Broken("P %d, where %d are told" % (e.p, rows))
        for e in self.events[:begins[0]]:
            if e.name not in ("GoCreate", "GoWaiting", "GoInSyscall"):
                raise Broken("before Gomaxprocs: %r" % e)


def main():
    with open(sys.argv[1], "rb") as file:
        trace = Trace(file.read()).check()
    count = collections.Counter(e.name for e in trace.events)
    count["CPUSample"] = len(trace.samples)
    for name, number in sorted(count.items()):
        if number:
            print("%-16s %d" % (name, number))
    for name, number in sorted(collections.Counter(
            trace.goroutines().values()).items()):
        print("G %-30s %d" % (name, number))
    print("%d bytes, %d stacks, %d strings, %.3f s" % (
        len(trace.data), len(trace.stacks), len(trace.strings),
        (trace.events[-1].ts - trace.events[0].ts) / 1e9))


if __name__ == "__main__":
    main()
