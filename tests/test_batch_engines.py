"""Engines: the same bytes from each, whoever is killed on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_fixtures import killed_always, killed_once, leftovers, outputs, settings_for, write_json

from pilah.batch import corpus, engines
from pilah.batch.engines import Engine
from pilah.batch.shards import Result, label_part
from pilah.page import InputError

SPLIT = 60_000
"""Bytes per part: the victim has several."""


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "crawl"
    for i in range(3):
        write_json(folder / f"{i}.jsonl", 20, 20 * i)
    write_json(folder / "victim.jsonl", 300, 100)
    return folder


@pytest.fixture(scope="module")
def undisturbed(crawl: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    assert corpus.label_corpus([str(crawl)], settings_for(model_dir, out), Engine(), SPLIT) == 0
    return outputs(out)


def run(crawl: Path, model_dir: Path, out: Path, engine: Engine, task: Callable[..., Result] = label_part) -> int:
    class Disturbed(Engine):
        def run(self, parts: Any, settings: Any, _: Any = None) -> Iterator[Result]:
            return Engine.run(self, parts, settings, task)

    return corpus.label_corpus([str(crawl)], settings_for(model_dir, out), Disturbed(**vars(engine)), SPLIT)


def test_loky_survives_a_worker_that_is_killed_in_the_middle_of_a_shard(
    crawl: Path, model_dir: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    assert run(crawl, model_dir, tmp_path / "out", Engine("loky", workers=2), killed_once) == 0
    assert (tmp_path / "killed").exists()
    assert outputs(tmp_path / "out") == undisturbed and not leftovers(tmp_path / "out")


def test_loky_gives_up_a_part_that_always_kills_its_worker_and_does_the_others(
    crawl: Path, model_dir: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TRIES", 2)
    monkeypatch.setitem(globals(), "SPLIT", 10**9)
    assert run(crawl, model_dir, tmp_path / "out", Engine("loky", workers=2), killed_always) == 1
    assert (tmp_path / "kills").read_text() == "xx"
    made = outputs(tmp_path / "out")
    entry = json.loads(made.pop("errors.jsonl"))
    assert entry["address"].endswith("victim.jsonl") and "was killed 2 times" in entry["error"]
    assert made == {name: content for name, content in undisturbed.items() if "victim" not in name}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=60
    ) as running:
        yield running


def test_dask_workers_make_the_same_bytes(
    crawl: Path, model_dir: Path, undisturbed: dict[str, bytes], tmp_path: Path, cluster: Any
) -> None:
    assert run(crawl, model_dir, tmp_path / "out", Engine("dask", address=cluster.scheduler_address)) == 0
    assert outputs(tmp_path / "out") == undisturbed and not leftovers(tmp_path / "out")


def test_dask_survives_a_worker_that_is_killed_in_the_middle_of_a_shard(
    crawl: Path, model_dir: Path, undisturbed: dict[str, bytes], tmp_path: Path, cluster: Any
) -> None:
    assert run(crawl, model_dir, tmp_path / "out", Engine("dask", address=cluster.scheduler_address), killed_once) == 0
    assert (tmp_path / "killed").exists()
    assert outputs(tmp_path / "out") == undisturbed and not leftovers(tmp_path / "out")


def test_a_scheduler_that_does_not_answer_is_a_wrong_input(
    crawl: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "CONNECT_SECONDS", 0.3)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run(crawl, model_dir, tmp_path / "out", Engine("dask", address="tcp://127.0.0.1:9"))


def test_more_than_one_shard_is_spread_over_processes_unless_told_otherwise(
    crawl: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(Engine, "run", lambda self, *_: chosen.append(self.name) or iter(()))
    for names in (["0.jsonl"], ["0.jsonl", "1.jsonl"]):
        corpus.label_corpus([str(crawl / name) for name in names], settings_for(model_dir, tmp_path / "out"))
    assert chosen == ["serial", "loky"]


def test_there_is_no_other_engine() -> None:
    with pytest.raises(InputError, match="there is no engine 'spark': say one of serial, loky, dask"):
        Engine("spark")
