"""What the training report shows, as numbers: scores per label, calibration, the price of ``body_bias``, telling pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pilah import model_file
from pilah.labels import UNDECIDED
from pilah.page import InputError, blanks
from pilah.tagger import LineTagger, TaggedLine
from pilah.training.corpus import Dump
from pilah.training.evaluate import Scores, confusion, score, worst_lines

Result = tuple[Sequence[Dump], Sequence[Sequence[TaggedLine]], Scores]
"""The dumps of an evaluation set, what was said of their lines, and the scores."""

CONFIDENCES = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Lower ends of the groups of a reliability diagram: finer where most lines are."""

BIASES = (-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0)
"""What is added to the score of body (natural log) along the curve, besides the configured value."""


def pairs_of(result: Result) -> list[tuple[list[str], list[str]]]:
    """Gold and predicted labels of every dump."""
    return [(dump.labels, [line.label for line in lines]) for dump, lines in zip(result[0], result[1], strict=True)]


@dataclass(frozen=True)
class LabelScore:
    """Precision, recall and F1 of one label, from 0 to 1, and the number of lines that have it and that were given it."""

    label: str
    precision: float
    recall: float
    f1: float
    gold: int
    said: int


def label_scores(result: Result, labels: Sequence[str]) -> list[LabelScore]:
    """One row for every label that the gold or the prediction holds.

    Where nothing was given a label its precision is not a number, and the same for recall where nothing has it.
    """
    counts = confusion(pairs_of(result))
    found = []
    for label in labels:
        hit = counts[label, label]
        gold = sum(n for (true, _), n in counts.items() if true == label)
        said = sum(n for (_, given), n in counts.items() if given == label)
        if gold or said:
            share = [hit / total if total else float("nan") for total in (said, gold)]
            found.append(LabelScore(label, share[0], share[1], 2 * hit / (gold + said), gold, said))
    return found


@dataclass(frozen=True)
class Reliability:
    """Lines grouped by confidence: mean ``confidence``, share right (``accuracy``) and number of ``lines`` of each group.

    ``error`` is the expected calibration error: the gap between the two, averaged over lines (Guo et al. 2017).
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    lines: tuple[int, ...]
    error: float


def reliability(result: Result) -> Reliability:
    """How far a confidence can be taken at its word. Groups without a line are left out."""
    rows = [
        (line.confidence, line.label == gold)
        for dump, lines in zip(result[0], result[1], strict=True)
        for gold, line in zip(dump.labels, lines, strict=True)
        if gold != UNDECIDED
    ]
    sure, right = np.array(rows, float).reshape(-1, 2).T
    group = np.digitize(sure, CONFIDENCES[1:])
    sizes = np.bincount(group, minlength=len(CONFIDENCES))
    kept = np.flatnonzero(sizes)
    means = [np.bincount(group, values, len(CONFIDENCES))[kept] / sizes[kept] for values in (sure, right)]
    error = float(np.abs(means[0] - means[1]) @ sizes[kept] / max(1, len(sure)))
    return Reliability(tuple(means[0].tolist()), tuple(means[1].tolist()), tuple(sizes[kept].tolist()), error)


@dataclass(frozen=True)
class BodyPoint:
    """Precision and recall of the body label at one ``body_bias``."""

    bias: float
    precision: float
    recall: float


def body_curve(tagger: LineTagger, dumps: Sequence[Dump]) -> list[BodyPoint]:
    """What each ``body_bias`` would give, the tagger's own included, lowest bias first.

    Lines are scored once, then decoded for every bias. Lines that are blank or undecided do not count.
    Empty where the label set has no body.
    """
    rows = [[i for i, blank in enumerate(blanks(dump.lines)) if not blank] for dump in dumps]
    gold = np.array([dump.labels[i] for dump, keep in zip(dumps, rows, strict=True) for i in keep], object)
    is_body = np.array([label == tagger.labels.body for label, _ in tagger.tags_])
    if not is_body.any() or not (gold == tagger.labels.body).any():
        return []
    lengths = [len(keep) for keep in rows]
    flat = [dump.lines[i] for dump, keep in zip(dumps, rows, strict=True) for i in keep]
    scores = tagger.tag_scores(flat, lengths) - np.float32(tagger.body_bias) * is_body
    counted, true = gold != UNDECIDED, gold == tagger.labels.body
    found = []
    for bias in sorted({*BIASES, float(tagger.body_bias)}):
        numbers = tagger.decode(scores + np.float32(bias) * is_body, flat, lengths)
        said = is_body[numbers] & counted
        hit = int((said & true).sum())
        found.append(BodyPoint(bias, hit / int(said.sum()) if said.any() else float("nan"), hit / int(true.sum())))
    return found


@dataclass(frozen=True)
class Telling:
    """The columns of one feature part that speak loudest for a line type and against it, each with its weight."""

    kind: str
    part: str
    in_favour: tuple[tuple[str, float], ...]
    against: tuple[tuple[str, float], ...]


def telling(tagger: LineTagger, most: int = 12) -> list[Telling]:
    """The most telling words, pieces and facts of the first pass, per line type and feature part.

    A weight is what one occurrence adds to the score of the type before the line's length is divided out: the
    coefficient times the inverse document frequency, or times the scale of the facts.
    """
    found, start = [], 0
    for part_name, part in tagger.scorer_.parts.items():
        names = part.get_feature_names_out()
        idf = getattr(part, "idf_", ())  # edges and facts have none, or an empty one where they were read from disk
        weights = tagger.scorer_.coef[:, start : start + len(names)] * (idf if len(idf) else getattr(part, "scale", 1.0))
        start += len(names)
        for kind, row in zip(tagger.types_, weights, strict=True):
            order = np.argsort(-row, kind="stable")
            up = tuple((str(names[i]), float(row[i])) for i in order[:most] if row[i] > 0)
            down = tuple((str(names[i]), float(row[i])) for i in order[::-1][:most] if row[i] < 0)
            found.append(Telling(kind, part_name, up, down))
    return found


@dataclass(frozen=True)
class Mistake:
    """A wrong line (``n``, from 1) with its neighbours: number, gold label, predicted label and text of each."""

    dump: str
    n: int
    gold: str
    said: str
    confidence: float
    context: tuple[tuple[int, str, str, str], ...]


def mistakes(result: Result, most: int, around: int = 2) -> list[Mistake]:
    """The wrong lines that the model was surest of, in context."""
    numbered = [replace(dump, name=f"{i:06}") for i, dump in enumerate(result[0])]  # two folders may use one name
    found = []
    for worst in worst_lines(numbered, result[1], most):
        dump, lines = result[0][int(worst.dump)], result[1][int(worst.dump)]
        rows = range(max(0, worst.n - 1 - around), min(len(lines), worst.n + around))
        context = tuple((i + 1, dump.labels[i], lines[i].label, dump.lines[i][:300]) for i in rows)
        found.append(Mistake(dump.name, worst.n, worst.gold, worst.predicted, worst.confidence, context))
    return found


def shipped_scores(labels: Any, results: Mapping[str, Result], name: str = "default") -> dict[str, Scores] | str:
    """Scores of the shipped model on the same sets, or the sentence that says why there are none.

    Parameters
    ----------
    labels : LabelSet
        The labels of the run: scores of a model with others could not be compared.
    """
    if not (model_file.SHIPPED / name / "card.json").exists():
        return f"Not compared with the shipped model: none comes with this copy under the name '{name}'."
    try:
        shipped = model_file.load_model(name)
    except InputError as error:
        return f"Not compared with the shipped model: {error}."
    if set(shipped.labels.names) != set(labels.names):
        return f"Not compared with the shipped model: it has other labels ({', '.join(shipped.labels.names)})."
    return {
        kind: score(
            zip((dump.labels for dump in dumps), shipped.predict([dump.lines for dump in dumps]), strict=True),
            labels.body or "",
        )
        for kind, (dumps, _, _) in results.items()
    }
