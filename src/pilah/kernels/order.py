"""Loops over the lists of pages: what `pilah.order` finds in their figures, and what `pilah.columns.label_columns` makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah import columns as declared
from pilah import order
from pilah.hashed import BASE
from pilah.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
# What is compiled is kept as long as this file stays as it is, so what it hangs on stands here, and is compared with where it comes from.
_APART, _ABOVE, _OLDEST, _RUNS = 6, 3, 99, 5
_MOST, _LESS = (1 << 19) - 1, (1 << 11) - 1
_BOUNDS = (1, 2, 4)
_AROUND, _SOME_TIMES, _SOME_TEXT = 9, np.float32(0.3), np.float32(0.5)
_TIMED = 46
_BASE = np.uint64(0x9E3779B97F4A7C15)
if (_APART, _ABOVE, _OLDEST, _RUNS, _MOST, _LESS, _BOUNDS, _AROUND, _TIMED, int(_BASE)) != (
    order.APART, order.ABOVE, order.OLDEST, len(order.RUNS), order.MOST, order.LESS, declared.IN_ORDER, declared.AROUND,
    declared.TIME_FACTS[2], BASE,
) or (np.float32(declared.SOME_TIMES), np.float32(declared.SOME_TEXT)) != (_SOME_TIMES, _SOME_TEXT):  # fmt: skip
    raise ImportError("the loops over lists are not those of pilah.order")


@compiled
def _hash(codes: NDArray[np.uint32], start: int, stop: int) -> Any:
    """Of one stretch, as in `hashed`."""
    total, power = np.uint64(0), np.uint64(1)
    for i in range(start, stop):
        total += (np.uint64(codes[i]) + np.uint64(1)) * power
        power *= _BASE
    return total


@compiled
def figures(codes: NDArray[np.uint32], ends: Ints, rows: Ints, digits: Ints, many: Ints, value: Ints, words: Ints) -> None:
    """Write `order.figures` of some lines, one after the other in a text, each with a line feed behind it, into their rows."""
    longest = 0
    for line in range(len(rows)):
        longest = max(longest, ends[line] - (ends[line - 1] if line else 0))
    begins, finishes, owns = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    start = 0
    for line in range(len(rows)):
        stop, row = ends[line] - 1, rows[line]
        runs, at = 0, start
        while at < stop:
            begins[runs], owns[runs] = at, 0
            while at < stop and codes[at] < len(digits) and digits[codes[at]] >= 0:
                at += 1
            for i in range(begins[runs], at):
                owns[runs] += digits[codes[i]] * 10 ** min(at - 1 - i, 8)
            finishes[runs] = at
            runs, at = (runs + 1, at) if at > begins[runs] else (runs, at + 1)
        count, total, run = 0, 0, 0
        first, last = start, start  # where the first number starts and stops
        while run < runs:
            end = run
            while (  # 93.804 is one number
                end + 1 < runs
                and begins[end + 1] == finishes[end] + 1
                and (codes[finishes[end]] == ord(".") or codes[finishes[end]] == ord(","))
                and finishes[end + 1] - begins[end + 1] == 3
                and finishes[end] - begins[end] <= 3
            ):
                end += 1
            number = 0
            for part in range(run, end + 1):
                number += owns[part] * 1000 ** min(end - part, 3)
            if count == 0:
                first, last = begins[run], finishes[end]
            if count < 5:
                total += min(number, _LESS if count else _MOST) << (44 - 11 * count)
            count, run = count + 1, end + 1
        if count:
            many[row], value[row] = min(count, 5), total
        if count == 1:
            words[row] = np.int64(_hash(codes, start, first) * _BASE + _hash(codes, last, stop))
            ahead = codes[first + 1] if first + 1 < len(codes) else codes[-1]
            third = codes[first + 2] if first + 2 < len(codes) else codes[-1]
            point = ahead == ord(".") or ahead == ord(")")
            digit = ahead < len(digits) and digits[ahead] >= 0
            if first < start + 3 and (point or (digit and (third == ord(".") or third == ord(")")))):
                many[row] = 0
        start = stop + 1


@compiled
def _mark(found: Floats, kind: int, begin: int, last: int, rises: int, falls: int) -> None:
    """Write how far a list falls or rises, if it does, to its lines and those that stand above."""
    for run, steps in ((2 * kind, falls - 3 * rises), (2 * kind + 1, rises - 3 * falls)):
        if steps > 1 and begin >= 0 and run < _RUNS:
            for line in range(max(begin - _ABOVE, 0), last + 1):
                found[line, run] = max(found[line, run], np.float32(steps))


@compiled
def _runs(many: Ints, value: Ints, words: Ints, timed: NDArray[np.bool_], opens: NDArray[np.bool_], found: Floats) -> None:
    """`order.runs` of a page, a column for each run."""
    found[:, :_RUNS] = 0
    for kind in range(3):
        begin = last = -1
        rises = falls = 0
        apart = False  # whether a block was opened since the last figure
        for line in range(len(many)):
            apart = apart or opens[line]
            if not many[line]:
                continue
            age = timed[line] and many[line] == 1 and value[line] >> 44 <= _OLDEST
            if kind != (0 if timed[line] and many[line] > 1 else 1 if age else 2):
                continue
            alike = last >= 0 and many[line] == many[last]
            if last >= 0 and not apart and line - last <= _APART and (kind or alike):
                if alike and (many[line] > 1 or words[line] == words[last]):
                    rises += value[line] > value[last]
                    falls += value[line] < value[last]
            else:
                _mark(found, kind, begin, last, rises, falls)
                begin, rises, falls = line, 0, 0
            last, apart = line, False
        _mark(found, kind, begin, last, rises, falls)


@compiled
def tag_scores(
    of_types: Floats,
    type_of: Ints,
    like: Floats,
    facts: Floats,
    widths: Floats,
    many: Ints,
    value: Ints,
    words: Ints,
    starts: Ints,
    stops: Ints,
    weights: Floats,
    found: Floats,
) -> None:
    """Write the scores of tags: those of their types and, with weights of them, those of `columns.label_columns`.

    ``like`` is how much each line is of each group of types.
    """
    tags, bounds = found.shape[1], len(_BOUNDS)
    longest = (stops - starts).max()
    timed, opens = np.empty(longest, np.bool_), np.empty(longest, np.bool_)
    in_order, text = np.empty((longest, _RUNS), np.float32), np.empty(longest + 1, np.float64)
    times = np.zeros(longest + 1, np.int64)
    for page in range(len(starts)):
        first, size = starts[page], stops[page] - starts[page]
        for i in range(first, first + size):
            for tag in range(tags):
                found[i, tag] = of_types[i, type_of[tag]]
        if not len(weights) or not size:
            continue
        text[0] = 0
        for line in range(size):
            i = first + line
            timed[line] = facts[i, _TIMED] > 0 or like[i, 3] > np.float32(0.5)
            opens[line] = like[i, 1] > np.float32(0.5)
            text[line + 1] = text[line] + (like[i, 0] if widths[i] > 90 else np.float32(0))
            times[line + 1] = times[line] + timed[line]
        some = slice(first, first + size)
        _runs(many[some], value[some], words[some], timed[:size], opens[:size], in_order[:size])
        for line in range(size):
            i = first + line
            for run in range(_RUNS):
                for k in range(bounds if in_order[line, run] else 0):
                    if in_order[line, run] > _BOUNDS[k]:
                        _add(found, i, weights, bounds * run + k)
            above, below = np.float32(text[line]), np.float32(text[size] - text[line + 1])
            own = like[i, 0] if widths[i] > 90 else np.float32(0)
            at = bounds * _RUNS
            none = above + own + below < _SOME_TEXT
            if none:
                _add(found, i, weights, at)
            if above < _SOME_TEXT:
                _add(found, i, weights, at + 1)
            if below < _SOME_TEXT:
                _add(found, i, weights, at + 2)
            behind = np.float32((times[min(line + 1 + _AROUND, size)] - times[line + 1]) / _AROUND)
            before = np.float32((times[line] - times[max(line - _AROUND, 0)]) / _AROUND)
            if none and behind + before > _SOME_TIMES:
                _add(found, i, weights, at + 3)


@compiled
def _add(found: Floats, line: int, weights: Floats, column: Any) -> None:
    """Add the weights of a column to the scores of a line."""
    for tag in range(found.shape[1]):
        found[line, tag] += weights[column, tag]
