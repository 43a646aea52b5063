"""Loops over tags: what `decoding` does with arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.kernels.compiled import compiled

Floats = NDArray[Any]
Ints = NDArray[np.int64]


@compiled
def _top(row: Floats, eight: Floats) -> Any:
    """The largest of a multiple of eight numbers, taken eight by eight."""
    for k in range(8):
        eight[k] = row[k]
    for at in range(8, len(row), 8):
        for k in range(8):
            eight[k] = row[at + k] if row[at + k] > eight[k] else eight[k]
    top = eight[0]
    for k in range(1, 8):
        top = eight[k] if eight[k] > top else top
    return top


@compiled
def viterbi(
    scores: Floats, between: Floats, start: Floats, stop: Floats, starts: Ints, stops: Ints, lanes: tuple[int, ...]
) -> Ints:
    """The best tags of every page. ``between`` goes on with minus infinity to a multiple of eight tags, which fill registers.

    ``lanes`` has as many items: how long a tuple is is known when this is compiled, and saves a third of the time.
    """
    tags, wide = scores.shape[1], len(between)
    found = np.zeros(len(scores), np.int64)
    best = np.full(((stops - starts).max(), wide), -np.inf, scores.dtype)
    now, ahead, eight = np.empty(wide, scores.dtype), np.empty(wide, scores.dtype), np.empty(8, scores.dtype)
    into = between.T.copy()
    for page in range(len(starts)):
        first, size = starts[page], stops[page] - starts[page]
        for tag in range(tags if size else 0):
            best[0, tag] = scores[first, tag] + start[tag]
        for t in range(1, size):
            top = _top(best[t - 1], eight)
            for tag in range(len(lanes)):
                now[tag] = best[t - 1, tag] - top
                ahead[tag] = -np.inf
            for i in range(0, wide, 8):
                a, b, c, d = now[i], now[i + 1], now[i + 2], now[i + 3]
                e, f, g, h = now[i + 4], now[i + 5], now[i + 6], now[i + 7]
                for tag in range(len(lanes)):
                    p, q, r, s = between[i, tag] + a, between[i + 1, tag] + b, between[i + 2, tag] + c, between[i + 3, tag] + d
                    w, x, y, z = (
                        between[i + 4, tag] + e,
                        between[i + 5, tag] + f,
                        between[i + 6, tag] + g,
                        between[i + 7, tag] + h,
                    )
                    p, r, w, y = (p if p > q else q), (r if r > s else s), (w if w > x else x), (y if y > z else z)
                    p, w = (p if p > r else r), (w if w > y else y)
                    p = p if p > w else w
                    ahead[tag] = p if p > ahead[tag] else ahead[tag]
            for tag in range(tags):
                best[t, tag] = ahead[tag] + scores[first + t, tag]
        tag = 0
        for t in range(size - 1, -1, -1):
            end = stop if t == size - 1 else into[tag]
            for before in range(len(lanes)):
                ahead[before] = best[t, before] + end[before]
            top, tag = _top(ahead, eight), 0
            while ahead[tag] != top and tag < tags - 1:
                tag += 1
            found[first + t] = tag
    return found


@compiled
def _times(row: Floats, matrix: Floats, found: Floats, lanes: tuple[int, ...]) -> None:
    """``found[:] = row @ matrix`` for a multiple of eight rows."""
    for k in range(len(lanes)):
        found[k] = 0
    for i in range(0, len(row), 8):
        a, b, c, d = row[i], row[i + 1], row[i + 2], row[i + 3]
        e, f, g, h = row[i + 4], row[i + 5], row[i + 6], row[i + 7]
        for k in range(len(lanes)):
            p = (a * matrix[i, k] + b * matrix[i + 1, k]) + (c * matrix[i + 2, k] + d * matrix[i + 3, k])
            q = (e * matrix[i + 4, k] + f * matrix[i + 5, k]) + (g * matrix[i + 6, k] + h * matrix[i + 7, k])
            found[k] += p + q


@compiled
def posteriors(
    local: Floats, step: Floats, start: Floats, stop: Floats, starts: Ints, stops: Ints, lanes: tuple[int, ...]
) -> Floats:
    """Forward-backward as in `decoding`, page by page, over what was ``local``; zeros make tags a multiple of eight. ``lanes`` as of `viterbi`."""
    tiny, back = np.finfo(np.float64).tiny, step.T.copy()
    alpha, norm = np.empty(((stops - starts).max(), len(step))), np.empty((stops - starts).max())
    beta, ahead = np.empty(len(step)), np.empty(len(step))
    for page in range(len(starts)):
        first, size = starts[page], stops[page] - starts[page]
        for t in range(size):
            if t:
                _times(alpha[t - 1], step, alpha[t], lanes)
            total = 0.0
            for k in range(len(lanes)):
                alpha[t, k] = local[first + t, k] * (alpha[t, k] if t else start[k])
                total += alpha[t, k]
            norm[t] = max(total, tiny)
            for k in range(len(lanes)):
                alpha[t, k] /= norm[t]
        for t in range(size - 1, -1, -1):
            if t == size - 1:
                total = 0.0
                for k in range(len(lanes)):
                    total += alpha[t, k] * stop[k]
                for k in range(len(lanes)):
                    beta[k] = stop[k] / max(total, tiny)
            else:
                _times(ahead, back, beta, lanes)
            for k in range(len(lanes)):
                ahead[k] = local[first + t, k] * beta[k] / norm[t]
                local[first + t, k] = alpha[t, k] * beta[k]
    return local
