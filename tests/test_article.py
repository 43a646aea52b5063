"""The article: no line is lost, and its JSON is the documented one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.article import Article, build_article
from pilah.page import Page
from pilah.tagger import TaggedLine


def article_of(*rows: tuple[str, str, str], ends: str = "\n") -> Article:
    """The article of (label, role, text) rows, with confidences 0.5, 0.51, 0.52, ..."""
    page = Page.from_text("".join(text + ends for _, _, text in rows), "dump.txt")
    return build_article(page, [TaggedLine(label, role, 0.5 + k / 100) for k, (label, role, _) in enumerate(rows)])


FULL = article_of(
    ("body", "title", "Jembatan Bambu Diresmikan"),
    ("body", "byline", "Penulis: Ratna Suminar"),
    ("body", "date", "Kamis, 12/03/2031 10:42 WIB"),
    ("body", "caption", "Warga menyeberang. (Foto: Dok. Desa)"),
    ("body", "paragraph", "  Jembatan itu panjangnya 40 meter. "),
    ("related", "headline", "Baca juga: Sungai Wening Surut"),
    ("body", "subheading", "Gotong royong"),
    ("body", ".", "Warga bekerja dua bulan."),
    ("body", "signature", "(rsu/adi)"),
    ("latest", "heading", "Terkini:"),
    ("latest", "bullet", "-"),
    ("latest", "headline", "Panen Raya di Randuasri"),
    ("latest", "headline", "10:40 WIB"),
)


def test_the_parts_of_the_text_go_where_their_roles_say() -> None:
    assert FULL.title == "Jembatan Bambu Diresmikan"
    assert FULL.byline == ("Penulis: Ratna Suminar",)
    assert FULL.date == "Kamis, 12/03/2031 10:42 WIB"
    assert FULL.paragraphs == ("Jembatan itu panjangnya 40 meter.", "Warga bekerja dua bulan.")


def test_an_inline_link_is_a_related_section_of_one_item_and_the_text_goes_on() -> None:
    section = FULL.sections[0]
    assert (section.label, section.heading, section.first_line, section.last_line) == ("related", None, 6, 6)
    assert [item.headline for item in section.items] == ["Sungai Wening Surut"]


def test_subheadings_captions_and_signatures_stay_in_order_with_their_role() -> None:
    assert [(line.n, line.role) for line in FULL.lines if line.role in ("caption", "subheading", "signature")] == [
        (4, "caption"), (7, "subheading"), (9, "signature"),
    ]  # fmt: skip


def test_a_time_that_was_taken_for_a_headline_is_meta() -> None:
    assert FULL.lines[12].role == "meta"
    assert FULL.sections[1].items[0].meta == ("10:40 WIB",)
    assert len(FULL.sections[1].items) == 1


def test_the_json_is_the_documented_one() -> None:
    found = FULL.to_dict()
    assert json.loads(json.dumps(found)) == found
    assert {key: value for key, value in found.items() if key != "lines"} == {
        "source": "dump.txt",
        "title": "Jembatan Bambu Diresmikan",
        "byline": ["Penulis: Ratna Suminar"],
        "date": "Kamis, 12/03/2031 10:42 WIB",
        "paragraphs": ["Jembatan itu panjangnya 40 meter.", "Warga bekerja dua bulan."],
        "sections": [
            {
                "label": "related",
                "heading": None,
                "items": [{"headline": "Sungai Wening Surut", "meta": []}],
                "first_line": 6,
                "last_line": 6,
            },
            {
                "label": "latest",
                "heading": "Terkini",
                "items": [{"headline": "Panen Raya di Randuasri", "meta": ["10:40 WIB"]}],
                "first_line": 10,
                "last_line": 13,
            },
        ],
    }
    assert found["lines"][4] == {
        "n": 5,
        "label": "body",
        "role": "paragraph",
        "confidence": 0.54,
        "text": "  Jembatan itu panjangnya 40 meter. ",
    }
    assert [line["n"] for line in found["lines"]] == list(range(1, 14))


def test_a_page_without_a_title_has_none() -> None:
    found = article_of(("body", "paragraph", "Hujan reda.")).to_dict()
    assert found["title"] is None
    assert found["date"] is None
    assert found["byline"] == found["sections"] == []


def test_two_bylines_are_kept_and_a_repeated_one_is_named_once() -> None:
    article = article_of(("body", "byline", "Ratna"), ("body", "byline", "Editor: Adi"), ("body", "byline", "Ratna"))
    assert article.byline == ("Ratna", "Editor: Adi")


def test_blank_lines_are_accounted_for_and_make_no_paragraph() -> None:
    article = article_of(("body", "paragraph", "Hujan reda."), ("body", ".", ""), ("body", ".", " \t"), ends="\r\n")
    assert article.paragraphs == ("Hujan reda.",)
    assert [line.text for line in article.lines] == ["Hujan reda.", "", " \t"]


def test_other_lines_are_in_no_section_and_not_in_the_text() -> None:
    article = article_of(("other", ".", "Menu"), ("body", "paragraph", "Hujan reda."))
    assert article.sections == ()
    assert article.paragraphs == ("Hujan reda.",)
    assert article.lines[0].label == "other"


def test_every_line_must_have_been_tagged() -> None:
    with pytest.raises(ValueError, match="zip"):
        build_article(Page.from_text("satu\ndua\n"), [TaggedLine("body", "paragraph", 1.0)])


LABELS = st.sampled_from(["body", "related", "popular", "pick", "latest", "other"])
ROLES = st.sampled_from(["title", "byline", "date", "paragraph", "heading", "headline", "bullet", "meta", "."])
TEXT = st.one_of(
    st.sampled_from(["-", "1", "10:42", "", "Terkini"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff"), max_size=9),
)


@given(st.lists(st.tuples(LABELS, ROLES, TEXT), max_size=12))
def test_no_line_is_lost_or_moved_to_another_label(rows: list[tuple[str, str, str]]) -> None:
    article = article_of(*rows)
    assert [(line.n, line.label, line.text) for line in article.lines] == [
        (n, label, text) for n, (label, _, text) in enumerate(rows, 1)
    ]
    in_sections = [n for s in article.sections for n in range(s.first_line, s.last_line + 1)]
    text_or_other = [line.n for line in article.lines if line.label in ("body", "other")]
    assert sorted(in_sections + text_or_other) == list(range(1, len(rows) + 1))
    visible = [text.strip() for label, role, text in rows if label == "body" and role in ("paragraph", ".") and text.strip()]
    assert list(article.paragraphs) == visible


def test_items_and_their_lines_are_as_many_whatever_stands_at_the_end_of_a_line() -> None:
    page = Page.from_text("\u24d0 \nPanen Raya di Randuasri\n", "dump.txt")
    article = build_article(page, [TaggedLine("related", "headline", 0.9)] * 2)
    assert [len(article.item_lines(section)) for section in article.sections] == [len(s.items) for s in article.sections]
