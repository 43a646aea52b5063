import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pilah.training.markup import folded, navigation, node, number, page, section, table

TEXT = st.text(st.characters(blacklist_characters="\0\r", blacklist_categories=["Cs"]), min_size=1)


class Seen(HTMLParser):
    """The tags and the text of a page, as a browser's tokenizer would see them."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(TEXT, TEXT)
def test_whatever_text_comes_in_comes_out_as_text(text: str, value: str) -> None:
    seen = Seen(page("Judul", node("pre", text, title=value)))
    assert [tag for tag, _ in seen.tags] == ["html", "head", "meta", "meta", "meta", "title", "style", "body", "h1", "pre"]
    assert seen.tags[-1][1] == {"title": value}
    assert "".join(seen.text).endswith(f"Judul{text}\n")


def test_a_lone_surrogate_does_not_break_the_page() -> None:
    assert b"a?b" in page("a\ud800b")


def test_the_page_forbids_itself_scripts_and_the_network() -> None:
    policy = next(a["content"] for tag, a in Seen(page("x")).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_text_goes_before_between_and_after_elements() -> None:
    assert ET.tostring(node("p", "a", None, node("b", "c"), "d", "e", node("i")), "unicode") == "<p>a<b>c</b>de<i /></p>"


def test_the_first_cell_of_a_row_is_its_heading() -> None:
    found = table(["label", "F1"], [["body", node("td", "0.9")]], "labelled")
    assert [(cell.tag, cell.get("scope"), cell.text) for cell in found.iter() if cell.tag in ("th", "td")] == [
        ("th", "col", "label"),
        ("th", "col", "F1"),
        ("th", "row", "body"),
        ("td", None, "0.9"),
    ]
    assert found.findtext(".//caption") == "labelled"


def test_a_figure_that_is_none_is_a_dash() -> None:
    assert (number(None), number(float("nan")), number(0.98765), number(0.98765, 4)) == ("–", "–", "0.988", "0.9877")


def test_the_navigation_leads_to_every_section() -> None:
    links = navigation([section("satu", "Satu"), section("dua", "Dua")])
    assert [(link.get("href"), link.text) for link in links] == [("#satu", "Satu"), ("#dua", "Dua")]


def test_what_is_folded_is_closed_until_asked_for() -> None:
    found = folded("Angka", node("p", "isi"), more="3 baris")
    assert found.get("open") is None and "".join(found.itertext()) == "Angka3 barisisi"
