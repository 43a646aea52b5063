"""What the README shows is run: its Python by doctest, its commands as a reader would type them."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    row.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    for row in block.splitlines()
    if row.strip()
]
SERVED = "python -m pilah.annotate "
"""Runs until it is stopped: started, looked at and ended instead."""
BUDGET = "data.dumps=16 data.validation=4 tagger.n_jobs=1 tagger.folds=2 refit=false"
"""Trainings are run on a small budget: what is tested is that the command works, not what it scores."""


@pytest.fixture(scope="module")
def checkout(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository, where commands may leave what they make."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("train.py", "predict.py", "conf", "docs", "data/labelled/id"):
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    shutil.copytree(small_data, folder / "data", dirs_exist_ok=True)  # some of the pools: the examples train on a small budget
    return folder


def test_the_python_examples_of_the_readme_give_what_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried >= 7
    assert failed == 0


@pytest.mark.parametrize("command", [c for c in COMMANDS if re.search(r"^python|[|] python", c) and SERVED not in c])
def test_a_command_of_the_readme_works(command: str, checkout: Path) -> None:
    line = command.replace("python ", f"{sys.executable} ")
    if "train.py" in command:
        line += f" {BUDGET} report=scores" + " context.iterations=8" * ("context=" not in command)
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=170,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or "train.py" in command or "output_dir" in command


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(SERVED)])
def test_the_annotator_of_the_readme_shows_the_dumps_of_a_folder(command: str, checkout: Path) -> None:
    pytest.importorskip("starlette")
    folder = checkout / command.removeprefix(SERVED).split()[0]
    folder.mkdir()
    shutil.copy(ROOT / "docs/dump.txt", folder / "jembatan.txt")
    words = [sys.executable, *command.split()[1:], "port=0", "open=false"]
    with subprocess.Popen(words, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            with urlopen(f"{address}api/dumps", timeout=30) as answer:
                assert "jembatan" in answer.read().decode()
        finally:
            server.terminate()


def test_the_readme_shows_the_annotator() -> None:
    assert any(c.startswith(SERVED) for c in COMMANDS)


def test_the_install_commands_are_those_that_ci_runs() -> None:
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "pip install . && python predict.py docs/dump.txt" in COMMANDS
    assert 'pip install ".[test]" && pytest' in COMMANDS
    assert '".[test]"' in ci and re.search(r"^pytest$", ci, flags=re.MULTILINE)


def test_every_picture_and_file_that_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
