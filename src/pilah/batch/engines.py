"""Engines: how tasks are spread. Each yields the result of every part, in any order, and survives killed workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pilah.batch.readers import Part
from pilah.batch.shards import Result, Settings, label_part, work_file
from pilah.batch.streams import need
from pilah.page import InputError, reason

TRIES = 3
"""So often is a part begun whose worker gets killed each time."""

CONNECT_SECONDS = 10
"""So long may a Dask scheduler take to answer."""

ENGINES = ("serial", "loky", "dask")


@dataclass(frozen=True)
class Engine:
    """Which engine; ``workers`` processes for loky (0: one per core), ``address`` of the scheduler for dask.

    Raises
    ------
    InputError
        If there is no such engine, or it lacks what it needs.
    """

    name: str = "serial"
    workers: int = 0
    address: str = ""

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise InputError(f"there is no engine '{self.name}': say one of {', '.join(ENGINES)}")
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 0:
            raise InputError(f"engine.workers must be a whole number, 0 for one per core, not '{self.workers}'")
        if self.name == "dask" and not self.address:
            raise InputError("engine=dask needs the address of a scheduler, as in engine.address=tcp://127.0.0.1:8786")

    def run(self, parts: Sequence[Part], settings: Settings, task: Callable[..., Result] = label_part) -> Iterator[Result]:
        """Label all parts."""
        run = {"serial": _serial, "loky": _loky, "dask": _dask}[self.name]
        return run(self, parts, settings, task)


def _serial(engine: Engine, parts: Sequence[Part], settings: Settings, task: Callable[..., Result]) -> Iterator[Result]:
    for part in parts:
        yield task(part, settings)


def _loky(engine: Engine, parts: Sequence[Part], settings: Settings, task: Callable[..., Result]) -> Iterator[Result]:
    from joblib import Parallel, cpu_count, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    workers = engine.workers or cpu_count()
    if workers == 1:
        yield from _serial(engine, parts, settings, task)
        return
    kills: Counter[Part] = Counter()
    waiting = list(parts)
    while waiting:
        # a kill takes the whole pool down: whoever had begun is a suspect, and is tried again alone, after the others
        now = [part for part in waiting if not kills[part]] or waiting[:1]
        for part in now:
            work_file(part, settings, "beat").unlink(missing_ok=True)
        ended: set[tuple[str, int]] = set()
        try:
            pool = Parallel(n_jobs=workers, backend="loky", batch_size=1, return_as="generator_unordered")
            for result in pool(delayed(task)(part, settings) for part in now):
                ended.add((result.target, result.index))
                yield result
        except BrokenProcessPool:
            suspects = [p for p in now if (p.target, p.index) not in ended and work_file(p, settings, "beat").exists()]
            for part in suspects or [p for p in now if (p.target, p.index) not in ended][:1]:
                kills[part] += 1
                if kills[part] == TRIES:
                    ended.add((part.target, part.index))
                    yield _given_up(part)
        waiting = [part for part in waiting if (part.target, part.index) not in ended]


def _given_up(part: Part) -> Result:
    return Result(part.target, part.index, failed=f"{part.shard}: the worker that labelled it was killed {TRIES} times")


def _dask(engine: Engine, parts: Sequence[Part], settings: Settings, task: Callable[..., Result]) -> Iterator[Result]:
    distributed = need("distributed", "dask")
    try:
        client = distributed.Client(engine.address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {engine.address}: {reason(error) or 'time ran out'}") from None
    with client:
        waiting = iter(parts)
        ahead = 4 * max(1, sum(client.nthreads().values()))  # never a million futures at once
        part_of: dict[Any, Part] = {}
        running = distributed.as_completed(loop=client.loop)
        while True:
            while len(part_of) < ahead and (part := next(waiting, None)) is not None:
                future = client.submit(task, part, settings, pure=False)  # the scheduler itself tries killed tasks again
                part_of[future] = part
                running.add(future)
            if not part_of:
                return
            future = next(running)
            part = part_of.pop(future)
            try:
                yield future.result()
            except distributed.scheduler.KilledWorker:
                yield _given_up(part)
