"""What the page says about a line: columns by hand, and the scores that come without their matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import toy_pages, toy_tagger
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah import fast
from pilah.columns import (
    LABEL_COLUMNS,
    MARK_ALONE,
    NUMBERS_ALONE,
    TIME_FACTS,
    Columns,
    Lines,
    add_shifted,
    beats,
    label_columns,
    nearby,
    nearest_opener,
    own_columns,
    page_features,
    page_scores,
    ranked,
    repeats,
    running,
    shapes,
    shifted,
    softmax,
    steps,
    tag_scores,
)
from pilah.features import FACTS
from pilah.tagger import LineTagger

LENGTHS = [3, 0, 2]
COLUMN = np.array([1.0, 2.0, 3.0, 10.0, 20.0], np.float32)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0, [1, 2, 3, 10, 20]),
        (1, [2, 3, 0, 20, 0]),
        (-1, [0, 1, 2, 0, 10]),
        (2, [3, 0, 0, 0, 0]),
        (-2, [0, 0, 1, 0, 0]),
        (5, [0] * 5),
        (-7, [0] * 5),
    ],
)
def test_a_neighbour_is_a_line_of_the_same_page(offset: int, expected: list[int]) -> None:
    assert shifted(COLUMN, LENGTHS, offset).tolist() == expected
    assert shifted(COLUMN[:, None], LENGTHS, offset)[:, 0].tolist() == expected


def test_a_running_sum_leaves_the_line_itself_out_and_begins_anew_on_each_page() -> None:
    assert running(COLUMN, LENGTHS).tolist() == [0, 1, 3, 0, 10]
    assert running(COLUMN, LENGTHS, backwards=True).tolist() == [5, 3, 0, 20, 0]


@given(st.lists(st.integers(0, 5), max_size=5), st.integers(-6, 6))
def test_neighbours_and_sums_are_those_of_each_page_alone(lengths: list[int], offset: int) -> None:
    values = np.random.default_rng(sum(lengths)).random(sum(lengths), np.float32)
    pages = np.split(values, np.cumsum(lengths)[:-1]) if lengths else []

    def each(function: Callable[[Any, list[int]], Any]) -> Any:
        return np.concatenate([np.zeros(0), *(function(page, [len(page)]) for page in pages)])

    np.testing.assert_array_equal(shifted(values, lengths, offset), each(lambda page, size: shifted(page, size, offset)))
    for backwards in (False, True):
        expected = each(lambda page, size, b=backwards: running(page, size, b))
        np.testing.assert_allclose(running(values, lengths, backwards), expected, atol=1e-5)


def test_steps_tell_which_bounds_a_value_is_above() -> None:
    assert steps(np.array([0.0, 1.0, 1.5, 9.0], np.float32), (0, 1, 4)).tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_a_repeated_line_is_told_on_its_own_page_alone() -> None:
    earlier, later = repeats(np.array([7, 8, 7, 7, 8, 8]), [4, 2])
    assert earlier.tolist() == [0, 0, 1, 1, 0, 1]
    assert later.tolist() == [1, 0, 1, 0, 1, 0]


def test_ranks_are_told_by_the_numbered_lines_around() -> None:
    #         a   1   b   2   c   1   d | 2   e
    numbers = np.array([-1, 1, -1, 2, -1, 1, -1, 2, -1], np.float32)
    is_one, follows, followed, between, before_one = ranked(numbers, [7, 2]).T
    assert is_one.tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 0]
    assert follows.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]  # the 2 of the other page follows nothing
    assert followed.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert between[2] == 1
    assert between[[0, 4, 6, 8]].tolist() == [0, 0, 0, 0]
    assert before_one[[0, 2, 4, 6, 8]].tolist() == [1, 0, 1, 0, 0]


def test_a_page_without_numbers_has_no_ranks() -> None:
    assert not ranked(np.full(4, -1, np.float32), [4]).any()


def test_a_line_sees_the_nearest_opener_above_it() -> None:
    # types: body, related heading, latest heading, item
    groups = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], np.float32)
    p = np.array(
        [[0.0, 0.9, 0.1, 0.0], [0.0, 0, 0, 1.0], [0.0, 0.2, 0.8, 0.0], [0.0, 0, 0, 1.0], [0.0, 0, 0, 1.0], [0.0, 0, 0, 1.0]],
        np.float32,
    )
    found, distance = nearest_opener(p[:, 1:3], p @ groups[:, 1], [5, 1])
    # a heading sees the one above it, not itself; the next page sees none
    np.testing.assert_allclose(found, [[0, 0], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0, 0]], atol=1e-6)
    assert distance.tolist() == [0, 1, 2, 1, 2, 0]


def test_softmax_adds_up_to_one_however_large_the_scores() -> None:
    found = softmax(np.array([[1e4, 1e4], [-1e4, 0.0]]))
    assert found.tolist() == [[0.5, 0.5], [0.0, 1.0]]
    assert softmax(np.zeros((0, 3))).shape == (0, 3)


def test_the_lines_nearby_are_averaged_and_those_beyond_the_page_count_as_zeros() -> None:
    assert nearby(COLUMN, LENGTHS, 2).tolist() == [2.5, 1.5, 0, 10, 0]  # (2 + 3) / 2, (3 + 0) / 2, ...
    assert nearby(COLUMN, LENGTHS, -2).tolist() == [0, 0.5, 1.5, 0, 5]


# --------------------------------------------------------------------------------------- scores without the matrix


def test_a_line_is_above_the_bounds_that_its_measure_exceeds() -> None:
    measure = Columns(["x>0", "x>1", "x>4"], np.array([0.0, 0.5, 1.0, 4.5], np.float32), bounds=(0, 1, 4))
    # above no bound; above the first; not above the second, which it equals; above all three
    assert measure.matrix([4]).tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize("offset", [-3, -1, 1, 2])
def test_what_is_seen_of_a_neighbour_is_added_in_place(offset: int) -> None:
    values, found = np.arange(12, dtype=np.float32).reshape(6, 2), np.ones((6, 2), np.float32)
    lengths = [3, 0, 1, 2]
    add_shifted(found, values, lengths, offset)
    np.testing.assert_array_equal(found, 1 + shifted(values, lengths, offset))


@pytest.fixture(scope="module")
def tagger() -> LineTagger:
    return toy_tagger().fit(*toy_pages(4))


hostile = st.text(st.sampled_from("aB1 9.:-(\u2028\u3000\u0301“…新بé"), max_size=30)
usual = st.sampled_from(["Terkini", "Baca juga: Sungai Awi Meluap", "-", "2", "10:42 WIB", "Warga pulang ke rumah. " * 6])


@settings(max_examples=60, deadline=None)
@given(pages=st.lists(st.lists(usual | hostile, max_size=14), max_size=6), window=st.integers(0, 3), seed=st.integers(0, 9))
def test_scores_are_those_of_the_matrix(tagger: LineTagger, pages: list[list[str]], window: int, seed: int) -> None:
    lines = tagger._lines([line for page in pages for line in page], [len(page) for page in pages])
    matrix = page_features(lines, window)
    weights = np.random.default_rng(seed).normal(0, 0.5, (matrix.shape[1], 7)).astype(np.float32)
    found = page_scores(lines, window, weights)
    np.testing.assert_allclose(found, matrix.astype(np.float64) @ weights, rtol=1e-5, atol=1e-5)


def test_many_lines_are_scored_in_parts_of_whole_pages(tagger: LineTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [*toy_pages(5)[0], [], ["Terkini"] * 40, []]
    lines = tagger._lines([line for page in pages for line in page], [len(page) for page in pages])
    weights = np.random.default_rng(0).normal(0, 0.5, (page_features(lines, 2).shape[1], 7)).astype(np.float32)
    expected = page_scores(lines, 2, weights)
    type_of = np.arange(7)[::-1]
    monkeypatch.setattr("pilah.columns.LINES_AT_ONCE", 25)
    parts = list(lines.parts(25))
    assert [length for part in parts for length in part.lengths] == [len(page) for page in pages]
    assert len(parts) > 2 and all(len(part.scores) == sum(part.lengths) for part in parts)
    assert all(sum(part.lengths[:-1]) < 25 for part in parts)
    np.testing.assert_allclose(tag_scores(lines, 2, weights, type_of), expected[:, type_of], atol=1e-5)


TIME, SIGN, NUMBER, FEW, HEADLINE = 0, 1, 2, 3, 4


def test_a_section_keeps_the_beat_of_its_list_and_a_heading_breaks_it() -> None:
    #        three items of headline, section, time;          a heading;  two of the next list
    shape = [*[HEADLINE, FEW, TIME] * 3, FEW, *[HEADLINE, FEW, TIME] * 2]
    above, below = beats(np.array(shape), [len(shape)])
    assert above[[4, 7, 14]].tolist() == [1, 1, 1]  # sections: three lines above, the same three shapes
    assert below[[1, 4]].tolist() == [1, 1]
    assert (above[9], below[9]) == (0, 0)  # the heading stands between a time and a headline, and no line above does


def test_lines_of_one_shape_have_no_beat_and_pages_are_no_lists_together() -> None:
    assert not np.any(beats(np.full(8, HEADLINE), [8]))
    item = [SIGN, HEADLINE, TIME]
    assert not np.any(beats(np.array([*item, *item]), [3, 3]))
    assert np.any(beats(np.array([*item, *item, *item]), [9]))
    assert [part.shape for part in beats(np.zeros(0, int), [0, 0])] == [(0,), (0,)]


def test_a_shape_is_told_by_signs_times_and_width() -> None:
    facts = np.zeros((7, len(FACTS)), np.float32)
    facts[1, MARK_ALONE] = facts[2, NUMBERS_ALONE[0]] = facts[3, TIME_FACTS[2]] = 1
    widths = np.array([12, 1, 2, 9, 60, 300, 20], np.float32)
    times = np.array([0, 0, 0, 0, 0, 0, 0.9], np.float32)  # the last one looks like a time, whatever it says
    none = np.zeros(0)
    lines = Lines(none, facts, widths, none, none, [7], none)  # type: ignore[arg-type]
    assert shapes(lines, times).tolist() == [FEW, SIGN, NUMBER, TIME, HEADLINE, 5, TIME]


def test_the_first_columns_see_the_line_alone_and_the_very_first_is_always_one(tagger: LineTagger) -> None:
    page = toy_pages(1)[0][0]
    lines = tagger._lines(page, [len(page)])
    alone = tagger._lines(page[2:3], [1])
    own = own_columns(lines)
    columns = page_features(lines, 2)
    np.testing.assert_array_equal(columns[:, 0], 1)
    np.testing.assert_array_equal(columns[2, :own], page_features(alone, 2)[0, :own])
    assert not np.array_equal(columns[2, own:], page_features(alone, 2)[0, own:])


def test_label_columns_see_the_order_of_a_list_and_where_the_page_has_text(tagger: LineTagger) -> None:
    text = "Warga mengatakan bahwa rencana itu sudah disepakati dalam rapat desa, dan pekan depan mereka bangun jembatan bambu bersama."
    headline = "Warga Kampung Melati Gelar Lomba Perahu Jelang Musim Hujan"
    pages = [[text, "Terkini", "21:48", headline, "21:15", headline, "20:37"], ["21:48", headline, "20:15"], [headline]]
    flat, lengths = [line for page in pages for line in page], [len(page) for page in pages]
    column = dict(zip(LABEL_COLUMNS, label_columns(tagger._lines(flat, lengths)).T.astype(int).tolist(), strict=True))
    assert column["dates fall>1"] == [1] * 7 + [0] * 4  # two steps, from three lines above on; one step is none
    assert column["dates fall>2"] == column["counts fall>1"] == [0] * 11
    assert column["a page without text"] == [0] * 7 + [1] * 4
    assert column["no text above"] == [1] + [0] * 6 + [1] * 4
    assert column["no text below"] == [1] * 11
    assert column["times around, on a page without text"] == [0] * 7 + [0, 0, 0, 0]  # one of nine is few


def test_label_columns_are_those_of_each_page_alone(tagger: LineTagger) -> None:
    pages = [page for page in toy_pages(6)[0] if page]
    together = label_columns(tagger._lines([line for page in pages for line in page], [len(page) for page in pages]))
    alone = [label_columns(tagger._lines(page, [len(page)])) for page in pages]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_lines_without_figures_have_no_label_columns(tagger: LineTagger) -> None:
    with pytest.raises(ValueError, match="figures"):
        label_columns(toy_tagger("context.by_label=false").fit(*toy_pages(8))._lines(["Terkini"], [1]))


@pytest.mark.parametrize("loops", [False, True])
def test_scores_by_label_want_figures_with_and_without_loops(tagger: LineTagger, loops: bool) -> None:
    lines = replace(tagger._lines(["Terkini"], [1]), figures=None)
    fast.force(loops)
    try:
        with pytest.raises(ValueError, match="figures"):
            tagger.context_.scores(lines)
    finally:
        fast.force(False)
