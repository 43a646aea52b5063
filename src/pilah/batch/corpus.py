"""A corpus: plan, spread, finish shard by shard, and say what was found."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pilah.batch.engines import Engine
from pilah.batch.inputs import ERRORS, Shard, plan
from pilah.batch.progress import Progress, summary
from pilah.batch.shards import Counts, Result, Settings, finish, finished, set_aside
from pilah.batch.writers import whole
from pilah.page import InputError, reason


def label_corpus(
    inputs: Sequence[str], settings: Settings, engine: Engine | None = None, split_bytes: int = 64_000_000, resume: bool = False
) -> int:
    """Label all shards of a corpus.

    Parameters
    ----------
    engine : Engine, optional
        By default loky where there is more than one task, else serial.
    split_bytes : int
        Files larger than this are worked on in parts where their format allows.
    resume : bool
        Skip what a former run has finished.

    Returns
    -------
    int
        0; 1 where some shards failed or were damaged; 2 where no page at all could be labelled.

    Raises
    ------
    InputError
        If an input is not there, the output folder cannot be written to or is full, or another run is writing into it.
    """
    shards = plan(inputs, settings.output, settings.folder, split_bytes)
    with _alone(Path(settings.folder)) as work:
        return _run(shards, settings, engine, resume, work)


def _run(shards: Sequence[Shard], settings: Settings, engine: Engine | None, resume: bool, work: Path) -> int:
    found, failures = Counts(), dict[str, str]()
    todo = {}
    for shard in shards:
        known = finished(shard, settings) if resume else None
        if known is None:
            todo[shard.target] = shard
        else:
            found.add(known)
    if not resume:
        shutil.rmtree(work, ignore_errors=True)
    for stale in (*work.glob(".*.tmp"), *work.glob("*.beat")):
        stale.unlink(missing_ok=True)
    parts = [part for shard in todo.values() for part in shard.parts]
    engine = engine or Engine("loky" if len(parts) > 1 else "serial")
    ended: dict[str, dict[int, Result]] = {}
    with Progress(parts, work) as progress:
        for result in engine.run(parts, settings):
            progress.done(result)
            if result.fatal:
                raise InputError(f"{result.failed}; what is finished stays, go on with resume=true")
            of_shard = ended.setdefault(result.target, {})
            of_shard[result.index] = result
            shard = todo[result.target]
            if len(of_shard) < len(shard.parts):
                continue
            problem = next((r.failed for r in of_shard.values() if r.failed), "")
            try:
                if not problem:
                    found.add(finish(shard, [of_shard[part.index] for part in shard.parts], settings))
            except InputError as error:
                problem = str(error)
            if problem:
                failures[shard.target] = problem
                print(f"predict.py: {problem}", file=sys.stderr)
            del ended[result.target]
    _write_errors(shards, failures, settings)
    if not failures:
        shutil.rmtree(work, ignore_errors=True)
    print(
        summary(found, len(shards) - len(failures), len(shards) - len(todo), len(failures), Path(settings.folder, ERRORS)),
        file=sys.stderr,
    )
    if not found.pages and (failures or found.set_aside):
        return 2
    return 1 if failures or found.damaged else 0


def _write_errors(shards: Sequence[Shard], failures: dict[str, str], settings: Settings) -> None:
    """One list of all that was set aside, in the order of the shards, whichever was done first."""
    path = Path(settings.folder, ERRORS)
    empty = True
    try:
        with whole(path) as file:
            for shard in shards:
                if shard.target in failures:
                    lines = iter(
                        [json.dumps({"address": shard.name, "error": failures[shard.target]}, ensure_ascii=False) + "\n"]
                    )
                else:
                    lines = set_aside(shard, settings)
                for line in lines:
                    file.write(line.encode("utf-8", "replace"))
                    empty = False
        if empty:
            path.unlink()
    except OSError as error:
        raise InputError(f"{path} cannot be written: {reason(error)}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """The work folder, for one run at a time; the lock goes with the process, however that ends."""
    work = folder / ".pilah" / "work"
    with ExitStack() as stack:
        try:
            work.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((work.parent / "lock").open("w"))
            with suppress(ImportError):  # there is none on Windows
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run is writing into {folder}: wait for it, or choose another output_dir") from None
        except OSError as error:
            raise InputError(f"{folder} cannot be written to: {reason(error)}") from None
        yield work
