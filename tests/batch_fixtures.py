"""What the tests of corpora share: small corpora in every format, and tasks that get their worker killed."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conftest import toy_page

from pilah.batch import readers, shards
from pilah.batch.readers import Batch, Part
from pilah.batch.shards import Result, Settings, model_digest


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Records of a corpus: a text, and fields that labelling must leave as they are."""
    return [
        {"id": i, "url": f"https://kabar.example/{i}", "text": "\n".join(toy_page(i)[0])} for i in range(first, first + count)
    ]


def as_json(records: Sequence[dict[str, Any]]) -> bytes:
    """JSON Lines."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def write_json(path: Path, count: int, first: int = 0) -> Path:
    """A plain JSON Lines file of so many records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_json(rows(count, first)))
    return path


def warc_record(number: int, content: bytes, kind: str = "conversion") -> bytes:
    """One record of a WET file, not packed."""
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://kabar.example/{number}\r\n"
    head += f"WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: text/plain\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n\r\n"


def wet(records: Sequence[dict[str, Any]]) -> bytes:
    """A packed WET file: a record that describes the file, then a page per record, each packed by itself."""
    parts = [warc_record(0, b"software: none\r\n", "warcinfo")]
    parts += [warc_record(record["id"], record["text"].encode()) for record in records]
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def settings_for(model: Path, out: Path, output: str = "jsonl", **more: Any) -> Settings:
    """Settings with a model folder."""
    return Settings(str(out), output, str(model), model_digest(model), **more)


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that is not hidden, with its bytes."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found if ".pilah" not in p.parts}


def leftovers(folder: Path) -> list[str]:
    """Files below an output folder that are neither outputs nor notes of finished shards."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if name.endswith((".tmp", ".part", ".beat")) or "/work/" in name]


def _dying(part: Part, *arguments: Any) -> Iterator[Batch]:
    yield next(readers.read_part(part, *arguments))
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once(part: Part, settings: Settings) -> Result:
    """The task, whose worker is killed in the middle of the shard ``victim`` the first time."""
    marker = Path(settings.folder).parent / "killed"
    if "victim" in part.shard and not marker.exists():
        marker.touch()
        shards.read_part = _dying
    return shards.label_part(part, settings)


def killed_always(part: Part, settings: Settings) -> Result:
    """The task, whose worker is killed in the middle of the shard ``victim`` each time."""
    if "victim" in part.shard:
        with (Path(settings.folder).parent / "kills").open("a") as file:
            file.write("x")
        shards.read_part = _dying
    return shards.label_part(part, settings)
