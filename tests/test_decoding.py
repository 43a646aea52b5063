"""Decoding: hand arithmetic, and brute force over all tag sequences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pilah.decoding import Argmax, Transitions, Viterbi, forward_backward, maximum_subsequence, viterbi

Floats = NDArray[np.float64]


def total(sequence: tuple[int, ...], scores: Floats, t: Transitions) -> float:
    """The score of one tag sequence of one page."""
    found = t.start[sequence[0]] + t.stop[sequence[-1]]
    found += sum(scores[i, tag] for i, tag in enumerate(sequence))
    return float(found + sum(t.between[a, b] for a, b in itertools.pairwise(sequence)))


def everything(scores: Floats, t: Transitions) -> dict[tuple[int, ...], float]:
    """Every tag sequence of a page with its score."""
    return {s: total(s, scores, t) for s in itertools.product(range(scores.shape[1]), repeat=len(scores))}


@st.composite
def chains(draw: st.DrawFn, lowest: float = -4.0, forbid: bool = False) -> tuple[Floats, list[int], Transitions]:
    """Scores of a few pages of different lengths (some empty), and transitions; perhaps with tags that are ruled out."""
    tags = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(0, 4), max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    scores = rng.uniform(lowest, 4, (sum(lengths), tags))
    if forbid and tags > 1:
        ruled_out = rng.random(scores.shape) < 0.3
        ruled_out[np.arange(len(scores)), rng.integers(0, tags, len(scores))] = False  # one tag at least is left
        scores[ruled_out] = -np.inf
    return scores, lengths, Transitions(rng.uniform(-3, 3, (tags, tags)), rng.uniform(-3, 3, tags), rng.uniform(-3, 3, tags))


def pages(values: NDArray, lengths: list[int]) -> list[NDArray]:
    """The rows of every page."""
    return [values[sum(lengths[:i]) : sum(lengths[: i + 1])] for i in range(len(lengths))]


# -------------------------------------------------------------------------------------------------- by hand

LEAN = Transitions(np.array([[0.0, -1.0], [-3.0, 0.0]]), np.array([0.0, -2.0]), np.array([0.0, -0.5]))


def test_a_sequence_is_worth_its_scores_its_steps_and_both_its_ends() -> None:
    scores = np.array([[0.0, 1.5], [0.0, 2.0]])
    # 00: 0            = 0          01: 2 - 1 - 0.5        = 0.5
    # 10: 1.5 - 2 - 3  = -3.5       11: 1.5 + 2 - 2 - 0.5  = 1.0   <- the best, although each line's costs are high
    assert viterbi(scores, [2], LEAN).tolist() == [1, 1]


def test_the_start_of_a_page_counts_for_each_page() -> None:
    scores = np.array([[0.0, 1.5], [0.0, 2.0]])
    # alone, tag 1 is worth 1.5 - 2 - 0.5 = -1 < 0 on the first page and 2 - 2 - 0.5 = -0.5 < 0 on the second
    assert viterbi(scores, [1, 1], LEAN).tolist() == [0, 0]


def test_of_equally_good_sequences_the_lowest_numbers_win() -> None:
    assert viterbi(np.zeros((3, 2)), [3], Transitions.none(2)).tolist() == [0, 0, 0]


def test_posteriors_by_hand() -> None:
    # weights exp(score): line 1 has 1 and 2, line 2 has 1 and 3; going from 0 to 1 weighs 1/2, all else 1
    scores = np.log([[1.0, 2.0], [1.0, 3.0]])
    steps = Transitions(np.log([[1.0, 0.5], [1.0, 1.0]]), np.zeros(2), np.zeros(2))
    # 00: 1   01: 3/2   10: 2   11: 6   together 10.5
    found = forward_backward(scores, [2], steps)
    np.testing.assert_allclose(found.lines, [[2.5 / 10.5, 8 / 10.5], [3 / 10.5, 7.5 / 10.5]])
    np.testing.assert_allclose(found.between, np.array([[1, 1.5], [2, 6]]) / 10.5)
    np.testing.assert_allclose(found.start, [2.5 / 10.5, 8 / 10.5])
    np.testing.assert_allclose(found.stop, [3 / 10.5, 7.5 / 10.5])
    assert found.log_partition == pytest.approx(np.log(10.5))


def test_a_tag_that_is_ruled_out_has_no_posterior_and_is_not_taken() -> None:
    scores = np.array([[-np.inf, 0.0], [5.0, 0.0], [0.0, -np.inf]])
    assert viterbi(scores, [3], LEAN).tolist() == [1, 0, 0]
    found = forward_backward(scores, [3], LEAN).lines
    assert found[0].tolist() == [0.0, 1.0]
    assert found[2].tolist() == [1.0, 0.0]


def test_counted_transitions_are_smoothed_log_frequencies() -> None:
    # steps 0-1, 1-1, 1-0 and starts 0, 1, stops 0, 1; the empty page adds nothing; half a count is added everywhere
    counted = Transitions.counted([np.array([0, 1, 1, 0]), np.array([], np.int64), np.array([1])], 2, smoothing=0.5)
    np.testing.assert_allclose(np.exp(counted.between), [[0.5 / 2, 1.5 / 2], [1.5 / 3, 1.5 / 3]])
    np.testing.assert_allclose(np.exp(counted.start), [1.5 / 3, 1.5 / 3])
    np.testing.assert_allclose(np.exp(counted.stop), [1.5 / 3, 1.5 / 3])


# ------------------------------------------------------------------------------------------------ brute force


@given(chains(forbid=True))
def test_batch_viterbi_finds_the_best_of_all_sequences_on_every_page(chain: tuple[Floats, list[int], Transitions]) -> None:
    scores, lengths, transitions = chain
    found = viterbi(scores, lengths, transitions)
    assert found.shape == (len(scores),)
    for page, tags in zip(pages(scores, lengths), pages(found, lengths), strict=True):
        if len(page):
            best = max(everything(page, transitions).values())
            assert total(tuple(tags), page, transitions) == pytest.approx(best)


@given(chains(forbid=True))
def test_forward_backward_adds_up_all_sequences_of_every_page(chain: tuple[Floats, list[int], Transitions]) -> None:
    scores, lengths, transitions = chain
    tags = scores.shape[1]
    lines, between, start, stop, log_partition = [], np.zeros((tags, tags)), np.zeros(tags), np.zeros(tags), 0.0
    for page in filter(len, pages(scores, lengths)):
        sequences = everything(page, transitions)
        weights = np.exp(np.array(list(sequences.values())))
        log_partition += np.log(weights.sum())
        expected = np.zeros(page.shape)
        for sequence, share in zip(sequences, weights / weights.sum(), strict=True):
            expected[np.arange(len(page)), sequence] += share
            start[sequence[0]] += share
            stop[sequence[-1]] += share
            for step in itertools.pairwise(sequence):
                between[step] += share
        lines.append(expected)
    found = forward_backward(scores, lengths, transitions)
    np.testing.assert_allclose(found.lines, np.concatenate([np.zeros((0, tags)), *lines]), atol=1e-9)
    np.testing.assert_allclose(found.between, between, atol=1e-9)
    np.testing.assert_allclose(found.start, start, atol=1e-9)
    np.testing.assert_allclose(found.stop, stop, atol=1e-9)
    assert found.log_partition == pytest.approx(log_partition)


@given(chains())
def test_pages_do_not_see_each_other(chain: tuple[Floats, list[int], Transitions]) -> None:
    scores, lengths, transitions = chain
    together = viterbi(scores, lengths, transitions)
    alone = [viterbi(page, [len(page)], transitions) for page in pages(scores, lengths)]
    assert together.tolist() == [tag for page in alone for tag in page.tolist()]


@given(chains(lowest=-40.0))
def test_posteriors_are_probabilities(chain: tuple[Floats, list[int], Transitions]) -> None:
    scores, lengths, transitions = chain
    found = forward_backward(scores * 20, lengths, transitions).lines
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found >= 0).all()


# ----------------------------------------------------------------------------------------------------- decoders


@pytest.mark.parametrize("decoder", [Argmax(), Viterbi()])
@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_is_decoded_to_nothing(decoder: Argmax | Viterbi, lengths: list[int]) -> None:
    none = np.zeros((0, 3))
    assert decoder.decode(none, lengths, Transitions.none(3)).shape == (0,)
    assert decoder.posteriors(none, lengths, Transitions.none(3)).shape == (0, 3)


def test_a_line_for_itself_does_not_look_at_transitions() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    never = Transitions(np.array([[0.0, -9.0], [-9.0, 0.0]]), np.zeros(2), np.zeros(2))
    assert Argmax().decode(scores, [3], never).tolist() == [0, 1, 0]
    assert Viterbi().decode(scores, [3], never).tolist() == [0, 0, 0]
    softmax = np.exp(1) / (1 + np.exp(1))
    np.testing.assert_allclose(Argmax().posteriors(scores, [3], never)[:, 0], [softmax, 1 - softmax, softmax])


def test_the_weight_scales_the_transitions() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    costly = Transitions(np.array([[0.0, -0.8], [-0.8, 0.0]]), np.zeros(2), np.zeros(2))
    # tag 0 throughout: 2; a change there and back: 3 - 1.6 = 1.4; at a quarter of the weight 3 - 0.4 = 2.6
    assert Viterbi(weight=1.0).decode(scores, [3], costly).tolist() == [0, 0, 0]
    assert Viterbi(weight=0.25).decode(scores, [3], costly).tolist() == [0, 1, 0]


def test_thousands_of_lines_neither_overflow_nor_vanish() -> None:
    scores = np.tile([[300.0, -300.0], [-300.0, 300.0]], (2000, 1))
    found = forward_backward(scores, [4000], Transitions.none(2))
    np.testing.assert_allclose(found.lines[:, 0], np.tile([1.0, 0.0], 2000), atol=1e-12)
    assert found.log_partition == pytest.approx(4000 * 300.0)


def test_a_long_page_in_single_precision_has_the_tags_of_double_precision() -> None:
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 6, (6000, 5)).astype(np.float32)
    transitions = Transitions(rng.normal(-8, 3, (5, 5)), rng.normal(size=5), rng.normal(size=5))
    exact = viterbi(scores.astype(np.float64), [4000, 2000], transitions)
    assert viterbi(scores, [4000, 2000], transitions).tolist() == exact.tolist()


# --------------------------------------------------------------------------------------------- the heaviest stretch


def test_the_heaviest_stretch_takes_a_loss_in_where_more_is_behind_it() -> None:
    # 3 - 2 + 4 = 5 is more than 4 alone; the 1 at the end would cost 6
    assert maximum_subsequence(np.array([3.0, -2.0, 4.0, -6.0, 1.0]), [5]).tolist() == [True, True, True, False, False]


def test_a_page_on_which_nothing_is_worth_anything_has_no_stretch() -> None:
    assert maximum_subsequence(np.array([-1.0, 0.0, -2.0]), [3]).tolist() == [False] * 3
    assert maximum_subsequence(np.zeros(0), [0, 0]).tolist() == []


@given(st.lists(st.lists(st.integers(-9, 9), max_size=7), max_size=4))
def test_no_stretch_of_a_page_is_heavier_and_pages_do_not_see_each_other(weights: list[list[int]]) -> None:
    found = maximum_subsequence(np.array([w for page in weights for w in page], float), [len(page) for page in weights])
    for page, inside in zip(weights, pages(found, [len(page) for page in weights]), strict=True):
        rows = np.flatnonzero(inside)
        assert not len(rows) or rows[-1] - rows[0] + 1 == len(rows)  # one stretch
        every = [sum(page[a:b]) for a in range(len(page)) for b in range(a + 1, len(page) + 1)]
        assert sum(w for w, kept in zip(page, inside, strict=True) if kept) == max([0, *every])
