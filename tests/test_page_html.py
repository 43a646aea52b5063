"""The HTML page: one file, nothing fetched, nothing executed but its own script, readable without colours."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_article import article_of
from test_explain import LINES

from pilah.article import Article, build_article
from pilah.explain import explain_for
from pilah.page import Page
from pilah.page_html import page_html
from pilah.tagger import LineTagger

HOSTILE = [
    "</script><img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "' onfocus='alert(1)", "<!-- a", "]]> b", "</summary></details></ol>",
    "&lt;b&gt; &amp;", "{{7*7}} ${7*7} %s {title}", "javascript:alert(1)", "\x00\x1b[31m\x07\x85", "\u202egnp.exe", "a\rb\x0cc", "<style>*{display:none}",
]  # fmt: skip
VOID = {"meta", "img", "br", "link", "input"}


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text; fails where they are not nested well."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def explained(tagger: LineTagger) -> Article:
    """A page like those that the toy tagger learned, with a blank line and one it cannot know; explained."""
    page = Page.from_text("\n".join([*LINES[:3], "", *LINES[3:], "Zzz 12 / 7 zz"]) + "\n", "dump <1>.txt")
    article = build_article(page, tagger.tag([page.lines])[0])
    article = replace(
        article, lines=tuple(x._replace(confidence=0.6) if x.n == 7 else x for x in article.lines)
    )  # one is doubtful
    return replace(article, explanations=explain_for(tagger, page.lines, False, whole=True))


def test_every_line_is_there_with_its_label_in_words(explained: Article) -> None:
    page = Parsed(page_html(explained))
    rows = [a for a in page.all("li") if (a.get("class") or "").startswith("line")]
    assert [row["id"] for row in rows] == [f"L{line.n}" for line in explained.lines]
    text = " ".join(" ".join(page.text).split())
    for line in explained.lines:
        if line.text.strip():
            role = "" if line.role == "." else f" {line.role}"
            assert re.search(rf"\b{line.n} {line.label}{role} (doubtful, )?\d+% {re.escape(line.text)}", text)


def test_nothing_is_fetched_and_one_script_may_run(explained: Article) -> None:
    html = page_html(explained)
    page = Parsed(html)
    assert not [a for _, a in page.elements if set(a) & {"src", "srcset", "action", "data", "poster"}]
    assert all((a.get("href") or "#").startswith("#") for _, a in page.elements)
    assert not re.search(r"url\(|@import|https?:|//", re.sub(r"<(script|style)>.*?</\1>", "", html, flags=re.DOTALL))
    assert not re.search(r"url\(|@import|https?:|fetch|XMLHttp|WebSocket|innerHTML|eval", html)
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy


def _elements(html: str) -> list[str]:
    return [f"{tag} {sorted(attributes)}" for tag, attributes in Parsed(html).elements]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(explained: Article, hostile: str) -> None:
    """Whatever is written anywhere in the dump, the page has the elements that a harmless word would give it."""

    def everywhere(word: str) -> str:
        lines = [x._replace(text=word) if x.text.strip() else x for x in explained.lines]
        sections = [
            replace(s, heading=word, items=tuple(i._replace(headline=word, meta=(word,)) for i in s.items))
            for s in explained.sections
        ]
        said = [
            replace(
                e,
                text=word,
                heading=e.heading and (e.heading[0], word),
                alone=((word, 1.0),),
                line_evidence=tuple(
                    replace(
                        v,
                        groups=tuple(
                            replace(g, contributions=tuple(replace(c, name=word) for c in g.contributions)) for g in v.groups
                        ),
                    )
                    for v in e.line_evidence
                ),
            )
            for e in explained.explanations
        ]
        return page_html(
            replace(explained, title=word, source=word, lines=tuple(lines), sections=tuple(sections), explanations=tuple(said))
        )

    assert _elements(everywhere(hostile)) == _elements(everywhere("kata"))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["body", "related", "popular", "own"]),
            st.sampled_from(["heading", "headline", "title", "meta", "bullet", "."]),
            st.one_of(st.text(max_size=30), st.sampled_from(["-", "3", "2. Dua", "10:42 WIB", "Baca juga: Tiga"])),
        ),
        min_size=1,
        max_size=6,
    )
)
@example([("body", "title", "\ud800")])
def test_any_page_can_be_shown(rows: list[tuple[str, str, str]]) -> None:
    article = article_of(*((label, role, text.replace("\n", " ")) for label, role, text in rows))
    html = page_html(article)
    Parsed(html)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", html)
    for section in article.sections:
        assert len(article.item_lines(section)) == len(section.items)


def test_doubtful_lines_are_marked_and_counted(explained: Article) -> None:
    html = page_html(explained)
    doubtful = [line.n for line in explained.lines if line.text.strip() and line.confidence < 0.9]
    assert doubtful
    assert [int(n) for n in re.findall(r'<li id="L(\d+)" class="line c\d doubtful', html)] == doubtful
    assert f"{len(doubtful)} of {len(explained.lines)} lines" in html
    sure = replace(explained, lines=tuple(line._replace(confidence=1.0) for line in explained.lines))
    assert "No line is doubtful." in page_html(sure)


def test_an_explanation_stands_in_its_line_and_can_be_opened_without_script(explained: Article) -> None:
    html = page_html(explained)
    rows = html.split('<li id="L')
    for e in explained.explanations:
        row = next(row for row in rows if row.startswith(f'{e.number}"'))
        assert "<details><summary" in row
        assert "The decoder " in row
        assert "<h3>By itself</h3>" in row
        assert (f'<a href="#L{e.heading[0]}">' in row) if e.heading else ("Its heading" not in row)
    assert len(Parsed(html).all("details")) == len(explained.explanations)


def test_without_explanations_the_page_still_shows_what_was_decided(explained: Article) -> None:
    html = page_html(replace(explained, explanations=()))
    assert "<details>" not in html
    assert len(re.findall(r'<li id="L\d+"', html)) == len(explained.lines)


def test_the_article_points_to_the_lines_it_was_rebuilt_from(explained: Article) -> None:
    html = page_html(explained).split('<article id="article"')[1]
    shown = {int(n) for n in re.findall(r'data-line="(\d+)"', html)}
    body = {line.n for line in explained.lines if line.label == "body" and line.text.strip()}
    assert shown == body | {n for section in explained.sections for n in explained.item_lines(section)}


def test_labels_of_another_task_get_colours_too() -> None:
    html = page_html(article_of(("question", ".", "Berapa?"), ("answer", ".", "Tiga.")))
    assert len(set(re.findall(r'class="line (c\d)', html))) == 2
    assert html.count('<b class="tag">question</b>') == 3  # legend, line, section
