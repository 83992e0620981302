"""
What the test programs share: a case with a `go tool pprof` of its own, and
the way they print what they measured.

Not a test.
"""
import math
import statistics
import sys
import threading
import time
import unittest

from profiles import Pprof


def note(text, *values):
    """A measured number, for the reader of the test's output."""
    print("    " + (text % values if values else text), flush=True)


class Timed(unittest.TextTestResult):
    """Says of each test how long it took."""

    def startTest(self, test):
        self.begun = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        took = time.monotonic() - self.begun
        if took >= 1:
            note("%s took %.0f s", test.id().split(".")[-1], took)
        super().stopTest(test)


class Runner(unittest.TextTestRunner):
    resultclass = Timed


def main():
    unittest.main(verbosity=2, failfast="-f" in sys.argv, testRunner=Runner)


class Case(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.pprof = Pprof()

    @classmethod
    def tearDownClass(cls):
        cls.pprof.close()

    def recorded(self, kore, query):
        """What the flight recorder has: the profile, its nanoseconds by route,
        and how long the answer took."""
        begun = time.monotonic()
        answer = kore.get("/debug/pprof/profile?" + query)
        took = time.monotonic() - begun
        self.assertEqual(answer.status, 200, answer)
        raw = self.pprof.raw(answer.body)
        used = raw.by(lambda s: s.route)
        note("%s: %.3f s; %s", query, took,
             {k: "%.2f s" % (v / 1e9) for k, v in used.items()})
        return raw, used, took

    def assertNear(self, value, wanted, part, what):
        """`value` within `part` (0.03: 3%) of `wanted`."""
        self.assertLessEqual(
            abs(value - wanted), part * abs(wanted),
            "%s: %.6g, expected %.6g within %g%%"
            % (what, value, wanted, part * 100))


class Later(threading.Thread):
    """A call that runs beside the test; result() waits for what it gave."""

    def __init__(self, call, *args, **more):
        super().__init__(daemon=True)
        self.call, self.args, self.more = call, args, more
        self.value = self.error = None
        self.start()

    def run(self):
        try:
            self.value = self.call(*self.args, **self.more)
        except BaseException as error:  # handed over in result()
            self.error = error

    def result(self, timeout=120):
        self.join(timeout)
        if self.is_alive():
            raise AssertionError("no result in %d s" % timeout)
        if self.error:
            raise self.error
        return self.value


def interval(probability, count, comparisons=1):
    """Half the width of the 99% binomial interval of a share of `count`
    samples, wide enough that `comparisons` of them hold together."""
    z = statistics.NormalDist().inv_cdf(1 - 0.01 / comparisons / 2)
    return (z * math.sqrt(probability * (1 - probability) / count)
            + 0.5 / count)
