"""From scores to one tag per line. Sees numbers only: no text, no label, no page.

Pages of different lengths are decoded together, one step per line position: at position ``t`` every page longer than
``t`` moves on at once. The methods are the textbook ones for linear chains (Viterbi 1967; forward-backward with
scaling, Rabiner 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pilah import fast
from pilah.params import Params

Floats = NDArray[Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """Scores of going from one tag to the next.

    Attributes
    ----------
    between : array of shape (tags, tags)
        From the row's tag to the column's.
    start, stop : arrays of shape (tags,)
        Of a tag on the first and on the last line of a page.
    """

    between: Floats
    start: Floats
    stop: Floats

    @classmethod
    def none(cls, tags: int) -> Transitions:
        """All tags may follow each other alike."""
        return cls(np.zeros((tags, tags)), np.zeros(tags), np.zeros(tags))

    @classmethod
    def counted(cls, tags: Sequence[Ints], size: int, smoothing: float = 0.1) -> Transitions:
        """Log probabilities counted on tag sequences, with additive smoothing.

        >>> import numpy as np
        >>> t = Transitions.counted([np.array([0, 0, 1])], 2, smoothing=1.0)
        >>> np.exp(t.between).round(2).tolist()  # from 0: once to 0, once to 1; from 1: never
        [[0.5, 0.5], [0.5, 0.5]]
        """
        between, start, stop = np.full((size, size), smoothing), np.full(size, smoothing), np.full(size, smoothing)
        for sequence in tags:
            if len(sequence):
                np.add.at(between, (sequence[:-1], sequence[1:]), 1)
                start[sequence[0]] += 1
                stop[sequence[-1]] += 1
        return cls(np.log(between / between.sum(axis=1, keepdims=True)), np.log(start / start.sum()), np.log(stop / stop.sum()))


class _Steps:
    """Pages laid side by side, longest first: ``rows[t]`` are the lines at position t of the pages that have one."""

    def __init__(self, lengths: Sequence[int]) -> None:
        sizes = np.asarray(lengths, np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        order = np.argsort(-sizes, kind="stable")
        self.starts, self.sizes = starts[order], sizes[order]
        longest = int(self.sizes[0]) if len(sizes) else 0
        alive = np.searchsorted(-self.sizes, -np.arange(longest), side="left")
        self.rows = [self.starts[:count] + t for t, count in enumerate(alive)]
        self.filled = self.sizes > 0
        self.last = (self.starts + self.sizes - 1)[self.filled]


def viterbi(scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Ints:
    """Best tag sequence of every page.

    Parameters
    ----------
    scores : array of shape (lines, tags)
        The lines of all pages, one page after the other.
    lengths : sequence of int
        Lines per page; they add up to ``lines``.

    Returns
    -------
    array of shape (lines,)
        Tag numbers. Of equally good sequences, the one with the lowest numbers from the back. Computed in the precision
        of the scores.

    Examples
    --------
    >>> import numpy as np
    >>> keep = Transitions(np.array([[0., -2.], [-2., 0.]]), np.zeros(2), np.zeros(2))
    >>> viterbi(np.array([[1., 0.], [0., 1.], [1., 0.]]), [3], keep).tolist()  # two changes cost 4, they win 1
    [0, 0, 0]
    """
    if not len(scores):
        return np.zeros(0, np.int64)
    between, start, stop = (np.asarray(t, scores.dtype) for t in (transitions.between, transitions.start, transitions.stop))
    if kernels := fast.kernels():
        sizes = np.asarray(lengths, np.int64)
        padded = np.pad(between, (0, more := -len(between) % 8), constant_values=-np.inf)
        pages = np.cumsum(sizes) - sizes, np.cumsum(sizes)
        decoded: Ints = kernels.viterbi(scores, padded, start, np.pad(stop, (0, more)), *pages, (0,) * len(padded))
        return decoded
    steps = _Steps(lengths)
    found = np.zeros(len(scores), np.int64)
    # pages lie side by side: (tags, pages). Only the best scores are kept on the way, who they came from is asked at the
    # end for the one tag that was found, since a maximum costs a fraction of finding its place
    tags = np.arange(len(between))
    turned = between[(tags + tags[:, None]) % len(tags), tags]  # row i: into each tag from the one i further on
    best = np.empty_like(scores)
    now = (scores[steps.rows[0]] + start).T
    best[steps.rows[0]] = now.T
    beside = 0  # pages that there is room for: those that have ended stay until they are a quarter
    for rows in steps.rows[1:]:
        if len(rows) < 0.75 * beside or not beside:
            beside, now = len(rows), now[:, : len(rows)]
            wide = np.repeat(turned, beside, axis=1)  # everything that is added up below lies in a row, without gaps
            twice = np.empty((2, *now.shape), scores.dtype)
            further = sliding_window_view(twice.ravel(), now.size)[:: now.shape[1]]
            some = max(1, 100_000 // now.size)  # tags at once, as many as caches hold
        twice[:] = now - now.max(axis=0)  # or the sums of long pages would lose the last digits
        ahead = np.full(now.size, -np.inf, scores.dtype)
        for i in range(0, len(tags), some):
            np.maximum(ahead, (wide[i : i + some] + further[i : i + some][: len(tags) - i]).max(axis=0), out=ahead)
        now = ahead.reshape(now.shape)
        now[:, : len(rows)] += scores[rows].T
        best[rows] = now[:, : len(rows)].T
    found[steps.last] = (best[steps.last] + stop).argmax(axis=1)
    into = np.ascontiguousarray(between.T)
    for rows in reversed(steps.rows[1:]):
        found[rows - 1] = (best[rows - 1] + into[found[rows]]).argmax(axis=1)
    return found


@dataclass(frozen=True)
class Marginals:
    """What forward-backward gives: posteriors (lines, tags), expected transitions (tags, tags), expected starts and
    stops (tags,), and the log of the sum over all tag sequences, added over pages."""

    lines: Floats
    between: Floats
    start: Floats
    stop: Floats
    log_partition: float


def forward_backward(scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Marginals:
    """Posterior of every tag of every line, given the scores of a linear chain.

    Parameters as of `viterbi`. A score of minus infinity rules a tag out. Computed in the precision of the scores.

    Examples
    --------
    >>> import numpy as np
    >>> free = Transitions.none(2)
    >>> forward_backward(np.log(np.array([[3., 1.], [1., 1.]])), [2], free).lines.tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    steps = _Steps(lengths)
    tags = scores.shape[1]
    top = scores.max(axis=1, keepdims=True) if len(scores) else np.zeros((0, 1))
    local = np.exp(scores - top)
    shift = transitions.between.max() if tags else 0.0
    step = np.exp(transitions.between - shift).astype(local.dtype)
    start_shift, stop_shift = transitions.start.max(), transitions.stop.max()
    alpha, beta, norm = np.zeros_like(local), np.zeros_like(local), np.ones(len(local), local.dtype)
    tiny = np.finfo(local.dtype).tiny
    begin, stop = (np.exp(ends - ends.max()).astype(local.dtype) for ends in (transitions.start, transitions.stop))
    for t, rows in enumerate(steps.rows):
        value = local[rows] * (begin if t == 0 else alpha[rows - 1] @ step)
        norm[rows] = np.maximum(value.sum(axis=1), tiny)
        alpha[rows] = value / norm[rows, None]
    closing = np.maximum(alpha[steps.last] @ stop, tiny)
    beta[steps.last] = stop / closing[:, None]  # so that alpha * beta sums to one on every line
    between = np.zeros((tags, tags))
    for rows in reversed(steps.rows[1:]):
        ahead = local[rows] * beta[rows] / norm[rows, None]
        beta[rows - 1] = ahead @ step.T
        between += alpha[rows - 1].T @ ahead
    lines = alpha * beta
    pages = len(steps.last)
    log_partition = float(
        np.log(norm).sum(dtype=np.float64) + top.sum(dtype=np.float64) + np.log(closing).sum(dtype=np.float64)
    )
    log_partition += shift * (len(scores) - pages) + (start_shift + stop_shift) * pages
    first = steps.starts[steps.filled]
    return Marginals(lines, between * step, lines[first].sum(axis=0), lines[steps.last].sum(axis=0), log_partition)


def posteriors(scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Floats:
    """The posteriors of `forward_backward` alone, shape (lines, tags)."""
    kernels, tags = fast.kernels(), scores.shape[1]
    if not kernels or not len(scores):
        return forward_backward(scores, lengths, transitions).lines
    more, sizes = -tags % 8, np.asarray(lengths, np.int64)
    local = np.zeros((len(scores), tags + more))
    local[:, :tags] = np.exp(scores - scores.max(axis=1, keepdims=True))
    steps = (transitions.between, transitions.start, transitions.stop)
    padded = (np.pad(np.exp(step - step.max()).astype(np.float64), (0, more)) for step in steps)
    found: Floats = kernels.posteriors(local, *padded, np.cumsum(sizes) - sizes, np.cumsum(sizes), (0,) * (tags + more))
    return found[:, :tags]


def maximum_subsequence(weights: Floats, lengths: Sequence[int]) -> NDArray[np.bool_]:
    """The stretch of each page whose weights have the largest sum: which lines it holds, shape (lines,).

    The method that Pasternack & Roth (2009, "Extracting article text from the web with maximum subsequence segmentation")
    find articles with. Nothing of a page without a weight above zero. Of equally heavy stretches, the first that ends.

    Examples
    --------
    >>> import numpy as np
    >>> maximum_subsequence(np.array([2., -3., 4., -1., 5., -9., 3.]), [5, 2]).tolist()
    [False, False, True, True, True, False, True]
    """
    sizes = np.asarray(lengths, np.int64)
    weights = np.asarray(weights, np.float64)
    ends = np.cumsum(sizes)
    pages = np.repeat(np.arange(len(sizes)), sizes)
    # sums up to each line, lower from page to page by more than any stretch weighs, so that none begins on an earlier page
    drop = np.abs(weights).sum() + 1
    total = np.cumsum(weights) - drop * pages
    before = total - weights
    lowest = np.minimum.accumulate(before)
    rows = np.arange(len(weights))
    begin = np.maximum.accumulate(np.where(before == lowest, rows, 0))
    gain = total - lowest
    inside = np.zeros(len(weights) + 1, np.int64)
    for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True):
        if start < end and gain[best := start + int(gain[start:end].argmax())] > 0:
            inside[begin[best]] += 1
            inside[best + 1] -= 1
    return np.cumsum(inside[:-1]) > 0


class Argmax(Params):
    """Every line for itself: the tag with the highest score."""

    def decode(self, scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Ints:
        """Shape (lines,); `transitions` are not looked at."""
        return scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)

    def posteriors(self, scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Floats:
        """Softmax of the scores, shape (lines, tags)."""
        return forward_backward(scores, lengths, Transitions.none(scores.shape[1])).lines


class Viterbi(Params):
    """The best sequence of tags for each page. ``weight`` scales the transitions."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def _scaled(self, t: Transitions) -> Transitions:
        return Transitions(self.weight * t.between, self.weight * t.start, self.weight * t.stop)

    def decode(self, scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Ints:
        """Shape (lines,)."""
        return viterbi(scores, lengths, self._scaled(transitions))

    def posteriors(self, scores: Floats, lengths: Sequence[int], transitions: Transitions) -> Floats:
        """Posterior of every tag given the whole page, shape (lines, tags)."""
        return posteriors(scores, lengths, self._scaled(transitions))
