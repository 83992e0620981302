"""
Profiles as the tests read them: through the real `go tool pprof`, which is
the judge of what they say.

Not a reader of the wire format: that is wire.py, for what pprof does not
show.
"""
import os
import re
import subprocess
import tempfile

import harness

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "mins": 60e9, "hrs": 3600e9,
         "hours": 3600e9, "days": 86400e9}
# Newer ones have a column behind the line.
LINE = (re.compile(r"^(.*?) (/.*?|):(\d+)(?::\d+)? s=(-?\d+)$"),
        re.compile(r"^(\S+) (.*?):(\d+)(?::\d+)? s=(-?\d+)$"))


def duration_ns(text):
    found = re.match(r"^(-?[\d.]+)([a-z]*)$", text)
    return float(found[1]) * UNITS[found[2] or "ns"]


class Sample:
    def __init__(self, values, stack):
        self.values = values
        self.stack = stack      # Location, leaf first
        self.labels = {}        # text labels: key -> value
        self.numbers = {}       # number labels: key -> int

    @property
    def count(self):
        return self.values[0]

    @property
    def ns(self):
        return self.values[1]

    def functions(self):
        """Names of all frames, leaf first, inlined ones included."""
        return [frame.function for location in self.stack
                for frame in location.frames]

    def has(self, function):
        return function in self.functions()

    @property
    def route(self):
        return self.labels.get("http.route")


class Frame:
    def __init__(self, function, file, line, start):
        self.function, self.file = function, file
        self.line, self.start = line, start

    def __repr__(self):
        return "%s %s:%d" % (self.function, self.file, self.line)


class Location:
    def __init__(self, address, mapping):
        self.address, self.mapping, self.frames = address, mapping, []


class Mapping:
    def __init__(self, start, limit, offset, file, build_id, flags):
        self.start, self.limit, self.offset = start, limit, offset
        self.file, self.build_id, self.flags = file, build_id, flags


class Profile:
    """What `go tool pprof -raw` says."""

    def __init__(self, text):
        self.comments, self.samples = [], []
        self.types, self.locations, self.mappings = [], {}, {}
        self.head = {}
        self._stacks = []
        section = "head"
        location = None
        for line in text.splitlines():
            if line in ("Samples:", "Locations", "Mappings"):
                section = line
            elif section == "head":
                self._head(line)
            elif section == "Samples:":
                self._sample(line)
            elif section == "Locations":
                location = self._location(line, location)
            else:
                self._mapping(line)
        for sample, ids in zip(self.samples, self._stacks):
            sample.stack = [self.locations[number] for number in ids]

    def comment(self, key):
        """The value of a key=value comment; None: there is none."""
        for text in self.comments:
            name, _, value = text.partition("=")
            if name == key:
                return value
        return None

    def _head(self, line):
        key, _, value = line.partition(": ")
        if key == "Comment":
            self.comments.append(value)
        else:
            self.head[key] = value

    def _sample(self, line):
        if not self.types:
            self.types = line.split()
            return
        found = re.match(r"^\s*((?:-?\d+ *)+): *((?:\d+ *)*)$", line)
        if found and not line.startswith(" " * 16):
            self.samples.append(Sample([int(v) for v in found[1].split()],
                                       None))
            self._stacks.append([int(v) for v in found[2].split()])
            return
        labels = re.findall(r"(\S+?):\[(.*?)\](?= \S+?:\[|\s*$)", line)
        for key, value in labels:
            if re.fullmatch(r"-?\d+", value) and key in ("worker", "pid",
                                                         "tid"):
                self.samples[-1].numbers[key] = int(value)
            else:
                self.samples[-1].labels[key] = value

    def _location(self, line, location):
        found = re.match(r"^ *(\d+): 0x([0-9a-f]+) (?:M=(\d+) )?(?:\[F\] )?(.*)$",
                         line)
        if found:
            location = Location(int(found[2], 16), int(found[3] or 0))
            self.locations[int(found[1])] = location
            rest = found[4]
        else:
            rest = line.strip()
        for pattern in LINE:
            frame = pattern.match(rest)
            if frame:
                location.frames.append(Frame(frame[1], frame[2],
                                             int(frame[3]), int(frame[4])))
                break
        return location

    def _mapping(self, line):
        found = re.match(r"^(\d+): 0x([0-9a-f]+)/0x([0-9a-f]+)/0x([0-9a-f]+) "
                         r"(.*?)(?: ([0-9a-f]{16,}))? ?((?:\[\w\w\])*)$", line)
        if not found:
            raise AssertionError("mapping line not understood: %r" % line)
        self.mappings[int(found[1])] = Mapping(
            int(found[2], 16), int(found[3], 16), int(found[4], 16),
            found[5], found[6] or "", found[7])

    # Sums.

    @property
    def period(self):
        return int(self.head["Period"])

    def ns(self, keep=lambda sample: True):
        return sum(s.ns for s in self.samples if keep(s))

    def count(self, keep=lambda sample: True):
        return sum(s.count for s in self.samples if keep(s))

    def by(self, key, keep=lambda sample: True):
        """Nanoseconds by the value of key(sample)."""
        sums = {}
        for sample in self.samples:
            if keep(sample):
                sums[key(sample)] = sums.get(key(sample), 0) + sample.ns
        return sums

    def facts(self):
        """The comments of the form key=value."""
        return dict(c.split("=", 1) for c in self.comments if "=" in c)


class Pprof:
    """`go tool pprof`, in a home of its own."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="kore-pprof-tool-")
        self.files = 0

    def close(self):
        self.dir.cleanup()

    def save(self, body):
        self.files += 1
        path = os.path.join(self.dir.name, "%d.pb.gz" % self.files)
        with open(path, "wb") as file:
            file.write(body)
        return path

    def run(self, *args, timeout=120):
        """Its standard output; a failure or a complaint is an error."""
        env = dict(os.environ, **harness.GO_CACHE, HOME=self.dir.name,
                   PPROF_NO_BROWSER="1",
                   PPROF_TMPDIR=os.path.join(self.dir.name, "saved"))
        done = subprocess.run([*harness.go_tool("pprof"), *args], env=env,
                              cwd=self.dir.name, timeout=timeout,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.complaints = done.stderr.decode(errors="replace")
        if done.returncode != 0:
            raise AssertionError("go tool pprof %s: status %d\n%s" % (
                " ".join(args), done.returncode, self.complaints))
        return done.stdout.decode()

    def raw(self, source):
        """`source`: a file, a URL, or the bytes of a profile."""
        if isinstance(source, bytes):
            source = self.save(source)
        return Profile(self.run("-raw", source))

    def top(self, source, *args):
        """Function -> (flat ns, cumulative ns)."""
        if isinstance(source, bytes):
            source = self.save(source)
        text = self.run("-top", "-nodecount=100000", "-nodefraction=0",
                        *args, source)
        rows = {}
        for line in text.splitlines():
            found = re.match(r"^ *(\S+) +\S+% +\S+% +(\S+) +\S+% +(.*)$", line)
            if found:
                name = found[3].replace(" (inline)", "")
                rows[name] = (duration_ns(found[1]), duration_ns(found[2]))
        return rows

    def tags(self, source, *args):
        """Key -> value -> nanoseconds."""
        if isinstance(source, bytes):
            source = self.save(source)
        keys, key = {}, None
        for line in self.run("-tags", *args, source).splitlines():
            head = re.match(r"^ *(\S+): Total (\S+)(?: of .*)?$", line)
            row = re.match(r"^ *(\S+) \( *[\d.e-]+%\): (.*)$", line)
            if head:
                key = head[1]
                keys[key] = {}
            elif row:
                keys[key][row[2]] = duration_ns(row[1])
        return keys
