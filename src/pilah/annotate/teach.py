"""Training with the corrections: `train.py` in a process of its own, measured on checked dumps that it never saw.

The only module here that knows ``training``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pilah.annotate.desk import Desk
from pilah.annotate.store import copy_model
from pilah.labels import UNDECIDED
from pilah.model_file import load_model
from pilah.page import InputError, format_labelled, write_whole
from pilah.training.corpus import Dump, read_labelled
from pilah.training.evaluate import Scores, score
from pilah.training.splits import PieceSplit

HELD_OUT = 0.3
"""Share of the checked dumps that only measure: the model that is shown has not learned from them."""

FIGURES = ("accuracy", "macro_f1", "block_f1", "exact_dumps")
"""Which scores are shown before and after."""


def door() -> Path:
    """`train.py` of this checkout: in the current folder, else where the package was installed from."""
    places = [Path("train.py").resolve(), Path(__file__).resolve().parents[3] / "train.py"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError("training needs the project's checkout with train.py and data/: start the annotator in its folder")
    return found


class Teacher:
    """At most one training at a time.

    Parameters
    ----------
    desk : Desk
    overrides : sequence of str
        Further overrides for `train.py`, as in ``data=small``.
    output : Path
        The folder that a model goes to when it is kept.
    """

    def __init__(self, desk: Desk, overrides: Sequence[str], output: Path) -> None:
        self.desk = desk
        self.overrides = overrides
        self.output = output
        self._status: dict[str, Any] = {"state": "idle"}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._room: tempfile.TemporaryDirectory[str] | None = None

    def status(self) -> Mapping[str, Any]:
        """``state`` is idle, running, done, failed or kept; with it a message, and the scores before and after."""
        return self._status

    def start(self) -> Mapping[str, Any]:
        """Begin to train.

        Raises
        ------
        InputError
            If a training is running, fewer than two dumps are checked, or there is no `train.py`.
        """
        with self._lock:
            if self._status["state"] == "running":
                raise InputError("a training is running already")
            train = door()
            room = tempfile.TemporaryDirectory(prefix="pilah-teach-")
            learned, held = self._lend(Path(room.name))
            self._room = room
            self._status = {"state": "running", "message": "corpus", "learned": learned, "held": held}
        threading.Thread(target=self._run, args=(train, Path(room.name)), daemon=True).start()
        return self._status

    def keep(self) -> Mapping[str, Any]:
        """Put the trained model into ``output`` and work with it from now on."""
        with self._lock:
            if self._status["state"] != "done" or self._room is None:
                raise InputError("there is no newly trained model to keep")
            copy_model(Path(self._room.name) / "model", self.output)
            self.desk.replace(load_model(str(self.output)))
            self._status = {**self._status, "state": "kept", "message": f"the model is in {self.output}"}
        return self._status

    def stop(self) -> None:
        """End a training that is under way."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _lend(self, room: Path) -> tuple[int, int]:
        """Copy what has been decided into two folders: to learn from, and to measure on."""
        whole: list[Dump] = []
        begun: list[Dump] = []
        for name in self.desk.store.names():
            try:
                work = self.desk.store.read(name)
            except InputError:  # the list shows it as unreadable
                continue
            if any(label != UNDECIDED for label, _ in work.tags):
                (begun if work.left else whole).append(Dump(name, work.page.lines, work.tags))
        if len(whole) < 2:
            raise InputError("check at least two dumps to the end: one to learn from and one to measure on")
        learned, held = PieceSplit(HELD_OUT).dumps(whole)
        for folder, dumps in (("learn", [*learned, *begun]), ("held", held)):
            for dump in dumps:
                write_whole(room / folder / f"{dump.name}.tsv", format_labelled(dump.lines, dump.tags))
        return len(learned) + len(begun), len(held)

    def _run(self, train: Path, room: Path) -> None:
        command = [sys.executable, str(train), f"data.dirs=[{room / 'learn'}]", f"evaluate.dirs=[{room / 'held'}]", "report=scores",
                   f"output={room / 'model'}", f"hydra.run.dir={room / 'run'}", *self.overrides]  # fmt: skip
        said = ""
        try:
            self._process = subprocess.Popen(
                command, cwd=train.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
            for line in self._process.stdout or ():
                said = line.strip() or said
                self._status = {**self._status, "message": said[:200]}
            if self._process.wait():
                raise InputError(said)
            held = read_labelled([room / "held"], self.desk.store.labels)
            pages, gold = [dump.lines for dump in held], [dump.labels for dump in held]
            before = score(zip(gold, self.desk.predict(pages), strict=True))
            after = score(zip(gold, load_model(str(room / "model")).predict(pages), strict=True))
            self._status = {**self._status, "state": "done", "message": "", "before": _shown(before), "after": _shown(after)}
        except (InputError, OSError) as error:
            self._status = {**self._status, "state": "failed", "message": str(error)}


def _shown(scores: Scores) -> dict[str, float]:
    return {name: round(getattr(scores, name), 4) for name in FIGURES}
