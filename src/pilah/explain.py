"""Why a line has its label: what each pass saw in it, what spoke for and against, what the decoder made of that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pilah.decoding import Transitions
from pilah.evidence import Evidence, line_evidence, place_evidence, place_types
from pilah.page import InputError, blanks, uncapitalised
from pilah.tagger import LineTagger

WHOLE_PAGE = 150
"""Pages of up to so many lines are explained whole where an output has room for it."""

Floats = NDArray[np.float64]
DOUBTFUL = 0.9
"""A line is doubtful where the posterior of its label is below this."""


@dataclass(frozen=True)
class LabelScore:
    """What one label had going for it on one line.

    Attributes
    ----------
    before : float
        Best second-pass score of the label's tags: the line in its place, before the decoder.
    after : float
        What the page as a whole would lose if the line had this label: 0 for the decoded one, else below.
    posterior : float
        Probability of the label given the whole page, 0 to 1.
    """

    label: str
    before: float
    after: float
    posterior: float


@dataclass(frozen=True)
class LineExplanation:
    """Why one line was decided as it was.

    Attributes
    ----------
    number : int
        Of the line, from 1.
    text, label, role : str
    confidence : float
        The posterior of the label.
    alone : tuple of (line type, score)
        First pass: the line by itself, best first.
    labels : tuple of LabelScore
        Second pass, in the order of the label set.
    best, decoded : str
        The place type with the best second-pass score, and that of the decoded tag.
    shared : tuple of str
        Labels that share the decoded place type, and with it its weights: the sequence and the list as a whole tell them apart.
    heading : (number, text) or None
        The heading that the line hangs on.
    apart : bool
        Whether the decoder saw body text that stands apart from the article (`LineTagger.body_gap`).
    line_evidence, place_evidence : tuple of Evidence
        First- and second-pass score of what was decided, and of the strongest rival where that is another type; empty
        for lines that were not chosen.
    """

    number: int
    text: str
    label: str
    role: str
    confidence: float
    alone: tuple[tuple[str, float], ...]
    labels: tuple[LabelScore, ...]
    best: str
    decoded: str
    shared: tuple[str, ...]
    heading: tuple[int, str] | None
    apart: bool = False
    line_evidence: tuple[Evidence, ...] = ()
    place_evidence: tuple[Evidence, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it."""
        return self.confidence < DOUBTFUL

    @property
    def decision(self) -> str:
        """What the decoder did, in one sentence."""
        if self.apart:
            return f"said {self.label}, since it stands apart from the article that the page has"
        because = f", under the heading in line {self.heading[0]}" if self.heading else ""
        if self.best != self.decoded:
            return f"changed {self.best}, which had the best score, to {self.decoded}{because}"
        if len(self.shared) > 1:
            return (
                f"kept {self.decoded}, and of the labels that share it ({', '.join(self.shared)}) chose {self.label}{because}"
            )
        return f"kept {self.decoded}, which had the best score"


def explain_page(tagger: LineTagger, lines: Sequence[str], asked: Collection[int] = ()) -> list[LineExplanation]:
    """Explain the lines of one page.

    Parameters
    ----------
    tagger : LineTagger
        A fitted one.
    lines : sequence of str
        All lines of the page.
    asked : collection of int
        Numbers (from 1) of lines to take apart besides the doubtful ones.

    Returns
    -------
    list of LineExplanation
        In page order, without blank lines, which take the label of what they stand in.

    Raises
    ------
    InputError
        If a line is asked for that the page does not have, or that is blank.
    """
    empty = blanks(lines)
    for number in asked:
        if not 1 <= number <= len(lines):
            raise InputError(f"there is no line {number} to explain: the page has {len(lines)}")
        if empty[number - 1]:
            raise InputError(f"line {number} is blank: it takes the label of what it stands in")
    rows = [i for i, blank in enumerate(empty) if not blank]
    texts = [lines[i] for i in rows]
    if not texts:
        return []
    read = uncapitalised(texts, [len(texts)])
    scored = tagger.lines(read, [len(read)])
    scores = tagger.tag_scores(read, [len(read)])
    decoded = tagger.decoder.decode(scores, [len(texts)], tagger.transitions_)
    found = tagger.one_stretch(decoded, texts, [len(texts)])
    apart = found != decoded
    posteriors = tagger.decoder.posteriors(scores.astype(np.float64), [len(texts)], tagger.transitions_)
    lost = _lost(scores.astype(np.float64), tagger.transitions_, getattr(tagger.decoder, "weight", 0.0))
    names, places = [label for label, _ in tagger.tags_], place_types(tagger)
    of = {label: [k for k, name in enumerate(names) if name == label] for label in dict.fromkeys(names)}
    headings = _headings(tagger, found.tolist())
    explanations, rivals = [], []
    for i, k in enumerate(found):
        table = tuple(
            LabelScore(label, float(scores[i, at].max()), float(lost[i, at].max()), min(float(posteriors[i, at].sum()), 1.0))
            for label, at in of.items()
        )
        others = [j for j, name in enumerate(names) if name != names[k]]
        rivals.append(max(others, key=lambda j: posteriors[i, j]) if others else int(k))
        above = headings[i]
        explanation = LineExplanation(
            number=rows[i] + 1,
            text=texts[i],
            label=names[k],
            role=tagger.labels.printed(tagger.tags_[k][1]),
            confidence=next(row.posterior for row in table if row.label == names[k]),
            alone=tuple(sorted(zip(tagger.types_, scored.scores[i].tolist(), strict=True), key=lambda pair: -pair[1])),
            labels=table,
            best=places[int(scores[i].argmax())],
            decoded=places[k],
            shared=tuple(dict.fromkeys(name for name, place in zip(names, places, strict=True) if place == places[k])),
            heading=None if above is None else (rows[above] + 1, texts[above].strip()),
            apart=bool(apart[i]),
        )
        explanations.append(explanation)
    chosen = [i for i, e in enumerate(explanations) if e.doubtful or e.number in asked]
    pairs = [(int(found[i]), rivals[i]) for i in chosen]
    by_line = line_evidence(tagger, [read[i] for i in chosen], pairs)
    by_place = place_evidence(tagger, scored, chosen, pairs)
    for i, alone, in_place in zip(chosen, by_line, by_place, strict=True):
        explanations[i] = replace(explanations[i], line_evidence=alone, place_evidence=in_place)
    return explanations


def explain_for(
    tagger: LineTagger, lines: Sequence[str], explain: bool | int, whole: bool = False
) -> tuple[LineExplanation, ...]:
    """The explanations that an output shows.

    Parameters
    ----------
    explain : bool or int
        True for every doubtful line, a number for that line.
    whole : bool
        All lines instead, with what spoke for and against the doubtful ones, the one asked for and, on a page of up to
        `WHOLE_PAGE` lines, every other.

    Raises
    ------
    InputError
        As of `explain_page`.
    """
    asked = () if isinstance(explain, bool) else (explain,)
    if whole:
        every = [i for i, blank in enumerate(blanks(lines), 1) if not blank] if len(lines) <= WHOLE_PAGE else []
        return tuple(explain_page(tagger, lines, {*asked, *every}))
    found = explain_page(tagger, lines, asked)
    return tuple(e for e in found if (e.number in asked if asked else e.doubtful))


def _lost(scores: Floats, transitions: Transitions, weight: float) -> Floats:
    """How far the best sequence through each tag of each line of a page stays behind the best of all, shape (lines, tags).

    >>> free = Transitions.none(2)
    >>> _lost(np.array([[3.0, 1.0], [0.0, 0.5]]), free, 1.0).tolist()
    [[0.0, -2.0], [-0.5, 0.0]]
    """
    between = weight * transitions.between
    ahead, behind = np.empty_like(scores), np.empty_like(scores)
    ahead[0], behind[-1] = scores[0] + weight * transitions.start, weight * transitions.stop
    for t in range(1, len(scores)):
        ahead[t] = scores[t] + (ahead[t - 1][:, None] + between).max(axis=0)
    for t in range(len(scores) - 2, -1, -1):
        behind[t] = (between + scores[t + 1] + behind[t + 1]).max(axis=1)
    through = ahead + behind
    return np.asarray(through - through.max(axis=1, keepdims=True))


def _headings(tagger: LineTagger, found: Sequence[int]) -> list[int | None]:
    """For each line of a block the nearest heading of its label above it, where neither article text nor another heading stands between.

    The second of two tab headings does stand between: the list of the first follows it, and its own follows that list.
    """
    labels = tagger.labels
    ends = (labels.body, labels.rest)
    above: dict[str, int] = {}
    result: list[int | None] = []
    for i, (label, role) in enumerate(tagger.tags_[k] for k in found):
        if label in ends:
            above = {}
        elif labels.opens(role):
            above = {**(above if role in labels.echoes else {}), label: i}
            result.append(None)
            continue
        result.append(above.get(label))
    return result
