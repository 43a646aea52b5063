"""Reading a corpus: what is planned, and what each format yields, sound or broken."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from batch_fixtures import as_json, rows, warc_record, wet, write_json
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from pilah.batch import readers, split_arguments
from pilah.batch.inputs import plan
from pilah.batch.readers import Part, Record, read_part
from pilah.page import InputError


def part_of(path: Path | str, form: str, start: int = 0, stop: int = -1) -> Part:
    return Part(str(path), "out.jsonl", 0, form, (str(path),), 1000, start, stop)


def read(path: Path | str, form: str, **options: Any) -> list[Record]:
    return [record for batch in read_part(part_of(path, form), **options) for record in batch.records]


def test_json_lines_are_the_same_records_plain_gzip_and_zstandard(tmp_path: Path) -> None:
    data = as_json(rows(30))
    half = data.index(b"\n", len(data) // 2) - 7  # in the middle of a record: packed files come in pieces
    files = {
        "a.jsonl": data,
        "a.jsonl.gz": gzip.compress(data[:half]) + gzip.compress(data[half:]),
        "a.jsonl.zst": zstandard.compress(data[:half]) + zstandard.compress(data[half:]),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        found = read(tmp_path / name, "jsonl")
        assert [record.fields for record in found] == rows(30), name
        assert [record.text for record in found] == [row["text"] for row in rows(30)]


BROKEN = {
    "broken JSON": (b'{"text": "Hujan', "broken JSON: Unterminated string starting, character 10"),
    "too deep": (b"[" * 100_000, "broken JSON"),
    "no object": (b'["Hujan reda"]', "the record is no JSON object with fields"),
    "missing field": (b'{"teks": "Hujan reda"}', "there is no field 'text'"),
    "no text": (b'{"text": ["Hujan reda"]}', "the field 'text' holds no text but [\"Hujan reda\"]"),
    "null": (b'{"text": null}', "the field 'text' holds no text but null"),
    "invalid UTF-8": (b'{"text": "Hujan \xff reda"}', "invalid UTF-8: byte 17 of the record is 0xff"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_json_record_says_so_and_the_next_one_is_read(name: str, tmp_path: Path) -> None:
    line, message = BROKEN[name]
    first, last = rows(2)
    (tmp_path / "a.jsonl").write_bytes(as_json([first]) + line + b"\n\n" + as_json([last]))
    found = read(tmp_path / "a.jsonl", "jsonl")
    assert [record.number for record in found] == [1, 2, 4]  # the blank line is a line, but no record
    assert found[1].error.startswith(message)
    assert (found[0].fields, found[2].fields) == (first, last)


def test_a_record_over_the_limit_is_passed_over_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_TEXT_BYTES", 1000)
    texts = ["x" * 1001, "é" * 501, "é" * 500, "x" * 5000]  # bytes: 1001, 1002, 1000, 5000
    (tmp_path / "a.jsonl").write_bytes(as_json([{"text": "a"}, *({"text": text} for text in texts), {"text": "b"}]))
    found = read(tmp_path / "a.jsonl", "jsonl")
    assert [record.number for record in found if not record.error] == [1, 4, 6]
    assert found[1].error == "the text is longer than 1000 bytes"
    assert found[4].error == "the record has 5013 bytes; a text may have at most 1000"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_truncated_file_gives_every_whole_record_and_says_where_it_ends(pack: Any, tmp_path: Path) -> None:
    data, suffix = as_json(rows(400)), {gzip.compress: "gz", zstandard.compress: "zst"}[pack]
    packed = pack(data)
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(packed[: len(packed) // 2] if suffix == "gz" else pack(data[:90_000]) + pack(data[90_000:])[:-9])
    *sound, last = read(path, "jsonl")
    assert len(sound) > 100 and [record.fields for record in sound] == rows(len(sound))
    assert (last.damage, last.number, last.error) == (True, len(sound) + 1, "the file ends early: it was cut off")


def test_a_gzip_file_with_a_flipped_byte_is_damaged_and_not_silently_wrong(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(as_json(rows(100))))
    packed[-6] ^= 1  # of the checksum
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    *sound, last = read(tmp_path / "a.jsonl.gz", "jsonl")
    assert len(sound) == 100 and last.damage and last.error.startswith("the file is damaged: crc check failed")


LINES = st.lists(st.sampled_from([b'{"text": "a"}', b"", b"{", b'{"text": "' + b"b" * 40 + b'"}']), max_size=25)


@given(lines=LINES, size=st.integers(1, 200), ended=st.booleans())
def test_parts_cut_between_records_hold_exactly_the_records_of_the_file(
    lines: list[bytes], size: int, ended: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n" * ended)
    (shard,) = plan([str(path)], "jsonl", "out", size)
    assert shard.size == path.stat().st_size
    pieces = [[(r.text, r.error) for batch in read_part(part) for r in batch.records] for part in shard.parts]
    assert list(itertools.chain(*pieces)) == [(record.text, record.error) for record in read(path, "jsonl")]


def test_only_the_fields_that_are_kept_remain(tmp_path: Path) -> None:
    write_json(tmp_path / "a.jsonl", 2)
    found = read(tmp_path / "a.jsonl", "jsonl", keep=["url", "absent"])
    assert [record.fields for record in found] == [{"url": row["url"]} for row in rows(2)]
    assert found[0].text == rows(1)[0]["text"]


def test_parquet_rows_keep_their_columns_and_the_bad_cells_say_what_is_wrong(tmp_path: Path) -> None:
    texts = pa.array([b"Hujan reda", b"Hujan \xff", None, b"Panen raya"], pa.binary()).view(pa.binary())
    strings = pa.Array.from_buffers(pa.string(), 4, texts.buffers())  # a string column that is not UTF-8
    for column in (texts, strings):
        pq.write_table(pa.table({"id": [1, 2, 3, 4], "isi": column}), tmp_path / "a.parquet")
        _, batch = read_part(part_of(tmp_path / "a.parquet", "parquet"), "isi", ["id"])
        assert batch.columns.to_pydict() == {"id": [1, 2, 3, 4]}
        assert [record.text for record in batch.records] == ["Hujan reda", "", "", "Panen raya"]
        assert batch.records[1].error == "invalid UTF-8: byte 7 of 'isi' is 0xff"
        assert batch.records[2].error == "the field 'isi' holds no text but null"


def test_row_groups_of_parquet_are_read_apart_and_batches_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "BATCH_CHARACTERS", 2000)
    pq.write_table(pa.Table.from_pylist(rows(40)), tmp_path / "a.parquet", row_group_size=10)
    (shard,) = plan([str(tmp_path / "a.parquet")], "jsonl", "out", 1)
    assert [(part.start, part.stop) for part in shard.parts] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    batches = [batch for part in shard.parts for batch in read_part(part)]
    assert [row for batch in batches for row in batch.columns.to_pylist()] == rows(40)
    assert all(len(batch.records) == batch.columns.num_rows for batch in batches)
    assert len(batches) > 2 * len(shard.parts)  # of each, the one without rows, and then more than one
    assert all(sum(len(record.text) for record in batch.records[:-1]) < 2000 for batch in batches)


def test_fields_that_are_kept_fill_a_batch_as_its_text_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "BATCH_CHARACTERS", 2000)
    (tmp_path / "a.jsonl").write_bytes(as_json([{"text": "Hujan", "html": "x" * 995} for _ in range(6)]))
    sizes = {
        keep: [len(batch.records) for batch in read_part(part_of(tmp_path / "a.jsonl", "jsonl"), "text", keep)]
        for keep in (None, ("text",))
    }
    assert sizes == {None: [2, 2, 2, 0], ("text",): [6]}


def test_what_is_no_parquet_file_or_lacks_a_column_is_a_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is how it begins")
    with pytest.raises(InputError, match=r"a\.parquet cannot be read as Parquet"):
        read(tmp_path / "a.parquet", "parquet")
    pq.write_table(pa.table({"isi": ["Hujan"]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet has no column 'text': it has isi"):
        read(tmp_path / "b.parquet", "parquet")


def test_wet_files_give_their_conversion_records_alone(tmp_path: Path) -> None:
    (tmp_path / "a.warc.wet.gz").write_bytes(wet(rows(5)))
    found = read(tmp_path / "a.warc.wet.gz", "wet")
    assert [(record.number, record.text, record.fields["url"]) for record in found] == [
        (i, row["text"], row["url"]) for i, row in enumerate(rows(5), 2)
    ]
    assert found[0].fields["date"] == "2024-01-01T00:00:00Z" and found[0].fields["language"] is None


def test_a_wet_file_that_was_cut_or_overwritten_gives_the_records_before(tmp_path: Path) -> None:
    whole = wet(rows(5))
    (tmp_path / "a.wet.gz").write_bytes(whole[:-60])
    (tmp_path / "b.wet").write_bytes(gzip.decompress(whole)[:-60])
    (tmp_path / "c.wet").write_bytes(gzip.decompress(whole).replace(b"WARC/1.0\r\nWARC-Type: conversion", b"?", 6)[2:])
    pieces = [warc_record(i, b"Hujan reda") for i in range(4)]
    (tmp_path / "d.wet").write_bytes(
        pieces[0] + warc_record(1, b"\xff") + pieces[2].replace(b"Length: 10", b"Length: ?") + pieces[3]
    )
    for name, sound in (("a.wet.gz", 4), ("b.wet", 4), ("d.wet", 2)):
        *before, last = read(tmp_path / name, "wet")
        assert (len(before), last.damage) == (sound, True), name
    assert before[1].error == "invalid UTF-8: byte 1 of 'content' is 0xff" and before[0].text == "Hujan reda"
    assert [record.damage for record in read(tmp_path / "c.wet", "wet")] == [True]


def test_nothing_is_said_besides_of_a_file_that_cannot_be_opened() -> None:
    program = """
from pilah.batch.streams import Stream
from pilah.page import InputError
try:
    Stream("nowhere.jsonl")
except InputError as error:
    print(error)
"""
    done = subprocess.run(  # where Python tells of what happens when an object is collected; from 3.13 on it does so anyway
        [sys.executable, "-X", "dev", "-c", program], cwd=ROOT / "src", capture_output=True, text=True, check=True
    )
    assert done.stdout == "nowhere.jsonl cannot be read: no such file or directory\n"
    assert "ignored" not in done.stderr


def test_dumps_are_read_in_their_encoding_and_a_bad_one_is_named(tmp_path: Path) -> None:
    contents = {"a.txt": "Café buka\n".encode("cp1252"), "b.txt": b"", "c.txt": b"\0", "d.txt.gz": gzip.compress(b"Panen raya")}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    part = Part("x", "x.jsonl", 0, "text", tuple(str(tmp_path / name) for name in [*contents, "gone.txt"]), 20)
    (batch,) = read_part(part, encoding="cp1252")
    assert [record.text for record in batch.records] == ["Café buka\n", "", "", "Panen raya", ""]
    assert batch.records[0].fields == {"source": str(tmp_path / "a.txt"), "text": "Café buka\n"}
    assert [record.address for record in batch.records if record.error] == [
        str(tmp_path / n) for n in ("b.txt", "c.txt", "gone.txt")
    ]


def test_reading_holds_a_batch_and_not_the_file(tmp_path: Path) -> None:
    line = as_json([{"text": "Hujan reda menjelang sore. " * 300}])
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line * 6000, 1))  # 49 MB of text
    tracemalloc.start()
    pages = sum(len(batch.records) for batch in read_part(part_of(tmp_path / "a.jsonl.gz", "jsonl")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pages == 6000 and peak < 20_000_000


def test_addresses_of_fsspec_are_read_like_files() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/crawl/a/1.jsonl": as_json(rows(3)), "/crawl/b/2.jsonl.gz": gzip.compress(as_json(rows(3, 3)))})
    for name in ("memory://crawl/**/*.jsonl*", "memory://crawl"):
        shards = plan([name], "jsonl", "out", 10)
        assert [(shard.name, shard.target) for shard in shards] == [
            ("memory:///crawl/a/1.jsonl", "crawl/a/1.jsonl"),
            ("memory:///crawl/b/2.jsonl.gz", "crawl/b/2.jsonl"),
        ]
        found = [r.fields for shard in shards for part in shard.parts for batch in read_part(part) for r in batch.records]
        assert found == rows(6)
    with pytest.raises(InputError, match=r"there is no file memory://nowhere/x\.jsonl"):
        plan(["memory://nowhere/x.jsonl"], "jsonl", "out", 10)


def test_shards_mirror_the_input_and_the_dumps_of_a_folder_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("crawl/top.txt", "crawl/a/1.txt", "crawl/a/2.txt", "crawl/b/3.txt", "crawl/b/x.jsonl", "crawl/.hidden/4.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("Hujan reda\n")
    Path("one.txt").write_text("Hujan reda\n")
    texts = {"crawl/a.jsonl": 2, "crawl/b.jsonl": 1, "crawl.jsonl": 1}
    found = plan(["crawl/**/*.txt", "one.txt"], "jsonl", "out", 10**6)
    assert {shard.target: len(shard.parts[0].files) for shard in found} == {**texts, "one.jsonl": 1}
    found = plan(["crawl"], "jsonl", "crawl/out", 10**6)
    assert {shard.target: len(shard.parts[0].files) for shard in found} == {**texts, "crawl/b/x.jsonl": 1}
    assert [shard.target for shard in plan(["*.txt"], "parquet", "out", 10**6)] == ["dumps.parquet"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["none.txt"], "there is no file none.txt"),
        (["x/*.none"], r"no file matches 'x/\*.none'"),
        (["-"], "standard input is one dump"),
        (["x/empty"], "the folder x/empty holds no .txt"),
        (["x/a.jsonl", "x/a.jsonl.gz"], "x/a.jsonl and x/a.jsonl.gz would both be written to a.jsonl"),
        (["out/b.jsonl"], "out/b.jsonl would be overwritten"),
        (["x/errors.jsonl"], "the list of errors and x/errors.jsonl would both be written"),
        (["nosuchprotocol://x/a.jsonl"], "nosuchprotocol://x/a.jsonl cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_is_a_wrong_input(
    inputs: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x/a.jsonl", "x/a.jsonl.gz", "out/b.jsonl", "x/errors.jsonl"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    Path("x/empty").mkdir()
    with pytest.raises(InputError, match=message):
        plan(inputs, "jsonl", "out", 10**6)


def test_addresses_and_globs_with_an_equals_sign_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "lang=id").mkdir()
    write_json(tmp_path / "lang=id" / "a.jsonl", 1)
    given_ = [f"{tmp_path}/lang=*/a.jsonl", "s3://bucket/lang=id/a.jsonl", "input.keep=[url]", "output_dir=s3://bucket"]
    assert split_arguments(given_) == (given_[:2], given_[2:])


def test_json_text_is_what_json_says() -> None:
    record = readers._json_record(1, b"\xef\xbb\xbf" + json.dumps({"text": "\ud800 \u0000"}).encode(), "text")
    assert (record.text, record.error) == ("\ud800 \0", "")
