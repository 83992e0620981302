"""
Figures: what was measured, beside what was wanted. Formatting only.

Rule: a figure without a target gets no verdict, and one that was not
measured says why instead of a number.
"""
import statistics


def quantile(values, part):
    """By linear interpolation; of one value it is that value."""
    values = sorted(values)
    at = part * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


class Figure:
    """One row. `target` is (">=" or "<=", number) or None."""

    def __init__(self, name, value, unit="", target=None, spread=None,
                 digits=0, judge=True):
        self.name, self.value, self.unit = name, value, unit
        self.target, self.spread, self.digits = target, spread, digits
        self.judge = judge

    def number(self, value):
        text = "%.*f" % (self.digits, value)
        return text + (" " + self.unit if self.unit else "")

    def verdict(self):
        if self.target is None or self.value is None:
            return ""
        sign, limit = self.target
        good = self.value >= limit if sign == ">=" else self.value <= limit
        word = "met" if good else "missed"
        if isinstance(self.spread, tuple) and \
                self.spread[0] <= limit <= self.spread[1]:
            word += " ~"
        return word

    def row(self):
        target = ""
        if self.target:
            target = "%s %s" % (self.target[0], self.number(self.target[1]))
        spread = self.spread or ""
        if isinstance(spread, tuple):
            spread = "%.*f to %.*f" % (self.digits, spread[0],
                                       self.digits, spread[1])
        measured = "not measured" if self.value is None else \
            self.number(self.value)
        return [self.name, target, measured, spread, self.verdict()]


def of_values(name, values, **more):
    """A figure that is the median, with its quartiles."""
    if not values:
        return Figure(name, None, spread="nothing to measure", **more)
    return Figure(name, statistics.median(values),
                  spread=(quantile(values, 0.25), quantile(values, 0.75)),
                  **more)


HEAD = ["figure", "target", "measured", "spread", "verdict"]


def plain(figures):
    rows = [HEAD] + [figure.row() for figure in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width
                               in zip(row, widths)).rstrip() for row in rows)


def markdown(figures):
    rows = [HEAD, ["---"] * len(HEAD)] + [f.row() for f in figures]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|")
                                       for cell in row) + " |"
                     for row in rows)
