"""Reading: one part of a shard -> bounded batches of records. What is broken becomes a record that says so."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilah.batch.streams import Stream, need, open_raw
from pilah.page import InputError, decode, reason

MAX_TEXT_BYTES = 50_000_000
"""Longest text of one record, in bytes of UTF-8. A longer one is set aside."""

_BLANK = "a blank line"
BATCH_RECORDS = 1024
BATCH_CHARACTERS = 2_000_000
"""A batch ends with the record that reaches either, with all its fields: so much is held in memory at a time, and short pages are
still some thousands of lines, over which the steps that are taken once for each batch are spread."""
PARQUET_ROWS = 256
"""Rows of Parquet are read so many at once, whatever they hold: how large they are is not known before."""


@dataclass(frozen=True)
class Part:
    """What one task labels: the whole of a shard, or a stretch of it.

    Attributes
    ----------
    shard, target : str
        The shard's name as given by the user, and its output below the output folder.
    index : int
        Place of the part in its shard, from 0.
    form : str
        ``text``, ``jsonl``, ``parquet`` or ``wet``.
    files : tuple of str
        Paths or fsspec addresses; more than one for ``text`` alone, whose records are files.
    size : int
        Bytes of the input.
    start, stop : int
        Bytes of the file (``jsonl``) or row groups (``parquet``) from where up to where; ``stop=-1`` is the end.
    """

    shard: str
    target: str
    index: int
    form: str
    files: tuple[str, ...]
    size: int
    start: int = 0
    stop: int = -1


@dataclass(frozen=True)
class Record:
    """One page of a corpus: its text, or what is wrong with it.

    Attributes
    ----------
    number : int
        Line, row or WARC record in the part, from 1.
    fields : dict
        The original fields that are kept.
    error : str
        Why there is no text to label; empty where there is one.
    damage : bool
        The error concerns all that would have followed as well.
    address : str
        Where the record is, if its shard's name and number do not say it.
    """

    number: int
    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    damage: bool = False
    address: str = ""


@dataclass(frozen=True)
class Batch:
    """Some records in order.

    Attributes
    ----------
    consumed : int
        Bytes of input read so far.
    last : int
        Number of the last line, row or WARC record read; more than that of the last record where lines are blank.
    columns : pyarrow.RecordBatch, optional
        The original columns of Parquet, a row per record.
    """

    records: Sequence[Record]
    consumed: int
    last: int
    columns: Any = None


def read_part(
    part: Part, text_field: str = "text", keep: Collection[str] | None = None, encoding: str = "utf-8"
) -> Iterator[Batch]:
    """The records of a part, in order.

    Parameters
    ----------
    text_field : str
        Where JSON Lines and Parquet hold the text.
    keep : collection of str, optional
        Names of the original fields to keep; all by default.
    encoding : str
        Of plain text; everything else is UTF-8.

    Raises
    ------
    InputError
        If the part cannot be opened, is not of its format, or needs a library that is not installed.
    """
    if part.form == "parquet":
        yield from _parquet(part, text_field, keep)
        return
    if part.form == "text":
        yield from _batches(_texts(part, encoding), keep)
        return
    stream = Stream(part.files[0], part.start)
    with stream:
        if part.form == "jsonl":
            buffered = io.BufferedReader(stream, 1 << 20)
            records = _json_lines(buffered, stream, part.stop - part.start if part.stop >= 0 else -1, text_field)
        else:
            records = _wet(stream)
        yield from _batches(((record, stream.consumed) for record in records), keep)


def _batches(records: Iterator[tuple[Record, int]], keep: Collection[str] | None) -> Iterator[Batch]:
    held: list[Record] = []
    characters = consumed = last = 0
    for record, consumed in records:
        last = record.number
        if record.error == _BLANK:
            continue
        if keep is not None:
            kept = {name: value for name, value in record.fields.items() if name in keep}
            record = Record(record.number, record.text, kept, record.error, record.damage, record.address)
        held.append(record)
        characters += max(len(record.text), sum(len(v) for v in record.fields.values() if isinstance(v, str)))
        if len(held) == BATCH_RECORDS or characters >= BATCH_CHARACTERS:
            yield Batch(held, consumed, last)
            held, characters = [], 0
    yield Batch(held, consumed, last)


def _json_lines(lines: io.BufferedReader[Any], stream: Stream, left: int, text_field: str) -> Iterator[Record]:
    longest = 3 * MAX_TEXT_BYTES  # a text at the limit may be written \u00e4 for \u00e4
    number = 0
    while left:
        line = lines.readline(longest + 1)
        size = len(line)
        while len(line) > longest and not line.endswith(b"\n"):  # over the limit: only its end matters
            rest = lines.readline(1 << 20)
            size += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        left -= size if left > 0 else 0
        if not line or (stream.damage and not line.endswith(b"\n")):
            break
        number += 1
        if size > longest:
            yield Record(number, error=f"the record has {size} bytes; a text may have at most {MAX_TEXT_BYTES}")
        elif line.isspace():
            yield Record(number, error=_BLANK)
        else:
            yield _json_record(number, line.rstrip(), text_field)
    if stream.damage:
        yield Record(number + 1, error=stream.damage, damage=True)


def _json_record(number: int, line: bytes, text_field: str) -> Record:
    try:
        fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Record(number, error=f"invalid UTF-8: byte {error.start + 1} of the record is 0x{line[error.start]:02x}")
    except json.JSONDecodeError as error:
        return Record(number, error=f"broken JSON: {error.msg.removesuffix(' at')}, character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return Record(number, error=f"broken JSON: {error}")
    if not isinstance(fields, dict):
        return Record(number, error="the record is no JSON object with fields")
    return _checked(number, fields.get(text_field), fields, text_field, text_field in fields)


def _checked(number: int, text: Any, fields: dict[str, Any], text_field: str, present: bool = True) -> Record:
    if not present:
        return Record(number, error=f"there is no field '{text_field}'")
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            return Record(number, error=f"invalid UTF-8: byte {error.start + 1} of '{text_field}' is 0x{text[error.start]:02x}")
    if not isinstance(text, str):
        return Record(number, error=f"the field '{text_field}' holds no text but {json.dumps(text, default=str)[:40]}")
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        return Record(number, error=f"the text is longer than {MAX_TEXT_BYTES} bytes")
    return Record(number, text, fields)


def _texts(part: Part, encoding: str) -> Iterator[tuple[Record, int]]:
    consumed = 0
    for number, name in enumerate(part.files, 1):
        try:
            with Stream(name) as stream:
                data = io.BufferedReader(stream).read(MAX_TEXT_BYTES + 1)
                consumed += stream.consumed
                error = stream.damage
            if len(data) > MAX_TEXT_BYTES:
                error = f"the text is longer than {MAX_TEXT_BYTES} bytes"
            text = decode(data, name, encoding) if not error else ""
            record = Record(number, text, {"source": name, "text": text}, error, address=name)
        except InputError as problem:
            record = Record(number, error=str(problem), address=name)
        yield record, consumed


def _wet(stream: Stream) -> Iterator[Record]:
    archive, exceptions = need("warcio.archiveiterator"), need("warcio.exceptions")
    number = 0
    try:
        for found in archive.ArchiveIterator(io.BufferedReader(stream, 1 << 20), no_record_parse=True):
            number += 1
            get = found.rec_headers.get_header
            size = get("Content-Length", "")
            if not size.isdigit():
                break
            if found.rec_type != "conversion":
                continue
            if int(size) > MAX_TEXT_BYTES:
                yield Record(number, error=f"the text is longer than {MAX_TEXT_BYTES} bytes")
                continue
            content = found.raw_stream.read()
            if len(content) < int(size):
                break
            record = _checked(number, content, {}, "content")
            headers = {"id": "Record-ID", "url": "Target-URI", "date": "Date", "language": "Identified-Content-Language"}
            record.fields.update({name: get(f"WARC-{header}") for name, header in headers.items()}, text=record.text)
            yield record
        else:
            if not stream.damage:
                return
            number += 1
    except exceptions.ArchiveLoadFailed:
        number += 1
    yield Record(number, error=stream.damage or "the WARC record is damaged, and with it what follows", damage=True)


def _parquet(part: Part, text_field: str, keep: Collection[str] | None) -> Iterator[Batch]:
    arrow, parquet = need("pyarrow"), need("pyarrow.parquet")
    name = part.files[0]
    with open_raw(name) as raw:
        try:
            file = parquet.ParquetFile(raw, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{name} cannot be read as Parquet: {reason(error)}") from None
        schema = file.schema_arrow
        missing = [column for column in [text_field, *(keep or [])] if column not in schema.names]
        if missing:
            raise InputError(f"{name} has no column '{missing[0]}': it has {', '.join(schema.names)}")
        kept = [column for column in schema.names if keep is None or column in keep]
        wanted = [column for column in schema.names if column in kept or column == text_field]
        empty = arrow.RecordBatch.from_pylist([], schema=arrow.schema([schema.field(column) for column in kept]))
        yield Batch([], 0, 0, empty)
        groups = list(range(part.start, part.stop if part.stop >= 0 else file.num_row_groups))
        rows = max(1, sum(file.metadata.row_group(group).num_rows for group in groups))
        number = 0
        try:
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, row_groups=groups, columns=wanted):
                records = []
                for i, cell in enumerate(batch.column(text_field), number + 1):
                    records.append(_checked(i, _text_of(cell), {}, text_field))
                number += len(records)
                yield from _sliced(records, batch.select(kept), part.size * number // rows)
        except (OSError, ValueError) as error:
            message = f"the file is damaged from here on: {reason(error)}"
            yield Batch([Record(number + 1, error=message, damage=True)], part.size, number + 1, empty)


def _text_of(cell: Any) -> Any:
    """The value of an Arrow cell; the bytes of a string that is not UTF-8."""
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.as_buffer().to_pybytes()


def _sliced(records: list[Record], columns: Any, consumed: int) -> Iterator[Batch]:
    start = characters = 0
    for i, record in enumerate(records, 1):
        characters += len(record.text)
        if characters >= BATCH_CHARACTERS or i == len(records):
            yield Batch(records[start:i], consumed, records[i - 1].number, columns.slice(start, i - start))
            start, characters = i, 0
