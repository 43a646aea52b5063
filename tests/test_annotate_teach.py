import subprocess
import time
from pathlib import Path

import pytest
from conftest import small_run, toy_page, toy_tagger

from pilah.annotate import teach
from pilah.annotate.desk import Desk
from pilah.annotate.store import Store
from pilah.annotate.teach import FIGURES, Teacher
from pilah.labels import LabelSet
from pilah.model_file import load_model
from pilah.page import InputError, format_labelled
from pilah.tagger import LineTagger


def folder_of(path: Path, checked: int, raw: int = 0) -> Path:
    path.mkdir()
    for seed in range(checked + raw):
        lines, tags = toy_page(700 + seed)
        if seed < checked:
            (path / f"{seed}.tsv").write_text(format_labelled(lines, tags), encoding="utf-8")
        else:
            (path / f"{seed}.txt").write_text("\n".join(lines), encoding="utf-8")
    return path


def finished(teacher: Teacher) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while teacher.status()["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(teacher.status())


def test_the_new_model_is_measured_on_dumps_it_never_saw_and_kept_on_demand(
    tmp_path: Path, five: LabelSet, small_data: Path, trained: Path
) -> None:
    desk = Desk(Store(folder_of(tmp_path / "dumps", 7, 1), five), load_model(str(trained / "model")))
    own = [o for o in small_run(small_data, tmp_path) if not o.startswith(("output", "hydra", "evaluate"))]
    teacher = Teacher(desk, own, tmp_path / "kept")
    with pytest.raises(InputError, match="no newly trained model"):
        teacher.keep()
    started = teacher.start()
    assert (started["learned"], started["held"]) == (5, 2)  # 0.3 of 7 are 2; the raw dump is neither
    with pytest.raises(InputError, match="running already"):
        teacher.start()
    done = finished(teacher)
    assert done["state"] == "done", done
    assert set(done["before"]) == set(done["after"]) == set(FIGURES)  # type: ignore[call-overload]
    assert done["after"]["accuracy"] >= done["before"]["accuracy"]  # type: ignore[index]
    assert not (tmp_path / "kept").exists()
    before = desk.tagger
    assert teacher.keep()["state"] == "kept"
    assert desk.tagger is not before
    lines, _ = toy_page(700)
    assert load_model(str(tmp_path / "kept")).predict([lines]) == desk.predict([lines])


def test_a_training_that_fails_says_why(tmp_path: Path, five: LabelSet, tagger: LineTagger) -> None:
    teacher = Teacher(Desk(Store(folder_of(tmp_path / "dumps", 2), five), tagger), ["modle=sgd"], tmp_path / "kept")
    teacher.start()
    failed = finished(teacher)
    assert failed["state"] == "failed" and "modle" in str(failed["message"])


def test_two_checked_dumps_are_needed(tmp_path: Path, five: LabelSet, tagger: LineTagger) -> None:
    teacher = Teacher(Desk(Store(folder_of(tmp_path / "dumps", 1, 3), five), tagger), [], tmp_path / "kept")
    with pytest.raises(InputError, match="at least two dumps"):
        teacher.start()
    assert teacher.status()["state"] == "idle"


def test_without_a_checkout_the_annotator_says_what_training_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(teach, "__file__", str(tmp_path / "a" / "b" / "c" / "teach.py"))
    with pytest.raises(InputError, match=r"checkout with train\.py"):
        teach.door()


def test_stopping_ends_the_training(tmp_path: Path, five: LabelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("import time\nprint('corpus', flush=True)\ntime.sleep(60)\n")
    monkeypatch.chdir(tmp_path)
    teacher = Teacher(Desk(Store(folder_of(tmp_path / "dumps", 2), five), toy_tagger()), [], tmp_path / "kept")
    teacher.start()
    deadline = time.monotonic() + 20
    while teacher._process is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    teacher.stop()
    assert finished(teacher)["state"] == "failed"
    assert isinstance(teacher._process, subprocess.Popen) and teacher._process.poll() is not None
