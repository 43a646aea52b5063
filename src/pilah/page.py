"""Pages: the lines of one dump, read and written byte for byte.

A *dump* is the plain text that an extractor left of one news page, one line per block of text, in page order. Only
``\\n`` and ``\\r\\n`` end a line; every other character (U+2028, a lone ``\\r``, a form feed) stays inside its line, so
that line numbers agree with every editor and ``grep -n``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import not_
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.labels import UNKNOWN_ROLE, Tag

MAX_LINE_CHARS = 20_000
"""Only so many characters of a line are looked at; the line itself stays whole."""

MAX_DUMP_BYTES = 256 * 1024 * 1024
"""Largest dump that is read whole. A larger one is a corpus, not a page."""

_LINE_END = re.compile("(\r?\n)")


class InputError(ValueError):
    """A wrong input, said in one sentence that a user can act on."""


@dataclass(frozen=True)
class Page:
    """The lines of one dump, with what ended each of them.

    ``text()`` gives the dump back exactly.

    >>> page = Page.from_text("Berita Terkait\\r\\n- Harga cabai turun di Pasar Kalimati\\n")
    >>> page.lines
    ('Berita Terkait', '- Harga cabai turun di Pasar Kalimati')
    >>> page.text() == "Berita Terkait\\r\\n- Harga cabai turun di Pasar Kalimati\\n"
    True
    """

    lines: tuple[str, ...]
    ends: tuple[str, ...]
    source: str = ""
    bom: bool = False

    @classmethod
    def from_text(cls, text: str, source: str = "") -> Page:
        """Split a text into lines; a byte order mark in front is kept aside, not in the first line."""
        bom = text.startswith("\ufeff")
        text = text[1:] if bom else text
        if "\r" not in text:  # most dumps: the fast way to the same
            rows = text.split("\n")
            rows = rows if rows[-1] else rows[:-1]
            return cls(
                tuple(rows), ("\n",) * (len(rows) - 1) + ("\n" if text.endswith("\n") else "",) * bool(rows), source, bom
            )
        parts = _LINE_END.split(text)
        lines, ends = parts[0::2], [*parts[1::2], ""]
        if not lines[-1]:  # the text is empty or ends in a line end: no further line begins there
            lines, ends = lines[:-1], ends[:-1]
        return cls(tuple(lines), tuple(ends), source, bom)

    def text(self) -> str:
        """The dump as it was."""
        body = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        return "\ufeff" * self.bom + body


def decode(data: bytes, source: str, encoding: str = "utf-8") -> str:
    """Decode the bytes of a dump.

    Raises
    ------
    InputError
        If the data is empty, holds a NUL byte, is longer than ``MAX_DUMP_BYTES`` or is not text in the encoding.
    """
    if not data:
        raise InputError(f"{source} is empty: there is no line to label")
    if len(data) > MAX_DUMP_BYTES:
        raise InputError(f"{source} has {len(data)} bytes; a dump of one page may have at most {MAX_DUMP_BYTES}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if 0 in data:
            raise InputError(_binary(source, data)) from None
        raise InputError(
            f"{source} is not {encoding}: byte {error.start + 1} is 0x{data[error.start]:02x}; "
            "if it is in another encoding say so, as in encoding=cp1252"
        ) from None
    except (LookupError, ValueError):
        raise InputError(f"unknown encoding '{encoding}': say one that Python knows, as in encoding=cp1252") from None
    if "\0" in text:
        raise InputError(_binary(source, data))
    return text


def _binary(source: str, data: bytes) -> str:
    return f"{source} is a binary file (byte {data.find(0) + 1} is NUL), not the text of a page"


def read_bytes(name: str) -> bytes:
    """The bytes of a file, or of standard input where the name is ``-``.

    Raises
    ------
    InputError
        If there is no such file, or it is a directory, or it may not be read.
    """
    if name == "-":
        return sys.stdin.buffer.read(MAX_DUMP_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_DUMP_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {name}") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a directory; name the dumps in it, as in {name.rstrip('/')}/*.txt") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {reason(error)}") from None


def read_page(name: str, encoding: str = "utf-8") -> Page:
    """Read one dump; ``-`` is standard input. Errors as of `read_bytes` and `decode`."""
    source = "standard input" if name == "-" else name
    return Page.from_text(decode(read_bytes(name), source, encoding), name)


def parse_labelled(text: str, source: str = "") -> tuple[list[str], list[Tag]]:
    """Lines and tags of a labelled dump: ``label<TAB>role<TAB>text``, a row a line, no header.

    >>> parse_labelled("related\\theading\\tBaca Juga\\nbody\\t.\\tHujan reda menjelang sore.\\n")
    (['Baca Juga', 'Hujan reda menjelang sore.'], [('related', 'heading'), ('body', '.')])

    Raises
    ------
    InputError
        If a row has fewer than three columns.
    """
    lines: list[str] = []
    tags: list[Tag] = []
    for number, row in enumerate(Page.from_text(text).lines, 1):
        columns = row.split("\t", 2)
        if len(columns) < 3 or not columns[0]:
            raise InputError(f"{source or 'labelled dump'}, row {number}: expected label<TAB>role<TAB>text")
        tags.append((columns[0], columns[1] or UNKNOWN_ROLE))
        lines.append(columns[2])
    return lines, tags


def format_labelled(lines: Iterable[str], tags: Iterable[Tag]) -> str:
    """The text of a labelled dump: `parse_labelled` gives lines and tags back."""
    return "".join(f"{label}\t{role}\t{line}\n" for line, (label, role) in zip(lines, tags, strict=True))


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file that appears whole or not at all: a temporary neighbour first, then a rename.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, or the disk is full. Nothing is left behind then.
    """
    payload = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        raise InputError(f"{path} cannot be written: {reason(error)}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def reason(error: Exception) -> str:
    """What the operating system says went wrong, without Python's decoration."""
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def blanks(lines: Sequence[str]) -> list[bool]:
    """Which lines hold no visible character: such a line belongs to what it stands in."""
    return list(map(not_, map(str.strip, lines)))


def uncapitalised(lines: Sequence[str], lengths: Sequence[int]) -> Sequence[str]:
    """The lines of pages, those of a page in capitals in lower case: where nothing else stands, capitals say nothing.

    A page is in capitals if none of its letters is a lower-case one and, where its first 20 lines begin, most are capitals.

    >>> uncapitalised(["TERKINI", "GEMPA DI 3 KOTA", "TERKINI", "Gempa di 3 Kota", "NHK 速報を伝える"], [2, 2, 1])
    ['terkini', 'gempa di 3 kota', 'TERKINI', 'Gempa di 3 Kota', 'NHK 速報を伝える']
    """
    changed: dict[int, str] = {}
    start = 0
    for size in lengths:
        rows = range(start, start := start + size)
        if not size or not _no_lower(lines[rows[0]]):  # mostly the first line tells
            continue
        sample = "".join(lines[i][:20] for i in rows[:20])
        most = sample.isupper() and 2 * sum(map(str.isupper, sample)) > sum(map(str.isalpha, sample))
        if most and all(_no_lower(lines[i]) for i in rows):
            changed |= {i: lines[i][:MAX_LINE_CHARS].lower() for i in rows}
    return [changed.get(i, line) for i, line in enumerate(lines)] if changed else lines


def _no_lower(line: str) -> bool:
    line = line[:MAX_LINE_CHARS]
    return line == line.upper()


@dataclass(frozen=True)
class Visible:
    """The lines of pages that are not blank, and what every line, blank or not, takes its label from.

    Attributes
    ----------
    sizes, lengths : sequences of int
        Lines of each page, and those that are not blank.
    lines : list of str
        Those that are not blank, of all pages.
    mask : array of shape (sum of sizes,)
        Which lines these are.
    source : array of shape (sum of sizes,)
        A row of ``lines``: the line's own, that of the line above, or that of the first line below; ``len(lines)`` on a
        page that is all blank.

    Examples
    --------
    >>> visible = Visible.of([["", "Terkini", " ", "-"], [""]])
    >>> visible.lines, visible.lengths, visible.source.tolist()
    (['Terkini', '-'], [2, 0], [0, 0, 0, 1, 2])
    >>> visible.split(["a", "b", "c", "d", "e"])
    [['a', 'b', 'c', 'd'], ['e']]
    """

    sizes: Sequence[int]
    lines: list[str]
    lengths: list[int]
    mask: NDArray[np.bool_]
    source: NDArray[np.int64]

    @classmethod
    def of(cls, pages: Sequence[Sequence[str]]) -> Visible:
        """The visible lines of pages."""
        sizes = [len(page) for page in pages]
        every = list(chain.from_iterable(pages))
        mask = ~np.fromiter(blanks(every), bool, len(every))
        seen = np.concatenate([[0], np.cumsum(mask)])  # how many lines before each line are not blank
        ends = np.cumsum([0, *sizes])
        first, lengths = seen[ends[:-1]], np.diff(seen[ends])
        source = np.maximum(seen[1:] - 1, np.repeat(first, sizes))
        source[np.repeat(lengths == 0, sizes)] = seen[-1]
        lines = every if seen[-1] == len(every) else [every[i] for i in np.flatnonzero(mask)]
        return cls(sizes, lines, lengths.tolist(), mask, source)

    def split(self, rows: list[Any]) -> list[list[Any]]:
        """What was found of every line, page by page."""
        ends = np.cumsum([0, *self.sizes]).tolist()
        return [rows[start:stop] for start, stop in pairwise(ends)]


def first_sentence(error: BaseException) -> str:
    """What an error says, on one line and without the hints that libraries append.

    >>> first_sentence(ValueError("Could not override 'modle'.\\nKey 'modle' is not in struct"))
    "Could not override 'modle'. Key 'modle' is not in struct"
    """
    rows = [
        row.strip()
        for row in str(error).splitlines()
        if row.strip() and not row.lstrip().startswith(("full_key", "object_type"))
    ]
    return " ".join(rows[:2]) or type(error).__name__
