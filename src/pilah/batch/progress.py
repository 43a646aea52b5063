"""What a person is told: a bar while it runs (on a terminal alone), a summary when it is done. All on standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pilah.batch.readers import Part
from pilah.batch.shards import Counts, Result


class Progress:
    """A bar with documents, MB of text per second and the time left; nothing where standard error is no terminal.

    Tasks may run anywhere: each notes how far it is in its beat file, and the bar adds these up twice a second.
    """

    def __init__(self, parts: Sequence[Part], work: Path) -> None:
        self._sizes = {(part.target, part.index): part.size for part in parts}
        self._work, self._begun = work, time.monotonic()
        self._pages = self._text = self._read = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def done(self, result: Result) -> None:
        """Count a part that has ended."""
        self._pages += result.counts.pages
        self._text += result.counts.text_bytes
        self._read += self._sizes[result.target, result.index]

    def _watch(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn(compact=True), TextColumn("left")
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=max(1, sum(self._sizes.values())))
            while not self._over.wait(0.5):
                pages, text, read = self._pages, self._text, self._read
                for beat in self._work.glob("*.beat"):
                    try:
                        now = [int(number) for number in beat.read_text().split()]
                    except (OSError, ValueError):
                        continue
                    if len(now) == 3:
                        pages, text, read = pages + now[0], text + now[1], read + now[2]
                speed = text / 1e6 / (time.monotonic() - self._begun)
                bar.update(task, completed=read, description=f"{pages:,} documents  {speed:.1f} MB/s")


def summary(counts: Counts, shards: int, skipped: int, failed: int, errors: Path) -> str:
    """What was found, a few lines.

    >>> print(summary(Counts(pages=2, lines={"body": 3, "related": 1}, bodiless=1, sure=3.8), 1, 0, 0, Path("out/errors.jsonl")))
    2 pages of 1 shard, 4 lines, mean confidence 0.950
      body 3 (75.0 %), related 1 (25.0 %)
    pages with no body: 1
    """
    lines = sum(counts.lines.values())
    ranked = sorted(counts.lines.items(), key=lambda pair: (-pair[1], pair[0]))
    out = [f"{counts.pages:,} pages of {shards:,} shard{'s' * (shards != 1)}, {lines:,} lines"]
    if lines:
        out[0] += f", mean confidence {counts.sure / lines:.3f}"
        out.append("  " + ", ".join(f"{label} {count:,} ({100 * count / lines:.1f} %)" for label, count in ranked))
    out.append(f"pages with no body: {counts.bodiless:,}")
    if skipped:
        out.append(f"shards skipped, finished before: {skipped:,}")
    if counts.set_aside or failed:
        out.append(f"set aside: {counts.set_aside:,} records, {failed:,} shards failed; see {errors}")
    return "\n".join(out)
