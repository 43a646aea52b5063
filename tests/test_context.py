"""The second pass: the learner against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from conftest import toy_pages, toy_tagger

from pilah.columns import TEXT_PLACES, Lines, own_columns, page_features, page_scores, softmax
from pilah.context import ChainCRF, Perceptron, _of_raw_columns, _parts, _standardised
from pilah.decoding import viterbi


class Spy(ChainCRF):
    """A second pass that keeps what it was given to learn from."""

    seen: tuple[Lines, Any, Any]

    def fit(self, lines: Lines, allowed: Any, type_of: Any, *more: Any, **named: Any) -> ChainCRF:
        Spy.seen = (lines, allowed, type_of)
        return super().fit(lines, allowed, type_of, *more, **named)


@pytest.fixture(scope="module")
def material() -> tuple[Lines, Any, Any]:
    """Lines of a few toy pages, the tags that each may have, and the types of the tags."""
    toy_tagger().set_params(context=Spy(window=1, by_label=True, iterations=2)).fit(*toy_pages(4))
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
    monkeypatch: pytest.MonkeyPatch,
    lines: Lines,
    allowed: Any,
    type_of: Any,
    kind_of: Any = None,
    label_of: Any = None,
    **params: Any,
) -> tuple[Any, Any]:
    """The loss that the learner minimises, and where it starts."""
    kept: list[Any] = []

    def stop_here(loss: Any, theta: Any, **options: Any) -> Any:
        kept.extend([loss, theta])
        raise InterruptedError

    monkeypatch.setattr(scipy.optimize, "minimize", stop_here)
    with pytest.raises(InterruptedError):
        ChainCRF(n_jobs=1, **params).fit(lines, allowed, type_of, kind_of=kind_of, label_of=label_of)
    monkeypatch.undo()
    return kept[0], kept[1]


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("by_label", [False, True])
def test_the_gradient_agrees_with_finite_differences(
    partly: bool, shared: bool, by_label: bool, material: tuple[Lines, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, allowed, type_of = material
    kinds = two_kinds(len(type_of)) if shared else None
    known = loosened(allowed) if partly else allowed
    labels = np.arange(len(type_of)) % 3
    loss, start = caught(monkeypatch, lines, known, type_of, kinds, labels, window=1, l2=0.3, by_label=by_label)
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
        context = ChainCRF(window=1, l2=0.01, l2_around=0.01, iterations=rounds).fit(lines, allowed, type_of)
        p = softmax(context.scores(lines).astype(float))
        shares.append(float((p * allowed).sum(axis=1).mean()))
    assert shares[0] < shares[1]


def test_partly_annotated_lines_are_filled_in_from_the_others(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    context = ChainCRF(window=1, l2=0.01, l2_around=0.01, iterations=40).fit(lines, loosened(allowed), type_of)
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


def test_label_columns_tell_labels_of_one_type_apart() -> None:
    """Lists of one shape: those whose clock falls are `latest`, those whose clock rises are `related`, and nothing else differs."""
    pages, tags = [], []
    for number in range(24):
        falls = number % 2 == 0
        clocks = sorted(((number * 7 + k * 13) % 50 + 10 for k in range(5)), reverse=falls)
        label = "latest" if falls else "related"
        pages.append([text for clock in clocks for text in (f"18:{clock}", "Warga Tanam Seribu Pohon")])
        tags.append([(label, role) for _ in clocks for role in ("time", "headline")])
    right = {}
    for by_label in (False, True):
        tagger = toy_tagger().set_params(context=ChainCRF(window=1, by_label=by_label, l2=0.01, l2_around=0.01))
        found = tagger.fit(pages, tags).predict(pages)
        right[by_label] = np.mean(
            [a == b for row, page in zip(tags, found, strict=True) for (a, _), b in zip(row, page, strict=True)]
        )
        assert hasattr(tagger.context_, "label_weights_") == by_label or not tagger.context_.label_weights_.size
    assert right[True] == 1.0
    assert right[False] == 0.5  # every list is said to be the same


def test_tags_of_one_label_share_their_label_weights(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    label_of = np.arange(len(type_of)) % 3
    fitted = ChainCRF(window=1, by_label=True, iterations=4).fit(lines, allowed, type_of, label_of=label_of)
    for label in range(3):
        columns = fitted.label_weights_[:, label_of == label]
        np.testing.assert_array_equal(columns, columns[:, :1].repeat(columns.shape[1], axis=1))
    plain = ChainCRF(window=1, by_label=True, iterations=4).fit(lines, allowed, type_of)
    np.testing.assert_array_equal(plain.label_weights_, plain.label_weights_[:, :1].repeat(len(type_of), axis=1))


def test_without_the_columns_of_places_the_order_alone_speaks_for_a_label(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    label_of = np.arange(len(type_of)) % 3
    places = len(TEXT_PLACES)
    for kept in (True, False):
        context = ChainCRF(window=1, by_label=True, order_alone=not kept, iterations=4)
        weights = context.fit(lines, allowed, type_of, label_of=label_of).label_weights_
        assert weights[-places:].any() == kept
        assert weights[:-places].any()


def test_transitions_of_one_kind_share_their_score(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    kinds = two_kinds(len(type_of))
    between = ChainCRF(window=1, iterations=5).fit(lines, allowed, type_of, kind_of=kinds).transitions_.between
    for kind in (0, 1):
        np.testing.assert_allclose(between[kinds == kind], between[kinds == kind][0])
    assert between[0, 0] != between[0, 1]
    own = ChainCRF(window=1, iterations=5).fit(lines, allowed, type_of).transitions_.between
    assert len(np.unique(own)) > 2


def test_threads_that_share_the_pages_learn_what_one_learns(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    one, three = (ChainCRF(window=1, iterations=12, n_jobs=n).fit(lines, allowed, type_of) for n in (1, 3))
    np.testing.assert_allclose(one.scores(lines), three.scores(lines), rtol=1e-2, atol=1e-2)


def test_what_parts_of_the_pages_teach_is_averaged(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material  # four pages: the first and third are one part, the others the second
    assert len(lines.lengths) == 4
    both = ChainCRF(window=1, iterations=5, part_pages=2, n_jobs=1).fit(lines, allowed, type_of)
    each = []
    for part in (0, 1):
        rows = np.repeat(np.arange(4) % 2 == part, lines.lengths)
        some = lines.of_rows(rows, lines.lengths[part::2])
        each.append(ChainCRF(window=1, iterations=5, n_jobs=1).fit(some, allowed[rows], type_of))
    np.testing.assert_allclose(both.weights_, (each[0].weights_ + each[1].weights_) / 2, rtol=1e-5, atol=1e-6)
    between = [fitted.transitions_.between for fitted in each]
    np.testing.assert_allclose(both.transitions_.between, (between[0] + between[1]) / 2)
    assert not np.allclose(each[0].weights_, each[1].weights_)


def test_pages_are_dealt_into_parts_of_about_as_many_lines() -> None:
    # 2 + 2 | 4: the middle of eight lines is the end of the second page
    assert _parts([2, 2, 4], 2) == [(slice(0, 4), [2, 2]), (slice(4, 8), [4])]
    assert _parts([3], 2) == [(slice(0, 3), [3])]
    assert _parts([], 2) == [(slice(0, 0), [])]


def test_what_stands_around_a_line_is_held_by_a_prior_of_its_own(
    material: tuple[Lines, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, allowed, type_of = material
    loss, start = caught(monkeypatch, lines, allowed, type_of, window=1, l2=0.0, l2_around=2.0)
    free, _ = caught(monkeypatch, lines, allowed, type_of, window=1, l2=0.0, l2_around=0.0)
    own = own_columns(lines) * (int(type_of.max()) + 1)
    for at, strength in ((own - 1, 0.0), (own, 2.0), (len(start) - 1, 2.0)):
        theta = start.copy()
        theta[at] = 3.0
        # half of strength * pages * 3 ** 2
        assert loss(theta)[0] - free(theta)[0] == pytest.approx(0.5 * strength * len(lines.lengths) * 9, rel=1e-6, abs=1e-6)


def test_weights_of_standardised_columns_are_handed_on_for_the_columns_as_they_are(material: tuple[Lines, Any, Any]) -> None:
    lines, _, _ = material
    X, middle, scale = _standardised(lines, 1)
    np.testing.assert_allclose(X[:, 1:].mean(axis=0), 0, atol=1e-4)
    assert set(X.std(axis=0).round(2)) <= {0.0, 1.0}
    np.testing.assert_allclose(X * scale + middle, page_features(lines, 1), atol=1e-4)
    weights = np.random.default_rng(5).normal(size=(X.shape[1], 4))
    np.testing.assert_allclose(page_scores(lines, 1, _of_raw_columns(weights, middle, scale)), X @ weights, atol=1e-2)


@pytest.mark.parametrize("partly", [False, True])
def test_the_perceptron_learns_weights_and_transitions(partly: bool, material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    learned = Perceptron(window=1, epochs=30, batch=2).fit(lines, loosened(allowed) if partly else allowed, type_of)
    found = viterbi(learned.scores(lines), lines.lengths, learned.transitions_)
    sure = loosened(allowed).sum(axis=1) == 1
    assert (found == allowed.argmax(axis=1))[sure].mean() > 0.95


def test_what_the_perceptron_adds_to_transitions_of_one_kind_is_the_same(material: tuple[Lines, Any, Any]) -> None:
    lines, allowed, type_of = material
    kinds = two_kinds(len(type_of))
    before, after = (
        Perceptron(window=1, epochs=epochs, batch=2).fit(lines, allowed, type_of, kinds).transitions_.between
        for epochs in (0, 3)
    )
    assert not np.allclose(before, after)
    for kind in (0, 1):
        assert np.ptp((after - before)[kinds == kind]) == pytest.approx(0, abs=1e-9)
