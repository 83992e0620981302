#!/usr/bin/env python3
# needs: a core, 14 s
"""
What Parca, Pyroscope and Grafana Alloy need of a profile, beyond what
`go tool pprof` minds: numbering, addresses that keep their meaning over all
profiles of a service, UTF-8, headers.
"""
import os
import shutil
import signal

import harness
import load
import wire
import workload
from case import Case, main, note

SCRAPER = {"Accept-Encoding": "gzip", "User-Agent": "scraper/1",
           "Accept": "*/*"}
# Kore takes bytes: here some that are UTF-8 and one that is not.
ODD = "^/odd/(x|\u4e16|\udce9)$"
ODD_SHOWN = "^/odd/(x|\u4e16|\ufffd)$"


class Scraper(Case):
    """Profiles of one service, before and after a worker was killed and a
    module was replaced by one with other names at the same places."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kore = workload.service(
            restarts=1, production=False,
            routes=workload.ROUTES + ["/reload page_reload",
                                       ODD + " page_pattern"])
        path = os.path.join(kore.dir, "reload.so")
        cls.install(kore, "before", path)
        kore.modules.append((path, None))
        cls.answers = []
        with kore:
            paths = ["/burn/a", "/reload", "/burn/b", "/odd/x"]
            with load.Driver(kore, paths, worker=1) as driver, \
                    load.Driver(kore, paths[:3], worker=2):
                cls.scrape(kore)
                cls.scrape(kore)
                cls.install(kore, "after", path)
                kore.process.send_signal(signal.SIGHUP)
                cls.scrape(kore)
                os.kill(kore.worker_pids()[2], signal.SIGKILL)
                cls.scrape(kore)
        if driver.bad:
            raise AssertionError("answers: %s" % driver.bad)
        cls.wire = [wire.read(answer.body) for answer in cls.answers]
        cls.raw = [cls.pprof.raw(answer.body) for answer in cls.answers]

    @staticmethod
    def install(kore, version, path):
        built = harness.compile_module("reload.c", path + ".next",
                                       ["-DVERSION=" + version])
        shutil.move(built, path)

    @classmethod
    def scrape(cls, kore):
        for _ in range(3):
            try:
                answer = kore.get("/debug/pprof/profile?seconds=2&hz=250",
                                  headers=SCRAPER)
                break
            except OSError:  # it was on the killed worker
                continue
        cls.answers.append(answer)

    def each(self):
        return zip(self.answers, self.wire, self.raw)

    def test_headers(self):
        for answer, _, _ in self.each():
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["content-type"],
                             "application/octet-stream")
            self.assertNotIn("content-encoding", answer.headers)
            self.assertNotIn("transfer-encoding", answer.headers)
            self.assertGreater(len(answer.body), 2)

    def test_ids_are_1_to_n_in_order(self):
        for _, profile, _ in self.each():
            for name in ("mapping", "location", "function"):
                ids = [m.one("id") for m in getattr(profile, name)]
                self.assertEqual(ids, list(range(1, len(ids) + 1)), name)
                self.assertTrue(ids, name)

    def test_every_reference_is_to_something(self):
        for _, profile, _ in self.each():
            texts = len(profile.string_table)
            for location in profile.location:
                self.assertTrue(0 <= location.one("mapping_id")
                                <= len(profile.mapping))
                for line in location.line:
                    self.assertTrue(1 <= line.one("function_id")
                                    <= len(profile.function))
            for function in profile.function:
                for name in ("name", "system_name", "filename"):
                    self.assertTrue(0 <= function.one(name) < texts)
            for sample in profile.sample:
                self.assertEqual(len(sample.value), 2)
                for number in sample.location_id:
                    self.assertTrue(1 <= number <= len(profile.location))

    def test_strings(self):
        """wire.read() has decoded them as strict UTF-8."""
        for _, profile, _ in self.each():
            self.assertEqual(profile.string_table[0], "")
            self.assertEqual(len(set(profile.string_table)),
                             len(profile.string_table), "a string twice")
        routes = {s.route for raw in self.raw for s in raw.samples}
        self.assertIn(ODD_SHOWN, routes)

    def test_time_is_written_once(self):
        for _, profile, _ in self.each():
            self.assertGreater(profile.one("time_nanos"), 1e18)
            self.assertGreater(profile.one("duration_nanos"), 1.9e9)
            self.assertGreater(profile.one("period"), 0)

    def test_types(self):
        for _, profile, _ in self.each():
            texts = profile.string_table
            types = [(texts[t.one("type")], texts[t.one("unit")])
                     for t in profile.sample_type]
            self.assertEqual(types, [("samples", "count"),
                                     ("cpu", "nanoseconds")])
            period = profile.period_type[0]
            self.assertEqual((texts[period.one("type")],
                              texts[period.one("unit")]),
                             ("cpu", "nanoseconds"))

    def test_labels(self):
        for _, profile, _ in self.each():
            texts = profile.string_table
            for sample in profile.sample:
                keys = [texts[label.one("key")] for label in sample.label]
                self.assertEqual(len(set(keys)), len(keys), keys)
                for key, label in zip(keys, sample.label):
                    self.assertTrue(key)
                    if key in ("worker", "pid", "tid"):
                        self.assertGreaterEqual(label.one("num"), 1)
                        self.assertEqual(label.one("str"), 0)
                    else:
                        self.assertIn(key, ("http.route", "http.method"))
                        self.assertTrue(texts[label.one("str")])
                        self.assertEqual(label.one("num"), 0)

    def test_no_sample_twice_and_none_empty(self):
        for _, profile, _ in self.each():
            seen = set()
            for sample in profile.sample:
                # CPU time that no sample shows counts for none.
                self.assertGreaterEqual(sample.value[0], 0)
                self.assertGreater(sample.value[1], 0)
                key = (tuple(sample.location_id), tuple(sorted(
                    (l.one("key"), l.one("str"), l.one("num"))
                    for l in sample.label)))
                self.assertNotIn(key, seen)
                seen.add(key)

    def test_sizes(self):
        for answer, profile, _ in self.each():
            note("%d bytes, %d unpacked, %d samples", len(answer.body),
                 profile.size, len(profile.sample))
            self.assertLess(profile.size, 4 << 20)
            self.assertLess(len(profile.sample), 16000)

    def test_mapping_1_is_the_executable(self):
        for _, profile, _ in self.each():
            texts = profile.string_table
            names = [texts[m.one("filename")] for m in profile.mapping]
            self.assertEqual(names[0], "/usr/bin/kore")
            spans = sorted((m.one("memory_start"), m.one("memory_limit"))
                           for m in profile.mapping)
            for (_, limit), (start, _) in zip(spans, spans[1:]):
                self.assertLessEqual(limit, start, "mappings overlap")

    def test_comments_do_not_mean_something_to_parca(self):
        for _, _, raw in self.each():
            for comment in raw.comments:
                self.assertFalse(comment.startswith("executableInfo"))

    def test_an_address_means_one_function_for_ever(self):
        meaning, again, names = {}, 0, set()
        for profile, raw in zip(self.wire, self.raw):
            texts = profile.string_table
            addresses = [l.one("address") for l in profile.location]
            self.assertEqual(len(set(addresses)), len(addresses))
            self.assertTrue(all(addresses))
            for location in profile.location:
                address = location.one("address")
                what = [(texts[profile.function[i - 1].one("name")], line)
                        for i, line in ((l.one("function_id"), l.one("line"))
                                        for l in location.line)]
                names |= {name for name, _ in what}
                again += address in meaning
                self.assertEqual(meaning.setdefault(address, what), what,
                                 "0x%x" % address)
        note("%d addresses in %d profiles, %d met again", len(meaning),
             len(self.wire), again)
        self.assertGreater(again, len(meaning) / 4)
        self.assertTrue({"reload_before", "reload_after"} <= names)

    def test_a_function_does_not_move(self):
        """Among all workers and restarts: one function, one start."""
        place = {}
        for profile in self.wire:
            texts = profile.string_table
            for mapping in profile.mapping:
                key = (texts[mapping.one("build_id")],
                       texts[mapping.one("filename")])
                start = (mapping.one("memory_start"),
                         mapping.one("memory_limit"),
                         mapping.one("file_offset"))
                self.assertEqual(place.setdefault(key, start), start, key)


if __name__ == "__main__":
    main()
