"""Shards: nothing is lost by broken records, kills, full disks and cut files, and nothing is done twice."""

from __future__ import annotations

import gc
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batch_fixtures import as_json, leftovers, outputs, rows, settings_for, wet, write_json
from conftest import ROOT, run_door

from pilah.article import build_article
from pilah.batch import Options, predict, readers, shards
from pilah.batch.corpus import label_corpus
from pilah.batch.engines import Engine
from pilah.model_file import load_model, save_model
from pilah.page import InputError, Page
from pilah.render import body
from pilah.tagger import LineTagger


def label(inputs: list[Path | str], model: Path, out: Path, resume: bool = False, split: int = 10**8, **more: Any) -> int:
    return label_corpus([str(name) for name in inputs], settings_for(model, out, **more), Engine(), split, resume)


def errors_of(out: Path) -> list[tuple[str, str]]:
    lines = (out / "errors.jsonl").read_text(encoding="utf-8").splitlines()
    return [(entry["address"], entry["error"]) for entry in map(json.loads, lines)]


def test_a_shard_holds_its_records_with_what_the_tagger_says_of_each(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "a.jsonl", 12)
    assert label([tmp_path / "a.jsonl"], model_dir, tmp_path / "out") == 0
    tagger = load_model(str(model_dir))
    sure, lines, made = 0.0, 0, [json.loads(line) for line in (tmp_path / "out" / "a.jsonl").read_bytes().splitlines()]
    for row, record in zip(rows(12), made, strict=True):
        page = Page.from_text(row["text"])
        article = build_article(page, tagger.tag([page.lines])[0])
        expected = {"labels": [line.label for line in article.lines], "body": body(article)}
        assert record == {**row, **expected, "sections": article.to_dict()["sections"]}
        sure, lines = sure + sum(line.confidence for line in article.lines), lines + len(page.lines)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"12 pages of 1 shard, {lines} lines, mean confidence {sure / lines:.3f}"
    bodies = sum(label == "body" for record in made for label in record["labels"])
    assert f"body {bodies} ({100 * bodies / lines:.1f} %)" in said[1]
    assert said[2] == f"pages with no body: {sum(not record['body'] for record in made)}"


def test_the_size_of_a_part_says_whether_numba_is_loaded_at_once(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming: list[int] = []
    monkeypatch.setattr("pilah.fast.expect", coming.append)
    write_json(tmp_path / "a.jsonl", 12)
    assert label([tmp_path / "a.jsonl"], model_dir, tmp_path / "out") == 0
    assert coming == [(tmp_path / "a.jsonl").stat().st_size // 50]


def test_every_format_gives_the_same_labels_in_either_output(model_dir: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "a.jsonl", 8)
    pq.write_table(pa.Table.from_pylist(rows(8)), tmp_path / "b.parquet", row_group_size=3)
    (tmp_path / "c.warc.wet.gz").write_bytes(wet(rows(8)))
    (tmp_path / "d").mkdir()
    for row in rows(8):
        (tmp_path / "d" / f"{row['id']}.txt").write_text(row["text"])
    inputs: list[Path | str] = [tmp_path / name for name in ("a.jsonl", "b.parquet", "c.warc.wet.gz", "d")]
    for output in ("jsonl", "parquet"):
        assert label(inputs, model_dir, tmp_path / output, output=output, split=1) == 0
    found = {}
    for name in "abcd":
        lines = (tmp_path / "jsonl" / f"{name}.jsonl").read_bytes().splitlines()
        found[name] = [json.loads(line) for line in lines]
        assert pq.read_table(tmp_path / "parquet" / f"{name}.parquet").to_pylist() == found[name]
    labelled = [[(r["text"], r["labels"], r["body"], r["sections"]) for r in records] for records in found.values()]
    assert labelled[0] == labelled[1] == labelled[2] == labelled[3]
    assert not leftovers(tmp_path / "jsonl") and not leftovers(tmp_path / "parquet")


def test_poisoned_records_are_set_aside_with_their_address_and_the_rest_goes_on(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = [as_json([row]) for row in rows(5)]
    poison = [b'{"text": \n', b'{"id": 7}\n', b'{"text": "\xff"}\n', as_json([{"text": "x" * 50_000_001}])]
    mixed = b"".join(a + b"\n" + b for a, b in zip(sound, [*poison, b""], strict=True))
    (tmp_path / "a.jsonl").write_bytes(mixed)
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    assert label([tmp_path / "a.jsonl", tmp_path / "bad.txt"], model_dir, tmp_path / "out", split=len(sound[0]) + 5) == 0
    made = [json.loads(line) for line in (tmp_path / "out" / "a.jsonl").read_bytes().splitlines()]
    assert [record["id"] for record in made] == [0, 1, 2, 3, 4]
    found = errors_of(tmp_path / "out")
    a = tmp_path / "a.jsonl"
    assert [address for address, _ in found] == [f"{a}:3", f"{a}:6", f"{a}:9", f"{a}:12", str(tmp_path / "bad.txt")]
    assert [error.split(":")[0] for _, error in found[:3]] == ["broken JSON", "there is no field 'text'", "invalid UTF-8"]
    assert found[3][1] == "the text is longer than 50000000 bytes"
    assert "set aside: 5 records, 0 shards failed" in capsys.readouterr().err


def test_a_page_that_breaks_the_tagger_does_not_take_its_batch_with_it(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = LineTagger.tag

    def brittle(self: LineTagger, pages: Any, *more: Any) -> Any:
        if any("Meteor" in line for page in pages for line in page):
            raise IndexError("no such row")
        return tag(self, pages, *more)

    monkeypatch.setattr(LineTagger, "tag", brittle)
    (tmp_path / "a.jsonl").write_bytes(as_json([*rows(3), {"text": "Meteor jatuh"}, *rows(3, 3)]))
    assert label([tmp_path / "a.jsonl"], model_dir, tmp_path / "out") == 0
    assert len((tmp_path / "out" / "a.jsonl").read_bytes().splitlines()) == 6
    assert errors_of(tmp_path / "out") == [(f"{tmp_path}/a.jsonl:4", "the page could not be labelled: IndexError no such row")]


def test_a_truncated_gzip_shard_keeps_its_whole_records_and_is_reported(model_dir: Path, tmp_path: Path) -> None:
    packed = gzip.compress(as_json(rows(60)), mtime=0)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    write_json(tmp_path / "b.jsonl", 3)
    assert label([tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"], model_dir, tmp_path / "out") == 1
    kept = len((tmp_path / "out" / "a.jsonl").read_bytes().splitlines())
    assert 10 < kept < 60
    assert errors_of(tmp_path / "out") == [(f"{tmp_path}/a.jsonl.gz:{kept + 1}", "the file ends early: it was cut off")]
    write_json(tmp_path / "whole.jsonl", kept)
    label([tmp_path / "whole.jsonl"], model_dir, tmp_path / "other")
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == (tmp_path / "other" / "whole.jsonl").read_bytes()


def test_a_shard_that_cannot_be_read_fails_alone(model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    write_json(tmp_path / "b.jsonl", 3)
    assert label([tmp_path / "a.parquet", tmp_path / "b.jsonl"], model_dir, tmp_path / "out") == 1
    assert list(outputs(tmp_path / "out")) == ["b.jsonl", "errors.jsonl"]
    assert errors_of(tmp_path / "out")[0][1] in capsys.readouterr().err
    assert label([tmp_path / "a.parquet"], model_dir, tmp_path / "none") == 2


def test_resume_skips_a_shard_of_the_same_name_size_model_and_settings(
    model_dir: Path, tagger: LineTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, out = write_json(tmp_path / "a.jsonl", 3), tmp_path / "out"
    done: list[str] = []
    read = readers.read_part
    monkeypatch.setattr(shards, "read_part", lambda part, *more: done.append(part.shard) or read(part, *more))

    def did(**more: Any) -> bool:
        done.clear()
        assert label([a], model, out, **more) == 0
        return bool(done)

    model = model_dir
    assert did(resume=True)
    assert not did(resume=True)
    assert did(resume=False)
    assert did(resume=True, keep=("url",)) and did(resume=True, body_bias=2.0) and did(resume=True, body_bias=None)
    (out / "a.jsonl").unlink()
    assert did(resume=True)
    write_json(a, 4)
    assert did(resume=True) and not did(resume=True)
    model = tmp_path / "model"
    save_model(tagger, model, {"note": "another card"})
    assert did(resume=True) and not did(resume=True)


def test_resume_counts_and_lists_what_was_found_before(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs: list[Path | str] = [write_json(tmp_path / f"{i}.jsonl", 3, 3 * i) for i in range(3)]
    (tmp_path / "0.jsonl").write_bytes(as_json(rows(3)) + b"{")
    label(inputs, model_dir, tmp_path / "out")
    first, said = outputs(tmp_path / "out"), capsys.readouterr().err
    (tmp_path / "out" / "1.jsonl").unlink()
    (tmp_path / "out" / "errors.jsonl").unlink()
    label(inputs, model_dir, tmp_path / "out", resume=True)
    assert outputs(tmp_path / "out") == first
    assert capsys.readouterr().err.replace("shards skipped, finished before: 2\n", "") == said


def test_two_runs_do_not_write_into_one_folder(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, out = write_json(tmp_path / "a.jsonl", 3), tmp_path / "out"
    seen: list[str] = []
    read = readers.read_part

    def second(part: Any, *more: Any) -> Any:
        if not seen:
            seen.append("")
            with pytest.raises(InputError) as refused:
                label([a], model_dir, out)
            seen.append(str(refused.value))
        return read(part, *more)

    monkeypatch.setattr(shards, "read_part", second)
    assert label([a], model_dir, out) == 0
    assert seen[1].startswith(f"another run is writing into {out}")


def test_a_model_that_changes_under_a_run_is_noticed(model_dir: Path, tmp_path: Path) -> None:
    a = write_json(tmp_path / "a.jsonl", 3)
    settings = replace(settings_for(model_dir, tmp_path / "out"), digest="0" * 64)
    assert label_corpus([str(a)], settings, Engine()) == 2
    assert "is not the one that the run began with" in errors_of(tmp_path / "out")[0][1]


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
sys.path.insert(0, sys.argv[1])
import predict
sys.exit(predict.main(sys.argv[2:]))
"""


def test_a_file_that_may_not_grow_is_left_out_and_resume_completes_the_run(model_dir: Path, tmp_path: Path) -> None:
    inputs = [write_json(tmp_path / "small.jsonl", 3), write_json(tmp_path / "big.jsonl", 60)]
    arguments = [*map(str, inputs), f"model={model_dir}", "output=jsonl", "engine=serial", f"output_dir={tmp_path}/out"]
    done = subprocess.run([sys.executable, "-c", LIMITED, str(ROOT), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "predict.py: big.jsonl cannot be written: file too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(outputs(tmp_path / "out")) == ["errors.jsonl", "small.jsonl"] and not list((tmp_path / "out").rglob("*.tmp"))
    assert label([*inputs], model_dir, tmp_path / "out", resume=True) == 0
    assert label([*inputs], model_dir, tmp_path / "undisturbed") == 0
    assert outputs(tmp_path / "out") == outputs(tmp_path / "undisturbed")
    assert not leftovers(tmp_path / "out")


def test_a_full_disk_ends_the_run_with_a_sentence_and_resume_completes_it(model_dir: Path, tmp_path: Path) -> None:
    inputs: list[Path | str] = [write_json(tmp_path / "a.jsonl", 3), write_json(tmp_path / "b.jsonl", 200)]
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        for output in ("parquet", "jsonl"):
            with pytest.raises(InputError, match=r"b\.\w+ cannot be written: no space left on device; .*resume=true"):
                label(inputs, model_dir, disk / "out", output=output)
            assert list(outputs(disk / "out")) == [f"a.{output}"] and not list(disk.rglob("*.tmp"))
            if output == "parquet":
                subprocess.run(["rm", "-r", disk / "out"], check=True)
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        assert label(inputs, model_dir, disk / "out", resume=True) == 0
        assert label(inputs, model_dir, tmp_path / "undisturbed") == 0
        assert outputs(disk / "out") == outputs(tmp_path / "undisturbed")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_killed_run_is_resumed_to_the_same_bytes(model_dir: Path, tmp_path: Path) -> None:
    for i in range(6):
        write_json(tmp_path / "crawl" / f"{i}.jsonl", 100, 100 * i)
    (tmp_path / "crawl" / "2.jsonl").write_bytes(b"{\n" + (tmp_path / "crawl" / "2.jsonl").read_bytes())
    arguments = [f"{tmp_path}/crawl/*.jsonl", f"model={model_dir}", "output=jsonl", "input.split_mb=0.05", "engine=loky"]
    out = tmp_path / "out"
    command = [sys.executable, str(ROOT / "predict.py"), *arguments, f"output_dir={out}"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while run.poll() is None and time.monotonic() < deadline and len(list(out.glob("crawl/*.jsonl"))) < 2:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert 0 < len(list(out.glob("crawl/*.jsonl"))) < 6
    resumed = run_door("predict.py", [*arguments, f"output_dir={out}", "resume=true"])
    assert resumed.returncode == 0 and b"shards skipped, finished before: " in resumed.stderr
    assert label([f"{tmp_path}/crawl/*.jsonl"], model_dir, tmp_path / "undisturbed", split=50_000) == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed")
    assert json.loads((out / "errors.jsonl").read_bytes())["address"] == f"{tmp_path}/crawl/2.jsonl:1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["output=jsonl"], "output=jsonl writes a file per shard: say where to, as in output_dir=out"),
        (["output_dir=out"], "a.jsonl holds many pages: say output=jsonl or output=parquet, and an output_dir"),
        (["output=jsonl", "output_dir=out", "engine=dask"], "engine=dask needs the address of a scheduler"),
        (["output=jsonl", "output_dir=out", "engine=loky", "engine.workers=-1"], "engine.workers must be a whole number"),
        (["output=jsonl", "output_dir=out", "input.keep=url"], "input.keep must be a list of fields"),
        (["output=jsonl", "output_dir=out", "input.split_mb=0"], "input.split_mb must be a number above 0"),
        (["output=jsonl", "output_dir=a.jsonl/out"], "a.jsonl/out cannot be written to: "),
        (["output=jsonl", "output_dir=s3://bucket/out"], "output_dir must be a folder, not the address s3://bucket/out"),
        (["output=json", "resume=true"], "engine and resume are for a corpus"),
        (["output=jsonl", "output_dir=out", "resume=perhaps"], "resume must be true or false"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_nothing_is_written(
    arguments: list[str], message: str, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    import predict

    monkeypatch.chdir(tmp_path)
    write_json(Path("a.jsonl"), 1)
    assert predict.main(["a.jsonl", f"model={model_dir}", *arguments]) == 2
    said = capsys.readouterr().err.splitlines()
    assert message in said[-1] and all(line.startswith(("predict.py: ", "model: ")) for line in said)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.jsonl"]


def test_a_glob_finds_single_dumps_too(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for row in rows(3):
        Path(f"{row['id']}.txt").write_text(row["text"])
    assert predict(["*.txt"], Options(model=str(model_dir), output="labels", output_dir="out")) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["0.tsv", "1.tsv", "2.tsv"]
    assert predict(["*.none"], Options(model=str(model_dir))) == 2
    assert "there is no file *.none" in capsys.readouterr().err


@pytest.mark.parametrize("was", [True, False])
def test_the_last_of_several_tasks_puts_garbage_collection_back(was: bool) -> None:
    (gc.enable if was else gc.disable)()
    try:
        first, second = shards._seldom_collected(), shards._seldom_collected()
        for step in (first.__enter__, second.__enter__, lambda: first.__exit__(None, None, None)):
            step()
            assert not gc.isenabled()
        second.__exit__(None, None, None)
        assert gc.isenabled() == was
    finally:
        gc.enable()
