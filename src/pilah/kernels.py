"""Loops that Numba compiles: what `hashed`, `features`, `columns` and `decoding` do with arrays, without arrays in between.

Never imported but by `fast`, which says when. Every function does what the NumPy code beside its call does. Sums are
added in the same order where that decides something, so labels are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_ONE = np.uint64(1)


def compiled(function: Any) -> Any:
    """A function compiled when it is called, and kept for the next process where a folder for that can be written to."""
    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:
        return njit(function, nogil=True, error_model="numpy")


@compiled
def words(codes: NDArray[np.uint32], space: NDArray[np.bool_], line_stops: Ints, base: Any) -> tuple[Ints, Ints, Hashes, Ints]:
    """Where words start and stop, their hashes, and how many come before the end of each line."""
    starts = np.empty(len(codes) // 2 + 1, np.int64)
    stops = np.empty_like(starts)
    hashes = np.empty(len(starts), np.uint64)
    ends = np.zeros(len(line_stops) + 1, np.int64)
    count, i = 0, 0
    for line in range(len(line_stops)):
        while i < line_stops[line]:
            code = codes[i]
            if code < len(space) and space[code]:
                i += 1
                continue
            starts[count] = i
            total, power = np.uint64(0), _ONE
            while not (code < len(space) and space[code]):
                total += (np.uint64(code) + _ONE) * power
                power *= base
                i += 1
                code = codes[i]
            stops[count], hashes[count] = i, total
            count += 1
        ends[line + 1] = count
    return starts[:count], stops[:count], hashes[:count], ends


@compiled
def find(held: Hashes, numbers: NDArray[np.int32], shift: Any, base: Any, hashes: Hashes) -> NDArray[np.int32]:
    """The number of each hash in a table with open addressing, 0 for none."""
    found = np.zeros(len(hashes), np.int32)
    last = len(held) - 1
    for i in range(len(hashes)):
        slot = np.int64((hashes[i] * base) >> shift)
        while numbers[slot] and held[slot] != hashes[i]:
            slot = (slot + 1) & last
        found[i] = numbers[slot]
    return found


@compiled
def ngrams(codes: NDArray[np.uint32], starts: Ints, stops: Ints, low: int, high: int, base: Any) -> tuple[Ints, Hashes]:
    """The hashes of the n-grams of each stretch, one stretch after the other; a shorter one counts once, whole."""
    many = 0
    for word in range(len(starts)):
        many += max(stops[word] - starts[word], 1) * (high - low + 1)
    rows, hashes = np.empty(many, np.int64), np.empty(many, np.uint64)
    count = 0
    for word in range(len(starts)):
        size = stops[word] - starts[word]
        for n in range(min(low, size), min(high, size) + 1):
            for i in range(starts[word], stops[word] - n + 1):
                total, power = np.uint64(0), _ONE
                for k in range(i, i + n):
                    total += (np.uint64(codes[k]) + _ONE) * power
                    power *= base
                rows[count], hashes[count] = word, total
                count += 1
    return rows[:count], hashes[:count]


@compiled
def project(rows: Ints, numbers: NDArray[np.int32], idf: Floats, weights: Floats, words: int) -> Floats:
    """Weights of the pieces of each word, added up as a sparse product would, and their idf as a last column."""
    types = weights.shape[1]
    found = np.zeros((words, types + 1), np.float32)
    i = 0
    for word in range(words):
        total = np.float64(0)
        while i < len(rows) and rows[i] == word:
            if numbers[i]:
                column = numbers[i] - 1
                for k in range(types):
                    found[word, k] += idf[column] * weights[column, k]
                total += idf[column]
            i += 1
        found[word, types] = total
    return found


@compiled
def add_up(rows: NDArray[np.int32], ends: Ints, table: Floats) -> Floats:
    """The rows of a table that belong to each line, added up."""
    found = np.zeros((len(ends) - 1, table.shape[1]), table.dtype)
    for line in range(len(found)):
        for i in range(ends[line], ends[line + 1]):
            row = rows[i]
            for k in range(table.shape[1]):
                found[line, k] += table[row, k]
    return found


@compiled
def viterbi(scores: Floats, between: Floats, start: Floats, stop: Floats, starts: Ints, stops: Ints) -> Ints:
    """The best tags of every page. ``between`` goes on with minus infinity to a multiple of eight tags, which fill registers."""
    tags, wide = scores.shape[1], len(between)
    found = np.zeros(len(scores), np.int64)
    best = np.full(((stops - starts).max(), wide), -np.inf, scores.dtype)
    now, ahead = np.empty(wide, scores.dtype), np.empty(wide, scores.dtype)
    into = between.T.copy()
    for page in range(len(starts)):
        first, size = starts[page], stops[page] - starts[page]
        for tag in range(tags if size else 0):
            best[0, tag] = scores[first, tag] + start[tag]
        for t in range(1, size):
            now[:] = best[t - 1]
            now -= now.max()
            ahead[:] = -np.inf
            for before in range(0, wide, 4):
                a, b, c, d = now[before], now[before + 1], now[before + 2], now[before + 3]
                for tag in range(wide):
                    e, f = between[before, tag] + a, between[before + 1, tag] + b
                    g, h = between[before + 2, tag] + c, between[before + 3, tag] + d
                    e, g = (e if e > f else f), (g if g > h else h)
                    e = e if e > g else g
                    ahead[tag] = e if e > ahead[tag] else ahead[tag]
            for tag in range(tags):
                best[t, tag] = ahead[tag] + scores[first + t, tag]
        tag = 0
        for t in range(size - 1, -1, -1):
            end = stop if t == size - 1 else into[tag]
            tag, top = 0, -np.inf
            for before in range(tags):
                option = best[t, before] + end[before]
                if option > top:
                    tag, top = before, option
            found[first + t] = tag
    return found


@compiled
def _times(row: Floats, matrix: Floats, found: Floats) -> None:
    """``found[:] = row @ matrix`` for a multiple of four rows."""
    found[:] = 0
    for i in range(0, len(row), 4):
        a, b, c, d = row[i], row[i + 1], row[i + 2], row[i + 3]
        for k in range(len(found)):
            found[k] += (a * matrix[i, k] + b * matrix[i + 1, k]) + (c * matrix[i + 2, k] + d * matrix[i + 3, k])


@compiled
def posteriors(local: Floats, step: Floats, start: Floats, stop: Floats, starts: Ints, stops: Ints) -> Floats:
    """Forward-backward as in `decoding`, page by page, over what was ``local``; zeros make tags a multiple of eight."""
    tiny, back = np.finfo(np.float64).tiny, step.T.copy()
    alpha, norm = np.empty(((stops - starts).max(), len(step))), np.empty((stops - starts).max())
    beta, ahead = np.empty(len(step)), np.empty(len(step))
    for page in range(len(starts)):
        rows = local[starts[page] : stops[page]]
        for t in range(len(rows)):
            if t == 0:
                alpha[t] = rows[t] * start
            else:
                _times(alpha[t - 1], step, ahead)
                alpha[t] = rows[t] * ahead
            norm[t] = max(alpha[t].sum(), tiny)
            alpha[t] /= norm[t]
        for t in range(len(rows) - 1, -1, -1):
            if t == len(rows) - 1:
                beta[:] = stop / max((alpha[t] * stop).sum(), tiny)
            else:
                _times(ahead, back, beta)
            ahead[:] = rows[t] * beta / norm[t]
            rows[t] = alpha[t] * beta
    return local
