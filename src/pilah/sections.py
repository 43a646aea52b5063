"""From labelled lines to sections: which lines form one block, and which of its lines form one item.

A small grammar, the same in every language: what is a bullet, a rank number, a time, a prefix of an inline link. It
never moves a line from one label to another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass
class _Open:
    """An item that is being read."""

    headline: str | None = None
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def clean_headline(text: str, rank: int | None = None) -> str:
    """A headline without bullets, a read-also prefix and, where its rank is known, the rank number.

    >>> clean_headline("- 4 HP RAM 8 GB untuk Pelajar")
    '4 HP RAM 8 GB untuk Pelajar'
    >>> clean_headline("2. Resep Soto Banjar", rank=2)
    'Resep Soto Banjar'
    >>> clean_headline("Baca juga: Pasar Kalimati Dibuka Lagi")
    'Pasar Kalimati Dibuka Lagi'
    """
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
    found = []
    start = 0
    for i in range(1, len(lines) + 1):
        opens = i < len(lines) and labels[i] == labels[start] and _opens(i, start, roles)
        if i == len(lines) or labels[i] != labels[start] or opens:
            if labels[start] not in skip:
                found.append(_section(lines, labels[start], roles, start, i))
            start = i
    return found


def _opens(i: int, start: int, roles: Sequence[str]) -> bool:
    return roles[i] == "heading" and any(role not in ("heading", ".") for role in roles[start:i])


def _section(lines: Sequence[str], label: str, roles: Sequence[str], start: int, stop: int) -> Section:
    rows = [(i, lines[i].strip(), block_role(lines[i], roles[i])) for i in range(start, stop) if lines[i].strip()]
    headings = list(dict.fromkeys(text for _, text, role in rows if role == "heading"))
    heading = re.sub(r"\s*[:：»›>]+$", "", _BULLET.sub("", " / ".join(headings))).strip() if headings else None
    return Section(label, heading or None, _items([(t, r) for _, t, r in rows if r != "heading"]), start + 1, stop)


def _items(rows: Sequence[tuple[str, str]]) -> tuple[Item, ...]:
    rows = [(text, "bullet" if role == "meta" and _RANK_LINE.match(text) else role) for text, role in rows]
    plain = [role for _, role in rows if role != "bullet"]
    leads = plain[:1] == ["meta"] and plain.count("meta") > 1
    bulleted = len(rows) - len(plain) > 1
    items: list[_Open] = [_Open()]
    for text, role in rows:
        current = items[-1]
        if role == "bullet":
            if current.headline is not None:
                items.append(_Open())
        elif role == "meta":
            if current.headline is None:
                current.before.append(text)
            elif leads and not bulleted:
                items.append(_Open(before=[text]))
            else:
                current.after.append(text)
        elif current.headline is None:
            current.headline = text
        else:
            items.append(_Open(headline=text))
    if not leads and items[0].before:  # 'see all' under the heading belongs to no item
        items[0].before.clear()
    items = [item for item in items if item.headline is not None]
    _drop_surplus(items)
    numbers = (_RANK.match(_BULLET.sub("", item.headline or "")) for item in items)
    ranked = len(items) > 1 and all(m and int(m[1]) == k for k, m in enumerate(numbers, 1))
    return tuple(
        Item(clean_headline(item.headline or "", k if ranked else None), (*item.before, *item.after))
        for k, item in enumerate(items, 1)
    )


def _drop_surplus(items: Sequence[_Open]) -> None:
    """What follows the last item and none of the others ('see all', page numbers) belongs to no item."""
    if len(items) > 1:
        usual = max(len(item.after) for item in items[:-1])
        del items[-1].after[usual:]
