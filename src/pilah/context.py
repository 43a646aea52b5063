"""The second pass: what each column of `columns` says for each line type, learned with the order of tags on a page.

Three ways to learn are choices: a linear-chain conditional random field (Lafferty, McCallum & Pereira 2001), stacked
sequential learning (Cohen & Carvalho 2005), and the averaged structured perceptron (Collins 2002).

It is long because the three are given the same material and leave the same things behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pilah.columns import TEXT_PLACES, Floats, Lines, label_columns, own_columns, page_ends, page_features, tag_scores
from pilah.decoding import Transitions, forward_backward, viterbi
from pilah.params import Params

MANY_PAGES = 2_500
"""With fewer pages, weights of `label_columns` are pulled to zero the more."""


@dataclass(frozen=True)
class Material:
    """What a learner is given of some pages.

    Attributes
    ----------
    columns : array of shape (lines, columns)
        Of all lines, standardised; ``own`` of them, the first, see nothing but the line itself.
    of_labels : array of shape (lines, label columns)
        `label_columns`, scaled; no column where they are not looked at.
    lengths : sequence of int
        Lines per page.
    allowed : array of shape (lines, tags)
        The tags that each line may have.
    type_of : array of shape (tags,)
        The number of each tag's line type.
    label_of : array of shape (tags,)
        The number of each tag's label.
    kinds : array of shape (tags * tags,)
        The number of each transition's kind.
    """

    columns: Floats
    own: int
    of_labels: Floats
    lengths: Sequence[int]
    allowed: NDArray[np.bool_]
    type_of: NDArray[np.int64]
    label_of: NDArray[np.int64]
    kinds: NDArray[np.int64]

    @property
    def types(self) -> int:
        """How many line types there are."""
        return int(self.type_of.max()) + 1

    @property
    def shared(self) -> NDArray[np.float64]:
        """Which tags are of which line type, shape (tags, types)."""
        return np.eye(self.types)[self.type_of]

    @property
    def labels(self) -> NDArray[np.float64]:
        """Which tags are of which label, shape (tags, labels)."""
        return np.eye(int(self.label_of.max()) + 1)[self.label_of]


class Context(Params):
    """What the three learners share: the columns they look at and what they learn, weights and transitions.

    Tags of the same line type share their weights: an item says nothing of the block it stands in, only the heading
    above does, and what a heading says reaches the items through the transitions alone. Without that, whatever looks
    like a heading would colour its neighbours even where it is none. What `label_columns` sees of a whole list is the
    exception: where ``by_label`` is true, it has weights of its own for each label.

    Learned state: ``weights_`` (columns, types), ``type_of_`` (tags,), ``transitions_`` (`Transitions`) and, of a learner
    that has ``by_label``, ``label_weights_`` (label columns, tags), alike for tags of one label.
    """

    window: int
    by_label: bool = False
    order_alone: bool = False
    weights_: Floats
    label_weights_: Floats
    type_of_: NDArray[np.int64]
    transitions_: Transitions

    def fit(
        self,
        lines: Lines,
        allowed: NDArray[np.bool_],
        type_of: NDArray[np.int64],
        kind_of: NDArray[np.int64] | None = None,
        progress: Callable[[int, int], None] | None = None,
        label_of: NDArray[np.int64] | None = None,
    ) -> Self:
        """Learn from lines whose tags are known, or known to be among some.

        Parameters
        ----------
        allowed : array of shape (lines, tags)
            The tags that each line may have: one where it is annotated, several where only its label is, all where it is
            undecided.
        type_of : array of shape (tags,)
            The number of each tag's line type; tags of one type share their weights.
        kind_of : array of shape (tags, tags), optional
            The number of each transition's kind; transitions of one kind share their score. By default each is its own.
        progress : callable, optional
            Called with the steps done and the steps in all.
        label_of : array of shape (tags,), optional
            The number of each tag's label; by default all are of one.
        """
        columns, middle, scale = _standardised(lines, self.window)
        kinds = (np.arange(len(type_of) ** 2) if kind_of is None else kind_of.ravel()).astype(np.int64)
        of_labels = label_columns(lines) if self.by_label else np.zeros((len(columns), 0), np.float32)
        if self.order_alone:
            of_labels[:, -len(TEXT_PLACES) :] = 0
        # a page has few lists, and what few pages say of labels as a whole is chance: it is held the stronger
        spread = of_labels.std(axis=0)
        spread = np.where(spread > 1e-3, spread, np.float32(1)) * np.float32(max(1.0, MANY_PAGES / max(1, len(lines.lengths))))
        labels = np.zeros_like(type_of) if label_of is None else label_of
        own = own_columns(lines)
        material = Material(columns, own, of_labels / spread, lines.lengths, allowed, type_of, labels, kinds)
        weights, self.transitions_ = self._learn(material, progress or (lambda done, steps: None))
        self.weights_, self.type_of_ = _of_raw_columns(weights, middle, scale), type_of
        if self.by_label:
            self.label_weights_ /= spread[:, None]
        return self

    def _learn(self, given: Material, progress: Callable[[int, int], None]) -> tuple[NDArray[Any], Transitions]:
        """The weights of the standardised columns, shape (columns, types), and the transitions."""
        raise NotImplementedError

    def scores(self, lines: Lines) -> Floats:
        """Scores of every tag for every line, shape (lines, tags)."""
        return tag_scores(lines, self.window, self.weights_, self.type_of_, self.label_weights_ if self.by_label else None)


class ChainCRF(Context):
    """Linear-chain conditional random field, trained by L-BFGS on the penalised log-likelihood.

    Parameters
    ----------
    window : int
        How many lines above and below are looked at.
    by_label : bool
        Whether `label_columns` are looked at.
    order_alone : bool
        Whether, of these, those of the order of lists are looked at alone, and none of where the page has text.
    l2 : float
        Strength of the Gaussian prior on the weights of what the line itself looks like, on standardised columns, per page.
    l2_around : float
        The same of the weights of what stands around it, and of the transitions. Composed pages are surer of how pages are
        built than of how lines read: where this is as weak as ``l2``, the model learns habits of the composer.
    iterations : int
        At most so many steps of L-BFGS.
    part_pages : int
        So many pages, about, are learned from at a time; the weights that several such parts give are averaged (parameter
        mixing: Mann, McDonald, Mohri, Silberman & Walker 2009). It takes the memory of one part.
    n_jobs : int
        Threads that share the pages; with another number, sums are added in another order.
    """

    def __init__(
        self,
        window: int = 2,
        by_label: bool = False,
        order_alone: bool = False,
        l2: float = 0.1,
        l2_around: float = 0.3,
        iterations: int = 35,
        part_pages: int = 2500,
        n_jobs: int = 2,
    ) -> None:
        self.window = window
        self.by_label = by_label
        self.order_alone = order_alone
        self.l2 = l2
        self.l2_around = l2_around
        self.iterations = iterations
        self.part_pages = part_pages
        self.n_jobs = n_jobs

    def fit(
        self,
        lines: Lines,
        allowed: NDArray[np.bool_],
        type_of: NDArray[np.int64],
        kind_of: NDArray[np.int64] | None = None,
        progress: Callable[[int, int], None] | None = None,
        label_of: NDArray[np.int64] | None = None,
    ) -> Self:
        """As of `Context`."""
        parts = max(1, round(len(lines.lengths) / self.part_pages))
        part_of = np.arange(len(lines.lengths)) % parts
        weights, label_weights, transitions = [], [], []
        for part in range(parts):
            rows = np.repeat(part_of == part, lines.lengths)

            def steps(done: int, steps: int, before: int = part) -> None:
                if progress:
                    progress(before * steps + done, parts * steps)

            super().fit(lines.of_rows(rows, lines.lengths[part::parts]), allowed[rows], type_of, kind_of, steps, label_of)
            weights.append(self.weights_)
            label_weights.append(self.label_weights_)
            transitions.append(self.transitions_)
        self.weights_ = np.mean(weights, axis=0, dtype=weights[0].dtype)
        self.label_weights_ = np.mean(label_weights, axis=0, dtype=label_weights[0].dtype)
        self.transitions_ = Transitions(
            *(np.mean([getattr(t, name) for t in transitions], axis=0) for name in ("between", "start", "stop"))
        )
        return self

    def _learn(self, given: Material, progress: Callable[[int, int], None]) -> tuple[NDArray[Any], Transitions]:
        """Where a line may have several tags, the likelihood is that of all allowed sequences."""
        from concurrent.futures import ThreadPoolExecutor

        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits

        X, allowed, type_of, kinds, shared = given.columns, given.allowed, given.type_of, given.kinds, given.shared
        columns, (tags, types), lengths = X.shape[1], shared.shape, given.lengths
        pages = max(1, len(lengths))
        certain = bool((allowed.sum(axis=1) == 1).all())
        size = int(kinds.max()) + 1
        prior = _log_transitions(given)

        seen, labels = given.of_labels, given.labels
        cuts = np.cumsum([columns * types, seen.shape[1] * labels.shape[1]])

        strength = np.full(cuts[1] + size + 2 * tags, self.l2_around * pages)
        strength[: given.own * types] = strength[cuts[0] : cuts[1]] = self.l2 * pages

        def unpack(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], Transitions]:
            weights, by_label, moves = np.split(theta, cuts)
            of_tags = by_label.reshape(seen.shape[1], labels.shape[1]) @ labels.T
            return weights.reshape(columns, types), of_tags, _transitions(moves + prior, given)

        parts = [(rows, sizes, _gold_counts(allowed[rows], sizes)) for rows, sizes in _parts(lengths, self.n_jobs)]

        def part_loss(
            part: Any, weights: Floats, of_tags: Floats, transitions: Transitions
        ) -> tuple[float, list[NDArray[np.float64]]]:
            rows, sizes, gold = part
            scores = (X[rows] @ weights)[:, type_of] + seen[rows] @ of_tags
            model = forward_backward(scores, sizes, transitions)
            if certain:
                want, between, start, stop = gold
                value = float(scores[allowed[rows]].sum(dtype=np.float64) + (transitions.between * between).sum())
                value += float(transitions.start @ start + transitions.stop @ stop)
            else:
                truth = forward_backward(np.where(allowed[rows], scores, -np.inf), sizes, transitions)
                want, between, start, stop = truth.lines, truth.between, truth.start, truth.stop
                value = truth.log_partition
            return model.log_partition - value, [
                (X[rows].T @ ((model.lines - want) @ shared).astype(np.float32)).ravel().astype(np.float64),
                (seen[rows].T @ ((model.lines - want) @ labels)).ravel(),
                np.bincount(kinds, (model.between - between).ravel(), size),
                model.start - start,
                model.stop - stop,
            ]

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights, of_tags, transitions = unpack(theta)
            single, few = weights.astype(np.float32), of_tags.astype(np.float32)
            found = list(each(lambda part: part_loss(part, single, few, transitions), parts))
            slope = np.concatenate([np.sum(slopes, axis=0) for slopes in zip(*(slopes for _, slopes in found), strict=True)])
            pull = strength * theta
            return sum(value for value, _ in found) + 0.5 * float(pull @ theta), slope + pull

        done = 0

        def step(theta: NDArray[np.float64]) -> None:
            nonlocal done
            done += 1
            progress(done, self.iterations)

        theta = np.zeros_like(strength)
        # NumPy lets go of the interpreter where the time goes; threads of BLAS would only be in the way of these
        with ThreadPoolExecutor(len(parts)) as pool, threadpool_limits(1):
            each: Callable[..., Any] = pool.map if len(parts) > 1 else map
            found = minimize(
                loss, theta, jac=True, callback=step, method="L-BFGS-B", options={"maxiter": self.iterations, "maxcor": 8}
            )
        self.n_iter_ = int(found.nit)
        weights, by_label, transitions = unpack(found.x)
        self.label_weights_ = by_label.astype(np.float32)
        return weights, transitions


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

    def _learn(self, given: Material, progress: Callable[[int, int], None]) -> tuple[NDArray[Any], Transitions]:
        """Lines with several allowed types are left out."""
        from sklearn.linear_model import LogisticRegression

        types = given.allowed @ given.shared > 0
        sure = types.sum(axis=1) == 1
        model = LogisticRegression(C=self.C, max_iter=60, tol=1e-2, fit_intercept=False)
        model.fit(given.columns[sure], types[sure].argmax(axis=1))
        weights = np.zeros((given.columns.shape[1], given.types), np.float32)
        weights[:, model.classes_] = (
            model.coef_.T if len(model.classes_) > 2 else np.concatenate([-model.coef_, model.coef_]).T / 2
        )
        progress(1, 1)
        return weights, _transitions(_log_transitions(given), given)


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

    def _learn(self, given: Material, progress: Callable[[int, int], None]) -> tuple[NDArray[Any], Transitions]:
        """Of several allowed paths the one that scores best so far counts as gold."""
        X, allowed, type_of, kinds = given.columns, given.allowed, given.type_of, given.kinds
        one_hot, shared = np.eye(len(type_of), dtype=np.float32), given.shared.astype(np.float32)
        prior = _transitions(_log_transitions(given), given)
        between, weights = np.zeros_like(prior.between), np.zeros((X.shape[1], given.types), np.float32)
        sum_between, sum_weights = np.zeros_like(between), np.zeros_like(weights)
        starts, _ = page_ends(given.lengths)
        sizes = np.asarray(given.lengths, np.int64)
        rng = np.random.default_rng(self.seed)
        rounds = 0
        for epoch in range(self.epochs):
            order = rng.permutation(len(sizes))
            for pages in np.array_split(order, max(1, len(order) // self.batch)):
                rows = np.concatenate([np.arange(starts[p], starts[p] + sizes[p]) for p in pages])
                scores, lengths = (X[rows] @ weights)[:, type_of], sizes[pages].tolist()
                transitions = replace(prior, between=prior.between + between)
                said = one_hot[viterbi(scores, lengths, transitions)]
                gold = one_hot[viterbi(np.where(allowed[rows], scores, -1e9), lengths, transitions)]
                weights += X[rows].T @ ((gold - said) @ shared) / len(pages)
                moves = _gold_counts(gold, lengths)[1] - _gold_counts(said, lengths)[1]
                between += np.bincount(kinds, moves.ravel())[kinds].reshape(between.shape) / len(pages)
                sum_weights += weights
                sum_between += between
                rounds += 1
            progress(epoch + 1, self.epochs)
        return sum_weights / max(1, rounds), replace(prior, between=prior.between + sum_between / max(1, rounds))


def _transitions(scores: NDArray[np.float64], given: Material) -> Transitions:
    """From one score per kind of transition, then of starts and stops."""
    tags = len(given.type_of)
    return Transitions(scores[given.kinds].reshape(tags, tags), scores[-2 * tags : -tags], scores[-tags:])


def _parts(lengths: Sequence[int], count: int) -> list[tuple[slice, Sequence[int]]]:
    """The pages in up to so many parts of about as many lines: the rows of each and its lines per page."""
    ends = np.cumsum([0, *lengths])
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], max(1, min(count, len(lengths))) + 1)).tolist()
    cuts[-1] = len(lengths)
    return [(slice(int(ends[a]), int(ends[b])), list(lengths[a:b])) for a, b in pairwise(cuts) if b > a] or [(slice(0, 0), [])]


def _standardised(lines: Lines, window: int) -> tuple[Floats, Floats, Floats]:
    """The columns with mean zero and spread one, shape (lines, columns), and the mean and spread that they had.

    The first column stays as it is: the weights of a line that is like all others. Without the means taken out it would
    share them with every column that is seldom zero, and whatever pulls weights towards zero would pull at those as well.
    """
    X = page_features(lines, window)
    middle = X.mean(axis=0, dtype=np.float64).astype(np.float32)
    middle[0] = 0.0
    X -= middle
    spread = X.std(axis=0)
    scale = np.where(spread > 1e-4, spread, 1.0).astype(np.float32)
    X /= scale
    return X, middle, scale


def _of_raw_columns(weights: NDArray[Any], middle: Floats, scale: Floats) -> Floats:
    """The weights that give the columns as they are the same scores; the means are a matter of the first column."""
    found = weights / scale[:, None].astype(np.float64)
    found[0] -= middle @ found
    return np.asarray(found, np.float32)


def _log_transitions(given: Material) -> NDArray[np.float64]:
    """Log probabilities of the transitions of annotated lines, one per kind, then of starts and stops: where the learner
    starts from and what it is drawn back to."""
    kinds = given.kinds
    _, between, start, stop = _gold_counts(given.allowed / given.allowed.sum(axis=1, keepdims=True), given.lengths)
    many = np.bincount(kinds)
    alike = (np.bincount(kinds, between.ravel()) / np.maximum(many, 1))[kinds].reshape(between.shape) + 0.1
    logs = np.log(alike / alike.sum(axis=1, keepdims=True)).ravel()
    ends = [np.log((r + 0.1) / (r + 0.1).sum()) for r in (start, stop)]
    return np.concatenate([np.bincount(kinds, logs) / np.maximum(many, 1), *ends])


def _gold_counts(allowed: NDArray[Any], lengths: Sequence[int]) -> tuple[Any, Any, Any, Any]:
    want = allowed.astype(np.float64)
    starts, ends = page_ends([length for length in lengths if length])
    follows = np.ones(len(want), bool)
    follows[starts] = False
    rows = np.flatnonzero(follows)
    return want, want[rows - 1].T @ want[rows], want[starts].sum(axis=0), want[ends - 1].sum(axis=0)
