"""Writing a corpus: files whole or not at all, fields as they were, types as far as they can be known."""

from __future__ import annotations

import datetime
import decimal
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.batch import writers
from pilah.batch.writers import ADDED, JsonLines, Parquet, join, whole

SECTION = {
    "label": "popular",
    "heading": None,
    "items": [{"headline": "Panen raya", "meta": ["10:15"]}],
    "first_line": 2,
    "last_line": 4,
}
LABELLED: dict[str, Any] = {"labels": ["body", "popular"], "body": "Hujan reda\n", "sections": [SECTION]}
EMPTY: dict[str, Any] = {"labels": [], "body": "", "sections": []}


def json_lines(rows: list[dict[str, Any]], columns: Any = None) -> list[str]:
    file = io.BytesIO()
    JsonLines(file).write(rows, columns)
    return file.getvalue().decode().splitlines()


def parquet(path: Path, *batches: list[dict[str, Any]], columns: Any = None) -> Any:
    with whole(path) as file:
        writer = Parquet(file)
        for batch in batches:
            writer.write(batch, columns)
        writer.close()
    return pq.read_table(path)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out" / "a.jsonl"
    for content in (b"first", b"second"):
        with whole(path) as file:
            file.write(content)
    with pytest.raises(KeyboardInterrupt), whole(path) as file:
        file.write(b"half of the th")
        raise KeyboardInterrupt
    assert [(p.name, p.read_bytes()) for p in path.parent.iterdir()] == [("a.jsonl", b"second")]


def test_labels_come_last_and_replace_fields_of_their_names() -> None:
    (line,) = json_lines([{"labels": "old", "id": 1, **LABELLED}])
    assert list(json.loads(line)) == ["id", *ADDED] and json.loads(line)["labels"] == ["body", "popular"]
    old = pa.RecordBatch.from_pylist([{"body": 7, "id": 1}])
    assert json.loads(json_lines([LABELLED], old)[0]) == {"id": 1, **LABELLED}


def test_json_keeps_what_utf8_cannot_hold_and_writes_the_rest_as_it_is() -> None:
    lines = json_lines([{"text": "\ud800", **EMPTY}, {"text": "Café", **EMPTY}])
    assert [json.loads(line)["text"] for line in lines] == ["\ud800", "Café"]
    assert "Café" in lines[1]


def test_columns_that_json_has_no_form_for_are_written_as_text() -> None:
    values = {"when": datetime.datetime(2024, 1, 2, 3, 4), "sum": decimal.Decimal("1.50"), "raw": b"\xff\x00"}
    (line,) = json_lines([EMPTY], pa.RecordBatch.from_pylist([values]))
    assert json.loads(line) == {"when": "2024-01-02T03:04:00", "sum": "1.50", "raw": "/wA=", **EMPTY}


def test_parquet_columns_keep_their_types(tmp_path: Path) -> None:
    columns = pa.record_batch({
        "id": pa.array([1, 2], pa.uint16()),
        "when": pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns", "UTC")),
        "kind": pa.array(["berita", "berita"]).dictionary_encode(),
        "sum": pa.array([decimal.Decimal("1.50"), None]),
    })  # fmt: skip
    table = parquet(tmp_path / "a.parquet", [LABELLED, EMPTY], columns=columns)
    assert table.select(columns.schema.names).equals(pa.table(columns))
    assert table.select(list(ADDED)).to_pylist() == [LABELLED, EMPTY]  # the rest needs pandas: Python has no nanoseconds


def test_types_are_found_over_all_rows_and_a_field_of_mixed_types_holds_json_text(tmp_path: Path) -> None:
    first = [
        {
            "n": 1,
            "x": 1,
            "meta": {"a": 1},
            "mixed": 1,
            "none": None,
            "tags": [],
            "big": 2**70,
            "empty": {},
            "s": "\ud800",
            **EMPTY,
        }
    ]
    second = [{"x": 1.5, "meta": {"b": "c"}, "mixed": "1", "tags": ["a"], "late": True, **LABELLED}]
    table = parquet(tmp_path / "a.parquet", first, second)
    kinds = {field.name: str(field.type) for field in table.schema}
    assert {name: kinds[name] for name in ("n", "x", "tags", "late", "none")} == {
        "n": "int64", "x": "double", "tags": "list<element: string>", "late": "bool", "none": "string",
    }  # fmt: skip
    assert table["meta"].to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "c"}]
    assert table["mixed"].to_pylist() == ["1", '"1"'] and table["big"].to_pylist() == [str(2**70), None]
    assert table["empty"].to_pylist() == ["{}", None] and table["s"].to_pylist() == ["?", None]
    assert table["body"].to_pylist() == ["", "Hujan reda\n"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)


@given(batches=st.lists(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=4), max_size=3))
def test_no_json_record_stops_a_parquet_file(batches: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    table = parquet(folder / "a.parquet", *[[{**row, **LABELLED} for row in batch] for batch in batches])
    assert table.num_rows == sum(map(len, batches)) and table["labels"].to_pylist() == [LABELLED["labels"]] * table.num_rows
    assert [path.name for path in folder.iterdir()] == ["a.parquet"]


def test_a_parquet_file_without_rows_still_has_its_columns(tmp_path: Path) -> None:
    assert parquet(tmp_path / "a.parquet").schema.names == list(ADDED)
    columns = pa.RecordBatch.from_pylist([], schema=pa.schema([("id", pa.int8())]))
    assert parquet(tmp_path / "b.parquet", [], columns=columns).schema.names == ["id", *ADDED]


def test_row_groups_are_of_a_good_size_and_parts_join_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 3000)
    parts = [tmp_path / f"{i}.parquet" for i in range(3)]
    for i, path in enumerate(parts):
        batches = [pa.RecordBatch.from_pylist([{"id": 100 * i + 10 * j + k} for k in range(10)]) for j in range(6)]
        with whole(path) as file:
            writer = Parquet(file)
            for columns in batches:
                writer.write([LABELLED] * 10, columns)
            writer.close()
        assert 1 < pq.ParquetFile(path).num_row_groups < 6
    join(parts, tmp_path / "a.parquet", "parquet")
    assert pq.read_table(tmp_path / "a.parquet").equals(pa.concat_tables(pq.read_table(path) for path in parts))
    for i, path in enumerate(parts):
        path.write_bytes(b'{"id": %d}\n' % i)
    join(parts, tmp_path / "a.jsonl", "jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == b'{"id": 0}\n{"id": 1}\n{"id": 2}\n'
