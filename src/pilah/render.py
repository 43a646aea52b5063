"""Article -> text, markdown, json, labels, body, html: what `predict.py` prints or writes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pilah.article import Article, Line
from pilah.page import format_labelled

if TYPE_CHECKING:
    from pilah.evidence import Contribution
    from pilah.explain import LineExplanation

LABEL_NAMES = {"related": "Related", "popular": "Popular", "pick": "Editors' pick", "latest": "Latest"}
"""How a section without a heading is called in text and markdown."""


def _body(article: Article) -> list[Line]:
    return [line for line in article.lines if line.label == "body" and line.text.strip()]


def _section_name(label: str, heading: str | None) -> str:
    name = LABEL_NAMES.get(label, label)
    return f"{heading} [{label}]" if heading else f"[{name}]"


def text(article: Article, width: int = 100) -> str:
    """For reading in a terminal: the article wrapped to a width in characters, then its sections."""
    out: list[str] = []
    for line in _body(article):
        content = line.text.strip()
        if line.role == "title":
            out += [*textwrap.wrap(content, width), "=" * min(width, len(content)), ""]
        elif line.role == "subheading":
            out += [*textwrap.wrap(content, width), "-" * min(width, len(content)), ""]
        elif line.role in ("paragraph", "."):
            out += [*textwrap.wrap(content, width), ""]
        else:
            out += [*textwrap.wrap(f"({line.role}) {content}", width), ""]
    for section in article.sections:
        out.append(f"{_section_name(section.label, section.heading)}  lines {section.first_line}-{section.last_line}")
        for number, item in enumerate(section.items, 1):
            meta = f"  ({' · '.join(item.meta)})" if item.meta else ""
            out += textwrap.wrap(f"{number:2d}. {item.headline}{meta}", width, subsequent_indent="    ") or [""]
        out.append("")
    for explanation in article.explanations:
        out += [*explained(explanation), ""]
    return "\n".join(out).rstrip("\n") + "\n"


_VISIBLE: dict[int, int | str] = {
    **{i: 0x2400 + i for i in range(32)}, 9: " ", 0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000)], 0xFFFD),
}  # fmt: skip


def visible(content: str) -> str:
    """Text whose control characters are shown, not obeyed: a dump must not steer a terminal or a browser.

    >>> visible("Hujan\x1b[31m reda")
    'Hujan␛[31m reda'
    """
    return content.translate(_VISIBLE)


def percent(share: float) -> str:
    """A share in whole percent, rounded down: nothing is 100% sure that is not.

    >>> percent(0.8999), percent(1.0)
    ('89%', '100%')
    """
    return f"{int(100 * share + 1e-9)}%"


def contribution(c: Contribution) -> str:
    """One contribution in words: what it added to the score and its name, with how much of it there was if that is a share."""
    name = f"‘{c.name}’" if c.name != c.name.strip() else c.name
    if "looks like" in name:
        name = name.replace("looks like", "not like") if c.value < 0.005 else f"{name} ({c.value:.0%})"
    return f"{c.amount:+.2f} {name}"


def explained(e: LineExplanation, width: int = 100) -> list[str]:
    """Why a line has its label, as lines of text."""

    def wrapped(content: str, first: str = "  ", rest: str = "  ") -> list[str]:
        return textwrap.wrap(content, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)

    out = [f"Line {e.number}: {e.label} {e.role}, {e.confidence:.1%} sure{' (doubtful)' * e.doubtful}"]
    out += [f"  {textwrap.shorten(e.text, width - 2)}", "", *wrapped(f"The decoder {e.decision}.")]
    if e.heading:
        out.append("  " + textwrap.shorten(f"Its heading, line {e.heading[0]}: {e.heading[1]}", width - 2))
    column = max(len("label"), *(len(row.label) for row in e.labels)) + 2
    out += ["", f"  {'label':{column}s}{'in its place':>14s}{'on this page':>14s}{'probability':>14s}"]
    for row in e.labels:
        numbers = f"{row.before:14.2f}{row.after:14.2f}{row.posterior:14.1%}"
        out.append(f"  {row.label:{column}s}{numbers}{' *' * (row.label == e.label)}")
    out += ["", *wrapped("By itself: " + " · ".join(f"{kind} {score:.2f}" for kind, score in e.alone[:5]), rest=" " * 13)]
    for title, parts, count in (("", e.line_evidence, 4), ("In its place:", e.place_evidence, 3)):
        out += ["", f"  {title}"] if title and parts else []
        for evidence in parts:
            out.append(f"    {evidence.kind} {evidence.score:.2f}")
            for group in evidence.groups:
                shown = [*group.strongest(count), *group.strongest(count - 1, against=True)]
                more = "\xa0\xa0…" * (len(shown) < len(group.contributions))
                content = "   ".join(contribution(c).replace(" ", "\xa0") for c in shown) + more
                rows = wrapped(content, f"      {group.name:21s}{group.total:+7.2f} = ", " " * 37) if shown else []
                out += [row.replace("\xa0", " ") for row in rows]
    return out


_MARKUP = re.compile(r"[\\`*_\[\]<>#~]|&(?=#?\w+;)")
_FRONT = re.compile(
    r"^(?:([0-9]{1,9})(?=[.)](?:\s|$))|(?=[-+=](?:\s|$)|[-=]{2}))"
)  # what would begin a list, a rule, a heading


def _escape(content: str) -> str:
    content = re.sub(r"[\r\v\f]", " ", content)
    return _FRONT.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", content))


def markdown(article: Article) -> str:
    """Title, text and sub-headings of the article, captions in italics, and each section as a list."""
    out: list[str] = []
    for line in _body(article):
        content = _escape(line.text.strip())
        form = {"title": "# {}", "subheading": "## {}", "paragraph": "{}", ".": "{}"}.get(line.role, "*{}*")
        out += [form.format(content), ""]
    for section in article.sections:
        out += [f"## {_escape(_section_name(section.label, section.heading))}", ""]
        for item in section.items:
            meta = f" ({_escape(' · '.join(item.meta))})" if item.meta else ""
            out.append(f"- {_escape(item.headline)}{meta}")
        out.append("")
    return "\n".join(out).rstrip("\n") + "\n"


def as_json(article: Article) -> str:
    """One JSON object, indented, in UTF-8 as it is."""
    return json.dumps(article.to_dict(), ensure_ascii=False, indent=1).encode("utf-8", "replace").decode() + "\n"


def labels(article: Article) -> str:
    """``label<TAB>role<TAB>text``, a row per line: the format of labelled dumps."""
    return format_labelled((line.text for line in article.lines), ((line.label, line.role) for line in article.lines))


def body(article: Article) -> str:
    """The clean article text alone: title, sub-headings and paragraphs, a line each."""
    kept = [line.text.strip() for line in _body(article) if line.role in ("title", "subheading", "paragraph", ".")]
    return "".join(line + "\n" for line in kept)


def html(article: Article) -> str:
    """One self-contained page: see `pilah.page_html`."""
    from pilah.page_html import page_html  # read only where it is asked for

    return page_html(article)


FORMATS: Mapping[str, tuple[str, Callable[[Article], str]]] = {
    "text": ("txt", text),
    "markdown": ("md", markdown),
    "json": ("json", as_json),
    "labels": ("tsv", labels),
    "body": ("txt", body),
    "html": ("html", html),
}
"""Name of an output -> file suffix and the function that makes it."""
