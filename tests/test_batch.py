"""Dumps one by one: what is an input, what is printed or written, and what a bad one costs the others."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pilah import model_file
from pilah.batch import LAST, Options, choose_model, predict, split_arguments
from pilah.page import InputError
from pilah.render import FORMATS

DUMP = "Warga Kampung Melati Gelar Lomba Perahu\nTerkini\n-\nPanen Lebih Awal di Tepi Kali Wening\n"


@pytest.fixture
def dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two sound dumps and two bad ones."""
    (tmp_path / "a.txt").write_text(DUMP, encoding="utf-8")
    (tmp_path / "b.txt").write_text(DUMP.replace("\n", "\r\n"), encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "bad.txt").write_bytes(b"Caf\xe9\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(inputs: list[str], model_dir: Path, **options: Any) -> int:
    """`predict` with the toy model."""
    return predict(inputs, Options(model=str(model_dir), **options))


# ------------------------------------------------------------------------------------------- inputs and overrides


def test_what_has_an_equals_sign_is_an_override_and_all_else_is_an_input(dumps: Path) -> None:
    found = split_arguments(["a.txt", "missing.txt", "-", "output=json", "model=x", "~model", "+extra=1", "--flag"])
    assert found == (["a.txt", "missing.txt", "-"], ["output=json", "model=x", "~model", "+extra=1", "--flag"])


def test_a_file_that_is_there_is_an_input_whatever_it_is_called(dumps: Path) -> None:
    for name in ("a=b.txt", "~notes", "-dash"):
        (dumps / name).write_text(DUMP)
        assert split_arguments([name]) == ([name], [])


@pytest.mark.parametrize("argument", ["x" * 5000, "output=" + "x" * 5000, "a\0b"])
def test_an_argument_that_no_file_can_be_called_is_told_apart_all_the_same(argument: str) -> None:
    inputs, overrides = split_arguments([argument])
    assert [*inputs, *overrides] == [argument]


# ---------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"output": "xml"}, "there is no output 'xml': say one of text, markdown, json, labels, body"),
        ({"output": ["json"]}, "output must be text"),
        ({"encoding": None}, "encoding must be text"),
        ({"output_dir": ["a", "b"]}, "output_dir must be text"),
        ({"body_bias": "much"}, "body_bias must be a number, not 'much'"),
        ({"body_bias": True}, "body_bias must be a number"),
        ({"body_bias": float("nan")}, "body_bias must be a number"),
    ],
)
def test_an_option_of_no_use_is_refused_in_one_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Options(**options)


def test_a_folder_may_be_called_by_a_number() -> None:
    assert Options(output_dir=2031).output_dir == "2031"  # type: ignore[arg-type]  # as YAML reads it


# ---------------------------------------------------------------------------------------------------- exit codes


def test_all_is_well_is_0(dumps: Path, model_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["a.txt", "b.txt"], model_dir, output="labels") == 0
    out, err = capfdbinary.readouterr()
    assert out.count(b"\n") == 8
    assert err.decode() == f"model: {model_dir}\n"


def test_one_bad_dump_among_many_is_reported_and_the_others_are_done(
    dumps: Path, model_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["a.txt", "bad.txt", "missing.txt", "b.txt"], model_dir, output="json", output_dir="out") == 1
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.json", "b.json"]
    said = capfdbinary.readouterr().err.decode().splitlines()
    assert said[1:] == [
        "predict.py: bad.txt is not utf-8: byte 4 is 0xe9; if it is in another encoding say so, as in encoding=cp1252",
        "predict.py: there is no file missing.txt",
    ]


def test_all_bad_is_2_and_nothing_is_written(dumps: Path, model_dir: Path) -> None:
    assert run(["bad.txt", "empty.txt", "missing.txt", "."], model_dir, output_dir="out") == 2
    assert not Path("out").exists()


def test_a_dump_of_blank_lines_has_nothing_to_label(dumps: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dumps / "blank.txt").write_text("\n \n\t\n")
    assert run(["blank.txt"], model_dir) == 2
    assert "no visible character" in capsys.readouterr().err


def test_no_input_is_an_error(model_dir: Path) -> None:
    with pytest.raises(InputError, match="name a dump"):
        run([], model_dir)


# ------------------------------------------------------------------------------------------------------- outputs


@pytest.mark.parametrize(
    ("output", "suffix"), [(name, FORMATS[name][0]) for name in ("text", "markdown", "json", "labels", "body")]
)
def test_one_file_per_dump_is_written_and_says_what_would_have_been_printed(
    dumps: Path, model_dir: Path, output: str, suffix: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["a.txt"], model_dir, output=output, output_dir="deep/out") == 0
    assert capfdbinary.readouterr().out == b""
    assert [p.name for p in Path("deep/out").iterdir()] == [f"a.{suffix}"]
    assert run(["a.txt"], model_dir, output=output) == 0
    assert capfdbinary.readouterr().out == Path(f"deep/out/a.{suffix}").read_bytes()


def test_the_json_of_a_dump_accounts_for_every_line_of_it(dumps: Path, model_dir: Path) -> None:
    run(["b.txt"], model_dir, output="json", output_dir="out")
    found = json.loads(Path("out/b.json").read_text(encoding="utf-8"))
    assert found["source"] == "b.txt"
    assert [line["text"] for line in found["lines"]] == DUMP.splitlines()


def test_two_dumps_of_one_name_are_not_written_over_each_other(dumps: Path, model_dir: Path) -> None:
    (dumps / "other").mkdir()
    shutil.copy("a.txt", "other/a.txt")
    with pytest.raises(InputError, match=r"two inputs would both be written to out/a\.txt"):
        run(["a.txt", "b.txt", "other/a.txt"], model_dir, output_dir="out")
    assert not Path("out").exists()
    assert run(["a.txt", "other/a.txt"], model_dir) == 0  # printed, they are not in each other's way


def test_a_file_in_place_of_the_output_folder_is_left_alone(
    dumps: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["a.txt"], model_dir, output_dir="b.txt") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert (dumps / "b.txt").read_bytes() == DUMP.replace("\n", "\r\n").encode()


def test_an_encoding_can_be_named(dumps: Path, model_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["bad.txt"], model_dir, encoding="cp1252", output="labels") == 0
    assert capfdbinary.readouterr().out.decode().rstrip().endswith("\tCafé")


def test_a_closed_standard_output_is_no_error(dumps: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run(["a.txt"], model_dir) == 0


# --------------------------------------------------------------------------------------------------- which model


def test_the_model_trained_last_goes_before_the_shipped_one(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model_dir, tmp_path / "shipped" / "default")
    monkeypatch.setattr(model_file, "SHIPPED", tmp_path / "shipped")
    assert choose_model("")[1] == "default"
    shutil.copytree(model_dir, tmp_path / LAST)
    assert choose_model("")[1] == str(LAST)
    assert choose_model("default")[1] == "default"


def test_a_bias_toward_the_body_moves_lines_into_it(
    dumps: Path, model_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    said = {}
    for bias in (1000, -1000):
        run(["a.txt"], model_dir, output="labels", body_bias=bias)
        said[bias] = {row.split(b"\t")[0] for row in capfdbinary.readouterr().out.splitlines()}
    assert said[1000] == {b"body"}
    assert b"body" not in said[-1000]
