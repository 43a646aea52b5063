"""Feature parts: both ways of scoring a line agree, and the table stays bounded."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from pilah.features import (
    FACTS,
    MAX_LINE_CHARS,
    Characters,
    Facts,
    LineScorer,
    Phrases,
    Words,
    WordTable,
    attribute_rows,
    line_facts,
)
from pilah.hashed import Stretches, hashed_words, joined_runs
from pilah.tagger import LineTagger

KNOWN = ["Warga", "Kampung", "Melati", "Terkini", "-", "10:45", "WIB", "Penulis:", "1.", "bambu,", "rapat"]
# pieces that the toy model knows, between anything at all: controls, other scripts, odd spaces, words without end
LINES = st.lists(
    st.one_of(
        st.sampled_from([*KNOWN, " ", "\u2028", "\u00a0", "\t", "ß", "İ", "ΑΣ", "٣٤", "²", "x" * 900]), st.text(max_size=10)
    ),
    max_size=8,
).map(" ".join)


def facts_of(line: str) -> set[str]:
    """The names of the facts that hold of a line."""
    row = Facts().fit([]).transform([line]).toarray()[0]
    return {name for name, value in zip(FACTS, row, strict=True) if value}


# -------------------------------------------------------------------------------------- two ways, the same scores


@given(st.lists(LINES, max_size=6))
@example(["", " ", "-", "Warga Kampung Melati", "Warga Kampung Melati"])
@example(["kata " * 9000])
def test_the_word_table_scores_lines_as_the_fitted_scikit_learn_pipeline_does(tagger: LineTagger, lines: list[str]) -> None:
    scores = tagger.scorer_.score(lines)[0]
    assert scores.shape == (len(lines), len(tagger.types_))
    if not lines:
        return
    columns = tagger.line_model_[0].transform(lines)
    expected = columns @ tagger.scorer_.coef.T + tagger.scorer_.intercept  # the weights as they are kept
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(scores, expected, atol=1e-4 * scale)


def test_the_kept_weights_are_those_that_scikit_learn_found(tagger: LineTagger) -> None:
    lines = ["Warga Kampung Melati Panen Lebih Awal", "Terkini", "-", "Penulis: Ratna Suminar", "", "سوق المدينة"]
    expected = tagger.line_model_.decision_function(lines)
    # they are kept in half precision: 11 bits, so a few thousandths of the score scale after adding up
    np.testing.assert_allclose(tagger.scorer_.score(lines)[0], expected, atol=3e-3 * np.abs(expected).max())


def test_a_line_is_scored_alike_alone_and_among_others(tagger: LineTagger) -> None:
    lines = ["Terkini", "-", "Warga Kampung Melati Panen Lebih Awal", "", "Terkini"]
    together = tagger.scorer_.score(lines)[0]
    for line, row in zip(lines, together, strict=True):
        np.testing.assert_allclose(tagger.scorer_.score([line])[0][0], row, atol=1e-5)


def test_only_so_much_of_a_line_is_looked_at(tagger: LineTagger) -> None:
    long = "kata " * (MAX_LINE_CHARS // 5)
    np.testing.assert_array_equal(tagger.scorer_.score([long])[0], tagger.scorer_.score([long + "Terkini " * 1000])[0])


def test_the_number_that_a_line_begins_with_is_told() -> None:
    scorer = LineScorer({"facts": Facts().fit([])}, np.zeros((2, len(FACTS)), np.float32), np.zeros(2, np.float32))
    lines = ["3. Panen Raya", "12", "- 4", "#5 Jalan Ambles", "Panen 6", "-"]
    assert scorer.score(lines)[3].tolist() == [3, 12, 4, 5, -1, -1]


# --------------------------------------------------------------------------------------------------- the parts


def _as_characters(line: str) -> str:
    return re.sub(r"\d", "0", line.lower())


CORPUS = [
    "Harga Cabai Naik 12 Persen",
    "Harga cabai turun",
    "Café Melati, pukul 10:42",
    "a b c",
    "",
    "Hujan—reda  di\tKemuning",
    "ab ab ab",
]


def test_phrases_answer_alike_the_second_time_and_remember_no_more_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilah.features.MAX_ANSWERS", 4)
    monkeypatch.setattr("pilah.features.LINES_ASKED", 3)
    part = Phrases(min_df=1).fit(["Terkini", "Berita Terkait"])
    asked = ["terkini:", "Berita  Terkait", "Terkait", "x" * 500, "-", "TERKINI", "Berita Terkait", "terkini" + " " * 500 + ":"]
    for _ in range(3):
        assert columns_of(part, asked) == [1, 0, -1, -1, -1, 1, 0, 1]
        assert part._size <= 1 + 4 + 3
    assert columns_of(part.fit(["Terkait"]), asked) == [
        -1,
        -1,
        0,
        -1,
        -1,
        -1,
        -1,
        -1,
    ]  # what was remembered is of no use any more


def columns_of(part: Phrases, lines: list[str]) -> list[int]:
    """The columns of all lines, from their last to their first."""
    *_, hashes, ends = hashed_words(lines)
    rows = np.arange(len(lines))[::-1]
    return part.find(lines, rows, joined_runs(hashes, ends).view(np.int64)).tolist()[::-1]


@pytest.mark.parametrize(("low", "high", "min_df"), [(2, 5, 1), (1, 3, 1), (3, 3, 2), (2, 4, 2)])
def test_characters_are_what_scikit_learn_calls_char_wb(low: int, high: int, min_df: int) -> None:
    part = Characters(ngram_min=low, ngram_max=high, min_df=min_df, power=0.0).fit(CORPUS)  # power 0: not divided by anything
    peer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(low, high), min_df=min_df, norm=None, preprocessor=_as_characters
    ).fit(CORPUS)
    assert set(part.vocabulary_) == set(peer.vocabulary_)
    columns = [peer.vocabulary_[str(piece)] for piece in part.get_feature_names_out()]
    lines = [*CORPUS, "Harga beras naik lagi", "雨 cabai 99"]
    np.testing.assert_allclose(part.transform(lines).toarray(), peer.transform(lines).toarray()[:, columns], rtol=1e-5)


@given(
    st.lists(
        st.text(st.one_of(st.sampled_from("ab 1\t"), st.characters(exclude_categories=["Cs"])), max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_characters_cut_any_line_as_char_wb_does(lines: list[str]) -> None:
    part = Characters(ngram_min=2, ngram_max=4)
    analyze = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), lowercase=False).build_analyzer()
    for line in lines:
        words = " ".join(_as_characters(word) for word in line.split())
        assert sorted(part.analyze(line)) == sorted(analyze(words))


def test_words_are_lower_case_without_punctuation_and_with_all_digits_alike() -> None:
    assert Words().analyze('"Harga (Cabai)," naik 12% – Rp45.000!') == ["harga", "cabai", "naik", "00", "–", "rp00.000"]


def test_a_word_in_too_few_lines_is_not_learned() -> None:
    part = Words(min_df=2).fit(["hujan reda", "hujan turun", "turun turun"])
    assert set(part.vocabulary_) == {"hujan", "turun"}


def test_of_too_many_words_the_most_frequent_are_learned() -> None:
    part = Words(min_df=1, max_features=2).fit(["hujan hujan reda", "hujan turun", "turun di sini"])
    assert set(part.vocabulary_) == {"hujan", "turun"}  # 3 and 2 times; the others stand once


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_term_weights_are_divided_by_a_power_of_their_sum(power: float) -> None:
    part = Words(min_df=1, power=power).fit(["hujan reda", "hujan turun"])
    # smoothed idf: ln((1 + 2) / (1 + lines with it)) + 1, which is 1 for hujan and ln(1.5) + 1 for reda
    hujan, reda = 1.0, np.log(1.5) + 1
    expected = np.array([2 * hujan, reda]) / (2 * hujan + reda) ** power
    row = part.transform(["Hujan, hujan reda asing"]).toarray()[0]
    np.testing.assert_allclose([row[part.vocabulary_["hujan"]], row[part.vocabulary_["reda"]]], expected, rtol=1e-5)


@pytest.mark.parametrize("part", [Words(), Characters()], ids=["words", "characters"])
def test_a_part_that_learned_nothing_sees_nothing(part: Words | Characters) -> None:
    assert part.fit(["satu", "dua"]).transform(["satu", ""]).shape == (2, 0)


def test_fitting_and_transforming_at_once_is_the_same_as_one_after_the_other() -> None:
    part = Characters(min_df=1)
    at_once = part.fit_transform(CORPUS).toarray()
    np.testing.assert_allclose(at_once, part.transform(CORPUS).toarray(), rtol=1e-5)


# ---------------------------------------------------------------------------------------------------------- facts


def test_facts_of_a_paragraph() -> None:
    found = facts_of("Warga menolak, lalu pulang. Rapat diundur sampai pekan depan.")
    assert {"ends in stop", "a stop inside", "a comma", "first word capital", "width>52", "words>8"} <= found
    assert not {"ends in colon", "a digit", "one word", "begins with mark", "width>66"} & found


def test_facts_of_a_headline_in_capitals() -> None:
    assert {"most words capital", "first word capital"} <= facts_of("Panen Raya di Kampung Melati Randuasri Kemuning Lagi")
    assert "all capitals" in facts_of("PANEN RAYA DI RANDUASRI")
    assert "no capitals" in facts_of("panen raya di randuasri")


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("-", {"begins with mark", "mark alone", "one word", "no letters"}),
        ("3", {"begins with number", "number alone", "a digit", "no letters", "one word"}),
        ("- 3", {"begins with mark", "mark and number alone", "no letters"}),
        ("10:42 WIB", {"a time", "a digit", "short with time or date"}),
        ("Kamis 12/03/2031", {"a date", "short with time or date", "many digits"}),
        ("Berita Terkait:", {"ends in colon"}),
        ("Baca selengkapnya...", {"ends in ellipsis"}),
        ("(rsu/adi)", {"in parentheses", "a parenthesis", "one word"}),
        ("“Kami menunggu,” katanya.", {"begins with quote", "a quote", "ends in stop"}),
        ("Ekonomi | Daerah", {"a bar or sign"}),
        ("雨が降った。", {"ends in stop"}),
        ("هل عاد المطر؟", {"ends in stop"}),
        ("बारिश रुक गई।", {"ends in stop"}),
    ],
)
def test_facts_of_short_lines(line: str, facts: set[str]) -> None:
    assert facts <= facts_of(line)


@pytest.mark.parametrize("line", ["Selengkapnya...", "Selengkapnya…"])
def test_an_ellipsis_is_no_full_stop(line: str) -> None:
    assert "ends in stop" not in facts_of(line)


def test_a_blank_line_has_no_letters_and_nothing_else() -> None:
    assert facts_of("") == facts_of(" \t ") == {"no letters"}


def test_a_wide_character_is_wider_than_a_letter() -> None:
    assert "width>22" in facts_of("雨が降った後の町で")  # nine characters, two and a half each
    assert "width>22" not in facts_of("hujanreda")


def test_facts_may_weigh_more() -> None:
    assert set(Facts(scale=3.0).fit([]).transform(["Terkini"]).toarray()[0]) == {0.0, 3.0}


@given(st.lists(LINES, max_size=5))
def test_facts_are_zeros_and_ones(lines: list[str]) -> None:
    found = Facts().fit([]).transform(lines).toarray()
    assert found.shape == (len(lines), len(FACTS))
    assert set(np.unique(found)) <= {0.0, 1.0}


# ------------------------------------------------------------------------------------------------------ word table


def test_a_flood_of_new_words_does_not_make_the_table_grow_without_end() -> None:
    table = WordTable(_attributes, max_words=500)
    sizes, arrays = [], [*table.tables]
    for batch in range(60):
        table.add_up([f"kata{batch}x{i} kata{batch}y{i}" for i in range(100)])
        sizes.append(len(table))
    assert max(sizes) <= 500 + 201  # the limit and one batch (and the empty word)
    assert min(sizes[5:]) < 500
    assert all(
        one is other for one, other in zip(table.tables, arrays, strict=True)
    )  # nor is its memory given away and taken anew


def test_what_the_table_forgot_it_learns_again() -> None:
    line = "Panen Raya, pukul 10:42 di Kemuning."
    table = WordTable(_attributes, max_words=50)
    before = line_facts(*table.add_up([line])[2:6])
    for batch in range(20):
        table.add_up([f"kata{batch}x{i}" for i in range(30)])
    np.testing.assert_array_equal(line_facts(*table.add_up([line])[2:6]), before)


def test_what_came_again_is_not_forgotten_with_the_rest_as_far_as_half_of_the_room_goes() -> None:
    asked: list[str] = []

    def vectors(words: Stretches) -> list[np.ndarray]:
        asked.extend(words.texts)
        return [attribute_rows(words)]

    table = WordTable(vectors, max_words=40)
    usual = " ".join(f"kata{i}" for i in range(10))
    expected = table.add_up([usual])[2]
    for batch in range(12):  # 10 usual and 15 new words each: full after two
        np.testing.assert_array_equal(table.add_up([usual, " ".join(f"baru{batch}x{i}" for i in range(15))])[2][0], expected[0])
    assert [asked.count(word) for word in usual.split()] == [1] * 10
    crowd = " ".join(f"ramai{i}" for i in range(60))
    for _ in range(3):
        table.add_up([crowd])
    assert len(table) <= 1 + 20 + 60  # half of the room, and a batch


def test_words_that_could_not_be_learned_are_not_taken_for_known() -> None:
    full = [True]

    def vectors(words: Stretches) -> list[np.ndarray]:
        if full[0] and len(words):
            raise MemoryError
        return [attribute_rows(words)]

    table = WordTable(vectors)
    with pytest.raises(MemoryError):
        table.add_up(["Hujan reda."])
    full[0] = False
    for one, other in zip(table.add_up(["Reda, hujan."]), WordTable(_attributes).add_up(["Reda, hujan."]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_that_want_the_same_slot_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"kata{i}" for i in range(300)]
    expected = WordTable(_attributes).add_up(words)
    monkeypatch.setattr("pilah.features.hashed_words", lambda lines: _crowded(hashed_words(lines)))
    table = WordTable(_attributes)
    for some in (words[:100], words[50:], words):
        found = table.add_up(some)
    for one, other in zip(found[:-1], expected[:-1], strict=True):  # keys of lines are made of the hashes
        np.testing.assert_array_equal(one, other)


def _attributes(words: Stretches) -> list[np.ndarray]:
    return [attribute_rows(words)]


def _crowded(found: Any) -> Any:
    """The same with small numbers for hashes, which crowd in a few slots."""
    codes, starts, stops, _, ends = found
    numbers = [int("".join(map(chr, codes[i + 4 : j]))) for i, j in zip(starts, stops, strict=True)]
    return codes, starts, stops, np.array(numbers, np.uint64) * np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64)), ends


def test_a_word_is_analysed_once() -> None:
    asked: list[str] = []

    def vectors(words: Stretches) -> list[np.ndarray]:
        asked.extend(words.texts)
        return [attribute_rows(words)]

    table = WordTable(vectors)
    for _ in range(3):
        table.add_up(["hujan reda hujan", "reda"])
    assert sorted(word for word in asked if word) == ["hujan", "reda"]


def test_threads_that_share_a_tagger_score_as_one_does(tagger: LineTagger) -> None:
    """While others learn words, and forget them."""
    parts = tagger.scorer_
    scorer = LineScorer(parts.parts, parts.coef, parts.intercept)
    scorer.table = WordTable(scorer._vectors, placed=3 * parts.types, max_words=150)
    batches = [
        [f"Warga{i} Kampung{k} {k}. Melati{i}x{k} Terkini" for k in range(40)] + ["Terkini", "Berita Terkait"]
        for i in range(24)
    ]
    expected = [scorer.score(batch)[0] for batch in batches]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda batch: scorer.score(batch)[0], batches * 3))
    finally:
        sys.setswitchinterval(before)
    for one, other in zip(found, expected * 3, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
