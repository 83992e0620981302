#!/usr/bin/env python3
# needs: a core, 16 s
"""
What an application may still notice of the module's signals, line by line as
docs/design.md lists it (modules/notices.c looks for it): what each look finds
without the module, and what it finds with it.

Rule: a line that is no longer true fails here, and goes from the list.
"""
import errno
import os
import re

import harness
from case import Case, Later, main, note
from test_guest_limits import Busy, no_perf

ROUTES = ["/ page_case", "/case page_case"]
IGNORED, BLOCKED = 1, 2
# What is looked for, what is found without the module and with it, and how the
# line begins that says so. Where the module is no difference there is none.
NOTICES = [
    ("signalfd", 1, 0, "`signalfd()` never tells of SIGPROF"),
    ("action_mask", 0, 1, "`signalfd()` never tells of SIGPROF"),
    ("tgkill", 1, 0, "One that is sent to a thread by the system call itself"),
    ("exec", IGNORED, 0, "A program that it starts by exec()"),
    ("spawn", BLOCKED, 0, "A program that it starts by posix_spawn()"),
    ("stack", 0, 1, "A handler of SIGPROF without SA_ONSTACK"),
    ("frame", 0, 1, "The kernel writes its frame for a signal on the stack"),
    ("raw_limit", errno.EAGAIN, errno.EINTR,
     "A limit that is set on a socket by another process"),
    ("stdio", errno.EAGAIN, errno.EINTR,
     "A call that the C library makes within itself"),
    ("handler_mask", 0, 1, "A mask that a handler sets"),
    ("longjmp", 0, 1, "A mask that a handler sets"),
    ("device", 0, 1, "One read of many bytes from a device"),
    ("blocked_thread", 0, 0, "A thread in which one of its own SIGPROF"),
]
PROBE = r"""
static long
call(long number, long a, long b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(result)
	    : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
	    : "rcx", "r11", "memory");
	return (result);
}

void
_start(void)
{
	unsigned long action[8] = { 0 }, mask = 0;

	call(13, 27, 0, (long)action, 8);
	call(14, 0, 0, (long)&mask, 8);
	call(231, (action[0] == 1) + 2 * (mask >> 26 & 1), 0, 0, 0);
}
"""


def lines():
    """Of the list in docs/design.md, without their line breaks."""
    with open(os.path.join(harness.TOP, "docs", "design.md"),
              encoding="utf-8") as file:
        text = file.read()
    part = text.split("What an application may still notice of this:")[1]
    part = part.split("\n## ")[0]
    return [" ".join(line.split()) for line in re.split(r"\n\* ", part)[1:]]


class Notices(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = harness.new_dir()
        cls.probe = os.path.join(folder, "probe")
        harness.subprocess.run(
            ["cc", "-O1", "-nostdlib", "-static", "-fno-stack-protector",
             "-mgeneral-regs-only",
             "-x", "c", "-o", cls.probe, "-"], input=PROBE.encode(),
            check=True)

    def service(self, modules):
        self.port = harness.free_port()
        return harness.Service(
            ["notices.c", *modules], ROUTES, False, workers=1,
            preload=no_perf(),
            env={"PPROF_LISTEN": "127.0.0.1:%d" % self.port,
                 "TEST_PROBE": self.probe})

    @staticmethod
    def found(kore):
        texts = {}
        for name, *_ in NOTICES:
            try:
                texts[name] = kore.get("/case?" + name, timeout=30).text
            except OSError as error:
                texts[name] = "%s: %s" % (error, kore.log_tail())
        return texts

    def test_each_line_has_its_look(self):
        for line in lines():
            self.assertTrue([n for n in NOTICES if line.startswith(n[3])],
                            line)
        for notice in NOTICES:
            self.assertTrue([line for line in lines()
                             if line.startswith(notice[3])], notice)

    def test_what_is_found(self):
        with self.service([]) as kore:
            alone = self.found(kore)
        with self.service([harness.PPROF]) as kore, Busy(self.port) as busy:
            beside = self.found(kore)
            self.assertEqual(busy.failed, [])
        for name, without, found, _ in NOTICES:
            note("%s: %s, with the module %s", name, alone[name],
                 beside[name])
        self.assertEqual(alone, {n[0]: str(n[1]) for n in NOTICES})
        self.assertEqual(beside, {n[0]: str(n[2]) for n in NOTICES})

    def test_who_blocks_it_by_the_system_call_is_not_sampled(self):
        with self.service([harness.PPROF]) as kore:
            later = Later(kore.profile, 3)
            harness.time.sleep(0.3)
            self.assertEqual(kore.get("/case?blocked_thread").text, "0")
            raw = self.pprof.raw(later.result().body)
        where = sum(s.ns for s in raw.samples if s.has("burn"))
        left = sum(s.ns for s in raw.samples if s.has("blocks_and_burns"))
        note("%.3f s in samples, %.3f s as it ended", where / 1e9, left / 1e9)
        self.assertLess(where, 0.05e9)
        self.assertGreater(left, 0.45e9)


if __name__ == "__main__":
    main()
