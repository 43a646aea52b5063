"""The second pass: what each column of `columns` says for each line type, learned with the order of tags on a page.

Three ways to learn are choices: a linear-chain conditional random field (Lafferty, McCallum & Pereira 2001), stacked
sequential learning (Cohen & Carvalho 2005), and the averaged structured perceptron (Collins 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pilah.columns import Floats, Lines, page_ends, page_features, page_scores
from pilah.decoding import Transitions, forward_backward, viterbi
from pilah.params import Params


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
        return page_scores(lines, self.window, self.weights_)[:, self.type_of_]


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
    n_jobs : int
        Threads that share the pages; with another number, sums are added in another order.
    """

    def __init__(self, window: int = 2, l2: float = 0.1, iterations: int = 70, n_jobs: int = 2) -> None:
        self.window = window
        self.l2 = l2
        self.iterations = iterations
        self.n_jobs = n_jobs

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
        from concurrent.futures import ThreadPoolExecutor

        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits

        X = page_features(lines, self.window)
        scale = _column_scale(X)
        X /= scale
        columns, tags, types = X.shape[1], len(type_of), int(type_of.max()) + 1
        shared = np.eye(types)[type_of]  # tag -> type
        pages = max(1, len(lines.lengths))
        certain = bool((allowed.sum(axis=1) == 1).all())
        counts = _gold_counts(allowed if certain else allowed / allowed.sum(axis=1, keepdims=True), lines.lengths)
        kinds = (np.arange(tags * tags) if kind_of is None else kind_of.ravel()).astype(np.int64)
        size = int(kinds.max()) + 1
        prior = _log_transitions(*counts[1:], kinds)

        def unpack(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], Transitions]:
            cut = columns * types
            rest = theta[cut:] + prior
            between = rest[:size][kinds].reshape(tags, tags)
            return theta[:cut].reshape(columns, types), Transitions(between, rest[size:-tags], rest[-tags:])

        parts = [(rows, lengths, _gold_counts(allowed[rows], lengths)) for rows, lengths in _parts(lines.lengths, self.n_jobs)]

        def part_loss(part: Any, weights: Floats, transitions: Transitions) -> tuple[float, list[NDArray[np.float64]]]:
            rows, lengths, gold = part
            scores = (X[rows] @ weights)[:, type_of]
            model = forward_backward(scores, lengths, transitions)
            if certain:
                want, between, start, stop = gold
                value = float(scores[allowed[rows]].sum(dtype=np.float64) + (transitions.between * between).sum())
                value += float(transitions.start @ start + transitions.stop @ stop)
            else:
                truth = forward_backward(np.where(allowed[rows], scores, -np.inf), lengths, transitions)
                want, between, start, stop = truth.lines, truth.between, truth.start, truth.stop
                value = truth.log_partition
            return model.log_partition - value, [
                (X[rows].T @ ((model.lines - want) @ shared).astype(np.float32)).ravel().astype(np.float64),
                np.bincount(kinds, (model.between - between).ravel(), size),
                model.start - start,
                model.stop - stop,
            ]

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights, transitions = unpack(theta)
            single = weights.astype(np.float32)
            found = list(each(lambda part: part_loss(part, single, transitions), parts))
            slope = np.concatenate([np.sum(slopes, axis=0) for slopes in zip(*(slopes for _, slopes in found), strict=True)])
            penalty = self.l2 * pages
            return sum(value for value, _ in found) + 0.5 * penalty * float(theta @ theta), slope + penalty * theta

        done = 0

        def step(theta: NDArray[np.float64]) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, self.iterations)

        theta = np.zeros(columns * types + size + 2 * tags)
        # NumPy lets go of the interpreter where the time goes; threads of BLAS would only be in the way of these
        with ThreadPoolExecutor(len(parts)) as pool, threadpool_limits(1):
            each: Callable[..., Any] = pool.map if len(parts) > 1 else map
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
        starts, _ = page_ends(sizes.tolist())
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


def _parts(lengths: Sequence[int], count: int) -> list[tuple[slice, Sequence[int]]]:
    """The pages in up to so many parts of about as many lines: the rows of each and its lines per page."""
    ends = np.cumsum([0, *lengths])
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], max(1, min(count, len(lengths))) + 1)).tolist()
    cuts[-1] = len(lengths)
    return [(slice(int(ends[a]), int(ends[b])), list(lengths[a:b])) for a, b in pairwise(cuts) if b > a] or [(slice(0, 0), [])]


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
    starts, ends = page_ends([length for length in lengths if length])
    follows = np.ones(len(want), bool)
    follows[starts] = False
    rows = np.flatnonzero(follows)
    return want, want[rows - 1].T @ want[rows], want[starts].sum(axis=0), want[ends - 1].sum(axis=0)
