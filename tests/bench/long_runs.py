"""
What takes longer than `make test` may: how its last run went, for the document.

Each make target writes one line, with date, revision, duration and result, into
$B/long/<target>.txt, and into <target>.green when it succeeded (tests/long). Not
for what they do.

Rule: what never left a line is shown as not run. A last run that failed does not
hide the last one that succeeded.
"""
import os
import re

HEADING = "## Long runs"

HOW = """
Each of these make targets keeps one line about its last run in `$(B)/long/`;
`make bench`, `make bench-long` and a `make test-long` that succeeded copy them to
here. Where the last run failed, the last one that succeeded follows.
"""

GREEN = "; last green: "

# tests/checks/docs.sh reads these rows as well.
TARGETS = [
    "soak",
    "fuzz",
    "asan",
    "ubsan",
    "tsan",
    "test-arm64",
    "test-sid",
    "test-long",
]


def last(build, target, written):
    """Of this build folder, otherwise what was written before."""
    row = re.search(r"^\| `make %s` \| (.*) \|$" % re.escape(target), written,
                    re.M)
    before = row[1] if row else "not run"
    line, green = (kept(build, target, end) for end in (".txt", ".green"))
    if not line:
        return before
    if line == green:
        return line
    if not green:
        green = "never" if before == "not run" else before.split(GREEN)[-1]
    return line + GREEN + green


def kept(build, target, end):
    line = " ".join(read(os.path.join(build, "long", target + end)).split())
    if line.startswith(target + ": "):
        line = line[len(target) + 2:]
    return line.replace("|", "\\|")


def section(build, written):
    lines = [HEADING, HOW, "| target | last run |", "| --- | --- |"]
    lines += ["| `make %s` | %s |" % (target, last(build, target, written))
              for target in TARGETS]
    return "\n".join(lines) + "\n"


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def renew(path, build):
    """Only this section of the document, which is its last."""
    text = read(path)
    with open(path, "w") as file:
        file.write(text.split(HEADING)[0].rstrip("\n") + "\n\n"
                   + section(build, text))
