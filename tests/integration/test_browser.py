#!/usr/bin/env python3
# needs: a core, 167 s
"""
The pages in a real Chromium, against the sample application under ab. What a
person does is in tests/browser; numbers are test_browser_pprof.py's.
"""
import subprocess

from browser import Busy, Pages
from case import main, note


class Browser(Pages):
    def test_where_the_time_goes_within_ten_seconds(self):
        with Busy(self.kore):
            found = self.browse("first", route="/fib/", part="fib_recursive")
        note("%d boxes after %.1f s", found["boxes"], found["took"] / 1000)

    def test_every_view(self):
        with Busy(self.kore):
            body = self.kore.profile(2).body
        self.browse("views", file=self.pprof.save(body),
                    callers=self.made("callers"), part="fib_")

    def test_by_keys_alone(self):
        with Busy(self.kore):
            self.browse("keyboard", route="/fib/")

    def test_no_page_is_wider_than_the_window(self):
        with Busy(self.kore):
            given = {name: self.pprof.save(self.kore.profile(2).body)
                     for name in ("before", "file")}
            given["trace"] = self.pprof.save(
                self.kore.get("/debug/pprof/trace?seconds=1").body)
            found = self.browse("shots", progress=True, fn="fib_recursive",
                                **given)
        note("%d: each page in two widths and two themes", found["pages"])

    def test_routes_live(self):
        with Busy(self.kore):
            self.browse("live", route="/fib/")

    def test_capture_cancel_and_what_is_kept(self):
        with Busy(self.kore):
            self.browse("capture")

    def test_a_wait_in_a_fresh_tab_is_cancelled(self):
        self.browse("waiting")

    def test_a_profile_of_small_frames(self):
        found = self.browse("broad", file=self.made("broad"))
        note("%d boxes on opening", found["boxes"])

    def test_sums_are_made_once(self):
        self.browse("worker", file=self.made("twins"))

    def test_what_is_kept(self):
        self.browse("kept", profile=self.made("twins"))

    def test_texts_of_a_profile_are_texts(self):
        broken = []
        for number, body in enumerate((b"", b"hello", b"\x1f\x8b\x08junk",
                                       b"\x0a\x04\x08\x01\x10\x02\x12\x7f")):
            broken.append(self.pprof.save(body))
        self.browse("hostile", file=self.made("hostile"), broken=broken)

    def test_without_scripts(self):
        version = subprocess.run(["kore", "-v"], stdout=subprocess.PIPE,
                                 check=True).stdout.decode().split()[0]
        self.browse("plain", server="kore " + version)


if __name__ == "__main__":
    main()
