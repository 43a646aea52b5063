"""What the page says about a line: the second pass over the first pass's scores.

The first pass (`features.LineScorer`) judges each line by itself. Here every line sees the judgements of its
neighbours, how much of the page reads like an article above and below it, and whether it stood there before. Three
ways to learn from that are choices: a linear-chain conditional random field (Lafferty, McCallum & Pereira 2001), stacked
sequential learning (Cohen & Carvalho 2005), and the averaged structured perceptron (Collins 2002).

It is long because the columns of the second pass, their names and the three learners that share them must change together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pilah.decoding import Transitions, forward_backward, viterbi
from pilah.features import FACTS
from pilah.params import Params

Floats = NDArray[np.float32]
TIME_FACTS = (FACTS.index("a time"), FACTS.index("a date"), FACTS.index("short with time or date"))
NEIGHBOUR_FACTS = (2, 4, 6, 9, 11, 13)
"""Width steps that neighbours are seen with (indices into the facts)."""


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
        Equal for equal texts.
    lengths : sequence of int
        Lines per page.
    groups : array of shape (types, 4)
        Which types are body text, openers of blocks, anything else, and (of those) times.
    """

    scores: Floats
    facts: Floats
    widths: Floats
    numbers: Floats
    keys: NDArray[np.int64]
    lengths: Sequence[int]
    groups: Floats


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Rows that sum to one."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(scores) else scores
    return np.asarray(e / np.maximum(e.sum(axis=1, keepdims=True), 1e-30))


def shifted(values: Floats, lengths: Sequence[int], offset: int) -> Floats:
    """Row i holds row i + offset of the same page, or zeros beyond its ends."""
    sizes = np.asarray(lengths, np.int64)
    found = np.zeros_like(values)
    n = len(values)
    if abs(offset) >= n:
        return found
    position = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    rows = np.flatnonzero((position + offset >= 0) & (position + offset < size))
    found[rows] = values[rows + offset]
    return found


def running(values: Floats, lengths: Sequence[int], backwards: bool = False) -> Floats:
    """Sum of a column over the lines before (or after) each line of its page, the line itself left out."""
    if backwards:
        return running(values[::-1], list(lengths)[::-1])[::-1]
    total = np.cumsum(values, axis=0, dtype=np.float64)
    sizes = np.asarray(lengths, np.int64)
    starts = np.cumsum(sizes) - sizes
    base = np.where(starts > 0, total[np.maximum(starts - 1, 0)], 0) if len(total) else np.zeros(len(sizes))
    return np.asarray(total - values - np.repeat(base, sizes, axis=0), np.float32)


def steps(values: Floats, bounds: Sequence[float]) -> Floats:
    """Thermometer code: one column per bound, one where the value is above it."""
    return (values[:, None] > np.asarray(bounds, np.float32)).astype(np.float32)


def page_features(lines: Lines, window: int) -> Floats:
    """Everything the second pass looks at, shape (lines, columns)."""
    lengths = lines.lengths
    p = softmax(lines.scores).astype(np.float32)
    log_p = np.log(np.maximum(p, 1e-4)).astype(np.float32) / 4
    base = np.concatenate([p, log_p], axis=1)
    form = lines.facts[:, NEIGHBOUR_FACTS]
    near = np.concatenate([base, form, lines.facts[:, 24:]], axis=1)
    columns = [base, lines.facts]
    for offset in range(1, window + 1):
        for direction in (-offset, offset):
            columns.append(shifted(near if offset <= 2 else base, lengths, direction))
    for offset in (3, 4):  # lists repeat themselves every three or four lines
        columns += [shifted(p, lengths, -offset), shifted(p, lengths, offset)]
    kinds = p @ lines.groups  # body, opener, item
    n = len(p)
    ones = np.ones(n, np.float32)
    above, below = running(ones, lengths), running(ones, lengths, backwards=True)
    text = kinds[:, 0] * (lines.widths > 90)  # reads like a paragraph
    text_above, text_below = running(text, lengths), running(text, lengths, backwards=True)
    openers_above = running(kinds[:, 1], lengths)
    openers_below = running(kinds[:, 1], lengths, backwards=True)
    items = kinds[:, 2]
    columns += [
        steps(above, (0, 1, 2, 4, 8)), steps(below, (0, 1, 2, 4, 8, 16)),
        steps(text_above, (0.3, 0.8, 1.5, 3, 6)), steps(text_below, (0.3, 0.8, 1.5, 3, 6)),
        steps(openers_above, (0.3, 0.8, 1.5, 3)), steps(openers_below, (0.3, 0.8, 1.5, 3)),
        ones[:, None],
    ]  # fmt: skip
    # the neighbourhood at large: what the next and the last four lines are on average
    ahead = np.mean([shifted(kinds, lengths, k) for k in (1, 2, 3, 4)], axis=0)
    behind = np.mean([shifted(kinds, lengths, -k) for k in (1, 2, 3, 4)], axis=0)
    columns += [ahead, behind, items[:, None] * ahead, items[:, None] * behind]
    # how alike the widths of neighbours are: lists keep to one measure
    width = np.log1p(lines.widths)[:, None].astype(np.float32)
    for k in (-2, -1, 1, 2):
        gap = np.abs(width - shifted(width, lengths, k))[:, 0]
        columns.append(steps(gap, (0.15, 0.4, 0.9)))
    first, last = repeats(lines.keys, lengths)
    columns.append(np.stack([first, last], axis=1))
    timed = np.concatenate([lines.facts[:, TIME_FACTS], kinds[:, 3:]], axis=1)
    for span in (4, 9):  # how many of the next lines carry times: what 'more news' means hangs on it
        share = np.mean([shifted(timed, lengths, k) for k in range(1, span + 1)], axis=0)
        columns += [share, steps(share[:, 3], (0.09, 0.2, 0.3, 0.45))]
    columns.append(ranked(lines.numbers, lengths))
    # the type that the nearest line above that opens a block would open
    columns.append(nearest_opener(p, kinds[:, 1], lines.groups, lengths))
    return np.concatenate(columns, axis=1)


def page_feature_names(types: Sequence[str], groups: Floats, window: int) -> tuple[str, ...]:
    """What each column of `page_features` says, in words; as many as there are columns.

    Steps of one measure are named ``measure>bound``, logarithms ``name (log)``.

    Parameters
    ----------
    types : sequence of str
        Names of the line types, in the order of ``Lines.scores``.
    groups : array of shape (types, 4)
        As of `Lines`: which of them open a block decides how many columns the nearest heading has.
    window : int
        As of `page_features`.
    """

    def scale(measure: str, *bounds: float) -> list[str]:
        return [f"{measure}>{bound:g}" for bound in bounds]

    base = [f"looks like {kind}" for kind in types] + [f"looks like {kind} (log)" for kind in types]
    near = [*base, *(FACTS[i] for i in NEIGHBOUR_FACTS), *FACTS[24:]]
    names = [f"this line: {name}" for name in (*base, *FACTS)]
    for offset in range(1, window + 1):
        for side in ("above", "below"):
            names += [f"{offset} {side}: {name}" for name in (near if offset <= 2 else base)]
    names += [f"{offset} {side}: looks like {kind}" for offset in (3, 4) for side in ("above", "below") for kind in types]
    names += [
        *scale("lines above", 0, 1, 2, 4, 8), *scale("lines below", 0, 1, 2, 4, 8, 16),
        *scale("paragraphs above", 0.3, 0.8, 1.5, 3, 6), *scale("paragraphs below", 0.3, 0.8, 1.5, 3, 6),
        *scale("headings above", 0.3, 0.8, 1.5, 3), *scale("headings below", 0.3, 0.8, 1.5, 3),
        "always",
    ]  # fmt: skip
    kinds = ("body text", "headings", "items", "times")
    for frame in ("{}", "an item, and {}"):
        names += [frame.format(f"{part} 4 lines: {kind}") for part in ("next", "last") for kind in kinds]
    for place in ("2 above", "1 above", "1 below", "2 below"):
        names += scale(f"width unlike that of {place}", 0.15, 0.4, 0.9)
    names += ["stood here before", "stands here again"]
    for span in (4, 9):
        names += [f"next {span} lines: {name}" for name in (*(FACTS[i] for i in TIME_FACTS), "looks like a time")]
        names += scale(f"next {span} lines: share with times", 0.09, 0.2, 0.3, 0.45)
    names += ["numbered one", "its number follows the last", "the next number follows its own", "between two numbers"]
    names += ["the next number is one"]
    names += [f"nearest heading above: {types[i]}" for i in np.flatnonzero(groups[:, 1] > 0).tolist()]
    return (*names, *scale("lines from the nearest heading above", 0, 1, 3, 8, 20, 45))


def ranked(numbers: Floats, lengths: Sequence[int]) -> Floats:
    """How a line stands to the numbered lines around it, shape (lines, 5).

    It is numbered one; its number follows the last numbered line's; the next number follows its own; it stands between
    two numbers that follow each other; the next numbered line is a one.
    """
    n = len(numbers)
    pages = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.flatnonzero(numbers >= 0)
    found = np.zeros((n, 5), np.float32)
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
    pages = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((np.arange(len(keys)), keys, pages))
    same = (keys[order][1:] == keys[order][:-1]) & (pages[order][1:] == pages[order][:-1])
    earlier, later = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    earlier[order[1:]] = same
    later[order[:-1]] = same
    return earlier, later


def nearest_opener(p: Floats, opens: Floats, groups: Floats, lengths: Sequence[int]) -> Floats:
    """First-pass scores of the opener types on the nearest line above that opens a block, and a code of its distance."""
    kinds = np.flatnonzero(groups[:, 1] > 0)
    sizes = np.asarray(lengths, np.int64)
    n = len(p)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = np.where(opens > 0.5, np.arange(n), -1)
    seen = np.maximum.accumulate(at) if n else at
    seen = np.concatenate([[-1], seen[:-1]]) if n else seen
    valid = seen >= start
    found = np.where(valid[:, None], p[np.maximum(seen, 0)][:, kinds], 0).astype(np.float32)
    distance = np.where(valid, np.arange(n) - seen, 0).astype(np.float32)
    return np.concatenate([found, steps(distance, (0, 1, 3, 8, 20, 45))], axis=1)


class Context(Params):
    """What the three learners share: the columns they look at and what they learn, weights and transitions.

    Tags of the same line type share their weights: an item says nothing of the block it stands in, only the heading
    above does, and what a heading says reaches the items through the transitions alone. Without that, whatever looks
    like a heading would colour its neighbours even where it is none.

    Learned state: ``weights_`` (columns, types), ``type_of_`` (tags,) and ``transitions_`` (`Transitions`).
    """

    window: int
    weights_: Floats
    type_of_: NDArray[np.int64]
    transitions_: Transitions

    def scores(self, lines: Lines) -> Floats:
        """Scores of every tag for every line, shape (lines, tags)."""
        return np.asarray((page_features(lines, self.window) @ self.weights_)[:, self.type_of_], np.float32)


class ChainCRF(Context):
    """Linear-chain conditional random field, trained by L-BFGS on the penalised log-likelihood.

    Parameters
    ----------
    window : int
        How many lines above and below are looked at.
    l2 : float
        Strength of the Gaussian prior on standardised columns, per page.
    iterations : int
        At most so many steps of L-BFGS.
    """

    def __init__(self, window: int = 2, l2: float = 0.1, iterations: int = 70) -> None:
        self.window = window
        self.l2 = l2
        self.iterations = iterations

    def fit(
        self,
        lines: Lines,
        allowed: NDArray[np.bool_],
        type_of: NDArray[np.int64],
        kind_of: NDArray[np.int64] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Learn from lines whose tags are known, or known to be among some.

        Parameters
        ----------
        allowed : array of shape (lines, tags)
            The tags that each line may have: one where it is annotated, several where only its label is, all where it is
            undecided. The likelihood is that of all allowed sequences.
        type_of : array of shape (tags,)
            The number of each tag's line type; tags of one type share their weights.
        kind_of : array of shape (tags, tags), optional
            The number of each transition's kind; transitions of one kind share their score. By default each is its own.
        """
        from scipy.optimize import minimize

        X = page_features(lines, self.window)
        scale = _column_scale(X)
        X = X / scale
        columns, tags, types = X.shape[1], len(type_of), int(type_of.max()) + 1
        shared = np.eye(types)[type_of]  # tag -> type
        pages = max(1, len(lines.lengths))
        masked = np.where(allowed, 0.0, -np.inf).astype(np.float32)
        certain = bool((allowed.sum(axis=1) == 1).all())
        gold = _gold_counts(allowed, lines.lengths) if certain else None
        certain_rows, certain_tags = np.arange(len(X)), allowed.argmax(axis=1)

        counts = gold if gold is not None else _gold_counts(allowed / allowed.sum(axis=1, keepdims=True), lines.lengths)
        kinds = (np.arange(tags * tags) if kind_of is None else kind_of.ravel()).astype(np.int64)
        size = int(kinds.max()) + 1
        prior = _log_transitions(*counts[1:], kinds)

        def unpack(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], Transitions]:
            cut = columns * types
            rest = theta[cut:] + prior
            between = rest[:size][kinds].reshape(tags, tags)
            return theta[:cut].reshape(columns, types), Transitions(between, rest[size:-tags], rest[-tags:])

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights, transitions = unpack(theta)
            scores = (X @ weights.astype(np.float32))[:, type_of]
            model = forward_backward(scores, lines.lengths, transitions)
            if gold is not None:
                want, between, start, stop = gold
                value = float(scores[certain_rows, certain_tags].sum(dtype=np.float64) + (transitions.between * between).sum())
                value += float(transitions.start @ start + transitions.stop @ stop)
            else:
                truth = forward_backward(scores + masked, lines.lengths, transitions)
                want, between, start, stop = truth.lines, truth.between, truth.start, truth.stop
                value = truth.log_partition
            slope = np.concatenate(
                [
                    (X.T @ ((model.lines - want) @ shared).astype(np.float32)).ravel().astype(np.float64),
                    np.bincount(kinds, (model.between - between).ravel(), size),
                    model.start - start,
                    model.stop - stop,
                ]
            )
            penalty = self.l2 * pages
            return model.log_partition - value + 0.5 * penalty * float(theta @ theta), slope + penalty * theta

        done = 0

        def step(theta: NDArray[np.float64]) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, self.iterations)

        theta = np.zeros(columns * types + size + 2 * tags)
        found = minimize(
            loss, theta, jac=True, callback=step, method="L-BFGS-B", options={"maxiter": self.iterations, "maxcor": 8}
        )
        weights, self.transitions_ = unpack(found.x)
        self.type_of_ = type_of
        self.weights_ = (weights / scale[:, None]).astype(np.float32)
        self.n_iter_ = int(found.nit)
        return self


class Stacked(Context):
    """Stacked sequential learning: logistic regression over the same columns, line by line; transitions are counted.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty, on standardised columns.
    """

    def __init__(self, window: int = 2, C: float = 0.01) -> None:
        self.window = window
        self.C = C

    def fit(
        self,
        lines: Lines,
        allowed: NDArray[np.bool_],
        type_of: NDArray[np.int64],
        kind_of: NDArray[np.int64] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Parameters as of `ChainCRF.fit`; lines with several allowed types are left out."""
        from sklearn.linear_model import LogisticRegression

        X = page_features(lines, self.window)
        scale = _column_scale(X)
        types = allowed @ np.eye(int(type_of.max()) + 1)[type_of] > 0
        sure = types.sum(axis=1) == 1
        model = LogisticRegression(C=self.C, max_iter=60, tol=1e-2, fit_intercept=False)
        model.fit((X / scale)[sure], types[sure].argmax(axis=1))
        weights = np.zeros((X.shape[1], types.shape[1]), np.float32)
        weights[:, model.classes_] = (
            model.coef_.T if len(model.classes_) > 2 else np.concatenate([-model.coef_, model.coef_]).T / 2
        )
        self.weights_, self.type_of_ = weights / scale[:, None], type_of
        self.transitions_ = _counted(allowed, lines.lengths, kind_of)
        if progress is not None:
            progress(1, 1)
        return self


class Perceptron(Context):
    """Averaged structured perceptron: decode some pages, move towards the gold path and away from the one found.

    Parameters
    ----------
    epochs : int
        Passes over the pages.
    batch : int
        Pages that are decoded together between two updates.
    """

    def __init__(self, window: int = 2, epochs: int = 6, batch: int = 16, seed: int = 1) -> None:
        self.window = window
        self.epochs = epochs
        self.batch = batch
        self.seed = seed

    def fit(
        self,
        lines: Lines,
        allowed: NDArray[np.bool_],
        type_of: NDArray[np.int64],
        kind_of: NDArray[np.int64] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Parameters as of `ChainCRF.fit`; of several allowed tags the one that scores best so far counts as gold."""
        X = page_features(lines, self.window)
        scale = _column_scale(X)
        X = X / scale
        transitions = _counted(allowed, lines.lengths, kind_of)
        weights = np.zeros((X.shape[1], int(type_of.max()) + 1), np.float32)
        total = np.zeros_like(weights)
        sizes = np.asarray(lines.lengths, np.int64)
        starts = np.cumsum(sizes) - sizes
        rng = np.random.default_rng(self.seed)
        rounds = 0
        for epoch in range(self.epochs):
            order = rng.permutation(len(sizes))
            for pages in np.array_split(order, max(1, len(order) // self.batch)):
                rows = np.concatenate([np.arange(starts[p], starts[p] + sizes[p]) for p in pages])
                scores = (X[rows] @ weights)[:, type_of]
                said = viterbi(scores, sizes[pages].tolist(), transitions)
                gold = np.where(allowed[rows], scores, -np.inf).argmax(axis=1)
                wrong = type_of[said] != type_of[gold]
                move = np.eye(weights.shape[1], dtype=np.float32)
                weights += X[rows[wrong]].T @ (move[type_of[gold[wrong]]] - move[type_of[said[wrong]]]) / len(pages)
                total += weights
                rounds += 1
            if progress is not None:
                progress(epoch + 1, self.epochs)
        self.weights_, self.type_of_ = (total / max(1, rounds) / scale[:, None]).astype(np.float32), type_of
        self.transitions_ = transitions
        return self


def _counted(allowed: NDArray[np.bool_], lengths: Sequence[int], kind_of: NDArray[np.int64] | None) -> Transitions:
    tags = allowed.shape[1]
    kinds = (np.arange(tags * tags) if kind_of is None else kind_of.ravel()).astype(np.int64)
    _, between, start, stop = _gold_counts(allowed / allowed.sum(axis=1, keepdims=True), lengths)
    logs = _log_transitions(between, start, stop, kinds)
    size = int(kinds.max()) + 1
    return Transitions(logs[:size][kinds].reshape(tags, tags), logs[size:-tags], logs[-tags:])


def _column_scale(X: Floats) -> Floats:
    spread = X.std(axis=0)
    return np.where(spread > 1e-4, spread, 1.0).astype(np.float32)


def _log_transitions(
    between: NDArray[Any], start: NDArray[Any], stop: NDArray[Any], kinds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log probabilities of counted transitions, one per kind, then of starts and stops: where the learner starts from
    and what it is drawn back to."""
    many = np.bincount(kinds)
    alike = (np.bincount(kinds, between.ravel()) / np.maximum(many, 1))[kinds].reshape(between.shape) + 0.1
    logs = np.log(alike / alike.sum(axis=1, keepdims=True)).ravel()
    ends = [np.log((r + 0.1) / (r + 0.1).sum()) for r in (start, stop)]
    return np.concatenate([np.bincount(kinds, logs) / np.maximum(many, 1), *ends])


def _gold_counts(allowed: NDArray[Any], lengths: Sequence[int]) -> tuple[Any, Any, Any, Any]:
    want = allowed.astype(np.float64)
    sizes = np.asarray(lengths, np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    follows = np.ones(len(want), bool)
    follows[starts[sizes > 0]] = False
    rows = np.flatnonzero(follows)
    return want, want[rows - 1].T @ want[rows], want[starts[sizes > 0]].sum(axis=0), want[ends[sizes > 0] - 1].sum(axis=0)
