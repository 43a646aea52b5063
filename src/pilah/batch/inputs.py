"""Planning: what the user named -> files -> shards, each with the parts that tasks work on."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilah.batch import matches
from pilah.batch.readers import Part
from pilah.batch.streams import need, open_raw
from pilah.page import InputError, reason

DUMPS_PER_PART = 500
"""So many plain-text dumps of a folder are one task."""

ERRORS = "errors.jsonl"
"""The file in the output folder that lists what was set aside."""

_FORMATS = {
    "jsonl": r"\.(jsonl|ndjson|json)",
    "parquet": r"\.(parquet|pq)",
    "wet": r"\.(warc\.wet|warc|wet)",
    "text": r"\.(txt|text)",
}
_PACKED = r"(\.gz|\.zst|\.zstd)?$"


@dataclass(frozen=True)
class Shard:
    """One output file: its name as the user knows it, its path below the output folder, its parts in order."""

    name: str
    target: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of the input."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True)
class _File:
    address: str
    folder: str  # of its output, below the output folder
    size: int
    root: str = ""  # where a glob or a folder was searched from; empty for a file that was named itself


def form_of(name: str) -> str:
    """The format that a file name says: ``jsonl``, ``parquet``, ``wet``, ``text``, or nothing for any other name.

    >>> form_of("CC-NEWS-20240101.warc.wet.gz"), form_of("corpus.jsonl.zst"), form_of("page.html")
    ('wet', 'jsonl', '')
    """
    found = (form for form, ending in _FORMATS.items() if re.search(ending + _PACKED, name, re.IGNORECASE))
    return next(found, "")


def stem_of(name: str) -> str:
    """A file name without what says its format and packing.

    >>> stem_of("CC-NEWS-20240101.warc.wet.gz"), stem_of("a.b.jsonl.zst"), stem_of("page.html")
    ('CC-NEWS-20240101', 'a.b', 'page')
    """
    for ending in _FORMATS.values():
        name, changed = re.subn(ending + _PACKED, "", name, count=1, flags=re.IGNORECASE)
        if changed:
            return name
    return Path(name).stem


def is_pattern(name: str) -> bool:
    """Whether a name is a glob and no file."""
    return glob.has_magic(name) and not os.path.lexists(name)


def plan(inputs: Sequence[str], output: str, output_dir: str, split_bytes: int) -> list[Shard]:
    """The shards of a corpus, in order of their names as given.

    A file that was named is a shard; so is every JSON Lines, Parquet or WET file that a glob or a folder holds. The
    plain-text dumps that a glob or a folder holds are one shard per folder. Plain JSON Lines (written as JSON Lines) and
    Parquet files larger than ``split_bytes`` are worked on in parts, cut between records.

    Raises
    ------
    InputError
        If an input is not there or cannot be read, or two outputs would have one name.
    """
    groups: dict[tuple[str, str], list[_File]] = {}
    seen: set[str] = set()
    inside = os.path.realpath(output_dir)
    for file in (file for name in inputs for file in _files(name, inside)):
        if file.address in seen:
            continue
        seen.add(file.address)
        grouped = file.root and (form_of(file.address) or "text") == "text"
        groups.setdefault(("dumps of", file.folder) if grouped else ("", file.address), []).append(file)
    shards = [_shard(files, bool(grouped), output, split_bytes) for (grouped, _), files in groups.items()]
    used: dict[str, str] = {ERRORS: "the list of errors"}
    for shard in shards:
        if shard.target in used:
            raise InputError(f"{used[shard.target]} and {shard.name} would both be written to {shard.target}: rename one")
        used[shard.target] = shard.name
        target = Path(output_dir, shard.target)
        if any(os.path.exists(target) and os.path.exists(f) and os.path.samefile(target, f) for f in shard.parts[0].files):
            raise InputError(f"{target} would be overwritten by what is made of it: choose another output_dir")
    return shards


def _files(name: str, inside: str) -> Iterator[_File]:
    if name == "-":
        raise InputError("standard input is one dump: a corpus is read from files")
    try:
        if "://" in name:
            yield from _remote(name)
        elif os.path.isdir(name):
            for path in _walk(name, inside):
                yield _found(path, os.path.relpath(path, name), _last(name), name)
        elif is_pattern(name):
            root = _root(name)
            found = [path for path in matches(name) if not os.path.realpath(path).startswith(inside + os.sep)]
            if not found:
                raise InputError(f"no file matches '{name}'")
            for path in found:
                yield _found(path, os.path.relpath(path, root or "."), _last(root), root or ".")
        else:
            yield _File(name, "", os.stat(name).st_size)
    except FileNotFoundError:
        raise InputError(f"there is no file {name}") from None
    except (OSError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{name} cannot be read: {reason(error)}") from None


def _found(path: str, below: str, top: str, root: str) -> _File:
    return _File(path, os.path.join(top, os.path.dirname(below)).rstrip(os.sep), os.stat(path).st_size, root)


def _last(folder: str) -> str:
    """The last name of a path; empty for the current folder and above."""
    last = os.path.basename(os.path.normpath(folder)) if folder else ""
    return "" if last in (".", "..") else last


def _root(pattern: str) -> str:
    """The folder of a glob before its first wildcard.

    >>> _root("crawl/2024/*/page-*.txt"), _root("*.jsonl")
    ('crawl/2024', '')
    """
    before: list[str] = []
    for part in pattern.split("/")[:-1]:
        if glob.has_magic(part):
            break
        before.append(part)
    return "/".join(before) or ("/" if before else "")


def _walk(folder: str, inside: str) -> Iterator[str]:
    found = False
    for here, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and os.path.realpath(os.path.join(here, n)) != inside)
        for name in sorted(names):
            if not name.startswith(".") and form_of(name):
                found = True
                yield os.path.join(here, name)
    if not found:
        raise InputError(f"the folder {folder} holds no .txt, .jsonl, .parquet or .wet file")


def _remote(name: str) -> Iterator[_File]:
    core = need("fsspec.core")
    try:
        system, path = core.url_to_fs(name)
        searched = glob.has_magic(path) or system.isdir(path)
        found = system.glob(path, detail=True) if glob.has_magic(path) else system.find(path, detail=True)
    except (ImportError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise InputError(f"{name} cannot be read: {reason(error)}") from None
    root = _root(path) if glob.has_magic(path) else path.rstrip("/")
    for one, info in sorted(found.items()):
        if info.get("type") == "file" and (form_of(one) or not searched or glob.has_magic(path)):
            folder = os.path.join(_last(root), os.path.dirname(os.path.relpath(one, root or "/"))) if searched else ""
            yield _File(system.unstrip_protocol(one), folder.rstrip("/"), int(info.get("size") or 0), root if searched else "")
    if not found:
        raise FileNotFoundError(name)


def _shard(files: list[_File], grouped: bool, output: str, split_bytes: int) -> Shard:
    first = files[0]
    if grouped:  # the dumps of a folder
        target = f"{first.folder or 'dumps'}.{output}"
        label = os.path.dirname(first.address) + "/" if os.path.dirname(first.address) else "./"
        cuts = range(0, len(files), DUMPS_PER_PART)
        some = [files[i : i + DUMPS_PER_PART] for i in cuts]
        return Shard(label, target, tuple(
            Part(label, target, i, "text", tuple(f.address for f in part), sum(f.size for f in part)) for i, part in enumerate(some)
        ))  # fmt: skip
    name = os.path.basename(first.address.rstrip("/"))
    target = os.path.join(first.folder, f"{stem_of(name)}.{output}")
    form = form_of(name) or "text"
    spans = [(0, -1, first.size)]
    if first.size > split_bytes and "://" not in first.address:
        if form == "jsonl" and output == "jsonl" and not name.lower().endswith((".gz", ".zst", ".zstd")):
            spans = _line_spans(first.address, first.size, split_bytes)
        elif form == "parquet":
            spans = _group_spans(first.address, first.size, split_bytes)
    return Shard(first.address, target, tuple(
        Part(first.address, target, i, form, (first.address,), size, start, stop) for i, (start, stop, size) in enumerate(spans)
    ))  # fmt: skip


def _line_spans(path: str, size: int, split_bytes: int) -> list[tuple[int, int, int]]:
    """Stretches of about so many bytes that begin at a line and end with one."""
    cuts = [0]
    with Path(path).open("rb") as file:
        while cuts[-1] + split_bytes < size:
            file.seek(cuts[-1] + split_bytes - 1)
            while (line := file.readline(1 << 20)) and not line.endswith(b"\n"):
                pass
            cuts.append(file.tell())
    ends = [*cuts[1:], size] if cuts[-1] < size else cuts[1:]
    return [(start, stop, stop - start) for start, stop in zip(cuts, ends, strict=False)]


def _group_spans(path: str, size: int, split_bytes: int) -> list[tuple[int, int, int]]:
    """Runs of row groups that share a file of this size by their number of rows."""
    try:
        with open_raw(path) as raw:
            metadata = need("pyarrow.parquet").ParquetFile(raw).metadata
            rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        return [(0, -1, size)]  # it will be reported when it is read
    spans: list[tuple[int, int, int]] = []
    start = held = 0
    for i, count in enumerate(rows, 1):
        held += size * count // max(1, sum(rows))
        if held >= split_bytes or i == len(rows):
            spans.append((start, i, held))
            start, held = i, 0
    return spans or [(0, -1, size)]
