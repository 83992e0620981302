#!/usr/bin/env python3
# needs: a core, 1 s
"""
What the module brings into a worker: names that begin with pprof_ and no
library but libc. Kore loads modules RTLD_GLOBAL, so anything more shadows or
is shadowed.
"""
import re
import subprocess
import unittest

import harness
from case import main, note


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE
                          ).stdout.decode()


class Exports(unittest.TestCase):
    module = harness.PPROF[0]

    def test_it_exports_pprof_names_only(self):
        names = [line.split()[-1] for line in output(
            "nm", "-D", "--defined-only", self.module).splitlines()]
        note("exports: %s", " ".join(names))
        self.assertTrue({"pprof_load", "pprof_handler", "pprof_register"}
                        <= set(names))
        self.assertEqual([n for n in names if not n.startswith("pprof_")], [])

    def test_its_libraries(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output(
            "readelf", "-d", self.module)))
        note("needed: %s", " ".join(sorted(needed)))
        self.assertLessEqual(needed, {"libc.so.6", "ld-linux-x86-64.so.2"})
        loaded = output("ldd", self.module)
        for name in ("libunwind", "libdw", "libelf", "protobuf",
                     "libmicrohttpd", "libz."):
            self.assertNotIn(name, loaded)

    def test_it_stays_loaded(self):
        self.assertIn("NODELETE", output("readelf", "-d", self.module))

    def test_it_has_a_build_id(self):
        self.assertIn("Build ID:", output("readelf", "-n", self.module))


if __name__ == "__main__":
    main()
