"""Writing: labelled records -> JSON Lines or Parquet, in a file that appears whole or not at all."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pilah.batch.streams import need

ADDED = ("labels", "body", "sections")
"""The fields that labelling adds to a record; they replace original fields of these names."""

ROW_GROUP_BYTES = 32_000_000
"""A Parquet row group ends with the batch that reaches this size in memory."""


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes its name when the block ends well, and leaves nothing behind otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name[:40]}.{uuid.uuid4().hex}.tmp"  # new at each try: a lost worker may still write
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


class JsonLines:
    """Rows as JSON Lines. Give it rows with the fields that labelling adds, and Parquet's original columns if any."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[dict[str, Any]], columns: Any = None) -> None:
        """Write some rows; ``columns`` is an Arrow batch with as many rows, whose fields come first."""
        originals = columns.to_pylist() if columns is not None else [{}] * len(rows)
        self._file.write(b"".join(_json({**first, **row}) for first, row in zip(originals, rows, strict=True)))

    def close(self) -> None:
        """All is written."""


def _json(row: dict[str, Any]) -> bytes:
    row = {name: row[name] for name in row if name not in ADDED} | {name: row[name] for name in ADDED}
    text = json.dumps(row, ensure_ascii=False, default=_plain)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot hold but JSON can
        return json.dumps(row, default=_plain).encode() + b"\n"


def _plain(value: Any) -> Any:
    """What JSON has no form for: bytes as base64, times as ISO 8601, all else as Python prints it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class Parquet:
    """Rows as Parquet, with the types of the original columns, or types found in the rows themselves.

    Rows without original columns are first put down as JSON Lines, since the type of a field is known only when the
    last row has been seen: integers, numbers, truth values, texts, lists and nested fields keep their types, and a
    field that fits none of these holds JSON text.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._arrow, self._parquet = need("pyarrow"), need("pyarrow.parquet")
        self._file, self._bytes = file, 0
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows: Any = None
        self._types: dict[str, Any] = {}

    def write(self, rows: Sequence[dict[str, Any]], columns: Any = None) -> None:
        """Write some rows; ``columns`` is an Arrow batch with as many rows, whose fields come first."""
        if columns is not None:
            names = [name for name in columns.schema.names if name not in ADDED]
            types = self._added()
            arrays = [self._arrow.array([row[name] for row in rows], types[name]) for name in ADDED]
            fields = [columns.schema.field(name) for name in names] + [self._arrow.field(n, t) for n, t in types.items()]
            self._add([*(columns.column(name) for name in names), *arrays], self._arrow.schema(fields))
        elif rows:
            if self._rows is None:
                # on the disk of the output, without a name: gone with the process
                self._rows = tempfile.TemporaryFile(dir=Path(self._file.name).parent)  # noqa: SIM115
            JsonLines(self._rows).write(rows)
            for name in dict.fromkeys(name for row in rows for name in row if name not in ADDED):
                self._types[name] = self._type([row.get(name) for row in rows], self._types.get(name))

    def close(self) -> None:
        """Write what is still held; the file is complete afterwards."""
        if self._rows is not None:
            self._convert()
            self._rows.close()
        if self._writer is None:
            self._add([self._arrow.array([], t) for t in self._added().values()], self._arrow.schema(self._added().items()))
        self._flush()
        self._writer.close()

    def _added(self) -> dict[str, Any]:
        a = self._arrow
        item = a.struct([("headline", a.string()), ("meta", a.list_(a.string()))])
        numbers = [("first_line", a.int64()), ("last_line", a.int64())]
        section = a.struct([("label", a.string()), ("heading", a.string()), ("items", a.list_(item)), *numbers])
        return {"labels": a.list_(a.string()), "body": a.string(), "sections": a.list_(section)}

    def _type(self, values: list[Any], known: Any) -> Any:
        """The type that holds these values and those before them; ``"json"`` where there is none."""
        if known == "json":
            return known
        try:
            found = self._arrow.array(_encodable(values)).type
            both = [self._arrow.schema([("x", kind)]) for kind in (known, found) if kind is not None]
            merged = self._arrow.unify_schemas(both, promote_options="permissive").field("x").type
            return "json" if "struct<>" in str(merged) else merged  # Parquet has no struct without a field
        except (self._arrow.ArrowException, OverflowError):
            return "json"

    def _convert(self) -> None:
        a = self._arrow
        texts = {name for name, kind in self._types.items() if kind == "json"}
        kinds = {n: a.string() if n in texts or a.types.is_null(kind) else kind for n, kind in self._types.items()}
        kinds |= self._added()
        self._rows.seek(0)
        while lines := self._rows.readlines(4_000_000):
            rows = [json.loads(line) for line in lines]
            arrays = []
            for name, kind in kinds.items():
                values = [row.get(name) for row in rows]
                if name in texts:
                    values = [None if v is None else json.dumps(v, ensure_ascii=False) for v in values]
                arrays.append(a.array(_encodable(values), kind))
            self._add(arrays, a.schema(kinds.items()))

    def _add(self, arrays: list[Any], schema: Any) -> None:
        table = self._arrow.Table.from_arrays(arrays, schema=schema)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._file, schema, compression="zstd")
        self._held.append(table)
        self._bytes += table.nbytes
        if self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(self._arrow.concat_tables(self._held))
        self._held, self._bytes = [], 0


def _encodable(values: list[Any]) -> list[Any]:
    """The values with halves of surrogate pairs, which UTF-8 cannot hold, replaced by a question mark."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
        return values
    except UnicodeEncodeError:
        cleaned: list[Any] = json.loads(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"))
        return cleaned


def join(parts: Sequence[Path], target: Path, output: str) -> None:
    """Put the outputs of a shard's parts together, in order, as its one output.

    Raises
    ------
    OSError
        If a part is not there or the target cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if len(parts) == 1:
        os.replace(parts[0], target)
        return
    with whole(target) as file:
        if output == "jsonl":
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
            return
        parquet = need("pyarrow.parquet")
        with parquet.ParquetWriter(file, parquet.read_schema(parts[0]), compression="zstd") as writer:
            for part in parts:
                with parquet.ParquetFile(part) as source:
                    for group in range(source.num_row_groups):
                        writer.write_table(source.read_row_group(group))
