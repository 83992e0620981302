#!/usr/bin/env python3
# needs: a core, 12 s
"""
`make install`: what lies where, that a service runs from there, that an
application is compiled with it, and that `make uninstall` leaves nothing.

The module that runs is the installed one, in a prefix that it was not built
for: it has to find its program from where it lies.
"""
import os
import re
import shutil
import subprocess
import unittest

import harness
import workload
from case import Case, main, note

PREFIX = "/opt/kore-pprof"
FILES = {"lib/kore/pprof.so", "libexec/kore-pprof/pprof-collector",
         "include/pprof.h", "share/pkgconfig/kore-pprof.pc",
         "share/kore-pprof/pprof.conf", "share/kore-pprof/production.conf",
         "share/man/man8/pprof.so.8", "share/man/man3/pprof.h.3"}
PAGES = ("share/man/man8/pprof.so.8", "share/man/man3/pprof.h.3")
MODULE = "lib/kore/pprof.so"
APPLICATION = r"""
#include <kore/kore.h>
#include <kore/http.h>
#include <pprof.h>

int page(struct http_request *);

int
page(struct http_request *req)
{
	int pushed = pprof_label_push("tenant", "gold");

	pprof_label_pop();
	http_response(req, pushed == 0 ? 200 : 500, "ok", 2);
	return (KORE_RESULT_OK);
}
"""


def make(target, stage):
    subprocess.run(
        ["make", "-s", "-C", harness.TOP, target, "DESTDIR=" + stage,
         "PREFIX=" + PREFIX, "B=" + os.environ.get("B", "build")],
        check=True, stdout=subprocess.DEVNULL)


def files_below(top):
    return {os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top) for name in names}


class Install(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stage = harness.new_dir()
        make("install", cls.stage)
        cls.prefix = cls.stage + PREFIX

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.stage)
        super().tearDownClass()

    def service(self, module, **more):
        return workload.service(modules=["workload.c", (module, "pprof_load")],
                                **more)

    def test_what_is_installed(self):
        self.assertEqual(files_below(self.prefix), FILES)
        for name in FILES:
            mode = os.stat(os.path.join(self.prefix, name)).st_mode & 0o777
            self.assertEqual(mode, 0o755 if "collector" in name else 0o644)

    def test_a_service_runs_from_there(self):
        with self.service(os.path.join(self.prefix, MODULE)) as kore:
            self.assertEqual(
                os.readlink("/proc/%d/exe" % kore.collector),
                os.path.join(self.prefix,
                             "libexec/kore-pprof/pprof-collector"))
            answer = kore.profile(1)
            self.assertEqual(answer.status, 200)
            self.pprof.raw(answer.body)

    def test_a_link_to_the_module_is_followed(self):
        other = harness.new_dir()
        try:
            link = os.path.join(other, "pprof.so")
            os.symlink(os.path.join(self.prefix, MODULE), link)
            with self.service(link) as kore:
                self.assertEqual(kore.get("/debug/pprof/").status, 200)
        finally:
            shutil.rmtree(other)

    @unittest.skipIf(os.path.exists("/usr/libexec/kore-pprof"),
                     "the package is installed: any copy finds its program")
    def test_a_copy_without_its_program_says_so(self):
        # lib/kore of another prefix, which has no libexec.
        other = harness.new_dir()
        try:
            copy = os.path.join(other, MODULE)
            os.makedirs(os.path.dirname(copy))
            shutil.copy(os.path.join(self.prefix, MODULE), copy)
            with self.service(copy, collector_missing=True) as kore:
                answer = kore.get("/debug/pprof/")
                self.assertEqual(answer.status, 503)
                self.assertIn("was not found beside pprof.so", answer.text)
        finally:
            shutil.rmtree(other)

    def flags(self, *what):
        env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=self.stage,
                   PKG_CONFIG_PATH=os.path.join(self.prefix,
                                                "share/pkgconfig"))
        return subprocess.run(["pkg-config", *what, "kore-pprof"], env=env,
                              check=True, stdout=subprocess.PIPE
                              ).stdout.decode().split()

    def test_an_application_is_compiled_by_its_pkg_config_file(self):
        flags = self.flags("--cflags", "--libs")
        note("pkg-config: %s", " ".join(flags))
        self.assertEqual(flags, ["-I%s/include" % self.prefix])
        self.assertRegex(self.flags("--modversion")[0], r"^\d+\.\d+\.\d+$")
        self.assertEqual(self.flags("--variable=moduledir"),
                         [self.prefix + "/lib/kore"])
        work = harness.new_dir()
        try:
            source = os.path.join(work, "labels.c")
            with open(source, "w") as file:
                file.write(APPLICATION)
            built = harness.compile_module(
                source, os.path.join(work, "labels.so"),
                ["-Wextra", *flags])
            with harness.Service(
                    [built, (os.path.join(self.prefix, MODULE),
                             "pprof_load")], ["/ page"]) as kore:
                self.assertEqual(kore.get("/").status, 200)
            with harness.Service([built], ["/ page"]) as kore:
                self.assertEqual(kore.get("/").status, 500)
        finally:
            shutil.rmtree(work)

    def test_the_manual_pages(self):
        for page in PAGES:
            path = os.path.join(self.prefix, page)
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                                   path], stdout=subprocess.PIPE)
            self.assertEqual((lint.returncode, lint.stdout.decode()), (0, ""))
            text = subprocess.run(["mandoc", "-T", "ascii", path], check=True,
                                  stdout=subprocess.PIPE).stdout.decode()
            text = re.sub(r".\x08", "", text)
            shown = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path],
                env=dict(os.environ, MANWIDTH="80", MANPAGER="cat"),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((shown.returncode, shown.stderr.decode()),
                             (0, ""))
            self.assertGreater(len(shown.stdout), 1000)
            name = os.path.basename(page).rsplit(".", 1)
            self.assertTrue(text.startswith("%s(%s)" % (name[0].upper(),
                                                        name[1])), text[:80])

    def test_uninstall_leaves_nothing(self):
        stage = harness.new_dir()
        try:
            make("install", stage)
            foreign = os.path.join(stage + PREFIX, "lib/kore/other.so")
            open(foreign, "w").close()
            make("uninstall", stage)
            self.assertEqual(files_below(stage + PREFIX),
                             {"lib/kore/other.so"})
            self.assertFalse(os.path.exists(stage + PREFIX +
                                            "/libexec/kore-pprof"))
        finally:
            shutil.rmtree(stage)


if __name__ == "__main__":
    main()
