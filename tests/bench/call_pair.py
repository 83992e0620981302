"""
Figures of loop_pair.c and call_loop.c: what the wrappers add that calls of
modules pass for the sake of signals, while nobody profiles.

Rule: with and without the hooks are measured by turns, compared by the turn.
"""
import figures
import lock_pair

HOW = """\
One call of each kind that is wrapped so that no signal of the module's ends
it, by the thread's CPU clock, each variant in a process of its own: without the
hooks and with them. Nobody profiles. The calls have nothing to wait for:
`/dev/zero`, `/dev/null`, sockets with a byte to be read, a semaphore that was
posted. A call with a time limit reads the clock first; where any socket has a
limit, all that receive do. A handler of the application's is called by the
module's.
"""

NAMES = {"read": "read, 1 byte",
         "write": "write, 1 byte",
         "recv": "recv, 1 byte",
         "recv_limit": "  the same, a socket has SO_RCVTIMEO",
         "send": "send + recv, 1 byte",
         "poll": "poll, at once",
         "poll_limit": "  the same with a time limit",
         "ppoll_mask": "ppoll with a limit and a mask",
         "epoll": "epoll_wait with a time limit",
         "nanosleep": "nanosleep, no time",
         "sem_timedwait": "sem_post + sem_timedwait",
         "timedlock": "pthread_mutex_timedlock + unlock",
         "sigmask": "pthread_sigmask, block + unblock",
         "sigprocmask": "sigprocmask, block + unblock",
         "sigaction": "sigaction",
         "sigpending": "sigpending",
         "sigtimedwait": "sigtimedwait, at once",
         "raise": "raise, and its handler"}


def figure(words):
    if words["name"] == "bare":
        return figures.Figure(
            NAMES[words["loop"]] + ", bare", float(words["pair"]), "ns",
            digits=1, spread=(float(words["low"]), float(words["high"])))
    return figures.Figure(
        "  added", float(words["added"]), "ns", digits=1,
        spread=(float(words["added_low"]), float(words["added_high"])))


def measure(bench):
    bench.say("calls: 15 turns of two kinds")
    lock_pair.compile_all(bench.work, bench.build, "call_loop")
    return [figure(words) for words in lock_pair.run(
        bench.work, 1000000 if bench.quick else 5000000, "call_loop")]
