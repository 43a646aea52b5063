import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pilah.model_file
from pilah.decoding import Argmax, Transitions
from pilah.features import FACTS, Facts, LineScorer, Words
from pilah.labels import LabelSet
from pilah.tagger import LineTagger, TaggedLine
from pilah.training.corpus import Dump
from pilah.training.evaluate import score
from pilah.training.findings import (
    BIASES,
    Result,
    body_curve,
    label_scores,
    mistakes,
    pairs_of,
    reliability,
    shipped_scores,
    telling,
)
from pilah.training.run import evaluate

TWO = LabelSet("two", ["body", "related"])


def result(*dumps: tuple[str, list[tuple[str, str, float]]]) -> Result:
    """A result from (name, rows of gold label, predicted label, confidence)."""
    made = [Dump(n, tuple(f"baris {i}" for i, _ in enumerate(rows)), tuple((g, ".") for g, _, _ in rows)) for n, rows in dumps]
    tagged = [[TaggedLine(said, ".", sure) for _, said, sure in rows] for _, rows in dumps]
    return made, tagged, score([(d.labels, [t.label for t in lines]) for d, lines in zip(made, tagged, strict=True)])


class Scored(LineTagger):
    """A tagger whose scores are given: a line's text is its score of body, related always scores 0."""

    def __init__(self, body_bias: float = 0.0) -> None:
        super().__init__(TWO, {}, None, None, Argmax(), body_bias)
        self.tags_ = (("body", "."), ("related", "."))
        self.transitions_ = Transitions.none(2)

    def tag_scores(self, flat: Any, lengths: Any) -> Any:
        return np.array([[float(line) + self.body_bias, 0.0] for line in flat], np.float32).reshape(-1, 2)


def test_precision_counts_what_was_said_and_recall_what_is_there() -> None:
    found = label_scores(
        result(("a", [("body", "body", 1.0), ("body", "related", 1.0), ("related", "related", 1.0)])), TWO.names
    )
    # body: said once, rightly; there twice. related: said twice, once rightly; there once
    assert [(row.label, row.precision, row.recall, row.f1, row.gold, row.said) for row in found] == [
        ("body", 1.0, 0.5, pytest.approx(2 / 3), 2, 1),
        ("related", 0.5, 1.0, pytest.approx(2 / 3), 1, 2),
    ]


def test_a_label_that_was_never_said_has_no_precision_and_one_that_never_occurs_has_no_row() -> None:
    found = label_scores(result(("a", [("body", "related", 1.0)])), ["body", "related", "pick"])
    assert [row.label for row in found] == ["body", "related"]
    assert math.isnan(found[0].precision) and math.isnan(found[1].recall)


@given(st.lists(st.tuples(st.sampled_from("abc?"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_f1_per_label_is_that_of_the_scores(rows: list[tuple[str, str]]) -> None:
    made = result(("a", [("c", "c", 0.5), *((gold, said, 0.5) for gold, said in rows)]))
    found = {row.label: row.f1 for row in label_scores(made, ["a", "b", "c"]) if row.gold}
    assert found == pytest.approx(made[2].per_label)


def test_lines_are_grouped_by_confidence_and_the_gap_is_averaged_over_lines() -> None:
    rows = [("body", "body", 0.92), ("body", "related", 0.94), ("body", "body", 0.6), ("?", "body", 0.1)]
    found = reliability(result(("a", rows)))
    # 0.6 alone: all right, gap 0.4; 0.92 and 0.94: mean 0.93, half of them right, gap 0.43; an undecided line is no line
    assert found.confidence == pytest.approx((0.6, 0.93))
    assert found.accuracy == pytest.approx((1.0, 0.5))
    assert found.lines == (1, 2)
    assert found.error == pytest.approx((0.4 + 2 * 0.43) / 3)


def test_a_set_of_undecided_lines_alone_has_no_reliability() -> None:
    dumps, tagged, scores = result(("a", [("body", "body", 0.9)]))
    undecided = [Dump("a", dumps[0].lines, (("?", "."),))]
    assert reliability((undecided, tagged, scores)).lines == ()


def test_the_curve_of_body_keeps_more_lines_the_higher_the_bias() -> None:
    lines, labels = ["1.5", "-0.5", "", "-2.5", "-1.5"], ["body", "body", "body", "related", "?"]
    found = {p.bias: p for p in body_curve(Scored(), [Dump("a", tuple(lines), tuple((label, ".") for label in labels))])}
    assert set(found) == set(BIASES)
    # the blank and the undecided line do not count: of two body lines and one other ...
    assert (found[0.0].precision, found[0.0].recall) == (1.0, 0.5)  # ... one is above 0,
    assert (found[1.0].precision, found[1.0].recall) == (1.0, 1.0)  # both are above -1,
    assert (found[4.0].precision, found[4.0].recall) == (pytest.approx(2 / 3), 1.0)  # all are above -4,
    assert found[-2.0].recall == 0.0 and math.isnan(found[-2.0].precision)  # none is above 2


def test_the_curve_holds_the_configured_bias_and_does_not_depend_on_it() -> None:
    dumps = [Dump("a", ("1.5", "-0.4"), (("body", "."), ("body", ".")))]
    plain, biased = body_curve(Scored(), dumps), body_curve(Scored(0.5), dumps)
    assert [(p.bias, p.recall) for p in biased if p.bias != 0.5] == [(p.bias, p.recall) for p in plain]
    assert [p.recall for p in biased if p.bias == 0.5] == [1.0]  # -0.4 + 0.5 > 0


def test_the_curve_meets_the_scores_at_the_configured_bias(tagger: LineTagger) -> None:
    from conftest import toy_pages

    dumps = [Dump(f"{i}", tuple(page), tuple(tags)) for i, (page, tags) in enumerate(zip(*toy_pages(5, 500), strict=True))]
    point = next(p for p in body_curve(tagger, dumps) if p.bias == tagger.body_bias)
    body = label_scores(evaluate(tagger, dumps), tagger.labels.names)[0]
    assert (point.precision, point.recall) == (body.precision, body.recall)


def test_without_a_body_there_is_no_curve() -> None:
    assert body_curve(Scored(), [Dump("a", ("1",), (("related", "."),))]) == []


def test_telling_pieces_are_ranked_by_weight_times_idf_in_their_own_part() -> None:
    words = Words()
    words.vocabulary_, words.idf_ = {"terkait": 0, "dan": 1, "hujan": 2}, np.array([2.0, 1.0, 1.0], np.float32)
    coef = np.zeros((1, 3 + len(FACTS)), np.float32)
    coef[0, :4] = [1.0, 1.5, -3.0, 4.0]  # terkait 1 * 2, dan 1.5 * 1, hujan -3 * 1; the first fact 4 * its scale of 0.5
    made = Scored()
    made.types_, made.scorer_ = (
        ("related/heading",),
        LineScorer({"words": words, "facts": Facts(0.5)}, coef, np.zeros(1, np.float32)),
    )
    by_words, by_facts = telling(made, most=2)
    assert (by_words.kind, by_words.part, by_facts.part) == ("related/heading", "words", "facts")
    assert by_words.in_favour == (("terkait", 2.0), ("dan", 1.5))
    assert by_words.against == (("hujan", -3.0),)
    assert by_facts.in_favour == ((FACTS[0], 2.0),) and by_facts.against == ()


def test_a_model_from_disk_tells_what_it_told_before(tagger: LineTagger, model_dir: Any) -> None:
    loaded = telling(pilah.model_file.load_model(str(model_dir)))
    for before, after in zip(telling(tagger), loaded, strict=True):
        assert (before.kind, before.part) == (after.kind, after.part)
        assert [w for _, w in before.in_favour] == pytest.approx([w for _, w in after.in_favour], rel=1e-3)


def test_a_mistake_is_shown_in_the_dump_it_stands_in_though_two_share_a_name() -> None:
    right, wrong = [("body", "body", 0.9)], [("body", "body", 0.9), ("related", "body", 0.8), ("body", "body", 0.9)]
    (found,) = mistakes(result(("sama", right), ("sama", wrong)), most=5, around=1)
    assert (found.dump, found.n, found.gold, found.said) == ("sama", 2, "related", "body")
    assert found.context == (
        (1, "body", "body", "baris 0"),
        (2, "related", "body", "baris 1"),
        (3, "body", "body", "baris 2"),
    )


def test_the_shipped_model_is_scored_on_the_same_sets(tagger: LineTagger, model_dir: Any, monkeypatch: Any) -> None:
    from conftest import toy_pages

    dumps = [Dump(f"{i}", tuple(page), tuple(tags)) for i, (page, tags) in enumerate(zip(*toy_pages(3, 700), strict=True))]
    found = evaluate(tagger, dumps)
    monkeypatch.setattr(pilah.model_file, "SHIPPED", model_dir.parent)
    assert shipped_scores(tagger.labels, {"toys": found}, model_dir.name) == {"toys": score(pairs_of(found))}
    other = shipped_scores(TWO, {"toys": found}, model_dir.name)
    assert isinstance(other, str) and "it has other labels (body, related, popular" in other


def test_without_a_shipped_model_or_with_a_damaged_one_a_sentence_says_so(
    model_dir: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(pilah.model_file, "SHIPPED", tmp_path)
    none = "Not compared with the shipped model: none comes with this copy under the name 'default'."
    assert shipped_scores(TWO, {}) == none
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "card.json").write_bytes((model_dir / "card.json").read_bytes())
    (tmp_path / "default" / "arrays.npz").write_bytes(b"cut off")
    assert "is damaged" in str(shipped_scores(TWO, {}))
