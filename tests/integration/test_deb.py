#!/usr/bin/env python3
# needs: a core, 176 s
# long: in `make test-long`, not in `make test`
"""
`make deb`: lintian has nothing to say, two builds are the same bytes, and a
service runs with what is in the package.

The second build is of a copy of the tree in another folder, with other times
of its files, another umask, locale, time zone and user name.
"""
import glob
import hashlib
import os
import shutil
import subprocess

import harness
import workload
from case import Case, Later, main, note

PARTS = ("Makefile", "README.md", ".ci", "assets", "conf", "docs", "kore_app",
         "middleware", "tests")
# The .buildinfo and .changes say where and when: they are not compared.
SAME = ("*.deb", "*.dsc", "*.tar.xz")
LATER = {"TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8",
         "USER": "somebody", "LOGNAME": "somebody", "HOME": "/nonexistent"}


def copy_tree(to, years):
    os.makedirs(to)
    for name in PARTS:
        source, target = os.path.join(harness.TOP, name), os.path.join(to, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True,
                            ignore=shutil.ignore_patterns(
                                "__pycache__", ".objs", "*.so"))
        else:
            shutil.copy(source, target)
    for folder, _, names in os.walk(to):
        for name in names:
            path = os.path.join(folder, name)
            when = os.lstat(path).st_mtime - years * 366 * 86400
            os.utime(path, (when, when), follow_symlinks=False)


def build(tree, umask, more):
    env = {k: v for k, v in os.environ.items()
           if k not in ("B", "CFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS")}
    env.update(more)
    done = subprocess.run(
        ["sh", "-c", "umask %03o; exec make -C '%s' deb JOBS=1"
         % (umask, tree)], env=env, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(done.stdout.decode(errors="replace")[-4000:])
    return os.path.join(tree, "build", "deb")


def digests(folder):
    found = {}
    for pattern in SAME:
        for path in glob.glob(os.path.join(folder, pattern)):
            with open(path, "rb") as file:
                found[os.path.basename(path)] = hashlib.sha256(
                    file.read()).hexdigest()
    return found


class Deb(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.work = harness.new_dir()
        first = os.path.join(cls.work, "one")
        second = os.path.join(cls.work, "in", "another", "place")
        copy_tree(first, 0)
        copy_tree(second, 3)
        later = Later(build, second, 0o027, LATER)
        cls.built = build(first, 0o022, {})
        cls.again = later.result(280)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)
        super().tearDownClass()

    def unpacked(self, package):
        out = os.path.join(self.work, package)
        if not os.path.exists(out):
            path, = glob.glob(os.path.join(self.built, package + "_*.deb"))
            subprocess.run(["dpkg-deb", "-x", path, out], check=True)
        return out

    def test_two_builds_are_the_same_bytes(self):
        one, two = digests(self.built), digests(self.again)
        for name in sorted(one):
            note("%s %s", one[name][:16], name)
        self.assertEqual(len(one), 5, sorted(one))
        self.assertEqual(one, two)

    def test_lintian_has_nothing_to_say(self):
        changes, = glob.glob(os.path.join(self.built, "*.changes"))
        done = subprocess.run(
            ["lintian", "--allow-root", "--fail-on", "error,warning",
             changes], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((done.stdout.decode(), done.returncode), ("", 0))

    def test_what_it_needs_to_run(self):
        path, = glob.glob(os.path.join(self.built, "kore-pprof_*.deb"))
        fields = subprocess.run(
            ["dpkg-deb", "-f", path, "Depends", "Recommends"], check=True,
            stdout=subprocess.PIPE).stdout.decode()
        note("%s", fields.strip().replace("\n", "; "))
        for name in ("kore (>= 4.1.0)", "libdw1", "libelf1", "libprotobuf-c1",
                     "zlib1g", "libunwind8", "libzydis"):
            self.assertIn(name, fields)

    def test_dpkg_installs_and_purges_it(self):
        """In a root of its own, in which nothing else is installed."""
        root = os.path.join(self.work, "root")
        admin = os.path.join(root, "var/lib/dpkg")
        for name in ("info", "updates", "triggers"):
            os.makedirs(os.path.join(admin, name))
        open(os.path.join(admin, "status"), "w").close()
        packages = glob.glob(os.path.join(self.built, "*.deb"))

        def dpkg(*args):
            done = subprocess.run(
                ["dpkg", "--root=" + root, "--log=/dev/null",
                 "--force-not-root,depends,script-chrootless", *args],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout.decode())

        def ours():
            return [os.path.join(folder, name) for folder, _, names
                    in os.walk(root) for name in names
                    if not folder.startswith(admin)]

        dpkg("--install", *packages)
        state = subprocess.run(
            ["dpkg-query", "--root=" + root, "-W", "-f",
             "${Package} ${db:Status-Status}\n"], check=True,
            stdout=subprocess.PIPE).stdout.decode().split("\n")
        names = ["kore-pprof", "kore-pprof-dev"]
        for name in names:
            self.assertIn(name + " installed", state)
        for path in ("lib/kore/pprof.so", "libexec/kore-pprof/pprof-collector",
                     "include/pprof.h"):
            self.assertTrue(os.path.exists(os.path.join(root, "usr", path)))
        note("%d files", len(ours()))
        dpkg("--purge", *sorted(state_name.split()[0]
                                for state_name in state if state_name))
        self.assertEqual(ours(), [])

    def test_a_service_runs_with_it(self):
        usr = os.path.join(self.unpacked("kore-pprof"), "usr")
        module = os.path.join(usr, "lib/kore/pprof.so")
        with workload.service(modules=["workload.c", (module, "pprof_load")]
                              ) as kore:
            self.assertEqual(
                os.readlink("/proc/%d/exe" % kore.collector),
                os.path.join(usr, "libexec/kore-pprof/pprof-collector"))
            answer = kore.profile(1)
            self.assertEqual(answer.status, 200)
            self.pprof.raw(answer.body)
            self.assertEqual(kore.get("/debug/pprof/heap").status, 200)
            self.assertEqual(kore.log("not inside kore"), [])

    def test_the_header_is_in_the_other_package(self):
        usr = os.path.join(self.unpacked("kore-pprof-dev"), "usr")
        with open(os.path.join(usr, "include/pprof.h"), "rb") as file:
            packed = file.read()
        with open(os.path.join(harness.TOP, "middleware/include/pprof.h"),
                  "rb") as file:
            self.assertEqual(packed, file.read())
        self.assertTrue(os.path.exists(
            os.path.join(usr, "share/man/man3/pprof.h.3.gz")))


if __name__ == "__main__":
    main()
