"""What the page says about a line: the columns that the second pass looks at.

The first pass (`features.LineScorer`) judges each line by itself. Here every line sees the judgements of its
neighbours, how much of the page reads like an article above and below it, and whether it stood there before.

`page_columns` declares the columns, each with its name: first what is true of every line, then what the line itself looks
like, then what stands around it. The matrix that learners are trained on (`page_features`), the
names that explanations show, and the scores of a prediction (`tag_scores`) all follow from that one declaration. The
scores come without the whole matrix: what is said of a neighbour is multiplied by its weights before it is moved to the
lines that see it.

It is long because a column and the measure that it is taken from are read together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah import fast
from pilah.features import FACTS
from pilah.hashed import BASE
from pilah.order import FIGURES, RUNS, runs

Floats = NDArray[np.float32]
TIME_FACTS = [FACTS.index("a time"), FACTS.index("a date"), FACTS.index("short with time or date")]
MARK_ALONE = FACTS.index("mark alone")
NUMBERS_ALONE = [FACTS.index("number alone"), FACTS.index("mark and number alone")]
NEIGHBOUR_FACTS = [2, 4, 6, 9, 11, 13, *range(24, len(FACTS))]
"""What is seen of the two nearest lines on each side (indices into the facts): some width steps, and all but sizes."""

LINES_ABOVE, LINES_BELOW = (0, 1, 2, 4, 8), (0, 1, 2, 4, 8, 16)
PARAGRAPHS, HEADINGS = (0.3, 0.8, 1.5, 3, 6), (0.3, 0.8, 1.5, 3)
UNLIKE, TIMED, DISTANCE = (0.15, 0.4, 0.9), (0.09, 0.2, 0.3, 0.45), (0, 1, 3, 8, 20, 45)
TIME_SPANS = (4, 9)
"""Bounds of what is counted above and below, of how unlike widths are, of how many lines carry times, and of how far a heading is."""

IN_ORDER, AROUND, SOME_TIMES, SOME_TEXT = (1, 2, 4), 9, 0.3, 0.5
"""Bounds of `label_columns`: of steps in order, of how many lines on each side may carry times, of the share that does, of text."""

_PAGE = 0xD6E8FEB86659FD93  # nothing to do with the base of hashes

LINES_AT_ONCE = 6_000
"""So many lines are scored at a time, which caches hold; a page is never divided."""


@dataclass(frozen=True)
class Lines:
    """The lines of some pages as numbers: what the first pass hands to the second.

    Attributes
    ----------
    scores : array of shape (lines, types)
        First-pass scores of every line type.
    facts : array of shape (lines, facts)
    widths : array of shape (lines,)
    numbers : array of shape (lines,)
        The number that a line begins with or consists of (a rank), -1 for none.
    keys : array of shape (lines,)
        Equal for lines of the same words.
    lengths : sequence of int
        Lines per page.
    groups : array of shape (types, 4)
        Which types are body text, openers of blocks, anything else, and (of those) times.
    figures : array of `order.FIGURES`, shape (lines,), optional
        Numbers of short lines, for those who look at `label_columns`.
    """

    scores: Floats
    facts: Floats
    widths: Floats
    numbers: Floats
    keys: NDArray[np.int64]
    lengths: Sequence[int]
    groups: Floats
    figures: NDArray[np.void] | None = None

    @cached_property
    def likely(self) -> Floats:
        """How likely each line is of each type, shape (lines, types)."""
        return softmax(np.asfortranarray(self.scores))  # columns are contiguous: they are added up, moved and compared

    @cached_property
    def kinds(self) -> Floats:
        """How likely each line is of each group, shape (lines, groups)."""
        return (self.groups.T @ self.likely.T).T

    def of_rows(self, rows: slice | NDArray[np.bool_], lengths: Sequence[int]) -> Lines:
        """Some of the lines: those of whole pages, which have so many."""
        return replace(
            self,
            scores=self.scores[rows],
            facts=self.facts[rows],
            widths=self.widths[rows],
            numbers=self.numbers[rows],
            keys=self.keys[rows],
            lengths=lengths,
            figures=None if self.figures is None else self.figures[rows],
        )

    def parts(self, size: int) -> Iterator[Lines]:
        """The same lines in parts of whole pages, each as many as make up ``size`` lines."""
        ends, first, start = np.cumsum(self.lengths), 0, 0
        while first < len(ends):
            last = min(int(np.searchsorted(ends, start + size)) + 1, len(ends))
            yield self.of_rows(slice(start, start := int(ends[last - 1])), self.lengths[first:last])
            first = last


@dataclass(frozen=True)
class Columns:
    """Some columns of the second pass.

    Attributes
    ----------
    names : sequence of str
        One for each column; empty where nobody asks.
    values : array of shape (lines, columns), or (lines,) for a measure
    offset : int
        Whose values a line sees: those of the line so many lines below it, of no line (zeros) beyond the ends of its page.
    bounds : sequence of float
        Of a measure: one column for each, one where the measure is above it.
    """

    names: Sequence[str]
    values: Floats
    offset: int = 0
    bounds: Sequence[float] = ()

    def __len__(self) -> int:
        return len(self.bounds) or self.values.shape[1]

    def matrix(self, lengths: Sequence[int]) -> Floats:
        """The columns themselves, shape (lines, columns)."""
        if self.bounds:
            return steps(self.values, self.bounds)
        return shifted(self.values, lengths, self.offset) if self.offset else self.values


def page_columns(lines: Lines, types: Sequence[str] | None, window: int) -> Iterator[Columns]:
    """Everything the second pass looks at.

    Steps of one measure are named ``measure>bound``, logarithms ``name (log)``; names of what neighbours are begin with their place.

    Parameters
    ----------
    types : sequence of str
        Names of the line types, in the order of ``lines.scores``; without them no column is named.
    window : int
        How many lines above and below are looked at.
    """
    lengths, n = lines.lengths, len(lines.scores)

    def named(form: str, names: Sequence[object]) -> list[str]:
        return [] if types is None else [form.format(name) for name in names]

    def measure(name: str, values: Floats, *bounds: float) -> Columns:
        return Columns(named(name + ">{:g}", bounds), values, bounds=bounds)

    def neighbours(offset: int, names: Sequence[str], values: Floats) -> Iterator[Columns]:
        for side, way in (("above", -offset), ("below", offset)):
            yield Columns(named(f"{offset} {side}: {{}}", names), values, way)

    yield Columns(["always"], np.ones((n, 1), np.float32))
    p, kinds = lines.likely, lines.kinds
    looks = named("looks like {}", types or ())
    base = np.concatenate([p, np.log(np.maximum(p, 1e-4)) / 4], axis=1)
    base_names = [*looks, *named("{} (log)", looks)]
    near = np.concatenate([base, lines.facts.T.take(NEIGHBOUR_FACTS, axis=0).T], axis=1)
    near_names = [*base_names, *(FACTS[i] for i in NEIGHBOUR_FACTS)]
    yield Columns(named("this line: {}", base_names), base)
    yield Columns(named("this line: {}", FACTS), lines.facts)
    for offset in range(1, window + 1):
        yield from neighbours(offset, near_names, near) if offset <= 2 else neighbours(offset, base_names, base)
    for offset in (3, 4):  # lists repeat themselves every three or four lines
        yield from neighbours(offset, looks, p)

    text, opener, item = kinds[:, 0] * (lines.widths > 90), kinds[:, 1], kinds[:, 2:3]  # text reads like a paragraph
    counted = np.stack([np.ones(n, np.float32), text, opener]).T
    above, below = running(counted, lengths), running(counted, lengths, backwards=True)
    yield measure("lines above", above[:, 0], *LINES_ABOVE)
    yield measure("lines below", below[:, 0], *LINES_BELOW)
    yield measure("paragraphs above", above[:, 1], *PARAGRAPHS)
    yield measure("paragraphs below", below[:, 1], *PARAGRAPHS)
    yield measure("headings above", above[:, 2], *HEADINGS)
    yield measure("headings below", below[:, 2], *HEADINGS)

    # the neighbourhood at large: what the next and the last four lines are on average
    kind_names = ("body text", "headings", "items", "times")
    at_large = [(part, nearby(kinds, lengths, 4 * way)) for part, way in (("next", 1), ("last", -1))]
    for part, mean in at_large:
        yield Columns(named(part + " 4 lines: {}", kind_names), mean)
    for part, mean in at_large:
        yield Columns(named(f"an item, and {part} 4 lines: {{}}", kind_names), item * mean)
    # how alike the widths of neighbours are: lists keep to one measure
    width = np.log1p(lines.widths)
    for place, offset in (("2 above", -2), ("1 above", -1), ("1 below", 1), ("2 below", 2)):
        gap = np.abs(width - shifted(width, lengths, offset))
        yield measure(f"width unlike that of {place}", gap, *UNLIKE)
    yield Columns(["stood here before", "stands here again"], np.stack(repeats(lines.keys, lengths)).T)
    beat = np.stack(beats(shapes(lines, kinds[:, 3]), lengths)).T
    yield Columns(["built as the lines above", "built as the lines below"], beat)
    timed = np.concatenate([lines.facts[:, [i]] for i in TIME_FACTS] + [kinds[:, 3:]], axis=1)
    timed_names = [*(FACTS[i] for i in TIME_FACTS), "looks like a time"]
    for span in TIME_SPANS:  # how many of the next lines carry times: what 'more news' means hangs on it
        share = nearby(timed, lengths, span)
        yield Columns(named(f"next {span} lines: {{}}", timed_names), share)
        yield measure(f"next {span} lines: share with times", share[:, 3], *TIMED)
    rank_names = ["numbered one", "its number follows the last", "the next number follows its own", "between two numbers"]
    yield Columns([*rank_names, "the next number is one"], ranked(lines.numbers, lengths))
    # the type that the nearest line above that opens a block would open
    openers = np.flatnonzero(lines.groups[:, 1] > 0)
    opened, distance = nearest_opener(p.T.take(openers, axis=0).T, opener, lengths)
    yield Columns(named("nearest heading above: {}", [types[i] for i in openers.tolist()] if types else []), opened)
    yield measure("lines from the nearest heading above", distance, *DISTANCE)


TEXT_PLACES = ("a page without text", "no text above", "no text below", "times around, on a page without text")
"""Columns of `label_columns` that say where the page has text."""
LABEL_COLUMNS = (*(f"{name}>{bound}" for name in RUNS for bound in IN_ORDER), *TEXT_PLACES)
"""Names of the columns of `label_columns`."""


def label_columns(lines: Lines) -> Floats:
    """What says something of the label of a line, whatever its type, shape (lines, len(LABEL_COLUMNS)).

    A list that is ordered by time is the latest news, one that falls from count to count is ranked by its readers; and where
    nothing reads like a paragraph, there is no article that anything could be related to.
    """
    if lines.figures is None:
        raise ValueError("the figures of the lines are not known")
    lengths, kinds = lines.lengths, lines.kinds
    timed = (lines.facts[:, TIME_FACTS[2]] > 0) | (kinds[:, 3] > 0.5)
    text = (kinds[:, 0] * (lines.widths > 90))[:, None]
    above, below = running(text, lengths), running(text, lengths, backwards=True)
    shown = timed[:, None].astype(np.float32)
    around = nearby(shown, lengths, AROUND) + nearby(shown, lengths, -AROUND)
    none = above + text + below < SOME_TEXT
    places = np.concatenate([none, above < SOME_TEXT, below < SOME_TEXT, none & (around > SOME_TIMES)], axis=1)
    ordered = [steps(values, IN_ORDER) for values in runs(lines.figures, timed, kinds[:, 1] > 0.5, lengths)]
    return np.concatenate([*ordered, places.astype(np.float32)], axis=1)


def own_columns(lines: Lines) -> int:
    """How many columns, the first ones, see nothing but the line itself; the very first is 1 on every line."""
    return int(1 + 2 * lines.scores.shape[1] + lines.facts.shape[1])


def page_features(lines: Lines, window: int) -> Floats:
    """The columns as a matrix, shape (lines, columns): what is learned from, and taken apart where a line is explained."""
    return np.concatenate([columns.matrix(lines.lengths) for columns in page_columns(lines, None, window)], axis=1)


def tag_scores(
    lines: Lines, window: int, weights: Floats, type_of: NDArray[np.int64], label_weights: Floats | None = None
) -> Floats:
    """Scores of every tag for every line, shape (lines, tags): what `page_columns` say of its type, and `label_columns` of it.

    Parameters
    ----------
    weights : array of shape (columns, types)
    type_of : array of shape (tags,)
        The number of each tag's type.
    label_weights : array of shape (len(LABEL_COLUMNS), tags), optional
        Without them, `label_columns` are not looked at.
    """
    if label_weights is not None and lines.figures is None:
        raise ValueError("the figures of the lines are not known")
    found = np.empty((len(lines.scores), len(type_of)), np.float32)
    start = 0
    for part in lines.parts(LINES_AT_ONCE):
        rows = found[start : (start := start + len(part.scores))]
        if (kernels := fast.kernels()) and len(rows):
            of_types, like, starts, stops = _looped_scores(kernels, part, window, weights)
            seen = np.zeros(0, FIGURES) if part.figures is None else part.figures
            kernels.tag_scores(
                of_types, type_of, like, part.facts, part.widths, seen["many"], seen["value"], seen["words"], starts, stops,
                np.zeros((0, len(type_of)), np.float32) if label_weights is None else label_weights, rows,
            )  # fmt: skip
            continue
        np.take(page_scores(part, window, weights), type_of, axis=1, out=rows, mode="clip")
        if label_weights is not None:
            rows += label_columns(part) @ label_weights
    return found


def page_scores(lines: Lines, window: int, weights: Floats) -> Floats:
    """``page_features(lines, window) @ weights`` without the matrix, shape (lines, weights.shape[1])."""
    if (kernels := fast.kernels()) and len(lines.scores):
        return _looped_scores(kernels, lines, window, weights)[0]
    lengths, start = lines.lengths, 0
    still: list[tuple[Floats, Floats]] = []
    moved: dict[int, tuple[Floats, dict[int, Floats]]] = {}  # what several lines see: values, and the weights of each offset
    for columns in page_columns(lines, None, window):
        own = weights[start : (start := start + len(columns))]
        if columns.offset:
            moved.setdefault(id(columns.values), (columns.values, {}))[1][columns.offset] = own
        else:
            still.append((columns.matrix(lengths), own))
    found: Floats = np.concatenate([matrix for matrix, _ in still], axis=1) @ np.concatenate([own for _, own in still])
    for values, seen in moved.values():
        products = values @ np.concatenate(list(seen.values()), axis=1)
        for offset, product in zip(seen, np.split(products, len(seen), axis=1), strict=True):
            add_shifted(found, product, lengths, offset)
    return found


def _looped_scores(
    kernels: Any, lines: Lines, window: int, weights: Floats
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """`page_scores` with the loops of Numba, how much each line is of each group, and where pages start and stop."""
    n, types = lines.scores.shape
    openers = np.flatnonzero(lines.groups[:, 1] > 0)
    of_line, of_others = _layout(types, len(openers), window)
    own = weights[of_line]
    starts, stops = page_ends(lines.lengths)
    still = np.empty((n, len(own)), np.float32)
    near = np.empty((n, 2 * types + len(NEIGHBOUR_FACTS)), np.float32)
    like = np.empty((n, lines.groups.shape[1]), np.float32)
    kernels.page_columns(
        lines.scores, lines.facts, lines.widths, lines.numbers, lines.keys, starts, stops, lines.groups, openers,
        still, near, like,
    )  # fmt: skip
    found: Floats = still @ own
    for offsets, rows in of_others:
        seen = weights[rows].transpose(1, 0, 2).reshape(rows.shape[1], -1)  # those of one offset beside those of another
        kernels.add_shifted(found, near[:, : len(seen)] @ seen, offsets, starts, stops)
    return found, like, starts, stops


@lru_cache
def _layout(
    types: int, openers: int, window: int
) -> tuple[NDArray[np.int64], list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    """Which rows of weights are of the line itself; and of as many columns of others each, the offsets and their rows, shape (offsets, columns)."""
    groups = np.zeros((types, 4), np.float32)
    groups[:openers, 1] = 1
    parts = [(columns.offset, len(columns)) for columns in page_columns(_no_lines(groups), None, window)]
    ends = np.cumsum([size for _, size in parts])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    own = np.concatenate([row for row, (offset, _) in zip(rows, parts, strict=True) if not offset])
    others = []
    for size in sorted({size for offset, size in parts if offset}):
        seen = {offset: row for row, (offset, width) in zip(rows, parts, strict=True) if offset and width == size}
        others.append((np.array(list(seen)), np.array(list(seen.values()))))
    return own, others


def _no_lines(groups: Floats) -> Lines:
    none = np.zeros(0, np.float32)
    return Lines(none.reshape(0, len(groups)), none.reshape(0, len(FACTS)), none, none, none.astype(int), [], groups)


def page_feature_names(types: Sequence[str], groups: Floats, window: int) -> tuple[str, ...]:
    """What each column of `page_features` says, in words. Parameters as of `page_columns` and `Lines`."""
    return tuple(name for columns in page_columns(_no_lines(groups), types, window) for name in columns.names)


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Rows that sum to one."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(scores) else scores
    return np.asarray(e / np.maximum(e.sum(axis=1, keepdims=True), 1e-30))


def page_ends(lengths: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each page, and the row after its last."""
    sizes = np.asarray(lengths, np.int64)
    ends = np.cumsum(sizes)
    return ends - sizes, ends


def shifted(values: Floats, lengths: Sequence[int], offset: int) -> Floats:
    """Row i holds row i + offset of the same page, or zeros beyond its ends."""
    found = np.zeros_like(values)
    add_shifted(found, values, lengths, offset)
    return found


def add_shifted(found: Floats, values: Floats, lengths: Sequence[int], offset: int) -> None:
    """``found += shifted(values, lengths, offset)``, in place."""
    n, (starts, ends) = len(values), page_ends(lengths)
    # of these rows, what they would see lies beyond the ends of their page
    rows = ends[:, None] - 1 - np.arange(offset) if offset > 0 else starts[:, None] + np.arange(-offset)
    rows = rows[(rows >= starts[:, None]) & (rows < ends[:, None])]
    kept = found[rows]
    ahead, behind = max(offset, 0), max(-offset, 0)
    found[behind : max(n - ahead, 0)] += values[ahead : max(n - behind, 0)]
    found[rows] = kept


def running(values: Floats, lengths: Sequence[int], backwards: bool = False) -> Floats:
    """Sums of columns over the lines before (or after) each line of its page, the line itself left out."""
    total, (starts, ends) = _totals(values), page_ends(lengths)
    if backwards:
        return np.asarray(np.repeat(total[..., ends], lengths, axis=-1) - total[..., 1:], np.float32).T
    return np.asarray(total[..., :-1] - np.repeat(total[..., starts], lengths, axis=-1), np.float32).T


def _totals(values: Floats) -> NDArray[np.float64]:
    """Sums of columns before each line and before the end, shape (columns, lines + 1), or (lines + 1,) of one column."""
    total = np.zeros((*values.T.shape[:-1], len(values) + 1))
    np.cumsum(values.T, axis=-1, dtype=np.float64, out=total[..., 1:])
    return total


def nearby(values: Floats, lengths: Sequence[int], span: int) -> Floats:
    """Means over the next ``span`` lines, or the last ones where it is negative; lines beyond the ends of a page count as zeros."""
    total, rows, (starts, ends) = _totals(values), np.arange(len(values)), page_ends(lengths)
    if span > 0:
        found = total.take(np.minimum(rows + 1 + span, np.repeat(ends, lengths)), axis=-1) - total[..., 1:]
    else:
        found = total[..., :-1] - total.take(np.maximum(rows + span, np.repeat(starts, lengths)), axis=-1)
    return np.asarray(found / abs(span), np.float32).T


def steps(values: Floats, bounds: Sequence[float]) -> Floats:
    """Thermometer code: one column per bound, one where the value is above it."""
    return (values > np.asarray(bounds, np.float32)[:, None]).astype(np.float32).T


def ranked(numbers: Floats, lengths: Sequence[int]) -> Floats:
    """How a line stands to the numbered lines around it, shape (lines, 5).

    It is numbered one; its number follows the last numbered line's; the next number follows its own; it stands between
    two numbers that follow each other; the next numbered line is a one.
    """
    n = len(numbers)
    pages = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.flatnonzero(numbers >= 0)
    found = np.zeros((5, n), np.float32).T
    if not len(rows):
        return found
    value, page = numbers[rows], pages[rows]
    follows = (value[1:] == value[:-1] + 1) & (page[1:] == page[:-1])
    found[rows, 0] = value == 1
    found[rows[1:], 1] = follows
    found[rows[:-1], 2] = follows
    after = np.searchsorted(rows, np.arange(n), side="right")  # index of the next numbered line
    inside = (after > 0) & (after < len(rows))
    found[inside, 3] = follows[after[inside] - 1]
    near = after < len(rows)
    found[near, 4] = (value[after[near]] == 1) & (page[after[near]] == pages[near])
    return found


def repeats(keys: NDArray[np.int64], lengths: Sequence[int]) -> tuple[Floats, Floats]:
    """Whether a line's text stood earlier, and stands again later, on its page."""
    pages = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
    # two that differ become equal about never; the high bits hang on all bits, and the place of a line takes the low ones:
    # numbers are sorted in half the time that their order is found in
    mixed = (keys.astype(np.uint64) + pages * np.uint64(_PAGE)) * np.uint64(BASE)
    low = np.uint64((1 << len(keys).bit_length()) - 1)
    order = (np.sort(mixed & ~low | np.arange(len(keys), dtype=np.uint64)) & low).astype(np.int64)
    same = mixed[order][1:] == mixed[order][:-1]
    earlier, later = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    earlier[order[1:]] = same
    later[order[:-1]] = same
    return earlier, later


def shapes(lines: Lines, times: Floats) -> NDArray[np.int64]:
    """What a line looks like from afar, shape (lines,): a time, a sign, a number, a few words, a headline's length, a paragraph's.

    ``times`` is how much each looks like a time, from 0 to 1.
    """
    alone = lines.facts[:, MARK_ALONE] + 2 * lines.facts[:, NUMBERS_ALONE].max(axis=1)
    wide = np.searchsorted(np.array([24, 130], np.float32), lines.widths) + 3
    timed = (times > 0.5) | (lines.facts[:, TIME_FACTS[2]] > 0)
    return np.where(timed, 0, np.where(alone > 0, alone, wide)).astype(np.int64)


def beats(shape: NDArray[np.int64], lengths: Sequence[int]) -> tuple[Floats, Floats]:
    """Whether a line and its two neighbours have the shapes of three lines two to six above, and of three below.

    A heading breaks the beat of the list that it ends; the name of a section that is called like a heading keeps it. Three
    lines of one shape are no beat.
    """
    lengths = [length for length in lengths if length]
    starts, ends = page_ends(lengths)
    before, after = np.roll(shape, 1), np.roll(shape, -1)
    before[starts] = after[ends - 1] = 9  # beyond the page
    uneven = (before != shape) | (after != shape)
    built = 100 * before + 10 * shape + after
    above, below = np.zeros(len(shape), np.float32), np.zeros(len(shape), np.float32)
    place = np.arange(len(shape)) - np.repeat(starts, lengths)
    for beat in range(2, 7):
        same = (built[beat:] == built[:-beat]) & uneven[beat:] & (place[beat:] >= beat)
        above[beat:][same] = 1
        below[:-beat][same] = 1
    return above, below


def nearest_opener(p: Floats, opens: Floats, lengths: Sequence[int]) -> tuple[Floats, Floats]:
    """The rows of ``p`` of the nearest line above that opens a block, and how far above it is; zeros where there is none."""
    rows = np.arange(len(p))
    seen = np.maximum.accumulate(np.concatenate([[-1], np.where(opens > 0.5, rows, -1)]))[:-1]
    valid = seen >= np.repeat(page_ends(lengths)[0], lengths)
    return p.T.take(seen, axis=1).T * valid[:, None], np.where(valid, rows - seen, 0).astype(np.float32)
