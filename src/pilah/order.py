"""In which order the times and counts of a list come.

News that are ordered by time fall from date to date, and their ages ('2 minutes ago') rise; what is ranked by its readers
falls from count to count. That is what the labels `latest` and `popular` mean, and it shows where a heading says nothing.
No word of any language is needed for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pilah import fast
from pilah.features import FACTS
from pilah.hashed import BASE, Hashed, codes_of

FIGURES = np.dtype([("many", np.int64), ("value", np.int64), ("words", np.int64)])
"""Of a line: how many numbers it holds (0 where nobody looks), the numbers as one that can be compared, and, of one number alone, what its words are."""

RUNS = ("dates fall", "dates rise", "ages fall", "ages rise", "counts fall")
"""What a run of items may do. Counts that rise are not among them: the numbered headings of an article do that."""

APART = 6
"""The figures of two items that follow each other are at most so many lines apart."""

ABOVE = 3
"""A run reaches so many lines above its first figure: a headline, a mark and the heading may stand there."""

SHORT = 45
"""Times and counts stand in lines narrower than this."""

MOST, LESS = (1 << 19) - 1, (1 << 11) - 1
"""The first number of a line is told from others up to this, the next four up to that: they share 63 bits."""

OLDEST = 99
"""No age is a higher number: after that comes the next unit."""

_DIGITS = np.full(1 << 16, -1, np.int64)
for _zero in (0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10):  # of the scripts that news are written in
    _DIGITS[_zero : _zero + 10] = np.arange(10)
_DIGIT = FACTS.index("a digit")
_ALONE = [FACTS.index("number alone"), FACTS.index("mark and number alone")]


def figures(lines: Sequence[str], facts: NDArray[np.float32], widths: NDArray[np.float32]) -> NDArray[np.void]:
    """The numbers of each short line, so that they can be compared with those of another.

    Parameters
    ----------
    lines : sequence of str
    facts : array of shape (lines, len(FACTS))
    widths : array of shape (lines,)

    Returns
    -------
    array of `FIGURES`, shape (lines,)
        A rank (a number alone, or one before a point where the line begins) is none of them, and thousands are one number.
    """
    found = np.zeros(len(lines), FIGURES)
    chosen = np.flatnonzero((facts[:, _DIGIT] > 0) & (widths < SHORT) & (facts[:, _ALONE[0]] + facts[:, _ALONE[1]] == 0))
    short = [lines[row] for row in chosen.tolist()]
    ends = np.cumsum(np.fromiter(map(len, short), np.int64, len(short)) + 1)
    codes = codes_of("".join([f"{line}\n" for line in short]))
    if kernels := fast.kernels():
        kernels.figures(codes, ends, chosen, _DIGITS, found["many"], found["value"], found["words"])
        return found
    values, starts, stops = _numbers(codes)
    if not len(values):
        return found
    at = np.searchsorted(ends, starts, side="right")
    firsts = np.flatnonzero(np.diff(at, prepend=-1))
    many = np.diff(firsts, append=len(at))
    place = np.arange(len(at)) - np.repeat(firsts, many)
    shares = np.where(place < 5, np.minimum(values, np.where(place == 0, MOST, LESS)) << np.maximum(44 - 11 * place, 0), 0)
    begin, end = np.append(0, ends)[at[firsts]], ends[at[firsts]] - 1
    start, stop = starts[firsts], stops[firsts]
    hashed = Hashed(codes)
    words = hashed.between(begin, start) * np.uint64(BASE) + hashed.between(stop, end)
    # a number of one or two digits before a point, where the line begins, ranks its item
    behind = np.array([0, 1, 2])[:, None] + start
    after = codes.take(behind, mode="clip")
    digits = _DIGITS.take(after, mode="clip") >= 0
    points = np.isin(after, (ord("."), ord(")")))
    rank = (start < begin + 3) & (points[1] | digits[1] & points[2])
    rows = chosen[at[firsts]]
    found["many"][rows] = np.where((many == 1) & rank, 0, np.minimum(many, 5))
    found["value"][rows] = np.add.reduceat(shares, firsts)
    found["words"][rows] = np.where(many == 1, words.view(np.int64), 0)
    return found


def _numbers(codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The numbers in a text, and where each starts and stops; 93.804 and 93,804 are one."""
    digits = _DIGITS.take(codes, mode="clip")
    edges = np.flatnonzero(np.diff(digits >= 0, prepend=False, append=False))
    starts, stops = edges[0::2], edges[1::2]
    if not len(starts):
        return starts, starts, stops
    sizes = stops - starts
    where = np.flatnonzero(digits >= 0)
    weights = 10 ** np.minimum(np.repeat(stops, sizes) - 1 - where, 8)
    values = np.add.reduceat(digits[where] * weights, np.cumsum(sizes) - sizes)
    tied = (starts[1:] == stops[:-1] + 1) & np.isin(codes[stops[:-1]], (ord("."), ord(",")))
    goes_on = np.append(False, tied & (sizes[1:] == 3) & (sizes[:-1] <= 3))
    heads = np.flatnonzero(~goes_on)
    last = np.append(heads[1:], len(starts)) - 1
    behind = np.repeat(last, np.diff(heads, append=len(starts))) - np.arange(len(starts))
    return np.add.reduceat(values * 1000 ** np.minimum(behind, 3), heads), starts[heads], stops[last]


def runs(
    found: NDArray[np.void], timed: NDArray[np.bool_], opens: NDArray[np.bool_], lengths: Sequence[int]
) -> NDArray[np.float32]:
    """How far the list that a line stands in is in order, shape (len(RUNS), lines): steps that way, less three for each the other way.

    Dates are times of several numbers, such as 12 May, 14:05, and are compared number by number; an age is a time of one,
    compared where the words beside it are the same: after 58 seconds come 7 minutes. Everything else is a count.

    Parameters
    ----------
    found : array of `FIGURES`, shape (lines,)
    timed : array of shape (lines,)
        Which lines show a time.
    opens : array of shape (lines,)
        Which lines open a block: no list goes on beyond one.
    lengths : sequence of int
        Lines per page.
    """
    in_order = np.zeros((len(RUNS), len(found)), np.float32)
    pages = np.repeat(np.arange(len(lengths)), lengths)
    first_rows = np.cumsum(lengths) - lengths if len(lengths) else np.zeros(0, np.int64)
    blocks = np.cumsum(opens)
    any_, several = found["many"] > 0, found["many"] > 1
    ages = timed & ~several & (found["value"] >> 44 <= OLDEST)
    dates = timed & several
    for kind, chosen in enumerate((dates, ages, ~dates & ~ages)):
        rows = np.flatnonzero(chosen & any_)
        if len(rows) < 3:
            continue
        here = found[rows]
        tied = (pages[rows[1:]] == pages[rows[:-1]]) & (blocks[rows[1:]] == blocks[rows[:-1]]) & (np.diff(rows) <= APART)
        alike = here["many"][1:] == here["many"][:-1]
        if kind == 0:
            tied &= alike
        alike &= (here["words"][1:] == here["words"][:-1]) | (here["many"][1:] > 1)
        way = np.where(tied & alike, np.sign(np.diff(here["value"])), 0)
        begins = np.flatnonzero(np.append(True, ~tied))  # of lists, among the chosen rows
        ends = np.append(begins[1:], len(rows)) - 1
        up = np.append(0, np.cumsum(way > 0))
        down = np.append(0, np.cumsum(way < 0))
        rises, falls = up[ends] - up[begins], down[ends] - down[begins]
        for name, steps in ((2 * kind, falls - 3 * rises), (2 * kind + 1, rises - 3 * falls)):
            if name == len(RUNS):
                continue
            for at in np.flatnonzero(steps > 1).tolist():
                start, stop = int(rows[begins[at]]), int(rows[ends[at]])
                start = max(start - ABOVE, int(first_rows[pages[start]]))
                in_order[name, start : stop + 1] = np.maximum(in_order[name, start : stop + 1], steps[at])
    return in_order
