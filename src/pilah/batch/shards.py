"""One task: read a part of a shard, label it, write it whole. And putting the parts of a shard together.

Below the output folder, ``.pilah/done`` holds for every finished shard what it was made from (``resume=true`` goes by
it) and what was set aside; ``.pilah/work`` holds finished parts of unfinished shards, and goes when all is done.

It is long because a task and the end of its shard go by the same files.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pilah import fast
from pilah.article import Article, build_article
from pilah.batch.inputs import Shard
from pilah.batch.readers import Batch, Part, Record, read_part
from pilah.batch.writers import JsonLines, Parquet, join, whole
from pilah.model_file import load_model
from pilah.page import InputError, Page, reason, write_whole
from pilah.render import body as render_body
from pilah.tagger import LineTagger

_LINE_BYTES = 50  # about what a line of news has
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Settings:
    """What every task has to know.

    Attributes
    ----------
    folder : str
        The output folder, absolute.
    output : str
        ``jsonl`` or ``parquet``.
    model, digest : str
        The folder of the model, absolute, and the digest of its card.
    """

    folder: str
    output: str
    model: str
    digest: str
    text_field: str = "text"
    keep: tuple[str, ...] | None = None
    encoding: str = "utf-8"
    body_bias: float | None = None


@dataclass
class Counts:
    """What was found in a part, a shard or a corpus. ``sure`` is the sum of confidences over all lines."""

    pages: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    bodiless: int = 0
    sure: float = 0.0
    text_bytes: int = 0
    set_aside: int = 0
    damaged: int = 0

    def add(self, other: Counts) -> None:
        """Add what was found elsewhere."""
        for name in ("pages", "bodiless", "sure", "text_bytes", "set_aside", "damaged"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lines = dict(Counter(self.lines) + Counter(other.lines))


@dataclass
class Result:
    """What became of part ``index`` of the shard with this target: counts, and the lines, rows or WARC records it held.

    ``failed`` says why there is no output; ``fatal`` that the other parts would fail alike.
    """

    target: str
    index: int
    counts: Counts = field(default_factory=Counts)
    records: int = 0
    failed: str = ""
    fatal: bool = False


_loaded = threading.local()


def _tagger(settings: Settings) -> LineTagger:
    """The tagger, loaded once per thread: a Dask worker may run tasks in several."""
    key = (settings.digest, settings.body_bias)
    if getattr(_loaded, "key", None) != key:
        if model_digest(Path(settings.model)) != settings.digest:
            raise InputError(f"the model in {settings.model} is not the one that the run began with")
        _loaded.tagger = load_model(settings.model)
        if settings.body_bias is not None:
            _loaded.tagger.set_params(body_bias=float(settings.body_bias))
        _loaded.key = key
    tagger: LineTagger = _loaded.tagger
    return tagger


def model_digest(folder: Path) -> str:
    """SHA-256 of a model's card, which holds that of its arrays.

    Raises
    ------
    InputError
        If there is no card to read.
    """
    try:
        return hashlib.sha256((folder / "card.json").read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"the model in {folder} cannot be read: {reason(error)}") from None


def identity(of: Part | Shard, settings: Settings) -> str:
    """Digest of all that an output depends on: names and sizes of the input, the model, and the settings."""
    what = asdict(of) | {k: v for k, v in asdict(settings).items() if k not in ("folder", "model")}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def work_file(part: Part, settings: Settings, suffix: str) -> Path:
    """A file in the work folder: ``out`` is the output of a part, ``errors``, ``json`` its result, ``beat`` its progress."""
    key = hashlib.sha256(part.target.encode()).hexdigest()[:20]
    return Path(settings.folder, ".pilah", "work", f"{key}-{part.index}.{suffix}")


def label_part(part: Part, settings: Settings) -> Result:
    """Read a part, label it and write its output and its errors into the work folder; the task that engines spread.

    Whatever is wrong with the input or the disk is told by the result; nothing is raised for it.
    """
    from threadpoolctl import threadpool_limits

    saved = _saved(part, settings)
    if saved is not None:
        return saved
    result = Result(part.target, part.index)
    beat = work_file(part, settings, "beat")
    try:
        beat.parent.mkdir(parents=True, exist_ok=True)
        tagger = _tagger(settings)
        fast.expect(part.size // _LINE_BYTES)
        # cores are shared out by engines; and sums of one thread are the same to the last bit wherever they are made
        with (
            threadpool_limits(1),
            _seldom_collected(),
            beat.open("wb", buffering=0) as pulse,
            whole(work_file(part, settings, "out")) as file,
        ):
            errors: list[dict[str, Any]] = []
            writer = JsonLines(file) if settings.output == "jsonl" else Parquet(file)
            for batch in read_part(part, settings.text_field, settings.keep, settings.encoding):
                errors += _write_batch(batch, tagger, writer, result)
                counts = result.counts
                gc.collect(0)
                os.pwrite(pulse.fileno(), f"{counts.pages:20d}{counts.text_bytes:20d}{batch.consumed:20d}".encode(), 0)
            writer.close()
        lines = "".join(json.dumps(error, ensure_ascii=False) + "\n" for error in errors)
        write_whole(work_file(part, settings, "errors"), lines)
        outcome = {"identity": identity(part, settings), **asdict(result)}
        write_whole(work_file(part, settings, "json"), json.dumps(outcome))
    except InputError as error:
        return Result(part.target, part.index, failed=str(error))
    except OSError as error:
        full = error.errno in _NO_ROOM
        return Result(part.target, part.index, failed=f"{part.target} cannot be written: {reason(error)}", fatal=full)
    with suppress(OSError):
        beat.unlink()
    return result


_lock = threading.Lock()
_inside = 0
_collects = False


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Without garbage collection of its own accord: it would go through the objects of a batch, which are no garbage, again and again.

    A Dask worker may run several tasks at once: the last that ends puts back what the first found.
    """
    global _inside, _collects
    with _lock:
        if not _inside:
            _collects = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _collects:
                gc.enable()


def _saved(part: Part, settings: Settings) -> Result | None:
    """The result of a part that was finished before, by this run or by the one that is resumed."""
    try:
        outcome = json.loads(work_file(part, settings, "json").read_bytes())
        if outcome.pop("identity") != identity(part, settings) or not work_file(part, settings, "out").is_file():
            return None
        return Result(**outcome | {"counts": Counts(**outcome["counts"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_batch(batch: Batch, tagger: LineTagger, writer: JsonLines | Parquet, result: Result) -> list[dict[str, Any]]:
    """Label and write the sound records of a batch, count them, and return what is to be said of the others."""
    result.records = batch.last
    if batch.columns is not None and not batch.records:
        writer.write([], batch.columns)  # Parquet begins with its columns, even if no row follows
        return []
    places = [i for i, record in enumerate(batch.records) if not record.error]
    labelled = _articles([batch.records[i] for i in places], tagger)
    rows, kept, problems = [], [], {i: r.error for i, r in enumerate(batch.records) if r.error}
    for i, article in zip(places, labelled, strict=True):
        if isinstance(article, str):
            problems[i] = article
            continue
        kept.append(i)
        rows.append(batch.records[i].fields | _count(article, batch.records[i].text, result.counts))
    if rows:
        writer.write(rows, batch.columns.take(kept) if batch.columns is not None else None)
    result.counts.set_aside += len(problems)
    result.counts.damaged += sum(record.damage for record in batch.records)
    found = [(batch.records[i], problems[i]) for i in sorted(problems)]
    return [{"number": record.number, "address": record.address, "error": error} for record, error in found]


def _articles(records: Sequence[Record], tagger: LineTagger) -> list[Article | str]:
    """An article per record, or in its place what went wrong."""
    if not records:
        return []
    pages = [Page.from_text(record.text, record.address) for record in records]
    try:
        tagged = tagger.tag([page.lines for page in pages])
        return [build_article(page, tags) for page, tags in zip(pages, tagged, strict=True)]
    except Exception as error:  # a page in a million that nobody foresaw must not take the others with it
        if len(records) == 1:
            return [f"the page could not be labelled: {type(error).__name__} {error}"]
        return [article for record in records for article in _articles([record], tagger)]


def _count(article: Article, text: str, counts: Counts) -> dict[str, Any]:
    """The fields that labelling adds, counted."""
    _, labels, _, sure, _ = zip(*article.lines, strict=True) if article.lines else ((),) * 5
    body = render_body(article)
    counts.pages += 1
    counts.bodiless += not body
    counts.sure += sum(sure)
    counts.text_bytes += len(text.encode("utf-8", "replace"))
    for label, count in Counter(labels).items():
        counts.lines[label] = counts.lines.get(label, 0) + count
    return {"labels": list(labels), "body": body, "sections": [section.to_dict() for section in article.sections]}


def _done_file(shard: Shard, settings: Settings, suffix: str) -> Path:
    return Path(settings.folder, ".pilah", "done", f"{shard.target}.{suffix}")


def finished(shard: Shard, settings: Settings) -> Counts | None:
    """The counts of a shard whose output is there and was made from the same input, model and settings."""
    try:
        known = json.loads(_done_file(shard, settings, "json").read_bytes())
        same = known["identity"] == identity(shard, settings)
        return (
            Counts(**known["counts"]) if same and Path(settings.folder, shard.target).stat().st_size == known["bytes"] else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def finish(shard: Shard, results: Sequence[Result], settings: Settings) -> Counts:
    """Make a shard's output of its parts, then note that it is done.

    Raises
    ------
    InputError
        If a part is missing or the output cannot be written.
    """
    target = Path(settings.folder, shard.target)
    counts, base, problems = Counts(), 0, []
    try:
        for part, result in zip(shard.parts, results, strict=True):
            counts.add(result.counts)
            with work_file(part, settings, "errors").open(encoding="utf-8") as file:
                for error in map(json.loads, file):
                    address = error["address"] or f"{shard.name}:{base + error['number']}"
                    problems.append({"address": address, "error": error["error"]})
            base += result.records
        join([work_file(part, settings, "out") for part in shard.parts], target, settings.output)
        if problems:
            lines = "".join(json.dumps(problem, ensure_ascii=False) + "\n" for problem in problems)
            write_whole(_done_file(shard, settings, "errors"), lines)
        else:
            _done_file(shard, settings, "errors").unlink(missing_ok=True)
        note = {"identity": identity(shard, settings), "bytes": target.stat().st_size, "counts": asdict(counts)}
        write_whole(_done_file(shard, settings, "json"), json.dumps(note) + "\n")
        for part in shard.parts:
            for suffix in ("json", "errors", "out"):
                work_file(part, settings, suffix).unlink(missing_ok=True)
    except FileNotFoundError:
        raise InputError(f"{target}: a labelled part is missing; workers must share the output folder") from None
    except OSError as error:
        raise InputError(f"{target} cannot be written: {reason(error)}") from None
    return counts


def set_aside(shard: Shard, settings: Settings) -> Iterator[str]:
    """What was set aside of a finished shard, a JSON line each."""
    with suppress(FileNotFoundError), _done_file(shard, settings, "errors").open(encoding="utf-8") as file:
        yield from file
