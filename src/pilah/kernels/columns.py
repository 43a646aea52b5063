"""Loops over the lines of pages: what `pilah.columns` takes from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah import columns as declared
from pilah.hashed import BASE
from pilah.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
# What is compiled is kept as long as this file stays as it is, so what it hangs on stands here, and is compared with where it comes from.
_LINES_ABOVE, _LINES_BELOW = np.array([0, 1, 2, 4, 8], np.float32), np.array([0, 1, 2, 4, 8, 16], np.float32)
_PARAGRAPHS, _HEADINGS = np.array([0.3, 0.8, 1.5, 3, 6], np.float32), np.array([0.3, 0.8, 1.5, 3], np.float32)
_UNLIKE, _TIMED = np.array([0.15, 0.4, 0.9], np.float32), np.array([0.09, 0.2, 0.3, 0.45], np.float32)
_DISTANCE = np.array([0, 1, 3, 8, 20, 45], np.float32)
_SPANS = (4, 9)
_NEIGHBOUR_FACTS = np.array([2, 4, 6, 9, 11, 13, *range(24, 54)])
_TIMES = np.array([44, 45, 46])
_MARK, _NUMBER, _MARKED_NUMBER = 33, 35, 36
_BASE = np.uint64(0x9E3779B97F4A7C15)
if (_SPANS, _MARK, [_NUMBER, _MARKED_NUMBER], int(_BASE)) != (
    declared.TIME_SPANS, declared.MARK_ALONE, declared.NUMBERS_ALONE, BASE,
) or any(
    not np.array_equal(ours, np.array(theirs, ours.dtype))
    for ours, theirs in (
        (_LINES_ABOVE, declared.LINES_ABOVE), (_LINES_BELOW, declared.LINES_BELOW), (_PARAGRAPHS, declared.PARAGRAPHS),
        (_HEADINGS, declared.HEADINGS), (_UNLIKE, declared.UNLIKE), (_TIMED, declared.TIMED), (_DISTANCE, declared.DISTANCE),
        (_NEIGHBOUR_FACTS, declared.NEIGHBOUR_FACTS), (_TIMES, declared.TIME_FACTS),
    )
):  # fmt: skip
    raise ImportError("the loops over pages are not those of pilah.columns")


@compiled
def _steps(row: Floats, at: int, value: Any, bounds: Floats) -> int:
    """Thermometer code from ``at`` on; where the next column is."""
    for i in range(len(bounds)):
        row[at + i] = value > bounds[i]
    return at + len(bounds)


@compiled
def _mean(total: NDArray[np.float64], kind: int, line: int, span: int, many: int) -> Any:
    """Over the next lines of a page, or the last ones, from running sums."""
    if span > 0:
        return np.float32((total[min(line + 1 + span, many), kind] - total[line + 1, kind]) / span)
    return np.float32((total[line, kind] - total[max(line + span, 0), kind]) / -span)


@compiled
def _repeats(keys: Ints, still: Floats, at: int) -> None:
    """Whether a line's text stood earlier, and stands again later: two columns of a page."""
    size = 4
    while size < 2 * len(keys):
        size *= 2
    last = np.full(size, -1)  # by slots of open addressing: the last line with a key
    for line in range(len(keys)):
        slot = np.int64((np.uint64(keys[line]) * _BASE) >> np.uint64(32)) & (size - 1)
        while last[slot] >= 0 and keys[last[slot]] != keys[line]:
            slot = (slot + 1) & (size - 1)
        still[line, at] = last[slot] >= 0
        still[line, at + 1] = 0
        if last[slot] >= 0:
            still[last[slot], at + 1] = 1
        last[slot] = line


@compiled
def _ranks(numbers: Floats, still: Floats, at: int) -> None:
    """How each line stands to the numbered lines around it: five columns of a page."""
    following = np.full(len(numbers) + 1, -1)  # the next numbered line from each on
    for line in range(len(numbers) - 1, -1, -1):
        following[line] = line if numbers[line] >= 0 else following[line + 1]
    before = -1
    for line in range(len(numbers)):
        number, after = numbers[line], following[line + 1]
        still[line, at] = number == 1
        still[line, at + 1] = number >= 0 and before >= 0 and number == numbers[before] + 1
        still[line, at + 2] = number >= 0 and after >= 0 and numbers[after] == number + 1
        if number >= 0:
            before = line
        still[line, at + 3] = before >= 0 and after >= 0 and numbers[after] == numbers[before] + 1
        still[line, at + 4] = after >= 0 and numbers[after] == 1


@compiled
def _beats(shape: Ints, still: Floats, at: int) -> None:
    """Whether lines are built as some above, and as some below: two columns of a page."""
    many = len(shape)
    built, uneven = np.empty(many, np.int64), np.empty(many, np.bool_)
    for line in range(many):
        before, after = shape[line - 1] if line else 9, shape[line + 1] if line + 1 < many else 9
        built[line] = 100 * before + 10 * shape[line] + after
        uneven[line] = before != shape[line] or after != shape[line]
        still[line, at] = still[line, at + 1] = 0
        for beat in range(2, min(line, 6) + 1):
            if uneven[line] and built[line] == built[line - beat]:
                still[line, at] = still[line - beat, at + 1] = 1


@compiled
def page_columns(
    scores: Floats,
    facts: Floats,
    widths: Floats,
    numbers: Floats,
    keys: Ints,
    starts: Ints,
    stops: Ints,
    groups: Floats,
    openers: Ints,
    still: Floats,
    near: Floats,
    alike: Floats,
) -> None:
    """Write the columns of `pilah.columns.page_columns` that a line has of itself, in their order, and what its neighbours see of it.

    And how much each line is of each group of types.
    """
    types, kinds = scores.shape[1], groups.shape[1]
    longest = (stops - starts).max()
    shape, wide = np.empty(longest, np.int64), np.empty(longest, np.float32)
    total = np.zeros((longest + 1, 1 + kinds + len(_TIMES)), np.float64)  # paragraphs, kinds, time facts
    least = np.log(np.float32(1e-4))
    for page in range(len(starts)):
        first, many = starts[page], stops[page] - starts[page]
        like = alike[first : first + many]
        for line in range(many):
            i = first + line
            row, seen = still[i], near[i]
            top, whole = scores[i, 0], np.float32(0)
            for kind in range(1, types):
                top = max(top, scores[i, kind])
            for kind in range(types):
                seen[kind] = np.exp(scores[i, kind] - top)
                whole += seen[kind]
            log_whole = np.log(whole)
            for group in range(kinds):
                like[line, group] = 0
            for kind in range(types):
                seen[kind] /= whole
                seen[types + kind] = max(scores[i, kind] - top - log_whole, least) / np.float32(4)
                for group in range(kinds):
                    like[line, group] += groups[kind, group] * seen[kind]
            for k in range(len(_NEIGHBOUR_FACTS)):
                seen[2 * types + k] = facts[i, _NEIGHBOUR_FACTS[k]]
            row[0] = 1
            for kind in range(2 * types):
                row[1 + kind] = seen[kind]
            for fact in range(facts.shape[1]):
                row[1 + 2 * types + fact] = facts[i, fact]
            wide[line] = np.log1p(widths[i])
            total[line + 1, 0] = total[line, 0] + (like[line, 0] if widths[i] > 90 else np.float32(0))
            for kind in range(kinds):
                total[line + 1, 1 + kind] = total[line, 1 + kind] + like[line, kind]
            for k in range(len(_TIMES)):
                total[line + 1, 1 + kinds + k] = total[line, 1 + kinds + k] + facts[i, _TIMES[k]]
            shape[line] = 3 + (widths[i] > 24) + (widths[i] > 130)
            if facts[i, _MARK] or facts[i, _NUMBER] or facts[i, _MARKED_NUMBER]:
                shape[line] = facts[i, _MARK] + 2 * max(facts[i, _NUMBER], facts[i, _MARKED_NUMBER])
            if like[line, 3] > 0.5 or facts[i, _TIMES[2]] > 0:
                shape[line] = 0
        start = 1 + 2 * types + facts.shape[1]
        repeats = ranks = 0  # columns that are written for a page at once
        opener = -1  # the nearest line above that opens a block
        for line in range(many):
            row, at = still[first + line], start
            at = _steps(row, at, np.float32(line), _LINES_ABOVE)
            at = _steps(row, at, np.float32(many - 1 - line), _LINES_BELOW)
            at = _steps(row, at, np.float32(total[line, 0]), _PARAGRAPHS)
            at = _steps(row, at, np.float32(total[many, 0] - total[line + 1, 0]), _PARAGRAPHS)
            at = _steps(row, at, np.float32(total[line, 1 + 1]), _HEADINGS)
            at = _steps(row, at, np.float32(total[many, 1 + 1] - total[line + 1, 1 + 1]), _HEADINGS)
            for side in range(2):
                for kind in range(kinds):
                    mean = _mean(total, 1 + kind, line, 4 - 8 * side, many)
                    row[at + side * kinds + kind] = mean
                    row[at + (2 + side) * kinds + kind] = like[line, 2] * mean
            at += 4 * kinds
            for offset in (-2, -1, 1, 2):
                other = wide[line + offset] if 0 <= line + offset < many else np.float32(0)
                at = _steps(row, at, abs(wide[line] - other), _UNLIKE)
            repeats, at = at, at + 4
            for span in _SPANS:
                for k in range(len(_TIMES)):
                    row[at + k] = _mean(total, 1 + kinds + k, line, span, many)
                row[at + len(_TIMES)] = timed = _mean(total, 1 + 3, line, span, many)
                at = _steps(row, at + len(_TIMES) + 1, timed, _TIMED)
            ranks, at = at, at + 5
            for k in range(len(openers)):
                row[at + k] = near[first + opener, openers[k]] if opener >= 0 else np.float32(0)
            _steps(row, at + len(openers), np.float32(line - opener if opener >= 0 else 0), _DISTANCE)
            if like[line, 1] > 0.5:
                opener = line
        of_page = still[first : first + many]
        _repeats(keys[first : first + many], of_page, repeats)
        _beats(shape[:many], of_page, repeats + 2)
        _ranks(numbers[first : first + many], of_page, ranks)


@compiled
def add_shifted(found: Floats, products: Floats, offsets: Ints, starts: Ints, stops: Ints) -> None:
    """Add to every line the products of the lines so many below it, for each offset those of its own columns."""
    wide = found.shape[1]
    for page in range(len(starts)):
        for line in range(starts[page], stops[page]):
            for k in range(len(offsets)):
                other = line + offsets[k]
                if starts[page] <= other < stops[page]:
                    for column in range(wide):
                        found[line, column] += products[other, k * wide + column]
