#!/usr/bin/env python3
# needs: alone, 14 s
"""
What waits for a task's channel, inside Kore's own executable: the task for
its request's handler and the handler for its task, for the times that
modules/channel.c asks for.
"""
import time

import harness
import web
from case import Case, Later, main, note
from traced import TRACE, begun, parsed

MS, TIMES = 80, 5


class Channel(Case):
    def service(self, **more):
        return harness.Service(
            ["channel.c", harness.PPROF], **more,
            routes=["/channel page_channel", "/ page_light"])

    def run_some(self, kore):
        for _ in range(TIMES):
            self.assertEqual(kore.get("/channel?%d" % MS).status, 200)

    def test_block(self):
        for more in ({"production": False}, {},
                     {"env": {"PPROF_ENTRY_PATCH": "0"}}):
            more.setdefault("env", {})["PPROF_BLOCK_RATE"] = "1"
            with self.subTest(**more), self.service(**more) as kore:
                self.run_some(kore)
                raw = self.pprof.raw(kore.get("/debug/pprof/block").body)
                for function in ("channel_task", "page_channel"):
                    seen = [s for s in raw.samples if s.has(function)
                            and s.labels.get("wait") == "channel"]
                    count = sum(s.count for s in seen)
                    ms = sum(s.ns for s in seen) / 1e6
                    note("%s: %d waits, %.1f ms", function, count, ms)
                    # The task may begin to wait before it is told how long.
                    self.assertIn(count - TIMES, range(TIMES + 1))
                    self.assertGreater(ms, TIMES * (MS - 2))
                    self.assertLess(ms, 2 * TIMES * MS)
                    self.assertEqual({s.route for s in seen}, {"/channel"})

    def test_goroutine(self):
        """While both wait for each other in turn, by the own listener."""
        port = harness.free_port()
        with self.service(env={"PPROF_LISTEN": "127.0.0.1:%d" % port},
                          workers=1) as kore:
            later = Later(kore.get, "/channel?1000")
            bodies = []
            for _ in range(8):
                time.sleep(0.2)
                bodies.append(web.get("127.0.0.1", port,
                                      "/debug/pprof/goroutine").body)
            self.assertEqual(later.result().status, 200)
        found = {}
        for body in bodies:
            for sample in self.pprof.raw(body).samples:
                for function in ("channel_task", "page_channel"):
                    if sample.has(function):
                        found.setdefault(function, set()).add(
                            sample.labels["state"])
        note("%s", found)
        for function in ("channel_task", "page_channel"):
            self.assertIn("channel", found[function])
            self.assertNotIn("syscall", found[function])

    def test_trace(self):
        with self.service() as kore:
            later = begun(kore, kore.get, TRACE + "seconds=3", timeout=60)
            self.run_some(kore)
            trace = parsed(later.result())
        found = {}
        for _, did, begin, end, stack in trace.spans():
            names = trace.stack(stack) if stack else []
            if did == "GoBlockRecv" and "[channel]" in names:
                for function in ("channel_task", "page_channel"):
                    if function in names:
                        found.setdefault(function, []).append(
                            (end - begin) / 1e6)
        note("%s", {k: [round(ms, 1) for ms in v] for k, v in found.items()})
        for function in ("channel_task", "page_channel"):
            long = [ms for ms in found[function] if ms > MS - 2]
            self.assertEqual(len(long), TIMES, function)
            self.assertLess(max(long), 2 * MS)


if __name__ == "__main__":
    main()
