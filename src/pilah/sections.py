"""From labelled lines to sections: which lines form one block, and which of its lines form one item.

A small grammar, the same in every language: what is a bullet, a rank number, a time, a prefix of an inline link. It
never moves a line from one label to another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

_SIGNS = r"[-–—•·*»›>▪■□○●◦‣+|#→✓]"
_BULLET_LINE = re.compile(rf"^\W*{_SIGNS}?\W*$")
_BULLET = re.compile(rf"^\s*{_SIGNS}(?:\s*{_SIGNS})*\s+(?=\S)")
_RANK_LINE = re.compile(rf"^\s*(?:{_SIGNS}\s*)*(\d{{1,3}})\s*[.):]?\s*$")
_RANK = re.compile(r"^\s*#?(\d{1,3})(?:[.):](?:\s+|(?!\d))|\s+)(?=\S)")
_TIME = re.compile(
    r"^\W*(?:\w+,?\s+)?(?:\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*[A-Z]{2,4})?|\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}(?:[,|\s]+\d{1,2}[:.]\d{2}(?:\s*[A-Z]{2,4})*)?)\W*$"
)
_READ_ALSO = re.compile(
    r"^\W*(?:(?:baca|simak|lihat|tonton|cek|dengar)\s+(?:juga|pula|lainnya|selengkapnya|artikel\w*)|bacajuga|artikel terkait|terkait|pilihan editor"
    r"|read(?:\s+(?:more|also|next|this))?|see also|also read|more|related|watch|don.t miss"
    r"|lesen sie (?:auch|mehr)|mehr (?:zum thema|dazu)|siehe auch|lesetipp|auch interessant"
    r"|lee (?:también|además|más)|leer más|te puede interesar|mira también|à lire(?: aussi)?|lire aussi|voir aussi"
    r"|leia (?:também|mais)|veja também|leggi anche|lees ook|lees meer|ayrıca (?:oku|bakınız)|читайте также|читать также|czytaj także|zobacz też|läs också|les også"
    r"|関連記事|あわせて読みたい|관련기사|اقرأ أيضا|اقرأ أيضاً|baca lagi)\s*[:：>»|–-]+\s*(?=\S)",
    re.IGNORECASE,
)
_AFTER_PREFIX = re.compile("[:：»>|–-]")


class Item(NamedTuple):
    """One headline of a block with what is printed with it (category, time, count)."""

    headline: str
    meta: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A run of lines with one label that is not the article's own. Line numbers count from 1, both ends included."""

    label: str
    heading: str | None
    items: tuple[Item, ...]
    first_line: int
    last_line: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: plain dicts, lists, strings and numbers."""
        return {
            "label": self.label,
            "heading": self.heading,
            "items": [{"headline": item.headline, "meta": list(item.meta)} for item in self.items],
            "first_line": self.first_line,
            "last_line": self.last_line,
        }


def clean_headline(text: str, rank: int | None = None) -> str:
    """A headline without bullets, a read-also prefix and, where its rank is known, the rank number.

    >>> clean_headline("- 4 HP RAM 8 GB untuk Pelajar")
    '4 HP RAM 8 GB untuk Pelajar'
    >>> clean_headline("2. Resep Soto Banjar", rank=2)
    'Resep Soto Banjar'
    >>> clean_headline("Baca juga: Pasar Kalimati Dibuka Lagi")
    'Pasar Kalimati Dibuka Lagi'
    """
    text = text.strip()
    if not text[:1].isalnum():
        text = _BULLET.sub("", text).strip()
    if rank is not None and (found := _RANK.match(text)) and int(found[1]) == rank:
        text = _BULLET.sub("", text[found.end() :])
    if _AFTER_PREFIX.search(text) and (prefix := _READ_ALSO.match(text)):
        text = text[prefix.end() :].removesuffix(")" if "(" in prefix[0] else "]" if "[" in prefix[0] else "")
    return text.strip()


def block_role(text: str, role: str) -> str:
    """The role of a line of a block, where its form leaves no doubt: a lone sign is a bullet, a number or time is meta.

    >>> block_role("•", "headline"), block_role("03", "bullet"), block_role("10:42 WIB", "headline")
    ('bullet', 'meta', 'meta')
    """
    if role == "heading":
        return role
    if text[-1:].islower():  # none of the forms ends so, and most lines do
        return "headline" if role == "bullet" else role
    if _BULLET_LINE.match(text):
        return "bullet"
    if _RANK_LINE.match(text) or _TIME.match(text):
        return "meta"
    return "headline" if role == "bullet" else role


def find_sections(
    lines: Sequence[str], labels: Sequence[str], roles: Sequence[str], skip: Sequence[str] = ("body", "other")
) -> list[Section]:
    """The sections of a page.

    Parameters
    ----------
    lines, labels, roles : sequences of str
        Of every line of the page.
    skip : sequence of str
        Labels whose lines form no section.

    Returns
    -------
    list of Section
        In page order. A heading after items of the same label opens a new section.

    Examples
    --------
    >>> lines = ["Terpopuler", "1", "Panen Raya di Cikaso", "2", "Jalan Ambles", "Hujan reda."]
    >>> labels = ["popular"] * 5 + ["body"]
    >>> roles = ["heading", "meta", "headline", "meta", "headline", "paragraph"]
    >>> find_sections(lines, labels, roles)[0].items
    (Item(headline='Panen Raya di Cikaso', meta=()), Item(headline='Jalan Ambles', meta=()))
    """
    texts = [line.strip() for line in lines]
    plain = [
        block_role(text, role) if text and label not in skip else role
        for text, label, role in zip(texts, labels, roles, strict=True)
    ]
    return settled_sections(texts, labels, roles, plain, skip)


def settled_sections(
    texts: Sequence[str], labels: Sequence[str], roles: Sequence[str], plain: Sequence[str], skip: Sequence[str]
) -> list[Section]:
    """`find_sections` of lines that are stripped, where ``plain`` has the `block_role` of each line of a block."""
    found = []
    start = 0
    for label, run in groupby(labels):
        stop = start + len(list(run))
        if label not in skip:
            first = start
            for i in range(start + 1, stop):
                if roles[i] == "heading" and _opens(i, first, roles):
                    found.append(_section(texts, label, plain, first, i))
                    first = i
            found.append(_section(texts, label, plain, first, stop))
        start = stop
    return found


def _opens(i: int, start: int, roles: Sequence[str]) -> bool:
    return any(role not in ("heading", ".") for role in roles[start:i])


def _section(texts: Sequence[str], label: str, roles: Sequence[str], start: int, stop: int) -> Section:
    rows = [row for row in zip(texts[start:stop], roles[start:stop], strict=True) if row[0]]
    headings = list(dict.fromkeys(text for text, role in rows if role == "heading"))
    heading = re.sub(r"\s*[:：»›>]+$", "", _BULLET.sub("", " / ".join(headings))).strip() if headings else None
    return Section(label, heading or None, _items([row for row in rows if row[1] != "heading"]), start + 1, stop)


def _items(rows: Sequence[tuple[str, str]]) -> tuple[Item, ...]:
    rows = [(text, "bullet" if role == "meta" and _RANK_LINE.match(text) else role) for text, role in rows]
    plain = [role for _, role in rows if role != "bullet"]
    leads = plain[:1] == ["meta"] and plain.count("meta") > 1
    bulleted = len(rows) - len(plain) > 1
    headlines: list[str | None] = [None]  # of each item; beside it, what is printed before and after
    before: list[list[str]] = [[]]
    after: list[list[str]] = [[]]

    def begin(headline: str | None, *first: str) -> None:
        headlines.append(headline)
        before.append([*first])
        after.append([])

    for text, role in rows:
        if role == "bullet":
            if headlines[-1] is not None:
                begin(None)
        elif role == "meta":
            if headlines[-1] is None:
                before[-1].append(text)
            elif leads and not bulleted:
                begin(None, text)
            else:
                after[-1].append(text)
        elif headlines[-1] is None:
            headlines[-1] = text
        else:
            begin(text)
    if not leads:  # 'see all' under the heading belongs to no item
        before[0].clear()
    items = [(headline, b, a) for headline, b, a in zip(headlines, before, after, strict=True) if headline is not None]
    if len(items) > 1:  # what follows the last item and none of the others ('see all', page numbers) belongs to no item
        del items[-1][2][max(len(meta) for *_, meta in items[:-1]) :]
    numbers = (_RANK.match(_BULLET.sub("", headline)) for headline, *_ in items)
    ranked = len(items) > 1 and all(m and int(m[1]) == k for k, m in enumerate(numbers, 1))
    return tuple(
        Item(clean_headline(headline, k if ranked else None), (*first, *rest))
        for k, (headline, first, rest) in enumerate(items, 1)
    )
