#!/usr/bin/env python3
# needs: a core, 25 s
"""
docs/contributing.md, followed: its endpoint and its output format are added to
a copy of the tree, with the code that stands there. How many files that takes
is counted, the checks must name what is forgotten, and the service of the
copy must answer.

Rule: files are found by their names, and folders in the document's includes
are put right, so that a file may move.
"""
import filecmp
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from case import main, note

PAGE = os.path.join(harness.TOP, "docs", "contributing.md")
TREE = ("Makefile", "README.md", ".ci", "conf", "assets", "docs", "middleware",
        "tests", "kore_app/src")
# What was built is taken along: the rest is built in the copy.
BUILT = ("gen", "hot", "cold", "libhot.a", "libcold.a")
README_ROW = "| `/toy` | what docs/contributing.md adds |\n"
MAN_ITEM = ".It Pa /toy\nwhat docs/contributing.md adds\n"
FORMATS_ROW = "| `format=toy` | text/plain | how many stacks there are |\n"
ASKED_LINE = '    "toy": ("?loud", "TOY"),\n'
# A unit test as a contributor would write one, of the copy's service.
UNIT = r"""
/* The endpoint and the format of docs/contributing.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "service_fixture.h"

static void
tell(const char *path, const char *query)
{
	struct pp_answer answer = get(path, query);

	printf("%s?%s: %d %s", path, query, answer.status, answer.body.data);
	pp_answer_free(&answer);
}

static void
toys(void **state)
{
	(void)state;
	tell("/toy", "");
	tell("/toy", "loud");
	tell("/threadcreate", "format=toy");
	tell("/heap", "format=none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(toys) };

	signal(SIGPROF, SIG_IGN);
	return (cmocka_run_group_tests(tests, service_setup,
	    service_teardown));
}
"""


def blocks():
    """The page's code: text by name of the file."""
    with open(PAGE) as file:
        return dict(re.findall(r"^```c (\S+)\n(.*?)^```$", file.read(),
                               re.M | re.S))


class Copy:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="pprof-contributing-")
        skip = shutil.ignore_patterns("__pycache__")
        for name in TREE:
            here, there = os.path.join(harness.TOP, name), self.path(name)
            if os.path.isdir(here):
                shutil.copytree(here, there, ignore=skip)
            else:
                shutil.copy2(here, there)
        for name in BUILT:
            here = os.path.join(harness.TOP, "build", name)
            there = self.path("build", name)
            if os.path.isdir(here):
                shutil.copytree(here, there)
            elif os.path.exists(here):
                shutil.copy2(here, there)

    def path(self, *names):
        return os.path.join(self.top, *names)

    def find(self, name):
        found = glob.glob(self.path("middleware", "**", name), recursive=True)
        if len(found) != 1:
            raise AssertionError("%s is here: %s" % (name, found))
        return found[0]

    def included(self, name):
        """An #include, by the folder that the file lies in here."""
        if not os.path.exists(self.path("middleware", "core", name)):
            core = self.path("middleware", "core")
            folder = os.path.dirname(self.find(os.path.basename(name)))
            name = os.path.join(os.path.relpath(folder, core),
                                os.path.basename(name))
        return '#include "%s"' % name

    def new(self, name, text, beside):
        path = os.path.join(os.path.dirname(self.find(beside)), name)
        with open(path, "w") as file:
            file.write(re.sub(r'#include "([^"]+)"',
                              lambda match: self.included(match[1]), text))

    def edit(self, path, before, more):
        """Put `more` before the first line that begins with `before`."""
        with open(path) as file:
            text = file.read()
        if "\n" + before not in text:
            raise AssertionError("%s: no line %s" % (path, before))
        with open(path, "w") as file:
            file.write(text.replace("\n" + before, "\n" + more + before, 1))

    def changed(self):
        """Names of files that are new here or not as they were."""
        names = []
        for folder, folders, files in os.walk(self.top):
            folders[:] = set(folders) - {"build", "__pycache__"}
            for name in files:
                path = os.path.join(folder, name)
                was = os.path.join(harness.TOP,
                                   os.path.relpath(path, self.top))
                if not os.path.exists(was) or \
                        not filecmp.cmp(path, was, shallow=False):
                    names.append(name)
        return sorted(names)

    def run(self, *command):
        done = subprocess.run(command, cwd=self.top, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def make(self, *targets):
        return self.run("make", "-s", "B=build", *targets)


class Contributing(unittest.TestCase):
    """Each test goes on where the one before it, by name, has ended."""
    @classmethod
    def setUpClass(cls):
        cls.copy, cls.code = Copy(), blocks()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.copy.top)

    def passes(self, *command):
        status, said = self.copy.run(*command)
        self.assertEqual(status, 0, said)
        return said

    def asked(self):
        """What test_endpoints.py of the copy says of its list."""
        return self.copy.run(
            sys.executable, "-c", "import sys; sys.path.insert(0, "
            "'tests/integration'); import test_endpoints as t; "
            "sys.exit(t.endpoints() != list(t.ASKED))")[0]

    def test_1_an_endpoint_takes_three_files_and_its_rows(self):
        copy, code = self.copy, self.code
        self.assertEqual(copy.changed(), [])
        copy.new("ep_toy.c", code["ep_toy.c"], "ep_cmdline.c")
        copy.edit(copy.find("endpoint.h"), "void pp_ep_symbol_begin(",
                  code["endpoint.h"])
        copy.edit(copy.find("endpoints.c"), '\t{ .name = "trace"',
                  code["endpoints.c"])
        self.assertEqual(copy.changed(),
                         ["endpoint.h", "endpoints.c", "ep_toy.c"])

    def test_2_a_format_takes_two_files_and_its_rows(self):
        copy, code = self.copy, self.code
        before = copy.changed()
        copy.new("toy.h", code["toy.h"], "folded.h")
        copy.new("toy.c", code["toy.c"], "folded.c")
        path = copy.find("format.c")
        copy.edit(path, "};\n#define FORMATS", code["format.c"])
        copy.edit(path, "#include", copy.included("encode/toy.h") + "\n")
        self.assertEqual(sorted(set(copy.changed()) - set(before)),
                         ["format.c", "toy.c", "toy.h"])

    def test_3_the_checks_name_what_is_forgotten(self):
        copy = self.copy
        status, said = copy.run("sh", "tests/checks/docs.sh")
        self.assertEqual((status, sorted(said.splitlines())), (1, [
            "docs/formats.md: format=toy is missing",
            "docs/man/pprof.so.8: endpoint /toy is missing",
            "no document has the endpoint `/toy`"]))
        self.assertNotEqual(self.asked(), 0)
        copy.edit(copy.path("README.md"), "| `/trace` |", README_ROW)
        copy.edit(copy.path("docs/man/pprof.so.8"), ".It Pa /trace", MAN_ITEM)
        copy.edit(copy.path("docs/formats.md"), "| `format=text` |",
                  FORMATS_ROW)
        copy.edit(copy.path("tests/integration/test_endpoints.py"),
                  '    "trace": (', ASKED_LINE)
        self.passes("sh", "tests/checks/docs.sh")
        self.passes("sh", "tests/checks/floors.sh")
        self.passes("sh", "tests/checks/size.sh")
        self.assertEqual(self.asked(), 0)

    def test_4_the_service_answers(self):
        copy = self.copy
        with open(copy.path("tests/unit/test_toy.c"), "w") as file:
            file.write(UNIT)
        status, said = copy.make("build/pprof-collector", "build/unit/test_toy",
                                 "build/unit/test_format")
        self.assertEqual(status, 0, said)
        said = self.passes("build/unit/test_toy")
        for line in (r"/toy\?: 200 toy", r"/toy\?loud: 200 TOY",
                     r"/threadcreate\?format=toy: 200 "
                     r"threadcreate: \d+ stacks, by threadcreate",
                     r'/heap\?format=none: 400 invalid value "none" for '
                     r'"format" - must be one of .*text, toy'):
            self.assertRegex(said, line)
        note("%s", said)
        status, said = copy.run("build/unit/test_format")
        self.assertNotEqual(status, 0, "test_format knows the toy")


if __name__ == "__main__":
    main()
