"""The second pass: columns by hand, and the learner against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from conftest import toy_pages, toy_tagger
from hypothesis import given
from hypothesis import strategies as st

from pilah.context import ChainCRF, Lines, nearest_opener, ranked, repeats, running, shifted, softmax, steps

LENGTHS = [3, 0, 2]
COLUMN = np.array([1.0, 2.0, 3.0, 10.0, 20.0], np.float32)


# ------------------------------------------------------------------------------------------------ columns by hand


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
    found = nearest_opener(p, p @ groups[:, 1], groups, [5, 1])
    # a heading sees the one above it, not itself; the next page sees none
    np.testing.assert_allclose(found[:, :2], [[0, 0], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0, 0]], atol=1e-6)
    distance = found[:, 2:].sum(axis=1)
    assert distance[0] == distance[5] == 0 < distance[1] < distance[2]
    assert distance[3] == distance[1]


def test_softmax_adds_up_to_one_however_large_the_scores() -> None:
    found = softmax(np.array([[1e4, 1e4], [-1e4, 0.0]]))
    assert found.tolist() == [[0.5, 0.5], [0.0, 1.0]]
    assert softmax(np.zeros((0, 3))).shape == (0, 3)


# ---------------------------------------------------------------------------------------------------- the learner


class Spy(ChainCRF):
    """A second pass that keeps what it was given to learn from."""

    seen: tuple[Lines, Any, Any]

    def fit(self, lines: Lines, allowed: Any, type_of: Any, *more: Any, **named: Any) -> ChainCRF:
        Spy.seen = (lines, allowed, type_of)
        return super().fit(lines, allowed, type_of, *more, **named)


@pytest.fixture(scope="module")
def material() -> tuple[Lines, Any, Any]:
    """Lines of a few toy pages, the tags that each may have, and the types of the tags."""
    toy_tagger().set_params(context=Spy(window=1, iterations=2)).fit(*toy_pages(4))
    return Spy.seen


def loosened(allowed: Any) -> Any:
    """Every fourth line may have any tag, every fifth one other tag besides its own."""
    found = allowed.copy()
    found[::4] = True
    found[np.arange(0, len(found), 5), 1] = True
    return found


def two_kinds(tags: int) -> Any:
    """Transitions of two kinds: a tag stays, or changes."""
    return np.where(np.eye(tags, dtype=bool), 0, 1)


def caught(
    monkeypatch: pytest.MonkeyPatch, lines: Lines, allowed: Any, type_of: Any, kind_of: Any = None, **params: Any
) -> tuple[Any, Any]:
    """The loss that the learner minimises, and where it starts."""
    kept: list[Any] = []

    def stop_here(loss: Any, theta: Any, **options: Any) -> Any:
        kept.extend([loss, theta])
        raise InterruptedError

    monkeypatch.setattr(scipy.optimize, "minimize", stop_here)
    with pytest.raises(InterruptedError):
        ChainCRF(**params).fit(lines, allowed, type_of, kind_of=kind_of)
    monkeypatch.undo()
    return kept[0], kept[1]


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_the_gradient_agrees_with_finite_differences(
    partly: bool, shared: bool, material: tuple[Lines, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, allowed, type_of = material
    kinds = two_kinds(len(type_of)) if shared else None
    loss, start = caught(monkeypatch, lines, loosened(allowed) if partly else allowed, type_of, kinds, window=1, l2=0.3)
    rng = np.random.default_rng(3)
    theta = start + rng.normal(0, 0.1, start.shape)
    _, slope = loss(theta)
    for _ in range(6):
        way = rng.normal(size=start.shape)
        way *= rng.random(start.shape) < rng.choice([0.02, 1.0])  # along few weights, and along all of them
        step = 1e-3
        numeric = (loss(theta + step * way)[0] - loss(theta - step * way)[0]) / (2 * step)
        assert slope @ way == pytest.approx(numeric, rel=2e-3, abs=2e-2)


def test_the_loss_is_zero_where_nothing_is_known(material: tuple[Lines, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lines, allowed, type_of = material
    loss, start = caught(monkeypatch, lines, np.ones_like(allowed), type_of, window=1)
    value, slope = loss(np.zeros_like(start))
    assert value == pytest.approx(0, abs=1e-6)  # every sequence is allowed: there is nothing to learn
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_learning_makes_what_was_annotated_likelier(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    shares = []
    for rounds in (1, 20):
        context = ChainCRF(window=1, l2=0.01, iterations=rounds).fit(lines, allowed, type_of)
        p = softmax(context.scores(lines).astype(float))
        shares.append(float((p * allowed).sum(axis=1).mean()))
    assert shares[0] < shares[1]


def test_partly_annotated_lines_are_filled_in_from_the_others(material: tuple[Lines, Any, Any]) -> None:
    from pilah.decoding import viterbi

    lines, allowed, type_of = material
    context = ChainCRF(window=1, l2=0.01, iterations=40).fit(lines, loosened(allowed), type_of)
    found = viterbi(context.scores(lines), lines.lengths, context.transitions_)
    unsure = loosened(allowed).sum(axis=1) > 1
    assert (found == allowed.argmax(axis=1))[~unsure].all()
    assert (found == allowed.argmax(axis=1))[unsure].mean() > 0.5  # by chance it were 1 of 10


def test_tags_of_one_type_share_their_scores(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    scores = ChainCRF(window=1, iterations=3).fit(lines, allowed, type_of).scores(lines)
    assert scores.shape == allowed.shape
    assert len(set(type_of)) < len(type_of)
    for kind in set(type_of):
        columns = scores[:, type_of == kind]
        np.testing.assert_array_equal(columns, columns[:, :1].repeat(columns.shape[1], axis=1))
    assert not np.array_equal(scores[:, type_of == 0][:, 0], scores[:, type_of == 1][:, 0])


def test_transitions_of_one_kind_share_their_score(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    kinds = two_kinds(len(type_of))
    between = ChainCRF(window=1, iterations=5).fit(lines, allowed, type_of, kind_of=kinds).transitions_.between
    for kind in (0, 1):
        np.testing.assert_allclose(between[kinds == kind], between[kinds == kind][0])
    assert between[0, 0] != between[0, 1]
    own = ChainCRF(window=1, iterations=5).fit(lines, allowed, type_of).transitions_.between
    assert len(np.unique(own)) > 2
