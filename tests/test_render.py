"""The outputs. ``tests/golden`` holds what one article written by hand must look like in each of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_article import article_of

from pilah.page import parse_labelled
from pilah.render import FORMATS
from pilah.sections import block_role, clean_headline

GOLDEN = Path(__file__).parent / "golden"
ARTICLE = article_of(
    ("body", "title", "Jembatan Bambu *Terpanjang* Diresmikan"),
    ("body", "byline", "Penulis: Ratna_Suminar"),
    ("body", "date", "Kamis, 12/03/2031 10:42 WIB"),
    ("body", "caption", "Warga menyeberang. (Foto: Dok. Desa)"),
    (
        "body",
        "paragraph",
        "Jembatan itu panjangnya 40 meter dan lebarnya 2 meter; seluruhnya dibuat dari bambu petung yang ditebang di lereng Gunung Sepuh.",
    ),
    ("related", "headline", "Baca juga: Sungai Wening Surut"),
    ("body", "subheading", "Gotong royong"),
    ("body", "paragraph", "1. Warga bekerja dua bulan <tanpa upah>, kata Kepala Desa `Sutarno`."),
    ("body", ".", ""),
    ("body", "signature", "(rsu/adi)"),
    ("popular", "heading", "Terpopuler"),
    ("popular", "meta", "1"),
    ("popular", "headline", "[Video] Panen Raya di Randuasri"),
    ("popular", "meta", "2"),
    ("popular", "headline", "- 4 Cara Menanam Cabai"),
    (
        "latest",
        "headline",
        "Lampu Jalan Kemuning Menyala Lagi Setelah Tiga Pekan Padam, Pedagang Malam Kembali Berjualan di Alun-alun",
    ),
    ("latest", "meta", "10:40 WIB"),
    ("latest", "headline", "Kapal Karam, Semua Selamat"),
    ("latest", "meta", "10:38 WIB"),
    ("other", ".", "Tentang Kami"),
)


@pytest.mark.parametrize("output", ["text", "markdown", "json", "labels", "body"])
def test_an_article_looks_as_it_did(output: str) -> None:
    suffix, made = FORMATS[output]
    assert made(ARTICLE) == (GOLDEN / f"article-{output}.{suffix}").read_text(encoding="utf-8")


def test_the_suffixes_are_the_documented_ones() -> None:
    assert {name: FORMATS[name][0] for name in ("text", "markdown", "json", "labels", "body")} == {
        "text": "txt", "markdown": "md", "json": "json", "labels": "tsv", "body": "txt",
    }  # fmt: skip


@pytest.mark.parametrize("output", sorted(FORMATS))
def test_every_output_of_a_page_without_text_is_made(output: str) -> None:
    assert isinstance(FORMATS[output][1](article_of(("related", "headline", "Panen Raya"))), str)


def test_labels_can_be_read_back() -> None:
    lines, tags = parse_labelled(FORMATS["labels"][1](ARTICLE))
    assert lines == [line.text for line in ARTICLE.lines]
    assert tags == [(line.label, line.role) for line in ARTICLE.lines]


def test_json_keeps_letters_as_they_are_and_is_one_object() -> None:
    found = FORMATS["json"][1](article_of(("body", "title", "Café “Melati” 雨")))
    assert "Café “Melati” 雨" in found
    assert json.loads(found)["title"] == "Café “Melati” 雨"


def test_the_body_is_the_clean_text_alone() -> None:
    kept = FORMATS["body"][1](ARTICLE)
    assert kept.splitlines()[0] == "Jembatan Bambu *Terpanjang* Diresmikan"
    for gone in ("Ratna_Suminar", "12/03/2031", "Foto", "rsu/adi", "Sungai Wening", "Terpopuler", "Tentang Kami"):
        assert gone not in kept


def test_no_line_of_the_text_output_is_wider_than_it_may_be() -> None:
    assert max(len(line) for line in FORMATS["text"][1](ARTICLE).splitlines()) <= 100


# -------------------------------------------------------------------------------------------------------- markdown


def shown(markdown: str) -> list[tuple[str, str]]:
    """What a reader of the markdown sees: (element, text) of every block, by a CommonMark parser."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    found = []
    for before, token in pairwise(tokens):
        if token.type == "inline":
            assert {child.type for child in token.children or ()} <= {"text", "text_special", "em_open", "em_close"}, markdown
            found.append((before.tag, "".join(child.content for child in token.children or ())))
    return found


HOSTILE = ["1. Satu", "12) Dua", "3.", "- Tiga", "-", "---", "***", "+ Empat", "===", "# Lima", "#", "> Enam", "~~~", "```", "`tujuh`", "*delapan*",
           "_sembilan_", "[a](b)", "![a](b)", "<b>sepuluh</b>", "<!-- a", "&amp;", "&#35;", "A & B", "a\\", "\\*", "a\rb", "- - -", "| a | b |", "\t1. x", "[a]: b"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(("role", "element"), [("paragraph", "p"), ("title", "h1"), ("subheading", "h2"), ("caption", "p")])
def test_markup_in_a_line_is_shown_as_it_stands(text: str, role: str, element: str) -> None:
    before, after = ("body", "paragraph", "Hujan reda."), ("body", "paragraph", "Warga pulang.")
    markdown = FORMATS["markdown"][1](article_of(before, ("body", role, text), after))
    assert shown(markdown) == [("p", "Hujan reda."), (element, " ".join(text.split())), ("p", "Warga pulang.")]


@pytest.mark.parametrize(
    "text", [text for text in HOSTILE if block_role(text, "headline") == "headline" and clean_headline(text) == text]
)
def test_markup_in_a_headline_is_shown_as_it_stands(text: str) -> None:
    rows = [("related", "heading", "Baca *Juga*"), ("related", "headline", text), ("related", "headline", "Panen Raya")]
    elements = shown(FORMATS["markdown"][1](article_of(*rows)))
    assert elements == [("h2", "Baca *Juga* [related]"), ("p", " ".join(text.split())), ("p", "Panen Raya")]


@given(
    st.text(
        st.one_of(st.sampled_from("-+*_#>`~=[]()<>&;!|\\.1) \ta"), st.characters(categories=["L", "N", "P", "S"])),
        min_size=1,
        max_size=12,
    )
)
def test_markdown_shows_any_line(text: str) -> None:
    if text.strip():
        markdown = FORMATS["markdown"][1](article_of(("body", "paragraph", text), ("body", "paragraph", "Warga pulang.")))
        (element, content), *others = shown(markdown)
        assert (element, content.split()) == ("p", text.split())
        assert others == [("p", "Warga pulang.")]
