"""Scores taken apart: what each word, character piece and fact added to a line's scores, and what the page added.

The model is linear, so nothing here is estimated: a contribution is a weight times a value, and the contributions to
a score add up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.columns import LABEL_COLUMNS, Lines, label_columns, page_feature_names, page_features
from pilah.features import FACTS, Facts, LineScorer
from pilah.tagger import LineTagger

PART_NAMES = {"chars": "character pieces", "edges": "first and last words", "phrases": "the line as a whole"}
"""What the feature parts of the configuration are called here; any other keeps its name."""


@dataclass(frozen=True)
class Contribution:
    """What one feature added to a score: ``amount`` is weight times ``value``."""

    name: str
    value: float
    amount: float


@dataclass(frozen=True)
class Group:
    """Contributions of one kind (words, character pieces, facts, ...), the strongest first."""

    name: str
    contributions: tuple[Contribution, ...]

    @property
    def total(self) -> float:
        """What the group added to the score."""
        return sum(c.amount for c in self.contributions)

    def strongest(self, count: int, against: bool = False) -> tuple[Contribution, ...]:
        """The contributions that spoke most for the score, or against it."""
        return tuple(c for c in self.contributions if (c.amount < 0) == against and abs(c.amount) >= 0.005)[:count]


@dataclass(frozen=True)
class Evidence:
    """One score taken apart: the totals of its groups add up to it."""

    kind: str
    score: float
    groups: tuple[Group, ...]


def place_types(tagger: LineTagger) -> list[str]:
    """The name of the weights that each tag shares."""
    if tagger.context is None:
        return list(tagger.types_)
    return [tagger.labels.place_type(tag) for tag in tagger.tags_]


def _merged(names: Iterable[str], values: Iterable[float], amounts: Iterable[float]) -> list[Contribution]:
    """Steps of one measure as one contribution, named by the highest that holds; a share and its logarithm as one.

    >>> _merged(["width>3", "width>8", "a date"], [1, 1, 1], [0.5, -2.0, 1.0])
    [Contribution(name='width>8', value=1.0, amount=-1.5), Contribution(name='a date', value=1.0, amount=1.0)]
    """
    found: dict[str, list[Any]] = {}
    for name, value, amount in zip(names, values, amounts, strict=True):
        plain, measure = _measure(name)
        held = found.setdefault(measure, [plain, value, 0.0])
        if measure != plain:
            held[0] = plain
        held[2] += amount
    return [Contribution(name, float(value), float(amount)) for name, value, amount in found.values()]


@lru_cache(maxsize=4096)
def _measure(name: str) -> tuple[str, str]:
    plain = name.removesuffix(" (log)")
    return plain, plain.split(">")[0]


def _group(name: str, contributions: Iterable[Contribution]) -> Group:
    return Group(name, tuple(sorted(contributions, key=lambda c: -abs(c.amount))))


def line_evidence(tagger: LineTagger, texts: Sequence[str], tags: Sequence[Sequence[int]]) -> list[tuple[Evidence, ...]]:
    """First-pass scores of the line types of some tags, taken apart, for each text; `tags` as of `place_evidence`."""
    scorer = tagger.scorer_
    kind_of = [
        tagger.types_.index(tagger.labels.line_type(tag) if tagger.context is not None else f"{tag[0]}/{tag[1]}")
        for tag in tagger.tags_
    ]
    wanted = [list(dict.fromkeys(kind_of[k] for k in pair)) for pair in tags]
    groups: list[list[list[Group]]] = [[[] for _ in kinds] for kinds in wanted]
    for name, part, weights in _weighted_parts(scorer):
        rows = part.transform(texts).tocsr()
        pieces = part.get_feature_names_out()
        for i, kinds in enumerate(wanted):
            cut = slice(rows.indptr[i], rows.indptr[i + 1])
            at, values = rows.indices[cut], rows.data[cut].astype(np.float64)
            for slot, kind in zip(groups[i], kinds, strict=True):
                amounts = values * weights[kind, at]
                plain = [Contribution(*row) for row in zip(pieces[at], values.tolist(), amounts.tolist(), strict=True)]
                merged = _merged(pieces[at], values.tolist(), amounts.tolist()) if isinstance(part, Facts) else plain
                slot.append(_group(PART_NAMES.get(name, name), merged))
    found = []
    for kinds, slots in zip(wanted, groups, strict=True):
        for kind, slot in zip(kinds, slots, strict=True):
            slot.append(_group("to begin with", [Contribution("how common it is", 1.0, float(scorer.intercept[kind]))]))
        scores = [sum(group.total for group in slot) for slot in slots]
        found.append(tuple(Evidence(tagger.types_[k], s, tuple(slot)) for k, s, slot in zip(kinds, scores, slots, strict=True)))
    return found


def _weighted_parts(scorer: LineScorer) -> Iterable[tuple[str, Any, NDArray[np.float64]]]:
    start = 0
    for name, part in scorer.parts.items():
        size = len(FACTS) if isinstance(part, Facts) else len(part.vocabulary_)
        yield name, part, scorer.coef[:, start : start + size].astype(np.float64)
        start += size


def place_evidence(
    tagger: LineTagger, scored: Lines, chosen: Sequence[int], tags: Sequence[Sequence[int]]
) -> list[tuple[Evidence, ...]]:
    """Second-pass scores of the place types of some tags, taken apart, for each chosen line of a page.

    Parameters
    ----------
    scored : Lines
        The whole page.
    chosen : sequence of int
        Rows of it.
    tags : sequence of sequences of int
        For each chosen line the numbers of the tags that matter; tags that share a score give one evidence.
    """
    if tagger.context is None:
        return [() for _ in chosen]
    context, places = tagger.context_, place_types(tagger)
    X = page_features(scored, context.window)[list(chosen)].astype(np.float64)
    names = page_feature_names(tagger.types_, scored.groups, context.window)
    split = [_side(name) for name in names]
    by_label = label_columns(scored)[list(chosen)].astype(np.float64) if context.by_label else np.zeros((len(X), 0))
    sides, what = np.array([side for side, _ in split], object), np.array([rest for _, rest in split], object)
    found = []
    for row, of_list, pair in zip(X, by_label, tags, strict=True):
        evidence: dict[str, Evidence] = {}
        for k in pair:
            amounts = row * context.weights_[:, context.type_of_[k]]
            groups = []
            for side in dict.fromkeys(sides):
                at = np.flatnonzero((sides == side) & (row != 0))
                groups.append(_group(side, _merged(what[at], row[at].tolist(), amounts[at].tolist())))
            kind = places[k]
            if context.by_label and "/" not in kind:  # labels that share a type differ in what the list as a whole says
                kind = f"{kind} of {tagger.tags_[k][0]}"
            if of_list.any():
                at = np.flatnonzero(of_list)
                added = of_list[at] * context.label_weights_[at, k]
                groups.append(
                    _group("the list as a whole", _merged([LABEL_COLUMNS[i] for i in at], of_list[at].tolist(), added.tolist()))
                )
            if tagger.body_bias and tagger.tags_[k][0] == tagger.labels.body:
                groups.append(_group("as configured", [Contribution("body_bias", 1.0, tagger.body_bias)]))
            evidence.setdefault(kind, Evidence(kind, sum(group.total for group in groups), tuple(groups)))
        found.append(tuple(evidence.values()))
    return found


def _side(name: str) -> tuple[str, str]:
    """Where a page feature looks, and what it says of that."""
    where, _, rest = name.partition(": ")
    if where == "this line":
        return "the line itself", rest
    return ("its neighbours" if where.endswith((" above", " below")) and where[0].isdigit() else "the rest of the page"), name
