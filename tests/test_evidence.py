"""Scores taken apart: whatever is shown adds up to what was decided by."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_explain import LINES

from pilah.columns import Lines, page_feature_names, page_features
from pilah.evidence import Contribution, Group, line_evidence, place_evidence, place_types
from pilah.features import FACTS
from pilah.tagger import LineTagger

PIECES = st.sampled_from(
    [*LINES, "", "10:42 WIB", "10:31 WIB", "10:15 WIB", "... !!", "雨が降る。", "ini: itu", "(a/b)", "12", "x>y (log)"]
)
PAGES = st.lists(st.one_of(PIECES, st.text(st.characters(exclude_categories=["Cs"]), max_size=40)), min_size=1, max_size=6)


def near(found: float, wanted: float) -> bool:
    """Equal but for the single precision that scores are computed in."""
    return abs(found - wanted) < 1e-3 * max(1.0, abs(wanted))


@settings(max_examples=25)
@given(texts=PAGES)
@example(texts=["Terpopuler"])
@example(texts=["\x1b[31m\x00", "\ud7ff" * 50])
def test_contributions_of_a_line_add_up_to_its_first_pass_score(tagger: LineTagger, texts: list[str]) -> None:
    scores = tagger.scorer_.score(texts)[0]
    every = list(range(len(tagger.tags_)))
    for row, evidence in zip(scores, line_evidence(tagger, texts, [every] * len(texts)), strict=True):
        assert {e.kind for e in evidence} <= set(tagger.types_)
        for e in evidence:
            assert near(e.score, row[tagger.types_.index(e.kind)])
            assert near(sum(c.amount for group in e.groups for c in group.contributions), e.score)


@settings(max_examples=25)
@given(texts=PAGES.filter(lambda texts: any(text.strip() for text in texts)), bias=st.sampled_from([0.0, 1.5, -0.5]))
def test_contributions_of_a_place_add_up_to_its_second_pass_score(tagger: LineTagger, texts: list[str], bias: float) -> None:
    texts = [text for text in texts if text.strip()]
    before = tagger.body_bias
    tagger.set_params(body_bias=bias)
    try:
        scores = tagger.tag_scores(texts, [len(texts)])
        one_each = {place: k for k, place in reversed(list(enumerate(place_types(tagger))))}
        numbers = list(one_each.values())
        found = place_evidence(tagger, tagger.lines(texts, [len(texts)]), range(len(texts)), [numbers] * len(texts))
    finally:
        tagger.set_params(body_bias=before)
    for row, evidence in zip(scores, found, strict=True):
        for k, e in zip(numbers, evidence, strict=True):
            place = place_types(tagger)[k]
            assert e.kind == (place if "/" in place else f"{place} of {tagger.tags_[k][0]}")
            assert near(e.score, row[k])


def toy_lines(texts: list[str], tagger: LineTagger) -> Lines:
    return tagger.lines(texts, [len(texts)])


@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_every_column_of_the_page_features_has_a_name(tagger: LineTagger, window: int) -> None:
    lines = toy_lines(LINES, tagger)
    names, columns = page_feature_names(tagger.types_, lines.groups, window), page_features(lines, window).T
    assert len(names) == len(columns)
    first = dict(zip(reversed(names), columns[::-1], strict=True))
    assert all((first[name] == column).all() for name, column in zip(names, columns, strict=True))  # one name, one meaning


def test_columns_hold_what_their_names_say(tagger: LineTagger) -> None:
    texts = ["Terkini:", "1", "Panen Raya di Randuasri", "2", "Terkini:", "10:42 WIB"]
    lines = toy_lines(texts, tagger)
    names = page_feature_names(tagger.types_, lines.groups, 2)
    column = dict(zip(names, page_features(lines, 2).T.tolist(), strict=True))
    colon, time = lines.facts[:, FACTS.index("ends in colon")].tolist(), FACTS.index("a time")
    assert colon == [1, 0, 0, 0, 1, 0]
    assert column["this line: ends in colon"] == colon
    assert column["1 above: ends in colon"] == [0, *colon[:-1]]
    assert column["2 below: ends in colon"] == [*colon[2:], 0, 0]
    assert column["lines above>2"] == [0, 0, 0, 1, 1, 1]
    assert column["lines below>4"] == [1, 0, 0, 0, 0, 0]
    assert column["stood here before"] == [0, 0, 0, 0, 1, 0]
    assert column["stands here again"] == [1, 0, 0, 0, 0, 0]
    assert column["numbered one"] == [0, 1, 0, 0, 0, 0]
    assert column["between two numbers"][2] == 1
    shares = [sum(lines.facts[i + 1 : i + 5, time]) / 4 for i in range(6)]
    assert column["next 4 lines: a time"] == shares
    assert column["always"] == [1] * 6


def test_the_strongest_come_first_and_tiny_ones_not_at_all() -> None:
    group = Group("words", tuple(Contribution(n, 1.0, a) for n, a in [("a", 2.0), ("b", -1.5), ("c", 1.0), ("d", 0.001)]))
    assert [c.name for c in group.strongest(5)] == ["a", "c"]
    assert [c.name for c in group.strongest(1)] == ["a"]
    assert [c.name for c in group.strongest(5, against=True)] == ["b"]
    assert group.total == pytest.approx(1.501)


def test_a_word_weighs_what_the_model_says(tagger: LineTagger) -> None:
    """One word alone: its TF-IDF value is its idf, divided by its idf to the power of the part."""
    start = 0
    for name, part in tagger.scorer_.parts.items():
        if name == "words":
            break
        start += len(part.get_feature_names_out())
    column, headline = part.vocabulary_["warga"], tagger.types_.index("headline")
    tag = next(k for k, place in enumerate(place_types(tagger)) if place == "headline")
    evidence = line_evidence(tagger, ["Warga!"], [[tag]])[0][0]
    (word,) = next(group for group in evidence.groups if group.name == "words").contributions
    assert (word.name, word.value) == ("warga", pytest.approx(part.idf_[column] ** (1 - part.power), rel=1e-4))
    assert word.amount == pytest.approx(float(tagger.scorer_.coef[headline, start + column]) * word.value, rel=1e-4)
