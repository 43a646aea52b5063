"""Article: what a page is once its lines are labelled. No line is lost: `Article.lines` tiles the dump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from pilah.page import Page
from pilah.sections import Section, block_role, settled_sections
from pilah.tagger import TaggedLine

if TYPE_CHECKING:  # imported only where an explanation is asked for
    from pilah.explain import LineExplanation


class Line(NamedTuple):
    """One line of the dump: its number from 1, what it was found to be, how sure that is (0 to 1), and its text."""

    n: int
    label: str
    role: str
    confidence: float
    text: str


@dataclass(frozen=True)
class Article:
    """A rebuilt article.

    Attributes
    ----------
    source : str
        Where the dump came from.
    title, date : str or None
    byline : tuple of str
    paragraphs : tuple of str
        The text without title, sub-headings, captions and signatures; those stand in `lines` with their roles.
    sections : tuple of Section
    lines : tuple of Line
        Every line of the dump, in order.
    explanations : tuple of LineExplanation
        Why lines were decided as they were, in order; empty unless that was asked for.
    """

    source: str
    title: str | None
    byline: tuple[str, ...]
    date: str | None
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]
    lines: tuple[Line, ...]
    explanations: tuple[LineExplanation, ...] = ()

    def item_lines(self, section: Section) -> tuple[int, ...]:
        """The number of the line that each item of a section has its headline from, as many as there are items."""
        inside = self.lines[section.first_line - 1 : section.last_line]
        kept = [
            x.n for x in inside if (text := x.text.strip()) and block_role(text, x.role) not in ("heading", "bullet", "meta")
        ]
        return tuple(kept)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: plain dicts, lists, strings and numbers."""
        return {
            "source": self.source,
            "title": self.title,
            "byline": list(self.byline),
            "date": self.date,
            "paragraphs": list(self.paragraphs),
            "sections": [section.to_dict() for section in self.sections],
            "lines": [
                {
                    "n": line.n,
                    "label": line.label,
                    "role": line.role,
                    "confidence": round(line.confidence, 4),
                    "text": line.text,
                }
                for line in self.lines
            ],
        }


def build_article(page: Page, tagged: Sequence[TaggedLine], body: str = "body", other: str = "other") -> Article:
    """Rebuild the article from the lines of a page and what the tagger said of them.

    >>> page = Page.from_text("Hujan reda menjelang sore.\\nBaca juga: Sungai Awi Surut\\nWarga pulang.\\n", "dump.txt")
    >>> tags = [("body", "paragraph"), ("related", "headline"), ("body", "paragraph")]
    >>> article = build_article(page, [TaggedLine(label, role, 0.99) for label, role in tags])
    >>> article.paragraphs
    ('Hujan reda menjelang sore.', 'Warga pulang.')
    >>> [(s.label, s.items[0].headline, s.first_line) for s in article.sections]
    [('related', 'Sungai Awi Surut', 2)]
    """
    labels, roles, confidences = map(list, zip(*tagged, strict=True)) if tagged else ([], [], [])
    texts = list(map(str.strip, page.lines))
    plain = roles.copy()
    own: dict[str, list[str]] = {}  # role -> text of its lines in the body
    for i, (text, label, role) in enumerate(zip(texts, labels, roles, strict=True)):
        if text and label == body:
            own.setdefault("paragraph" if role == "." else role, []).append(text)
        elif text and label != other:
            plain[i] = block_role(text, role)
            if role != ".":
                roles[i] = plain[i]
    # made without the call of a Python function for each: a corpus has millions
    lines = map(tuple.__new__, repeat(Line), zip(count(1), labels, roles, confidences, page.lines))
    return Article(
        source=page.source,
        title=own.get("title", [None])[0],
        byline=tuple(dict.fromkeys(own.get("byline", ()))),
        date=own.get("date", [None])[0],
        paragraphs=tuple(own.get("paragraph", ())),
        sections=tuple(settled_sections(texts, labels, roles, plain, skip=(body, other))),
        lines=tuple(lines),
    )
