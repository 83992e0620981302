#!/usr/bin/env python3
# needs: a core, 7 s
"""
An application's own hooks (seccomp, parent and worker configure, teardowns)
run, whether it is loaded before or after the module. Kore takes the first
definition that it finds of each, so the module must define none.
"""
import harness
import load
from case import Case, main

ROUTES = ["/uname page_uname", "/hooks page_hooks", "/who page_who",
          "/burn/a burn_a"]


class Hooks(Case):
    def check(self, modules, production=True):
        kore = harness.Service(modules, ROUTES, production=production,
                               settings=["worker_accept_threshold 1"])
        with kore:
            for worker in (1, 2):
                connection = load.connection_to(kore, worker)
                self.assertEqual(connection.get("/hooks").text, "1 1")
                self.assertEqual(connection.get("/uname").text, "Linux")
                connection.close()
            with load.Driver(kore, ["/burn/a", "/uname"]):
                answer = kore.profile(1, 1000)
            self.assertEqual(answer.status, 200)
            raw = self.pprof.raw(answer.body)
            self.assertTrue(any(s.has("burn_a") and s.route == "/burn/a"
                                for s in raw.samples))
        self.assertEqual(len(kore.log("app: parent configured")), 1)
        self.assertEqual(len(kore.log("app: worker configured")), 2)
        self.assertEqual(len(kore.log("app: worker torn down")), 2)
        self.assertEqual(len(kore.log("app: parent torn down")), 1)

    def test_loaded_before_the_module(self):
        self.check(["hooks.c", "workload.c", harness.PPROF])

    def test_loaded_after_the_module(self):
        self.check([harness.PPROF, "hooks.c", "workload.c"])

    def test_loaded_after_the_module_without_privileges(self):
        self.check([harness.PPROF, "hooks.c", "workload.c"],
                   production=False)


if __name__ == "__main__":
    main()
