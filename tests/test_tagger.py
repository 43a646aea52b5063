"""The tagger, on toy pages: headings open blocks, items inherit them, whatever they look like."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from conftest import HEADINGS, toy_page, toy_pages, toy_tagger
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from pilah.decoding import Argmax, Transitions
from pilah.labels import LabelSet, Tag
from pilah.tagger import LineTagger, TaggedLine, linear_weights

LINES = st.one_of(st.sampled_from(["-", "", " ", "Terkini", "Terpopuler", "Penulis: Ratna", "10:45 WIB"]), st.text(max_size=20))
PAGES = st.lists(st.lists(LINES, max_size=8), max_size=4)


def hits(predicted: list[list[str]], tags: list[list[Tag]]) -> NDArray[np.bool_]:
    """Which lines of some pages have the label of their tag."""
    return np.array([a == b[0] for got, row in zip(predicted, tags, strict=True) for a, b in zip(got, row, strict=True)])


def labels_of(page: list[TaggedLine]) -> list[str]:
    """The labels of one tagged page."""
    return [line.label for line in page]


# ----------------------------------------------------------------------------------------------- what it learns


def test_pages_like_those_it_learned_from_are_labelled_right(tagger: LineTagger) -> None:
    pages, tags = toy_pages(15, first=100)
    wrong = [(line, tag) for page, row, got in zip(pages, tags, tagger.predict(pages), strict=True)
             for line, tag, label in zip(page, row, got, strict=True) if tag[0] != label]  # fmt: skip
    assert wrong == []


def test_a_lone_dash_belongs_to_the_block_it_stands_in(tagger: LineTagger) -> None:
    page = ["Warga Kampung Melati Gelar Lomba Perahu", "Penulis: Ratna Suminar"]
    for heading in ("Terkini", "Berita Terkait", "Terpopuler"):
        page += [heading, "-", "Nelayan Teluk Sagara Panen Lebih Awal", "-", "Petani Cabai Randuasri Tanam Seribu Pohon"]
    (labels,) = tagger.predict([page])
    assert [label for line, label in zip(page, labels, strict=True) if line == "-"] == ["latest"] * 2 + ["related"] * 2 + [
        "popular"
    ] * 2


def test_roles_come_with_labels(tagger: LineTagger) -> None:
    (page,) = tagger.tag([["Terpopuler", "-", "Nelayan Teluk Sagara Panen Lebih Awal"]])
    assert [(line.label, line.role) for line in page] == [
        ("popular", "heading"),
        ("popular", "bullet"),
        ("popular", "headline"),
    ]


def test_a_heading_that_stands_on_no_page_can_be_taught_by_examples() -> None:
    pages, tags = toy_pages(60)
    lines = ["Paling Laris", "PALING LARIS", "Paling Laris:", "• Paling Laris"]
    taught = toy_tagger().fit(pages, tags, examples=[(line, ("popular", "heading"), -1) for line in lines])
    page = ["Paling Laris", "-", "Nelayan Teluk Sagara Panen Lebih Awal"]
    assert taught.predict([page]) == [["popular"] * 3]


def test_lines_without_a_role_and_undecided_lines_can_be_learned_from() -> None:
    pages, tags = toy_pages(60)
    # of every third page only the labels are known, of every fifth some lines are not even that
    tags = [[(label, ".") for label, _ in row] if i % 3 == 0 else row for i, row in enumerate(tags)]
    tags = [[("?", ".") if i % 5 == 0 and k % 4 == 1 else tag for k, tag in enumerate(row)] for i, row in enumerate(tags)]
    fitted = toy_tagger().fit(pages, tags)
    assert ("?", ".") not in fitted.tags_
    assert not any(role == "." for _, role in fitted.tags_)
    others, gold = toy_pages(10, first=200)
    assert hits(fitted.predict(others), gold).mean() > 0.95


def test_pages_without_any_role_can_be_learned_from() -> None:
    pages, tags = toy_pages(20)
    fitted = toy_tagger().fit(pages, [[(label, ".") for label, _ in row] for row in tags])
    assert fitted.tags_ == tuple((label, ".") for label in fitted.labels.names)
    commonest = max(np.mean([tag[0] == label for row in tags for tag in row]) for label in fitted.labels.names)
    assert hits(fitted.predict(pages), tags).mean() > commonest + 0.1  # although nothing says which line opens a block


def test_labels_of_another_task_can_be_learned() -> None:
    pages = [["Q: Siapa?", "Warga.", "Q: Kapan?", "Kemarin sore."], ["Q: Di mana?", "Di desa.", "Di balai desa."]] * 4
    tags = [[("question" if line.startswith("Q") else "answer", ".") for line in page] for page in pages]
    toy = toy_tagger().set_params(labels=LabelSet("own", ["question", "answer"]))
    assert toy.fit(pages, tags).predict([["Q: Apa?", "Hujan."]]) == [["question", "answer"]]


def test_without_a_second_pass_transitions_are_counted() -> None:
    pages, tags = toy_pages(20)
    fitted = toy_tagger().set_params(context=None).fit(pages, tags)
    title, byline = fitted.tags_.index(("body", "title")), fitted.tags_.index(("body", "byline"))
    assert fitted.transitions_.between[title].argmax() == byline  # a byline follows the title on every toy page
    assert fitted.predict([["Terpopuler", "Penulis: Ratna Suminar"]]) == [["popular", "body"]]


def test_the_same_pages_give_the_same_model() -> None:
    one, two = (toy_tagger().fit(*toy_pages(10)) for _ in range(2))
    np.testing.assert_array_equal(one.scorer_.coef, two.scorer_.coef)
    np.testing.assert_array_equal(one.context_.weights_, two.context_.weights_)
    np.testing.assert_array_equal(one.transitions_.between, two.transitions_.between)


def test_fitting_tells_its_progress() -> None:
    seen: list[tuple[int, int]] = []
    toy_tagger().fit(*toy_pages(8), progress=lambda done, total: seen.append((done, total)))
    assert seen
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert all(0 <= done <= total for done, total in seen)


@pytest.mark.parametrize("groups", [[0] * 8, [0, 0, 1, 1, 2, 2, 3, 3], [5, 9, 5, 9, 5, 9, 5, 9]])
def test_pages_of_the_same_texts_may_share_a_group(groups: list[int]) -> None:
    pages, tags = toy_pages(8)
    assert toy_tagger().fit(pages, tags, groups).predict(pages[:1]) == [[label for label, _ in tags[0]]]


# -------------------------------------------------------------------------------------------------- blank lines


@pytest.mark.parametrize("groups", [[0] * 12, [0, 1] * 6, list(range(12))])
@pytest.mark.parametrize("folds", [1, 2, 100])
def test_headings_beside_the_pages_do_not_stand_for_pages(folds: int, groups: list[int]) -> None:
    if folds > len(set(groups)) == 12:
        pytest.skip("each page without itself: too few toy pages to teach its heading, beside headings of another label")
    pages, tags = toy_pages(12)
    examples = [("Terkini Sore", ("latest", "heading"), -1), ("Kabar Terbaru", ("latest", "heading"), 7)]
    tagger = toy_tagger(folds=folds).fit(pages, tags, groups, examples)
    assert tagger.predict(pages) == [[label for label, _ in row] for row in tags]


def test_the_first_pass_can_learn_from_the_first_pages_alone() -> None:
    pages, tags = toy_pages(12)
    some, all_of_them = toy_tagger().fit(pages[:6], tags[:6]), toy_tagger().fit(pages, tags)
    taught = toy_tagger().fit(pages, tags, line_pages=6)
    np.testing.assert_array_equal(taught.scorer_.coef, some.scorer_.coef)
    assert taught.scorer_.coef.shape != all_of_them.scorer_.coef.shape
    assert not np.array_equal(taught.context_.weights_, some.context_.weights_)  # the second learned from all


def test_blank_lines_inherit_the_block_they_stand_in(tagger: LineTagger) -> None:
    page = [
        "Terpopuler",
        "",
        "-",
        "Nelayan Teluk Sagara Panen Lebih Awal",
        " \t",
        "Terkini",
        "-",
        "Petani Cabai Randuasri Tanam Seribu Pohon",
        "",
    ]
    (tagged,) = tagger.tag([page])
    assert labels_of(tagged) == ["popular"] * 5 + ["latest"] * 4
    assert [tagged[i].role for i in (1, 4, 8)] == ["."] * 3
    assert tagged[1].confidence == tagged[0].confidence


def test_blank_lines_at_the_top_belong_to_what_follows(tagger: LineTagger) -> None:
    (tagged,) = tagger.tag([["", "\u3000", "Terpopuler", "-", "Nelayan Teluk Sagara Panen Lebih Awal"]])
    assert labels_of(tagged) == ["popular"] * 5


def test_blank_lines_change_no_other_label(tagger: LineTagger) -> None:
    lines, _ = toy_page(300)
    spaced = [x for line in lines for x in (line, "")]
    assert tagger.predict([spaced])[0][::2] == tagger.predict([lines])[0]


def test_a_page_of_blank_lines_alone_is_body(tagger: LineTagger) -> None:
    assert tagger.tag([["", " "]]) == [[TaggedLine("body", ".", 1.0)] * 2]


def test_blank_lines_teach_nothing() -> None:
    pages, tags = toy_pages(8)
    spaced = [[*page, "", " "] for page in pages]
    one = toy_tagger().fit(spaced, [[*row, ("latest", "heading"), ("?", ".")] for row in tags])
    np.testing.assert_array_equal(one.scorer_.coef, toy_tagger().fit(pages, tags).scorer_.coef)


# ------------------------------------------------------------------------------------------------- what always holds


@given(PAGES)
def test_every_line_gets_a_label_a_role_and_a_confidence(tagger: LineTagger, pages: list[list[str]]) -> None:
    tagged = tagger.tag(pages)
    assert [len(page) for page in tagged] == [len(page) for page in pages]
    for line in (line for page in tagged for line in page):
        assert line.label in tagger.labels.names
        assert line.role == "." or line.role in {tagger.labels.printed(role) for role in tagger.labels.roles_of(line.label)}
        assert 0 <= line.confidence <= 1
        assert isinstance(line.confidence, float)


@given(PAGES)
def test_predict_gives_the_labels_of_tag(tagger: LineTagger, pages: list[list[str]]) -> None:
    assert tagger.predict(pages) == [labels_of(page) for page in tagger.tag(pages)]


@given(PAGES)
def test_pages_do_not_see_each_other(tagger: LineTagger, pages: list[list[str]]) -> None:
    assert tagger.predict(pages) == [tagger.predict([page])[0] for page in pages]


def test_a_page_in_capitals_is_labelled_as_it_is_in_lower_case(tagger: LineTagger) -> None:
    pages, _ = toy_pages(8, first=300)
    small, large = ([[change(line) for line in page] for page in pages] for change in (str.lower, str.upper))
    assert tagger.tag(large) == tagger.tag(small)
    mixed = tagger.predict([pages[0], large[1], pages[2]])  # and the pages around it are not
    assert mixed == [*tagger.predict(pages[:1]), *tagger.predict(small[1:2]), *tagger.predict(pages[2:3])]


def test_nothing_is_tagged_to_nothing(tagger: LineTagger) -> None:
    assert tagger.tag([]) == []
    assert tagger.tag([[], []]) == [[], []]


def test_the_confidence_is_the_posterior_of_the_label(tagger: LineTagger) -> None:
    page = ["Terpopuler", "-", "Nelayan Teluk Sagara Panen Lebih Awal", "Hujan"]
    scores = tagger.tag_scores(page, [4]).astype(float)
    p = tagger.decoder.posteriors(scores, [4], tagger.transitions_)
    for line, row in zip(tagger.tag([page])[0], p, strict=True):
        same = [label == line.label for label, _ in tagger.tags_]
        assert line.confidence == pytest.approx(row[same].sum(), abs=1e-6)


def test_more_body_bias_never_makes_fewer_body_lines(tagger: LineTagger) -> None:
    biased = clone(tagger).fit(*toy_pages(10))
    page, _ = toy_page(400)
    page += ["Hujan turun di mana-mana", "Kapal Karam", "Hari ini"]
    counts = [biased.set_params(body_bias=b).predict([page])[0].count("body") for b in (-1000, -5, -1, 0, 1, 5, 1000)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, len(page))


# -------------------------------------------------------------------------------------------------- linear weights

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.0, 3.0], [3.0, 0.0], [2.0, 3.0]])


def test_weights_of_three_classes_are_those_of_the_model() -> None:
    model = LogisticRegression().fit(X, [0, 1, 2, 0, 1, 2])
    coef, intercept = linear_weights(model, 3)
    np.testing.assert_allclose(X @ coef.T + intercept, model.decision_function(X), atol=5e-3)


def test_two_classes_get_a_row_each() -> None:
    model = LogisticRegression().fit(X, [0, 1, 1, 0, 1, 1])
    coef, intercept = linear_weights(model, 2)
    scores = X @ coef.T + intercept
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], model.decision_function(X), atol=5e-3)


def test_a_class_that_was_never_seen_is_never_taken() -> None:
    coef, intercept = linear_weights(LogisticRegression().fit(X, [0, 3, 3, 0, 3, 3]), 4)
    assert set((X @ coef.T + intercept).argmax(axis=1)) <= {0, 3}


def test_the_majority_says_the_same_of_every_line() -> None:
    coef, intercept = linear_weights(DummyClassifier(strategy="prior").fit(X, [0, 1, 1, 1, 0, 1]), 2)
    assert not coef.any()
    np.testing.assert_allclose(np.exp(intercept), [2 / 6, 4 / 6], rtol=1e-6)


def test_a_model_that_is_not_linear_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="DecisionTreeClassifier is not a linear model"):
        linear_weights(DecisionTreeClassifier().fit(X, [0, 1, 2, 0, 1, 2]), 3)


def test_the_headings_of_the_toy_pages_are_one_per_block() -> None:
    """What the tests above stand on: toy pages hold what their tags say."""
    for seed in range(20):
        lines, tags = toy_page(seed)
        headings = [label for label, role in tags if role == "heading"]
        found = [label for line in lines for label, heading in HEADINGS.items() if heading in line]
        assert found == headings


# --------------------------------------------------------------------------------------------- one stretch of body


def scored_by_hand(gap: float) -> LineTagger:
    """A tagger that never saw a page: what is decoded is given as scores."""
    labels = LabelSet("three", ["body", "related", "other"], {"related": ["heading", "headline"]})
    tagger = LineTagger(labels, {}, None, decoder=Argmax(), body_gap=gap)
    tagger.tags_, tagger.transitions_ = labels.tags, Transitions.none(4)
    return tagger


def test_body_far_from_the_article_becomes_the_rest_and_what_interrupts_the_article_stays() -> None:
    lines = ["p" * 20, "menu", "menu", "menu", "p" * 40, "Terkait", "p" * 30, "menu", "menu", "menu", "menu", "p" * 20]
    said = [0, 3, 3, 3, 0, 1, 0, 3, 3, 3, 3, 0]  # body, related/heading, related/headline, other
    scores = np.eye(4)[said]
    # 40 - 10 + 30 = 60; with the first line 60 - 30 + 20 = 50, with the last one 60 - 40 + 20 = 40
    assert scored_by_hand(10.0).decode(scores, lines, [12]).tolist() == [3, 3, 3, 3, 0, 1, 0, 3, 3, 3, 3, 3]
    # at 6 a line the first one costs 18 and brings 20, the last one costs 24
    assert scored_by_hand(6.0).decode(scores, lines, [12]).tolist() == [0, 3, 3, 3, 0, 1, 0, 3, 3, 3, 3, 3]
    assert scored_by_hand(0.0).decode(scores, lines, [12]).tolist() == said


def test_where_nothing_is_called_the_rest_the_body_may_stand_anywhere(tagger: LineTagger) -> None:
    page = [
        "Nelayan Teluk Sagara mengatakan bahwa rencana itu sudah disepakati.",
        "Terpopuler",
        *["-", "Warga Gelar Lomba Perahu"] * 9,
    ]
    assert copy.copy(tagger).set_params(body_gap=1000.0).predict([page, page[::-1]]) == tagger.predict([page, page[::-1]])
