"""Article -> text, markdown, json, labels, body: what `predict.py` prints or writes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping

from pilah.article import Article, Line
from pilah.page import format_labelled

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
    return "\n".join(out).rstrip("\n") + "\n"


_MARKUP = re.compile(r"([\\`*_\[\]<>#])")


def _escape(content: str) -> str:
    content = _MARKUP.sub(r"\\\1", content)
    return re.sub(r"^(\s*)([-+=]|\d+[.)])(?=\s)", r"\1\\\2", content)


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


FORMATS: Mapping[str, tuple[str, Callable[[Article], str]]] = {
    "text": ("txt", text),
    "markdown": ("md", markdown),
    "json": ("json", as_json),
    "labels": ("tsv", labels),
    "body": ("txt", body),
}
"""Name of an output -> file suffix and the function that makes it."""
