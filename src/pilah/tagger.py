"""LineTagger: a label and a role for every line of a page.

Two passes: a linear model judges each line by itself (`features`), a second linear model judges it in its place
(`context`), and a decoder picks the sequence. Fitting uses scikit-learn; predicting uses NumPy and SciPy alone.

It is long because fitting and predicting hang on the same parts and the same order of tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pilah import fast
from pilah.columns import Lines
from pilah.decoding import Transitions, maximum_subsequence
from pilah.features import LineScorer
from pilah.labels import UNDECIDED, UNKNOWN_ROLE, LabelSet, Tag
from pilah.order import figures
from pilah.page import Visible, blanks, uncapitalised
from pilah.params import Params


class TaggedLine(NamedTuple):
    """One line with what was decided about it. ``confidence`` is the posterior of the label, from 0 to 1."""

    label: str
    role: str
    confidence: float


class LineTagger(Params):
    """Labels the lines of pages.

    Parameters
    ----------
    labels : LabelSet
        The labels and their roles.
    features : mapping of str to part
        Feature parts (`features.Words`, `features.Characters`, `features.Facts`).
    model : scikit-learn estimator
        A linear classifier with ``coef_`` and ``intercept_``, or a `DummyClassifier`.
    context : Context or None
        The second pass. Without one, the linear model predicts tags line by line and transitions are counted.
    decoder : Argmax or Viterbi
    body_bias : float
        Added to the score of every body tag (natural log): above 0 keeps more body lines, below 0 lets fewer
        headlines in.
    body_gap : float
        Above 0, all body lines of a page lie in one stretch, which other lines may interrupt: the one in which the characters
        of its body lines, less so many for every other line, are the most (`decoding.maximum_subsequence`). A body line
        elsewhere becomes ``labels.rest``. For whole pages, where a lone sentence in a menu or a footer is read as one of the
        article; 0 for dumps without such, and nothing where the label set has no rest.
    folds : int
        The second pass learns from scores of lines that the first pass had not seen, in so many parts.
    n_jobs : int
        Processes that fit those parts.
    """

    line_model_: Any
    scorer_: LineScorer
    tags_: tuple[Tag, ...]
    types_: tuple[str, ...]
    transitions_: Transitions

    def __init__(
        self,
        labels: LabelSet,
        features: Mapping[str, Any],
        model: Any,
        context: Any = None,
        decoder: Any = None,
        body_bias: float = 0.0,
        body_gap: float = 0.0,
        folds: int = 4,
        n_jobs: int = 1,
    ) -> None:
        self.labels = labels
        self.features = features
        self.model = model
        self.context = context
        self.decoder = decoder
        self.body_bias = body_bias
        self.body_gap = body_gap
        self.folds = folds
        self.n_jobs = n_jobs

    # ------------------------------------------------------------------------------------------------------- fit

    def fit(
        self,
        pages: Sequence[Sequence[str]],
        tags: Sequence[Sequence[Tag]],
        groups: Sequence[int] | None = None,
        examples: Sequence[tuple[str, Tag, int]] = (),
        progress: Callable[[int, int], None] | None = None,
        line_pages: int | None = None,
    ) -> Self:
        """Learn from labelled pages.

        Parameters
        ----------
        pages : sequence of sequences of str
            The lines of each page.
        tags : sequence of sequences of (label, role)
            A role ``.`` means not annotated, a label ``?`` undecided.
        groups : sequence of int, optional
            Pages made of the same texts share a number: cross-fitting keeps them together.
        examples : sequence of (line, tag, group)
            Further lines for the first pass alone, such as a list of headings. A group of -1 belongs to all.
        progress : callable, optional
            Called with the steps done and the steps in all.
        line_pages : int, optional
            The first pass learns from the first so many pages alone: a line says the same of itself on every page.
        """
        kept = [[i for i, blank in enumerate(blanks(page)) if not blank] for page in pages]
        pages = [[page[i] for i in keep] for page, keep in zip(pages, kept, strict=True)]
        tags = [[row[i] for i in keep] for row, keep in zip(tags, kept, strict=True)]
        groups = list(range(len(pages))) if groups is None else list(groups)
        self.tags_ = self._seen_tags(tags)
        flat = [line for page in pages for line in page]
        seen = {tag for row in tags for tag in row}
        type_of_tag = {tag: self._type(tag) for tag in seen | {tag for _, tag, _ in examples}}
        kinds = [[type_of_tag[tag] for tag in row] for row in tags]
        self.types_ = tuple(sorted({kind for row in kinds for kind in row if kind is not None}))
        if self.context is None:
            self.types_ = tuple(f"{label}/{role}" for label, role in self.tags_)
        self._examples = [(line, type_of_tag[tag], group) for line, tag, group in examples]
        lengths = [len(page) for page in pages]
        taught = len(pages) if line_pages is None else line_pages
        some = [kind for row in kinds[:taught] for kind in row]
        self.line_model_, self.scorer_ = self._fit_lines(flat[: len(some)], some)
        if self.context is None:
            index = {tag: i for i, tag in enumerate(self.tags_)}
            known = [np.array([index[t] for t in row if t in index], np.int64) for row in tags]
            self.transitions_ = Transitions.counted(known, len(self.tags_))
            return self
        scores = self._crossfitted(pages, kinds, groups, taught)
        lines = self._lines(flat, lengths)
        choices = {tag: np.array(self._allowed(tag), bool) for tag in seen}
        allowed = np.array([choices[tag] for row in tags for tag in row]).reshape(len(flat), len(self.tags_))
        lines = replace(lines, scores=scores)
        places = [self.labels.place_type(tag) for tag in self.tags_]
        type_of = np.array([sorted(set(places)).index(place) for place in places], np.int64)
        steps = [self.labels.transition_kind(before, after) for before in self.tags_ for after in self.tags_]
        order = {step: i for i, step in enumerate(dict.fromkeys(steps))}
        kind_of = np.array([order[step] for step in steps], np.int64).reshape(len(self.tags_), len(self.tags_))
        label_of = np.array([self.labels.names.index(label) for label, _ in self.tags_])
        self.context_ = _clone(self.context).fit(lines, allowed, type_of, kind_of, progress, label_of)
        self.transitions_ = self.context_.transitions_
        return self

    def _seen_tags(self, tags: Sequence[Sequence[Tag]]) -> tuple[Tag, ...]:
        seen = {tag for row in tags for tag in row}
        found = [tag for tag in self.labels.tags if tag in seen]
        for label in self.labels.names:  # a label that is annotated without roles only
            if (label, UNKNOWN_ROLE) in seen and not any(tag[0] == label for tag in found):
                found.append((label, UNKNOWN_ROLE))
        return tuple(found)

    def _type(self, tag: Tag) -> str | None:
        label, role = tag
        if tag not in self.tags_:
            return None
        return self.labels.line_type(tag) if self.context is not None else f"{label}/{role}"

    def _allowed(self, tag: Tag) -> list[bool]:
        if tag in self.tags_:
            return [tag == other for other in self.tags_]
        return [tag[0] in (UNDECIDED, other[0]) for other in self.tags_]

    def _fit_lines(
        self, flat: Sequence[str], kinds: Sequence[str | None], without: Sequence[int] = ()
    ) -> tuple[Any, LineScorer]:
        from sklearn.pipeline import FeatureUnion, Pipeline

        number = {kind: i for i, kind in enumerate(self.types_)}
        # a headline that stands on many composed pages is one observation, not many
        pairs = [(line, kind) for line, kind in zip(flat, kinds, strict=True) if kind is not None]
        pairs += [(line, kind) for line, kind, group in self._examples if kind is not None and group not in without]
        if self.context is not None:
            pairs = list(dict.fromkeys(pairs))
        union = FeatureUnion([(name, _clone(part)) for name, part in self.features.items()])
        pipeline = Pipeline([("features", union), ("model", _clone(self.model))])
        pipeline.fit([line for line, _ in pairs], np.array([number[kind] for _, kind in pairs]))
        coef, intercept = linear_weights(pipeline[-1], len(self.types_))
        parts = dict(pipeline[0].transformer_list)
        return pipeline, LineScorer(parts, coef, intercept)

    def _crossfitted(self, pages: Any, page_kinds: Any, groups: Sequence[int], taught: int) -> NDArray[np.float32]:
        """Scores of all lines by first passes that have seen neither their pages nor their group."""
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor

        names = sorted(set(groups))
        part_of = {name: i % self.folds for i, name in enumerate(names)}
        work = []
        for part in range(min(self.folds, len(names))):
            inside = [i for i, g in enumerate(groups[:taught]) if part_of[g] != part]
            outside = [i for i, g in enumerate(groups) if part_of[g] == part]
            inside = inside or outside  # all pages are of one group: there is nothing to keep apart
            lines = [line for i in inside for line in pages[i]]
            kinds = [kind for i in inside for kind in page_kinds[i]]
            unseen = [name for name in names if part_of[name] == part]
            work.append((outside, delayed(self._scored)(lines, kinds, unseen, [line for i in outside for line in pages[i]])))
        found = Parallel(n_jobs=self.n_jobs)(job for _, job in work)
        if self.n_jobs != 1:  # idle processes would keep their memory while the second pass needs its own
            get_reusable_executor().shutdown()
        scores: dict[int, Any] = {}
        for (outside, _), rows in zip(work, found, strict=True):
            scores |= zip(outside, np.split(rows, np.cumsum([len(pages[i]) for i in outside])[:-1]), strict=True)
        return np.concatenate([scores[i] for i in range(len(pages))]).astype(np.float32)

    def _scored(self, lines: Any, kinds: Any, unseen: Sequence[int], others: Any) -> NDArray[np.float32]:
        return self._fit_lines(lines, kinds, without=unseen)[1].score(others)[0]

    # --------------------------------------------------------------------------------------------------- predict

    def type_groups(self) -> NDArray[np.float32]:
        """Which line types are body, openers, others and times: what `context.Lines` calls groups."""
        rows = []
        for kind in self.types_:
            label, _, role = kind.rpartition("/")
            body = label == self.labels.body and bool(label)
            opens = self.labels.opens(role)
            rows.append([body, opens, not body and not opens, role == "time"])
        return np.array(rows, np.float32)

    def _lines(self, flat: Sequence[str], lengths: Sequence[int]) -> Lines:
        scores, facts, widths, numbers, keys = self.scorer_.score(flat)
        found = figures(flat, facts, widths) if self.context is not None and self.context.by_label else None
        return Lines(scores, facts, widths, numbers, keys, lengths, self.type_groups(), found)

    def lines(self, flat: Sequence[str], lengths: Sequence[int]) -> Lines:
        """What the second pass goes by, for lines that are not blank, page by page."""
        return self._lines(uncapitalised(flat, lengths), lengths)

    def tag_scores(self, flat: Sequence[str], lengths: Sequence[int]) -> NDArray[np.float32]:
        """Scores of every tag for lines that are not blank, shape (lines, tags)."""
        lines = self.lines(flat, lengths)
        scores = lines.scores if self.context is None else self.context_.scores(lines)
        scores += np.array([self.body_bias * (label == self.labels.body) for label, _ in self.tags_], np.float32)
        return scores

    def decode(self, scores: NDArray[Any], flat: Sequence[str], lengths: Sequence[int]) -> NDArray[np.int64]:
        """The tag number of every line, for scores as of `tag_scores`: the decoder's, with one stretch of body if so configured."""
        return self.one_stretch(self.decoder.decode(scores, lengths, self.transitions_), flat, lengths)

    def one_stretch(self, numbers: NDArray[np.int64], flat: Sequence[str], lengths: Sequence[int]) -> NDArray[np.int64]:
        """The decoder's tag numbers, with those of body lines outside the one stretch replaced where ``body_gap`` asks for one."""
        if self.body_gap <= 0 or self.labels.rest is None:
            return numbers
        labels = [label for label, _ in self.tags_]
        if self.labels.rest not in labels:  # no page that was learned from had any
            return numbers
        rest = labels.index(self.labels.rest)
        body = np.array([label == self.labels.body for label in labels])[numbers]
        sizes = np.fromiter(map(len, flat), np.float64, len(flat))
        inside = maximum_subsequence(np.where(body, sizes, -self.body_gap), lengths)
        return np.where(body & ~inside, rest, numbers)

    def predict(self, pages: Sequence[Sequence[str]]) -> list[list[str]]:
        """The label of every line of every page."""
        visible = Visible.of(pages)
        numbers, _ = self._decoded(visible, posteriors=False)
        labels = np.array([*(label for label, _ in self.tags_), self._default()], object)
        return visible.split(labels[np.append(numbers, len(self.tags_))[visible.source]].tolist())

    def tag(self, pages: Sequence[Sequence[str]]) -> list[list[TaggedLine]]:
        """Label, role and confidence of every line of every page.

        A blank line has the label of what it stands in: of the line above, or of the first line below.
        """
        visible = Visible.of(pages)
        numbers, sure = self._decoded(visible)
        tags = [*self.tags_, (self._default(), UNKNOWN_ROLE)]
        at = np.append(numbers, len(self.tags_))[visible.source]
        labels = np.array([label for label, _ in tags], object)[at]
        roles = np.array([self.labels.printed(role) for _, role in tags], object)[at]
        roles[~visible.mask] = UNKNOWN_ROLE
        rows = zip(labels.tolist(), roles.tolist(), np.append(sure, 1.0)[visible.source].tolist(), strict=True)
        return visible.split(list(map(tuple.__new__, repeat(TaggedLine), rows)))  # `_make` is a Python call for each

    def _default(self) -> str:
        return self.labels.body or self.labels.names[0]

    def _decoded(self, visible: Visible, posteriors: bool = True) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The tag number of every line that is not blank, and the posterior of its label."""
        fast.saw(len(visible.lines))
        scores = self.tag_scores(visible.lines, visible.lengths)
        numbers = self.decode(scores, visible.lines, visible.lengths)
        if not posteriors or not len(numbers):
            return numbers, np.ones(len(numbers))
        p = self.decoder.posteriors(scores.astype(np.float64), visible.lengths, self.transitions_)
        names = [label for label, _ in self.tags_]
        same = np.array([[a == b for b in names] for a in names], float)
        return numbers, np.minimum((p * same[numbers]).sum(axis=1), 1.0)


def linear_weights(model: Any, types: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (types, columns) and bias (types,) of a fitted scikit-learn classifier over types 0, 1, ...

    Raises
    ------
    ValueError
        If the model is not linear.
    """
    classes = np.asarray(model.classes_, int)
    if hasattr(model, "class_prior_"):  # DummyClassifier: says the same of every line
        coef, intercept = np.zeros((len(classes), model.n_features_in_)), np.log(np.maximum(model.class_prior_, 1e-9))
    elif hasattr(model, "coef_"):
        coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
        if len(classes) == 2 and len(coef) == 1:  # scikit-learn keeps one row for two classes
            coef, intercept = np.concatenate([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    else:
        raise ValueError(f"{type(model).__name__} is not a linear model: it has no coef_")
    # rounded as they are kept on disk, so that a model answers alike before and after it is saved
    found = np.zeros((types, coef.shape[1]), np.float32)
    found[classes] = coef.astype(np.float16)
    bias = np.full(types, -30.0, np.float32)
    bias[classes] = intercept.astype(np.float32)
    return found, bias


def _clone(thing: Any) -> Any:
    from sklearn.base import clone

    return clone(thing)
