"""Scores of predicted labels against labelled dumps, and where they go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pilah.labels import UNDECIDED
from pilah.tagger import TaggedLine
from pilah.training.corpus import Dump


@dataclass(frozen=True)
class Scores:
    """How well labels were predicted. All figures are between 0 and 1.

    Attributes
    ----------
    macro_f1 : float
        Mean over the labels that occur in the gold of the F1 of each.
    body_f1 : float
        F1 of ``body`` against the rest; not a number where the gold has none.
    block_f1 : float
        F1 of exact blocks: runs of one label with both ends right.
    exact_dumps : float
        Share of dumps with every line right.
    """

    dumps: int
    lines: int
    macro_f1: float
    accuracy: float
    body_f1: float
    block_f1: float
    exact_dumps: float
    per_label: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def _f1(hit: int, said: int, true: int) -> float:
    return 2 * hit / (said + true) if said + true else 1.0


def blocks(labels: Sequence[str]) -> set[tuple[str, int, int]]:
    """The runs of one label: (label, first line, line after the last).

    >>> sorted(blocks(["body", "body", "related"]))
    [('body', 0, 2), ('related', 2, 3)]
    """
    if not labels:
        return set()
    starts = [i for i, label in enumerate(labels) if i == 0 or label != labels[i - 1]]
    return {(labels[i], i, j) for i, j in zip(starts, [*starts[1:], len(labels)], strict=True)}


def score(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], body: str = "body") -> Scores:
    """Scores over dumps given as (gold labels, predicted labels). Lines whose gold is ``?`` do not count.

    >>> score([(["body", "related"], ["body", "body"])]).accuracy
    0.5
    """
    kept = []
    for gold, predicted in pairs:
        rows = [(g, p) for g, p in zip(gold, predicted, strict=True) if g != UNDECIDED]
        kept.append(([g for g, _ in rows], [p for _, p in rows]))
    true, said, hit = Counter[str](), Counter[str](), Counter[str]()
    for gold, predicted in kept:
        true.update(gold)
        said.update(predicted)
        hit.update(g for g, p in zip(gold, predicted, strict=True) if g == p)
    per = {label: _f1(hit[label], said[label], true[label]) for label in sorted(true)}
    runs = [(blocks(gold), blocks(predicted)) for gold, predicted in kept]
    lines = sum(true.values())
    return Scores(
        dumps=len(kept),
        lines=lines,
        macro_f1=sum(per.values()) / max(1, len(per)),
        accuracy=sum(hit.values()) / max(1, lines),
        body_f1=per.get(body, float("nan")),
        block_f1=_f1(sum(len(g & p) for g, p in runs), sum(len(p) for _, p in runs), sum(len(g) for g, _ in runs)),
        exact_dumps=sum(g == p for g, p in kept) / max(1, len(kept)),
        per_label=per,
    )


def confusion(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Counter[tuple[str, str]]:
    """How often each gold label was predicted as each label."""
    return Counter((g, p) for gold, predicted in pairs for g, p in zip(gold, predicted, strict=True) if g != UNDECIDED)


@dataclass(frozen=True)
class WorstLine:
    """A line that went wrong, with the lines around it (``context``) and how sure the model was of its answer."""

    dump: str
    n: int
    gold: str
    predicted: str
    confidence: float
    context: tuple[str, ...]


def worst_lines(
    dumps: Sequence[Dump], tagged: Sequence[Sequence[TaggedLine]], most: int = 50, around: int = 2
) -> list[WorstLine]:
    """The wrong lines that the model was surest of. Of neighbours with the same mistake only the first is named."""
    found = []
    for dump, lines in zip(dumps, tagged, strict=True):
        before = None
        for i, (gold, line) in enumerate(zip(dump.labels, lines, strict=True)):
            mistake = (gold, line.label) if gold not in (line.label, UNDECIDED) else None
            if mistake is not None and mistake != before:
                rows = range(max(0, i - around), min(len(lines), i + around + 1))
                context = tuple(
                    f"{'>' if k == i else ' '} {dump.labels[k]:8} {lines[k].label:8} {dump.lines[k][:160]}" for k in rows
                )
                found.append(WorstLine(dump.name, i + 1, gold, line.label, round(line.confidence, 4), context))
            before = mistake
    return sorted(found, key=lambda w: (-w.confidence, w.dump, w.n))[:most]
