"""Words by their hashes are the words themselves: nothing is confused, and nothing that is known is missed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.features import Characters, Edges, Phrases, Words, attribute_rows
from pilah.hashed import HashTable, Stretches, hashed_words, hashes_of, joined, joined_runs
from pilah.params import Params

WORDS = [
    "Warga",
    "(Kampung",
    "Melati:",
    "10:45",
    "1.",
    "-",
    "::",
    "İstanbul",
    "İ",
    "ΑΣ",
    "٣٤",
    "²",
    "“Hujan,”",
    "Ⓐ",
    "x" * 900,
    "雨が",
]
words = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text(max_size=8)).map(lambda text: "".join(text.split())).filter(bool), max_size=12
)
KNOWN = [*WORDS, "Warga Kampung Melati", "Baca juga: Hujan", "- Melati", "(Kampung) Melati:"] * 3


@pytest.mark.parametrize("part", [Words(), Characters(), Edges()], ids=lambda part: type(part).__name__)
@given(found=words)
def test_what_is_looked_up_by_hash_is_what_is_looked_up_as_a_string(part: Params, found: list[str]) -> None:
    answers = []
    for limit in (10**9, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pilah.features.FEW", limit)
            fitted = type(part)(**part.get_params()).fit(KNOWN)  # type: ignore[attr-defined]
            answers.append(_asked(fitted, [*found, *WORDS]))
    np.testing.assert_array_equal(*answers)


def _asked(part: Params, found: list[str]) -> np.ndarray:
    few = Stretches.of([word[:400] for word in found])
    if isinstance(part, Edges):
        return part.projected(few, np.arange(1.0, len(part.vocabulary_) + 1, dtype=np.float32)[:, None])
    return part.counts(few).toarray()  # type: ignore[attr-defined]


@given(words)
def test_a_line_that_is_a_known_phrase_has_only_words_that_phrases_hold(found: list[str]) -> None:
    part = Phrases(max_words=4, min_df=1).fit([" ".join(found), *KNOWN])
    for line in (" ".join(found), *KNOWN):
        if line and part.analyze(line):
            assert part.holds(Stretches.of([word[:400] for word in line.split()])).all()


@given(words)
def test_attributes_of_a_word_do_not_hang_on_the_words_around_it(found: list[str]) -> None:
    together = attribute_rows(Stretches.of(found))
    for word, row in zip(found, together, strict=True):
        np.testing.assert_array_equal(attribute_rows(Stretches.of([word]))[0], row)


@given(st.text(max_size=6), st.text(max_size=6))
def test_the_hash_of_two_texts_in_a_row_follows_from_theirs(head: str, tail: str) -> None:
    heads, tails, both = (hashes_of([text]) for text in (head, tail, head + tail))
    assert joined(heads, np.array([len(head)]), tails) == both


@given(st.sets(st.text(max_size=5), max_size=40), st.lists(st.text(max_size=5), max_size=10))
def test_a_table_finds_what_was_put_into_it_and_nothing_else(known: set[str], others: list[str]) -> None:
    texts = sorted(known)
    asked = [*texts, *others]
    expected = [texts.index(text) + 1 if text in known else 0 for text in asked]
    assert HashTable.of(texts).find(hashes_of(asked)).tolist() == expected


@given(st.lists(st.one_of(words.map(" ".join), st.text()), max_size=8))
def test_words_as_numbers_are_the_words_that_split_finds(lines: list[str]) -> None:
    codes, starts, stops, hashes, ends = hashed_words(lines)
    words = ["".join(map(chr, codes[i:j])) for i, j in zip(starts, stops, strict=True)]
    assert [words[i:j] for i, j in pairwise(ends)] == [line.split() for line in lines]
    assert len(set(hashes.tolist())) == len(set(words)) == len(set(zip(words, hashes.tolist(), strict=True)))


def test_every_space_that_splits_a_line_is_known() -> None:
    line = "x".join(map(chr, range(1, 0x11000)))
    codes, starts, stops, *_ = hashed_words([line])
    assert ["".join(map(chr, codes[i:j])) for i, j in zip(starts, stops, strict=True)] == line.split()


@given(st.lists(st.lists(st.sampled_from(["Warga", "Desa", "Sawah", "a", "b", "ab", "ba"]), max_size=4), max_size=6))
def test_lines_of_the_same_words_have_one_hash_and_others_have_another(rows: list[list[str]]) -> None:
    lines = ["  ".join(words) for words in rows]
    _, _, _, hashes, ends = hashed_words(lines)
    keys = joined_runs(hashes, ends).tolist()
    assert len(keys) == len(rows)
    assert [[a == b for b in rows] for a in rows] == [[a == b for b in keys] for a in keys]
