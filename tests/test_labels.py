"""Label sets."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from pilah.labels import LabelSet

BLOCK = ["heading", "headline", "bullet"]
SET = LabelSet("toy", ["body", "related", "latest"], {"body": ["paragraph", "bullet"], "related": [*BLOCK, "link"], "latest": BLOCK},
               aliases={"link": "headline"})  # fmt: skip


def test_tags_come_label_by_label_in_the_order_of_the_roles() -> None:
    labels = LabelSet("own", ["b", "a"], {"a": ["x", "y"]})
    assert labels.tags == (("b", "."), ("a", "x"), ("a", "y"))


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", ""], ["a", "?"], ["a\tb"]])
def test_labels_are_distinct_and_fit_into_a_labelled_dump(names: list[str]) -> None:
    with pytest.raises(ValueError, match="labels must be distinct"):
        LabelSet("bad", names)


def test_roles_of_a_label_that_is_not_in_the_set_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown labels: \['latst'\]"):
        LabelSet("bad", ["body", "latest"], {"latst": ["heading"]})


def test_a_set_without_body_has_none() -> None:
    assert LabelSet("own", ["question", "answer"]).body is None
    assert SET.body == "body"


def test_an_alias_is_printed_as_what_it_stands_for() -> None:
    assert SET.printed("link") == "headline"
    assert SET.printed("heading") == "heading"


def test_an_alias_of_the_opener_opens_a_block_too() -> None:
    labels = LabelSet("toy", ["related"], {"related": ["heading", "more", "headline"]}, aliases={"more": "heading"})
    assert [labels.opens(role) for role in ("heading", "more", "headline")] == [True, True, False]


def test_what_looks_alike_in_every_block_is_one_line_type() -> None:
    assert SET.line_type(("related", "headline")) == SET.line_type(("latest", "headline")) == "headline"
    assert SET.line_type(("related", "bullet")) == SET.line_type(("body", "bullet")) == "bullet"


def test_a_heading_names_its_block() -> None:
    assert SET.line_type(("related", "heading")) == "related/heading"
    assert SET.line_type(("latest", "heading")) == "latest/heading"


def test_a_role_of_one_label_alone_keeps_its_label() -> None:
    assert SET.line_type(("body", "paragraph")) == "body/paragraph"
    assert LabelSet("own", ["question", "answer"]).line_type(("question", ".")) == "question/."


def test_in_its_place_an_alias_of_the_opener_names_its_block_though_it_looks_alike_in_both() -> None:
    roles = ["heading", "more", "headline"]
    labels = LabelSet("toy", ["related", "latest"], {"related": roles, "latest": roles}, aliases={"more": "heading"})
    assert labels.line_type(("related", "more")) == "more"
    assert labels.place_type(("related", "more")) == "related/more"
    assert labels.place_type(("related", "headline")) == "headline"


def test_a_set_survives_json() -> None:
    assert LabelSet(**json.loads(json.dumps(SET.to_dict()))) == SET


def test_a_set_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SET.name = "other"  # type: ignore[misc]


def test_the_five_labels_of_the_configuration_are_those_that_the_article_is_rebuilt_from(five: LabelSet) -> None:
    assert list(five.names) == ["body", "related", "popular", "pick", "latest"]
    assert five.body == "body"
    printed = {(label, five.printed(role)) for label, role in five.tags}
    for role in ("title", "byline", "date", "paragraph", "subheading", "caption", "signature"):
        assert ("body", role) in printed
    for label in five.names[1:]:
        assert {(label, role) for role in ("heading", "headline", "bullet", "meta")} <= printed


def test_the_rest_is_the_label_that_is_neither_body_nor_a_block(five: LabelSet) -> None:
    assert five.rest is None
    roles = {"body": ["paragraph"], "related": ["heading", "headline"], "other": ["footer"]}
    assert LabelSet("three", ["body", "related", "other"], roles).rest == "other"
    assert LabelSet("three", ["body", "related", "none"], {"related": ["heading"]}).rest == "none"
