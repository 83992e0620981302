"""
The module that loads libraries (modules/libraries.c) as a service, and the
libraries (modules/libraries/) as files that it finds.

Not a test.
"""
import os
import shutil
import subprocess

import harness

FOLDER = os.path.join(harness.HERE, "modules", "libraries")
ROUTES = ["/call page_call", "/iconv page_iconv", "/pools page_pools",
          "/who page_who"]


def build(path, source, *flags):
    """A library of modules/libraries at `path`."""
    subprocess.run(["cc", "-shared", "-fPIC", "-g", "-O1", "-Wall", "-Werror",
                    "-Wno-builtin-declaration-mismatch",
                    "-o", path, os.path.join(FOLDER, source), *flags],
                   check=True)
    return path


class Libraries(harness.Service):
    """The service, with the product or without. Libraries lie where its
    workers are: a path begins at their root."""

    def __init__(self, ours=True, modules=("libraries.c",), **more):
        super().__init__([*modules, *([harness.PPROF] if ours else [])],
                         ROUTES, **dict({"workers": 1}, **more))
        # Where a name without a slash is looked for.
        self.env["LD_LIBRARY_PATH"] = self.root

    def path(self, name):
        """Of a library, as a worker opens it."""
        return ("/" if self.production else self.root + "/") + name

    def library(self, name, source, *flags):
        """Built once: it may be loaded already."""
        path = os.path.join(self.root, name)
        if not os.path.exists(path):
            build(path, source, *flags)
        return self.path(name)

    def found_at(self, folder):
        """That folder as a worker sees it, to put a library in."""
        place = (self.root if self.production else "") + folder
        os.makedirs(place, exist_ok=True)
        return place

    def take(self, path):
        """A file of the system, where workers find it, too."""
        to = self.root + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(os.path.realpath(path), to)

    def call(self, lib, how="k", function="go", n=0, times=1, timeout=60):
        answer = self.get("/call?lib=%s&how=%s&function=%s&n=%d&times=%d" % (
            lib, how, function, n, times), timeout=timeout)
        if answer.status != 200:
            raise AssertionError("no answer: %r" % answer)
        return answer.text
