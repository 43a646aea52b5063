"""The two doors, run as a user runs them: processes started from the repository root."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run_door, small_run

from pilah.page import parse_labelled

DUMP = "Warga Kampung Melati Gelar Lomba Perahu\nHujan reda menjelang sore.\nTerkini\n-\nPanen Lebih Awal di Tepi Kali Wening\n"
LABELS = {"body", "related", "popular", "pick", "latest"}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A sound dump."""
    path = tmp_path / "dump.txt"
    path.write_text(DUMP, encoding="utf-8")
    return path


def refused(done: subprocess.CompletedProcess[bytes]) -> str:
    """What a door said of a wrong input, when it said so as it should."""
    said = done.stderr.decode().splitlines()
    assert done.returncode == 2, said
    sentences = [line for line in said if not line.startswith("model: ")]
    assert len(sentences) == 1, said
    assert "Traceback" not in sentences[0]
    assert done.stdout == b""
    return sentences[0]


def rows_of(path: Path) -> list[str]:
    """The lines of a written ``output=labels``, checked."""
    lines, tags = parse_labelled(path.read_text(encoding="utf-8"))
    assert {label for label, _ in tags} <= LABELS
    return lines


# --------------------------------------------------------------------------------------------------------- training


def test_a_training_run_writes_all_that_it_promises(trained: Path) -> None:
    run = trained / "run"
    for name in ("config.yaml", "scores.json", "confusion-labelled.tsv", "worst-labelled.txt", "estimator.joblib"):
        assert (run / name).stat().st_size > 0
    assert sorted(p.name for p in (run / "model").iterdir()) == ["arrays.npz", "card.json"]
    assert (run / "model" / "arrays.npz").read_bytes() == (trained / "model" / "arrays.npz").read_bytes()


def test_the_card_of_a_trained_model_says_where_it_comes_from(trained: Path) -> None:
    card = json.loads((trained / "model" / "card.json").read_text(encoding="utf-8"))
    assert card["labels"]["names"] == ["body", "related", "popular", "pick", "latest"]
    assert card["config"]["data"]["dumps"] == 24
    assert len(card["data_digest"]) == 64
    assert {"python", "pilah", "numpy", "scipy", "scikit-learn"} <= set(card["versions"])
    assert set(card["scores"]) >= {"labelled", "composed"}
    assert card["scores"] == json.loads((trained / "run" / "scores.json").read_text(encoding="utf-8"))


def test_the_estimator_can_be_taken_into_a_notebook(trained: Path) -> None:
    import joblib

    estimator = joblib.load(trained / "run" / "estimator.joblib")
    assert len(estimator.predict(["Terkini", "-"])) == 2


def test_the_same_seed_gives_the_same_model_bit_for_bit_in_another_process(
    trained: Path, small_data: Path, tmp_path: Path
) -> None:
    again = run_door("train.py", [*small_run(small_data, tmp_path), "report=scores"], env={"PYTHONHASHSEED": "7"})
    assert again.returncode == 0, again.stderr.decode()
    assert (tmp_path / "model" / "arrays.npz").read_bytes() == (trained / "model" / "arrays.npz").read_bytes()


REFUSED = {
    "nonsense=1": "nonsense",
    "model=nonsense": "nonsense",
    "data.folder=/nonsense": "/nonsense holds no pools",
    "data.dirs=[/nonsense]": "/nonsense holds no labelled dump",
    "data.dumps=0": "nothing to train on",
    "data.dumps=many": "many",
}


@pytest.fixture(scope="module")
def trainings(
    small_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[subprocess.CompletedProcess[bytes], Path]]:
    """What `train.py` made of each wrong override, two at a time."""
    folders = {override: tmp_path_factory.mktemp("refused") for override in REFUSED}

    def run(override: str) -> subprocess.CompletedProcess[bytes]:
        usual = [o for o in small_run(small_data, folders[override]) if o.partition("=")[0] != override.partition("=")[0]]
        return run_door("train.py", [*usual, override])

    with ThreadPoolExecutor(2) as pool:
        return {o: (done, folders[o]) for o, done in zip(REFUSED, pool.map(run, REFUSED), strict=True)}


@pytest.mark.parametrize("override", list(REFUSED))
def test_a_training_that_cannot_be_ends_with_one_sentence_and_no_model(override: str, trainings: dict[str, Any]) -> None:
    done, folder = trainings[override]
    said = done.stderr.decode().splitlines()
    assert done.returncode == 2, said[-3:]
    assert said[-1].startswith("train.py: ")
    assert REFUSED[override] in said[-1]
    assert not any("Traceback" in line for line in said)
    assert not (folder / "model").exists()


def test_of_a_training_that_cannot_be_nothing_else_is_said_but_its_stages(trainings: dict[str, Any]) -> None:
    for override, (done, _) in trainings.items():
        rest = [line for line in done.stderr.decode().splitlines()[:-1] if not line.startswith(("corpus", "split", "fit"))]
        assert rest == [], override


# ------------------------------------------------------------------------------------------------------ what is right


def test_help_explains_itself_with_examples(trained: Path) -> None:
    for flag in ("--help", "-h"):
        done = run_door("predict.py", [flag])
        assert done.returncode == 0
        said = done.stdout.decode()
        for words in ("python predict.py dump.txt", "output=json", "output_dir", "encoding", "standard input", "body_bias"):
            assert words in said
        assert done.stderr == b""


def test_no_argument_shows_the_help_and_is_an_error() -> None:
    done = run_door("predict.py", [])
    assert (done.returncode, b"python predict.py dump.txt" in done.stdout) == (2, True)


def test_a_dump_is_printed_and_the_model_is_named_on_stderr_alone(trained: Path, dump: Path) -> None:
    done = run_door("predict.py", [dump, f"model={trained}/model", "output=labels"])
    assert done.returncode == 0
    lines, _ = parse_labelled(done.stdout.decode())
    assert lines == DUMP.splitlines()
    assert done.stderr.decode() == f"model: {trained}/model\n"


def test_standard_input_is_a_dump(trained: Path, tmp_path: Path) -> None:
    given = run_door("predict.py", ["-", f"model={trained}/model", "output=json"], input=DUMP.encode())
    assert given.returncode == 0
    found = json.loads(given.stdout)
    assert found["source"] == "-"
    assert [line["text"] for line in found["lines"]] == DUMP.splitlines()


def test_a_door_may_be_opened_from_anywhere(trained: Path, dump: Path) -> None:
    done = run_door("predict.py", ["dump.txt", f"model={trained}/model", "output=body"], cwd=dump.parent)
    assert done.returncode == 0
    assert os.listdir(dump.parent) == ["dump.txt"]  # nor does it leave an outputs/ folder behind


def test_a_reader_that_goes_away_ends_the_output_quietly(trained: Path, dump: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run_door(
            "predict.py", [dump, dump, f"model={trained}/model"], capture_output=False, stdout=write, stderr=subprocess.PIPE
        )
    finally:
        os.close(write)
    assert done.returncode == 0
    assert done.stderr.decode() == f"model: {trained}/model\n"


# ------------------------------------------------------------------------------------------------------ what is wrong

BAD_FILES: dict[str, tuple[bytes | None, str]] = {
    "missing file": (None, "there is no file"),
    "empty file": (b"", "is empty"),
    "binary file": (b"\x7fELF\x00\x00\x01", "byte 5 is NUL"),
    "not UTF-8": (b"Hujan\nCaf\xe9\n", "byte 10 is 0xe9; if it is in another encoding say so, as in encoding=cp1252"),
    "blank lines alone": (b"\n \n", "no visible character"),
}


@pytest.mark.parametrize("kind", list(BAD_FILES))
def test_a_bad_file_is_refused_in_one_sentence(kind: str, trained: Path, tmp_path: Path) -> None:
    content, words = BAD_FILES[kind]
    if content is not None:
        (tmp_path / "in.txt").write_bytes(content)
    said = refused(run_door("predict.py", [tmp_path / "in.txt", f"model={trained}/model", f"output_dir={tmp_path}/out"]))
    assert words in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words"), [("", "is a directory"), ("/proc/self/mem", "cannot be read"), ("dump.txt/x", "cannot be read")]
)
def test_what_is_no_readable_file_is_refused_in_one_sentence(name: str, words: str, trained: Path, dump: Path) -> None:
    path = name if name.startswith("/") else f"{dump.parent}/{name}"
    assert words in refused(run_door("predict.py", [path, f"model={trained}/model", f"output_dir={dump.parent}/out"]))
    assert not (dump.parent / "out").exists()


BAD_OVERRIDES = {
    "nonsense=1": "nonsense",
    "+nonsense=1": "nonsense",
    "output=xml": "there is no output 'xml'",
    "output=[json]": "output must be text",
    "encoding=klingon": "unknown encoding 'klingon'",
    "encoding=null": "encoding must be text",
    "body_bias=much": "body_bias must be a number",
    "model=nonsense": "there is no model 'nonsense'",
    "--nonsense": "nonsense",
    "==": "==",
}


@pytest.mark.parametrize("override", list(BAD_OVERRIDES))
def test_a_bad_override_is_refused_in_one_sentence(override: str, trained: Path, dump: Path) -> None:
    model = [] if override.startswith("model=") else [f"model={trained}/model"]
    said = refused(run_door("predict.py", [dump, *model, f"output_dir={dump.parent}/out", override]))
    assert BAD_OVERRIDES[override] in said
    assert not (dump.parent / "out").exists()


@pytest.mark.parametrize("kind", ["damaged", "foreign", "of another format"])
def test_a_bad_model_is_refused_in_one_sentence(kind: str, trained: Path, dump: Path) -> None:
    model = dump.parent / "model"
    model.mkdir()
    card = json.loads((trained / "model" / "card.json").read_text(encoding="utf-8"))
    card = {"damaged": card, "foreign": {"name": "other"}, "of another format": {**card, "format": 99}}[kind]
    (model / "card.json").write_text(json.dumps(card))
    (model / "arrays.npz").write_bytes((trained / "model" / "arrays.npz").read_bytes()[:-1])
    said = refused(run_door("predict.py", [dump, f"model={model}", f"output_dir={dump.parent}/out"]))
    assert {"damaged": "is damaged", "foreign": "not the card", "of another format": "format 99"}[kind] in said
    assert not (dump.parent / "out").exists()


@pytest.mark.parametrize("folder", ["dump.txt", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_to_is_refused_in_one_sentence(folder: str, trained: Path, dump: Path) -> None:
    path = folder if folder.startswith("/") else f"{dump.parent}/{folder}"
    assert "cannot be written" in refused(run_door("predict.py", [dump, f"model={trained}/model", f"output_dir={path}"]))
    assert dump.read_text(encoding="utf-8") == DUMP


def test_a_full_disk_is_said_in_one_sentence_and_leaves_no_half_file(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "dump.txt").write_text(DUMP * 400, encoding="utf-8")  # some 60 kB, of which the disk takes 20

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    arguments = [tmp_path / "dump.txt", f"model={trained}/model", f"output_dir={tmp_path}/out"]
    assert "cannot be written" in refused(run_door("predict.py", arguments, preexec_fn=small_disk))
    assert os.listdir(tmp_path / "out") == []


def test_a_full_standard_output_is_said_in_one_sentence(trained: Path, dump: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_door(
            "predict.py", [dump, f"model={trained}/model"], capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert len(done.stderr.decode().splitlines()) == 2
    assert "standard output cannot be written" in done.stderr.decode()


def test_one_bad_dump_among_many_costs_only_itself(trained: Path, dump: Path) -> None:
    (dump.parent / "bad.txt").write_bytes(b"\xff\n")
    done = run_door("predict.py", [dump.parent / "bad.txt", dump, f"model={trained}/model", f"output_dir={dump.parent}/out"])
    assert done.returncode == 1
    assert os.listdir(dump.parent / "out") == ["dump.txt"]
    assert len(done.stderr.decode().splitlines()) == 2


# ------------------------------------------------------------------------------------------ unusual, and still right

LONG = 10_000_000
UNUSUAL: dict[str, tuple[bytes, list[str]]] = {
    "CRLF": (DUMP.replace("\n", "\r\n").encode(), DUMP.splitlines()),
    "byte order mark": (b"\xef\xbb\xbf" + DUMP.encode(), DUMP.splitlines()),
    "no final newline": (DUMP.rstrip("\n").encode(), DUMP.splitlines()),
    "blank lines": (b"\n" + DUMP.replace("\n", "\n\n").encode(), ["", *(x for line in DUMP.splitlines() for x in (line, ""))]),
    "line separators": ("Hujan\u2028reda\nTerkini\n".encode(), ["Hujan\u2028reda", "Terkini"]),
    "right to left": (
        "افتتاح جسر القرية\nآخر الأخبار\n- ‏عودة الصيادين\n".encode(),
        ["افتتاح جسر القرية", "آخر الأخبار", "- ‏عودة الصيادين"],
    ),
    "a line of 10 MB": (b"Terkini\n" + b"kata " * (LONG // 5) + b"\n-\n", ["Terkini", "kata " * (LONG // 5), "-"]),
}


def test_unusual_dumps_are_done_without_harm(trained: Path, tmp_path: Path) -> None:
    paths = []
    for number, (data, _) in enumerate(UNUSUAL.values()):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_bytes(data)
    done = run_door("predict.py", [*paths, f"model={trained}/model", "output=labels", f"output_dir={tmp_path}/out"])
    assert (done.returncode, done.stderr.decode()) == (0, f"model: {trained}/model\n")
    for number, (kind, (_, lines)) in enumerate(UNUSUAL.items()):
        assert rows_of(tmp_path / "out" / f"{number}.tsv") == lines, kind


@pytest.fixture(scope="module")
def huge(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A dump of 200,000 lines being labelled in the background, while the other tests of this module run."""
    folder = tmp_path_factory.mktemp("huge")
    (folder / "huge.txt").write_text(
        "".join(f"{line}\n" for k in range(200_000 // 5) for line in DUMP.splitlines()), encoding="utf-8"
    )
    command = [
        sys.executable,
        "predict.py",
        f"{folder}/huge.txt",
        f"model={trained}/model",
        "output=labels",
        f"output_dir={folder}/out",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ) as process:
        yield process, folder / "out" / "huge.tsv"
        process.kill()


@pytest.fixture(autouse=True)
def _meanwhile(huge: tuple[Any, Path]) -> None:
    """Have it started with the first test."""


def test_a_dump_of_200000_lines_is_done(huge: tuple[Any, Path]) -> None:
    process, written = huge
    _, said = process.communicate(timeout=150)
    assert process.returncode == 0, said.decode()
    assert rows_of(written) == DUMP.splitlines() * (200_000 // 5)
