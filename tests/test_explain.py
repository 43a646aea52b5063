"""Why a line has its label: told as it was decided, not as it might have been."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from conftest import toy_page, toy_pages, toy_tagger
from hypothesis import given
from hypothesis import strategies as st

from pilah.batch import Options, predict
from pilah.decoding import Argmax, Transitions, Viterbi
from pilah.explain import DOUBTFUL, LineExplanation, _headings, _lost, explain_for, explain_page
from pilah.features import LineScorer, Words
from pilah.labels import LabelSet
from pilah.page import InputError
from pilah.tagger import LineTagger

LABELS = LabelSet("two", ["body", "related"], {"body": ["paragraph"], "related": ["heading", "headline"]})
PAGE = ["Terkait", "hujan"]
LINES = [  # like those that the toy tagger learned
    "Warga Kampung Melati Tanam Seribu Pohon di Tepi Kali Wening",
    "Penulis: Ratna Suminar",
    "Nelayan Teluk Sagara mengatakan bahwa rencana itu sudah disepakati dalam rapat desa, dan pekan depan mereka panen lebih awal bersama.",
    "Terpopuler",
    "-",
    "Siswa SMP Tirtamulya Gelar Lomba Perahu Jelang Musim Hujan",
    "-",
    "Petani Cabai Randuasri Bangun Jembatan Bambu di Lereng Gunung Sepuh",
]


def by_hand(decoder: object = None) -> LineTagger:
    """Two words that matter: 'terkait' says heading (2.0), 'hujan' paragraph (1.0) rather than headline (0.5). Nothing but a headline
    may follow a heading (else -3)."""
    words = Words(power=0.0)  # to the power 0: a line is not divided by anything
    words.vocabulary_, words.idf_ = {"terkait": 0, "hujan": 1}, np.ones(2, np.float32)
    scorer = LineScorer({"words": words}, np.array([[0, 1], [2, 0], [0, 0.5]], np.float32), np.zeros(3, np.float32))
    tagger = LineTagger(LABELS, {"words": words}, None, None, decoder or Viterbi())
    tagger.tags_ = LABELS.tags
    tagger.types_ = ("body/paragraph", "related/heading", "related/headline")
    tagger.scorer_ = scorer
    between = np.zeros((3, 3))
    between[1] = [-3, -3, 0]
    tagger.transitions_ = Transitions(between, np.zeros(3), np.zeros(3))
    return tagger


def test_a_page_in_capitals_is_explained_as_it_was_read(tagger: LineTagger) -> None:
    every = range(1, len(LINES) + 1)
    large, small = (explain_page(tagger, [change(line) for line in LINES], every) for change in (str.upper, str.lower))
    assert all(e.line_evidence for e in large)
    assert [e.text for e in large] == [line.upper() for line in LINES]
    for one, other in zip(large, small, strict=True):
        assert replace(one, text="", heading=None) == replace(other, text="", heading=None)


def test_what_the_decoder_changed_is_said_with_the_heading_that_made_it() -> None:
    heading, line = explain_page(by_hand(), PAGE)
    assert (heading.label, heading.role, heading.heading, heading.best) == ("related", "heading", None, heading.decoded)
    assert heading.decision == "kept related/heading, which had the best score"
    assert (line.label, line.role, line.heading) == ("related", "headline", (1, "Terkait"))
    assert (line.best, line.decoded) == ("body/paragraph", "related/headline")
    assert line.decision == "changed body/paragraph, which had the best score, to related/headline, under the heading in line 1"


def test_a_label_is_scored_before_and_after_the_decoder() -> None:
    """Line 2 by itself: body 1.0, related 0.5. The page: heading then headline, 2.0 + 0.5 = 2.5. With a body line 2: two paragraphs,
    0 + 1.0 = 1.0 (the heading would cost 3); so body loses 1.5."""
    body, related = explain_page(by_hand(), PAGE)[1].labels
    assert (body.label, body.before, body.after) == ("body", 1.0, -1.5)
    assert (related.label, related.before, related.after) == ("related", 0.5, 0.0)


def test_without_a_chain_nothing_is_changed() -> None:
    line = explain_page(by_hand(Argmax()), PAGE)[1]
    assert (line.label, line.decision) == ("body", "kept body/paragraph, which had the best score")
    assert [row.after for row in line.labels] == [0.0, -0.5]


def test_a_line_without_second_pass_has_evidence_for_itself_alone() -> None:
    line = explain_page(by_hand(), PAGE, asked=[2])[1]
    assert [(e.kind, e.score) for e in line.line_evidence] == [("related/headline", 0.5), ("body/paragraph", 1.0)]
    assert line.place_evidence == ()


SCORES = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.floats(-5, 5, width=16), min_size=3, max_size=3), min_size=n, max_size=n)
)


@given(SCORES, st.lists(st.floats(-5, 5, width=16), min_size=15, max_size=15), st.sampled_from([0.0, 0.5, 1.0]))
def test_what_the_page_would_lose_is_the_best_of_all_sequences(
    rows: list[list[float]], moves: list[float], weight: float
) -> None:
    scores, moved = np.array(rows), np.array(moves)
    transitions = Transitions(moved[:9].reshape(3, 3), moved[9:12], moved[12:])
    best = np.full(scores.shape, -np.inf)
    for sequence in product(range(3), repeat=len(scores)):
        value = sum(scores[i, k] for i, k in enumerate(sequence))
        value += weight * (transitions.start[sequence[0]] + transitions.stop[sequence[-1]])
        value += weight * sum(transitions.between[a, b] for a, b in pairwise(sequence))
        for i, k in enumerate(sequence):
            best[i, k] = max(best[i, k], value)
    assert np.allclose(_lost(scores, transitions, weight), best - best.max(), atol=1e-9)


@pytest.mark.parametrize("seed", [50, 51, 52])
def test_an_explanation_says_what_the_tagger_said(tagger: LineTagger, seed: int) -> None:
    lines = toy_page(seed)[0]
    for e, tagged in zip(explain_page(tagger, lines), tagger.tag([lines])[0], strict=True):
        assert (e.label, e.role, e.confidence) == (tagged.label, tagged.role, pytest.approx(tagged.confidence))
        assert sum(row.posterior for row in e.labels) == pytest.approx(1)
        assert max(row.after for row in e.labels) == pytest.approx(0, abs=1e-4)
        assert next(row.after for row in e.labels if row.label == e.label) == pytest.approx(0, abs=1e-4)
        assert [score for _, score in e.alone] == sorted((score for _, score in e.alone), reverse=True)
        assert (e.label in e.shared) and (e.best != e.decoded or e.decision.startswith("kept"))


def test_lines_of_a_block_hang_on_the_heading_above_them(tagger: LineTagger) -> None:
    explained = explain_page(tagger, LINES)
    assert [e.label for e in explained if e.role == "heading"]
    for i, e in enumerate(explained):
        wanted = None
        if e.label != "body" and e.role != "heading":
            above = next((x for x in reversed(explained[:i]) if x.label == "body" or x.role == "heading"), None)
            wanted = (above.number, above.text) if above and above.label == e.label else None
        assert e.heading == wanted


@pytest.mark.parametrize(
    ("sequence", "above"),
    [
        ("H h h B h", [None, 0, 0, None, None]),  # the article ends a block
        ("H h P p h", [None, 0, None, 2, None]),  # another heading ends what was above it
        ("H T h p p", [None, None, 0, 1, 1]),  # two tabs and then both lists, each under its own
        ("h H h H h", [None, None, 1, None, 3]),
    ],
)
def test_the_heading_a_line_hangs_on(sequence: str, above: list[int | None]) -> None:
    roles = {"body": ["paragraph"], "related": ["heading", "headline"], "popular": ["heading", "tab_related", "headline"]}
    labels = LabelSet("three", ["body", "related", "popular"], roles, echoes={"tab_related": "heading"})
    kinds = {
        "B": ("body", "paragraph"), "H": ("related", "heading"), "h": ("related", "headline"),
        "P": ("popular", "heading"), "T": ("popular", "tab_related"), "p": ("popular", "headline"),
    }  # fmt: skip
    tagger = LineTagger(labels, {}, None)
    tagger.tags_ = labels.tags
    assert _headings(tagger, [labels.tags.index(kinds[c]) for c in sequence.split()]) == above


def test_labels_that_share_a_score_are_named() -> None:
    tagger = toy_tagger("context.by_label=false").fit(*toy_pages(40))
    e = explain_page(tagger, LINES)[-1]
    assert (e.label, e.role, e.decoded) == ("popular", "headline", "headline")
    assert len(e.shared) > 1
    shared = [row.before for row in e.labels if row.label in e.shared]
    assert max(shared) == pytest.approx(min(shared))
    if e.best == e.decoded:
        assert f"of the labels that share it ({', '.join(e.shared)}) chose popular, under the heading in line 4" in e.decision


def test_only_doubtful_lines_and_those_asked_for_are_taken_apart(tagger: LineTagger) -> None:
    lines = [*LINES, "Zzz", "12 / 7"]
    explained = explain_page(tagger, lines, asked=[3])
    assert [e.number for e in explained if e.line_evidence] == [e.number for e in explained if e.doubtful or e.number == 3]
    assert explained[2].place_evidence
    assert all(e.doubtful == (e.confidence < DOUBTFUL) for e in explained)


def test_numbers_are_those_of_the_dump_and_blank_lines_have_none(tagger: LineTagger) -> None:
    lines = ["", *LINES[:3], "   ", LINES[3]]
    assert [e.number for e in explain_page(tagger, lines)] == [2, 3, 4, 6]
    assert explain_page(tagger, ["", " "]) == []


@pytest.mark.parametrize(
    ("number", "say"), [(0, "no line 0"), (4, "no line 4 to explain: the page has 3"), (2, "line 2 is blank")]
)
def test_a_line_that_cannot_be_explained_is_said(number: int, say: str) -> None:
    with pytest.raises(InputError, match=say):
        explain_page(by_hand(), ["Terkait", " ", "hujan"], asked=[number])


def test_an_output_shows_what_was_asked_for(tagger: LineTagger) -> None:
    lines = [*LINES, "Zzz"]
    every = explain_page(tagger, lines)

    def numbers(found: tuple[LineExplanation, ...]) -> list[int]:
        return [e.number for e in found]

    assert numbers(explain_for(tagger, lines, True)) == [e.number for e in every if e.doubtful]
    assert numbers(explain_for(tagger, lines, 4)) == [4]
    whole = explain_for(tagger, lines, False, whole=True)
    assert numbers(whole) == [e.number for e in every]
    assert all(e.line_evidence for e in whole)


def test_every_line_of_a_long_page_is_explained_and_the_doubtful_ones_are_taken_apart(tagger: LineTagger) -> None:
    lines = LINES * 20
    found = explain_for(tagger, lines, 7, whole=True)
    assert len(found) == len(lines) > 150
    assert {e.number for e in found if e.line_evidence} == {7} | {e.number for e in found if e.doubtful}


@pytest.mark.parametrize("wrong", [0, -3, "many", 1.5, None])
def test_explain_is_a_truth_or_the_number_of_a_line(wrong: object) -> None:
    with pytest.raises(InputError, match="explain must be true, false or the number of a line"):
        Options(explain=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("output", ["json", "labels", "markdown", "body", "jsonl"])
def test_explanations_are_refused_where_an_output_has_no_place_for_them(output: str) -> None:
    with pytest.raises(InputError, match=f"not by output={output}"):
        Options(explain=True, output=output)


def test_predict_explains_the_line_that_was_asked_for(
    model_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "dump.txt"
    dump.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    assert predict([str(dump)], Options(model=str(model_dir), explain=4)) == 0
    shown = capfd.readouterr().out
    assert next(row for row in shown.splitlines() if row.startswith("Line ")).startswith("Line 4: ")
    assert shown.count("The decoder ") == 1
    assert predict([str(dump)], Options(model=str(model_dir), explain=40)) == 2
    assert "there is no line 40 to explain: the page has 8" in capfd.readouterr().err
    assert predict([str(dump)], Options(model=str(model_dir), output="html", output_dir=str(tmp_path / "out"))) == 0
    assert (tmp_path / "out" / "dump.html").read_text(encoding="utf-8").count("The decoder ") == len(LINES)


def test_body_that_stands_apart_from_the_article_is_said_to() -> None:
    labels = LabelSet("two", ["body", "other"], {"body": ["paragraph"]})
    tagger = by_hand(Argmax())
    tagger.labels, tagger.tags_, tagger.types_ = labels, labels.tags, ("body/paragraph", "other/.")
    tagger.scorer_ = LineScorer(tagger.scorer_.parts, np.array([[0, 1], [1, 0]], np.float32), np.zeros(2, np.float32))
    tagger.transitions_ = Transitions.none(2)
    tagger.set_params(body_gap=4.0)
    # 'hujan' is body, 5 characters, 'terkait' is not: 5 + 5 are more than 5 - 4 - 4 + 5 + 5
    first, _, _, *article = explain_page(tagger, ["hujan", "terkait", "terkait", "hujan", "hujan"])
    assert (first.label, first.best, first.apart) == ("other", "body/paragraph", True)
    assert first.decision == "said other, since it stands apart from the article that the page has"
    assert [(line.label, line.apart) for line in article] == [("body", False)] * 2
