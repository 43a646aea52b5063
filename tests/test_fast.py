"""The loops that Numba compiles give what NumPy gives, on anything; and they are used where they pay, if at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from conftest import ROOT, toy_pages
from hypothesis import given
from hypothesis import strategies as st

from pilah import fast
from pilah.columns import LABEL_COLUMNS, page_features, page_scores, tag_scores
from pilah.decoding import Transitions, forward_backward, posteriors, viterbi
from pilah.features import FEW, MAX_WORD_CHARS, LineScorer, attribute_rows
from pilah.hashed import HashTable, Stretches, hashed_words, hashes_of
from pilah.tagger import LineTagger

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="the extra `fast`, which is Numba, is not installed")

usual = st.sampled_from(["Terkini", "Baca juga: Sungai Awi Meluap", "-", "2.", "10:42 WIB", "Warga pulang ke rumah. " * 6, ""])
hostile = st.one_of(
    st.text(st.sampled_from("aB1 9.:-(\t\u2028\u3000\u0301“…新بéİΣ²"), max_size=30),
    st.text(max_size=20),
    st.just("x " * 11_000),
)
PAGES = st.lists(st.lists(usual | hostile, max_size=14), max_size=5)


@pytest.fixture(autouse=True)
def _without() -> Iterator[None]:
    yield
    fast.force(False)


@needs_numba
@given(PAGES)
def test_labels_and_scores_are_the_same_with_numba(tagger: LineTagger, pages: list[list[str]]) -> None:
    lines = [line for page in pages for line in page if line.strip()]
    lengths = [sum(bool(line.strip()) for line in page) for page in pages]
    found = []
    for on in (False, True):
        assert fast.force(on) == on
        tagger.scorer_ = LineScorer(tagger.scorer_.parts, tagger.scorer_.coef, tagger.scorer_.intercept)  # knows no word
        found.append((tagger.tag_scores(lines, lengths), tagger.predict(pages), tagger.tag(pages)))
    (plain, labels, tagged), (looped, same_labels, same_tagged) = found
    np.testing.assert_allclose(looped, plain, rtol=1e-5, atol=1e-5)
    assert labels == same_labels
    for one, other in zip((row for page in tagged for row in page), (row for page in same_tagged for row in page), strict=True):
        assert one[:2] == other[:2]
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


@needs_numba
@given(PAGES, st.integers(0, 3), st.integers(0, 9))
def test_columns_come_to_the_scores_of_their_matrix(tagger: LineTagger, pages: list[list[str]], window: int, seed: int) -> None:
    lines = tagger._lines([line for page in pages for line in page], [len(page) for page in pages])
    matrix = page_features(lines, window)
    weights = np.random.default_rng(seed).normal(0, 0.5, (matrix.shape[1], 7)).astype(np.float32)
    assert fast.force(True)
    np.testing.assert_allclose(page_scores(lines, window, weights), matrix.astype(float) @ weights, rtol=1e-5, atol=1e-5)


@needs_numba
@given(st.lists(st.integers(0, 6), max_size=5), st.integers(1, 11), st.sampled_from(["f4", "f8"]), st.integers(0, 99))
def test_chains_are_decoded_alike(lengths: list[int], tags: int, dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # whole numbers, so that many sequences are equally good: the same of them is taken
    scores = rng.integers(-3, 4, (sum(lengths), tags)).astype(dtype)
    steps = Transitions(*(rng.integers(-3, 4, shape).astype(float) for shape in ((tags, tags), tags, tags)))
    expected = viterbi(scores, lengths, steps)
    assert fast.force(True)
    np.testing.assert_array_equal(viterbi(scores, lengths, steps), expected)
    both = posteriors(scores, lengths, steps), forward_backward(scores.astype(float), lengths, steps).lines
    np.testing.assert_allclose(*both, atol=1e-6)


@needs_numba
@given(st.lists(usual | hostile, max_size=8))
def test_words_have_the_same_hashes(lines: list[str]) -> None:
    expected = hashed_words(lines)
    assert fast.force(True)
    for one, other in zip(hashed_words(lines), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_numba
def test_words_learned_without_numba_are_known_with_it_and_the_other_way_round(
    tagger: LineTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilah.features.FEW", 0)  # words are looked up by their hashes from the first on
    scorer = LineScorer(tagger.scorer_.parts, tagger.scorer_.coef, tagger.scorer_.intercept)
    lines = [line for page in toy_pages(6)[0] for line in page]
    expected = tagger.scorer_.score(lines)[0]
    sizes = []
    for on, few in ((False, lines[:20]), (True, lines), (False, lines), (True, lines)):
        assert fast.force(on) == on
        np.testing.assert_allclose(scorer.score(few)[0], expected[: len(few)], rtol=1e-6, atol=1e-5)
        sizes.append(len(scorer.table))
    assert sizes[0] < sizes[1] == sizes[2] == sizes[3]


@needs_numba
def test_numba_is_loaded_when_so_many_lines_were_labelled_and_not_before(
    tagger: LineTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast.force(None)
    monkeypatch.setattr(fast, "ENOUGH", 5)
    for _ in range(2):
        tagger.predict([["Terkini", "-"]])
        assert fast.kernels() is None
    tagger.predict([["Terkini", "-"]])
    assert fast.kernels() is not None


@needs_numba
def test_numba_is_loaded_at_once_where_one_piece_of_work_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    fast.force(None)
    monkeypatch.setattr(fast, "ENOUGH", 5)
    for lines, loaded in ((4, False), (4, False), (5, True)):  # small pieces are counted when they are labelled
        fast.expect(lines)
        assert (fast.kernels() is not None) == loaded


def test_without_numba_all_goes_on_without_it(tagger: LineTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pilah.kernels", None)  # importing it is an ImportError
    monkeypatch.delattr("pilah.kernels", raising=False)
    monkeypatch.setattr(fast, "ENOUGH", 1)
    assert not fast.force(True)
    fast.force(None)
    assert len(tagger.predict([["Terkini", "-"]])[0]) == 2
    assert fast.kernels() is None


@needs_numba
def test_where_compiled_loops_cannot_be_kept_they_are_compiled_all_the_same() -> None:
    program = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []  # no folder can be written to
from pilah import fast
from pilah.hashed import HashTable, hashes_of
assert fast.force(True)
print(*HashTable.of(["satu", "dua"]).find(hashes_of(["dua", "tiga"])))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "src", capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "0"]


@needs_numba
@given(st.sets(st.text(max_size=5), max_size=40), st.lists(st.text(max_size=5), max_size=10))
def test_a_table_is_searched_alike(known: set[str], others: list[str]) -> None:
    table, asked = HashTable.of(sorted(known)), hashes_of([*sorted(known), *others])
    fast.force(False)
    expected = table.find(asked)
    assert fast.force(True)
    np.testing.assert_array_equal(table.find(asked), expected)


@needs_numba
@given(st.lists(st.lists(st.text("ab", max_size=3), max_size=12), max_size=4))
def test_what_a_table_does_not_hold_is_numbered_once_and_where_it_first_stands(batches: list[list[str]]) -> None:
    found = []
    for on in (False, True):
        assert fast.force(on) == on
        table, size, seen = HashTable(8), 1, []
        for batch in batches:
            numbers, new = table.numbered(hashes_of(batch), size)
            assert sorted(new) == [i for i, text in enumerate(batch) if text not in batch[:i] and numbers[i] >= size]
            assert sorted(numbers[new]) == list(range(size, size + len(new)))
            size += len(new)
            seen += list(zip(batch, numbers.tolist(), strict=True))
        assert len(set(seen)) == len({text for text, _ in seen}) == size - 1  # each text has one number, each number one text
        found.append([number >= 1 for _, number in seen])
    assert found[0] == found[1]


figures = st.text(st.sampled_from("0129٣²:./-#()_x"), min_size=1, max_size=11)  # times, dates, ranks, and what is none of them


@needs_numba
@given(st.lists((usual | hostile | figures).filter(str.strip), max_size=8))
def test_words_are_taken_apart_alike(lines: list[str]) -> None:
    words = [word[:MAX_WORD_CHARS] for line in lines for word in line.split()]
    found = []
    for on in (False, True):
        assert fast.force(on) == on
        stretches = Stretches.of(words)
        hashes = stretches.hashes(stretches.starts, stretches.stops)
        found.append((attribute_rows(stretches), *stretches.bare, *stretches.lowered.bare, hashes))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_numba
@given(st.lists(usual | hostile | st.sampled_from(["a", "Terkini", "Warga terkini"]), max_size=6))
def test_the_pieces_and_places_of_words_come_to_the_same_sums(tagger: LineTagger, lines: list[str]) -> None:
    words = [word[:MAX_WORD_CHARS] for line in lines for word in line.split()]
    rng = np.random.default_rng(1)
    for name in ("words", "chars", "edges"):
        part = tagger.scorer_.parts[name]
        weights = rng.normal(size=(len(part.vocabulary_), 5)).astype(np.float32)
        weights = part.weighted(weights) if hasattr(part, "weighted") else weights
        part._asked = FEW  # its vocabulary is looked up by hash
        found = []
        for on in (False, True):
            assert fast.force(on) == on
            found.append(part.projected(Stretches.of(words), weights))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-4)


@needs_numba
@given(PAGES, st.integers(1, 3))
def test_columns_are_the_same_one_by_one(tagger: LineTagger, pages: list[list[str]], window: int) -> None:
    lines = tagger._lines([line for page in pages for line in page], [len(page) for page in pages])
    matrix = page_features(lines, window)
    assert fast.force(True)
    # each weight picks one column: what comes out is the matrix itself
    np.testing.assert_allclose(page_scores(lines, window, np.eye(matrix.shape[1], dtype=np.float32)), matrix, atol=2e-6)


numbered = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "(", "Dibaca ", "- ", "Rp"]),
    st.integers(0, 40) | st.sampled_from(["9.804", "1.204.500.000.000", "1,5", "12.345,678", "٣٤", "12345678901234"]),
    st.sampled_from(["", " menit lalu", ":05", ":30 WIB", "/05/2026", ". Mei", ") kali", ".", " x 3 x 4 x 5 x 6"]),
    st.sampled_from(["", " WIB", " views", " 2026"]),
)


@needs_numba
@given(st.lists(st.lists(numbered | usual, max_size=20), max_size=4), st.integers(0, 9))
def test_lists_are_found_in_order_alike(tagger: LineTagger, pages: list[list[str]], seed: int) -> None:
    flat, lengths = [line for page in pages for line in page], [len(page) for page in pages]
    rng = np.random.default_rng(seed)
    found = []
    for on in (False, True):
        assert fast.force(on) == on
        lines = tagger._lines(flat, lengths)
        if not found:
            shape = page_features(lines, 1).shape[1], len(tagger.type_groups())
            weights, type_of = rng.normal(0, 0.5, shape).astype(np.float32), rng.integers(0, shape[1], len(LABEL_COLUMNS))
        # each weight picks one column: what comes out is the columns themselves, beside scores of types
        scores = tag_scores(lines, 1, weights, type_of, 100 * np.eye(len(LABEL_COLUMNS), dtype=np.float32))
        found.append((lines.figures, scores))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-3)
