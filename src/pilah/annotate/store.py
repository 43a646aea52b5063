"""The folder of dumps that a person corrects: raw ``*.txt``, and beside them ``*.tsv`` with what has been decided.

A labelled file is the whole state, so there is nothing that could disagree with it: a line whose label is ``?`` has not
been checked yet, which is also how training reads it (neither learned from nor scored). Raw dumps are never written to.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilah.labels import UNDECIDED, UNKNOWN_ROLE, LabelSet, Tag
from pilah.page import InputError, Page, decode, parse_labelled, read_bytes, write_whole


class MissingError(InputError):
    """There is no such dump in the folder."""


class ConflictError(InputError):
    """The dump has been changed by somebody else since it was read."""


@dataclass(frozen=True)
class Work:
    """A dump and what has been decided about its lines.

    Attributes
    ----------
    page : Page
        The lines, and what ended each of them in the file that was read.
    tags : tuple of (label, role)
        One per line; the label is ``?`` where nobody has decided.
    version : str
        A digest of the file. Whoever saves must name the one that was read.
    differs : bool
        Whether the raw dump beside the labelled one has other lines by now.
    """

    page: Page
    tags: tuple[Tag, ...]
    version: str
    differs: bool = False

    @property
    def left(self) -> list[int]:
        """The lines that are not blank and wait to be checked."""
        return [i for i, (label, _) in enumerate(self.tags) if label == UNDECIDED and self.page.lines[i].strip()]


class Store:
    """The dumps below a folder. A dump is called by its path in the folder, without the suffix.

    Parameters
    ----------
    folder : Path
    labels : LabelSet
        What a line may be.
    encoding : str
        Of the raw dumps; labelled ones are UTF-8.

    Raises
    ------
    InputError
        If there is no such folder.
    """

    def __init__(self, folder: Path, labels: LabelSet, encoding: str = "utf-8") -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}: name the one that holds your dumps (*.txt)")
        self.folder = folder.resolve()
        self.labels = labels
        self.encoding = encoding
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """All dumps in the order of their names; hidden files and folders are passed over."""
        found = set()
        for place, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            inner = Path(place).relative_to(self.folder)
            found |= {(inner / name[:-4]).as_posix() for name in files if name.endswith((".txt", ".tsv")) and name[0] != "."}
        return sorted(found)

    def path(self, name: str, suffix: str) -> Path:
        """Where a file of a dump is.

        Raises
        ------
        MissingError
            If that would be outside the folder, whether by ``..``, an absolute path or a link, or hidden.
        """
        path = self.folder / f"{name}{suffix}"
        try:
            inside = path.resolve().is_relative_to(self.folder)
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside or any(part.startswith(".") or not part for part in name.split("/")):
            raise MissingError(f"there is no dump '{name}' in this folder")
        return path

    def read(self, name: str) -> Work:
        """A dump as it stands: the labelled file if there is one, else the raw one with every line undecided.

        Raises
        ------
        MissingError
            If there is neither.
        InputError
            If the file cannot be read, or holds a label that the set does not have.
        """
        labelled, raw = self.path(name, ".tsv"), self.path(name, ".txt")
        try:
            has_labels, has_raw = labelled.is_file(), raw.is_file()
        except OSError:  # a name longer than a file system takes
            has_labels = has_raw = False
        if not has_labels and not has_raw:
            raise MissingError(f"there is no dump '{name}' in this folder")
        data = read_bytes(str(labelled if has_labels else raw))
        version = hashlib.blake2b(data, digest_size=12).hexdigest()
        if not has_labels:
            page = Page.from_text(decode(data, raw.name, self.encoding), name)
            return Work(page, ((UNDECIDED, UNKNOWN_ROLE),) * len(page.lines), version)
        rows = Page.from_text(decode(data, labelled.name))
        lines, tags = parse_labelled(rows.text(), labelled.name)
        for label, _ in tags:
            if label != UNDECIDED and label not in self.labels.names:
                raise InputError(f"{labelled.name}: there is no label '{label}': say one of {', '.join(self.labels.names)}")
        page = Page(tuple(lines), rows.ends, name, rows.bom)
        differs = has_raw and Page.from_text(decode(read_bytes(str(raw)), raw.name, self.encoding)).lines != page.lines
        return Work(page, tuple(tags), version, differs)

    def save(self, name: str, version: str, rows: Iterable[object]) -> Work:
        """Write corrections into the labelled file, whole or not at all.

        Parameters
        ----------
        version : str
            The one that the corrections were made on.
        rows : iterable of (line, label, role)
            Lines from 0; the label ``?`` takes a decision back.

        Raises
        ------
        ConflictError
            If the file is another one by now: nothing is written.
        InputError
            If a line, label or role does not exist, or the file cannot be written.
        """
        with self._lock:
            work = self.read(name)
            if work.version != version:
                raise ConflictError(f"'{name}' has been changed elsewhere since it was opened here")
            tags = list(work.tags)
            for line, tag in [self._row(row, len(tags)) for row in rows]:
                tags[line] = tag
            return self._write(name, work.page, tags)

    def fits(self, name: str, page: Page, tags: Sequence[Tag], overwrite: bool = False) -> bool:
        """Whether `put` would change anything; nothing is written here.

        Raises
        ------
        InputError
            If the name, a label or a role cannot be, or what is in the folder has other lines, or other labels that
            may not be overwritten.
        """
        for label, role in tags:
            self._tag(label, role)
        self.path(name, ".tsv")
        try:
            work = self.read(name)
        except MissingError:
            return True
        if work.page.lines != page.lines:
            raise InputError(f"'{name}' is in the folder with other lines: rename one of the two")
        differs = list(work.tags) != list(tags)
        if differs and not overwrite and any(label != UNDECIDED for label, _ in work.tags):
            raise InputError(f"'{name}' has other labels in the folder: say overwrite=true to replace them")
        return differs

    def put(self, name: str, page: Page, tags: Sequence[Tag]) -> None:
        """Put a dump that `fits` into the folder: the raw file if there is none, and what has been decided."""
        with self._lock:
            try:
                page = self.read(name).page  # with the line ends that are there
            except MissingError:
                write_whole(self.path(name, ".txt"), page.text())
            if any(label != UNDECIDED for label, _ in tags):
                self._write(name, page, tags)

    def _tag(self, label: object, role: object) -> Tag:
        if label == UNDECIDED:
            return UNDECIDED, UNKNOWN_ROLE
        if not isinstance(label, str) or label not in self.labels.names:
            raise InputError(f"there is no label {label!r:.60}: say one of {', '.join(self.labels.names)}")
        roles = (UNKNOWN_ROLE, *self.labels.roles_of(label))
        if not isinstance(role, str) or role not in roles:
            raise InputError(f"there is no role {role!r:.60} in {label}: say one of {', '.join(roles)}")
        return label, role

    def _row(self, row: object, size: int) -> tuple[int, Tag]:
        line, label, role = row if isinstance(row, list | tuple) and len(row) == 3 else (None, None, None)
        if type(line) is not int or not 0 <= line < size:
            raise InputError(f"a correction is [line from 0 to {size - 1}, label, role], not {row!r:.60}")
        return line, self._tag(label, role)

    def _write(self, name: str, page: Page, tags: Sequence[Tag]) -> Work:
        # with the line ends and the byte order mark of the dump: cut two columns off and it is left, byte for byte
        rows = tuple(f"{label}\t{role}\t{line}" for line, (label, role) in zip(page.lines, tags, strict=True))
        data = Page(rows, page.ends, bom=page.bom).text().encode()
        write_whole(self.path(name, ".tsv"), data)
        return Work(page, tuple(tags), hashlib.blake2b(data, digest_size=12).hexdigest())


def copy_model(source: Path, target: Path) -> None:
    """Copy a model folder, the card last: a model without a card is none."""
    for name in ("arrays.npz", "card.json"):
        write_whole(target / name, (source / name).read_bytes())
