"""
Disk: a profile is written by the application to where nothing fits, and the
collector may write no file that is larger than a page.

Truth: ENOSPC is told; the collector stays; what was allocated is all there.
"""
from limits import (Limited, SmallDisk, ask_all, check_counted, service, told,
                    turns, wait_well, work)
from profiles import Pprof
from scenario import Growth, expect


def fill(kore, disk):
    """How many profiles fitted."""
    for fitted in range(1000):
        answer = kore.get("/write?disk").text
        if answer != "0":
            expect(answer == "ENOSPC", "a full disk: %s", answer)
            return fitted
    raise AssertionError("the disk does not fill")


def run(seconds, short):
    pprof, disk, answers, done = Pprof(), SmallDisk(), {}, 0
    try:
        with service(disk.path) as kore:
            growth = Growth(kore)
            fitted = fill(kore, disk) if disk.path else None
            for _ in range(turns(seconds)):
                done += work(kore, 100)
                answer = kore.get("/write?full").text
                expect(answer == "ENOSPC", "/dev/full: %s", answer)
                with Limited(kore.collector, "fsize", 4096):
                    ask_all(kore, answers)
                growth.look(3)
            wait_well(kore)
            seen = check_counted(kore, pprof, done)
            expect(kore.find_collector() == kore.collector,
                   "the collector ended")
            expect(any(status == 503 for status, _ in answers),
                   "no answer met the limit: %s", answers)
            return "/dev/full and a full tmpfs are ENOSPC (%s); a collector " \
                "that may write 4 KiB: %s; %d objects as allocated; %s" % (
                    "%d profiles fitted" % fitted if disk.path
                    else "no mount here", told(answers), seen, growth.judge())
    finally:
        pprof.close()
        disk.close()
