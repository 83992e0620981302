#!/usr/bin/env python3
# needs: sleeps, 91 s
"""
A trace of 60 s, beside a load that leaves the processors time: nothing of it is
lost, and it is as long as it was asked for.

A minute, which is why it has a file of its own: it measures nothing that other
tests could disturb.
"""
import load
from case import main, note
from gotrace import GoTrace
from traced import begun, TRACE, Traced


class WholeMinute(Traced):
    def test_a_minute(self):
        later = begun(self.kore, self.kore.get, TRACE + "seconds=60",
                      timeout=90)
        with load.Driver(self.kore, ["/light", "/hold?2"], duty=0.2,
                         seconds=55) as driver:
            driver.join()
        answer = later.result()
        self.assertEqual((answer.status, driver.bad, driver.lost),
                         (200, [], 0))
        trace = self.parse(answer)
        light, hold = (len(trace.named("GET " + path))
                       for path in ("/light", "/hold"))
        seconds = (trace.events[-1].ts - trace.events[0].ts) / 1e9
        note("%.2f s, %d requests, %d bytes", seconds, light + hold,
             len(answer.body))
        self.assertEqual(trace.lost, 0)
        self.assertEqual(light + hold, driver.done)
        self.assertGreater(hold, 1000)
        self.assertLess(abs(seconds - 60), 0.5)
        with GoTrace(answer.body) as go:
            self.assertEqual(go.tasks()["GET /light"], light)


if __name__ == "__main__":
    main()
