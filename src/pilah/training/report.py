"""What a training run leaves behind: scores, confusion, worst lines, configuration, the estimator."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
from rich.console import Console
from rich.table import Table

from pilah.page import write_whole
from pilah.params import Params
from pilah.tagger import LineTagger, TaggedLine
from pilah.training.corpus import Dump
from pilah.training.evaluate import Scores, confusion, worst_lines

FIGURES = ("macro_f1", "body_f1", "block_f1", "exact_dumps", "accuracy")
"""Columns of every table of scores."""


def score_table(title: str, rows: Mapping[str, Scores | Mapping[str, Any]]) -> Table:
    """One row of figures for each name."""
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold")
    for name in ("dumps", "lines"):
        table.add_column(name, justify="right")
    for name in FIGURES:
        table.add_column(name, justify="right")
    for name, scores in rows.items():
        values = scores.to_dict() if isinstance(scores, Scores) else scores
        table.add_row(name, str(values["dumps"]), str(values["lines"]), *(f"{values[f]:.4f}" for f in FIGURES))
    return table


def confusion_text(labels: Sequence[str], counts: Mapping[tuple[str, str], int]) -> str:
    """A confusion table: gold labels down, predicted labels across.

    >>> print(confusion_text(["a", "b"], {("a", "b"): 2, ("b", "b"): 1}), end="")
    gold\\\\said	a	b
    a	0	2
    b	0	1
    """
    rows = [["gold\\said", *labels], *([g, *(str(counts.get((g, p), 0)) for p in labels)] for g in labels)]
    return "".join("\t".join(row) + "\n" for row in rows)


class ScoresReport(Params):
    """The short report: scores and the resolved configuration."""

    def write(self, folder: Path, tagger: LineTagger, results: Mapping[str, tuple[Sequence[Dump], Any, Scores]], config: str) -> None:
        """Write ``scores.json`` and ``config.yaml``."""
        scores = {name: found.to_dict() for name, (_, _, found) in results.items()}
        write_whole(folder / "scores.json", json.dumps(scores, indent=1) + "\n")
        write_whole(folder / "config.yaml", config)


class FullReport(Params):
    """Everything: scores, configuration, confusion table, worst lines in context, the scikit-learn estimator.

    Parameters
    ----------
    worst : int
        How many wrong lines to show per set.
    """

    def __init__(self, worst: int = 40) -> None:
        self.worst = worst

    def write(
        self,
        folder: Path,
        tagger: LineTagger,
        results: Mapping[str, tuple[Sequence[Dump], Sequence[Sequence[TaggedLine]], Scores]],
        config: str,
    ) -> None:
        """Write ``scores.json``, ``config.yaml``, ``confusion-<set>.tsv``, ``worst-<set>.txt`` and ``estimator.joblib``."""
        ScoresReport().write(folder, tagger, results, config)
        for name, (dumps, tagged, _) in results.items():
            pairs = [(dump.labels, [line.label for line in lines]) for dump, lines in zip(dumps, tagged, strict=True)]
            write_whole(folder / f"confusion-{name}.tsv", confusion_text(tagger.labels.names, confusion(pairs)))
            worst = worst_lines(dumps, tagged, self.worst)
            shown = [
                f"{w.dump}, line {w.n}: {w.gold} taken for {w.predicted} ({w.confidence:.2f})\n" + "\n".join(w.context)
                for w in worst
            ]
            write_whole(folder / f"worst-{name}.txt", "\n\n".join(shown) + "\n")
        buffer = io.BytesIO()
        joblib.dump(tagger.line_model_, buffer)
        write_whole(folder / "estimator.joblib", buffer.getvalue())


def compare(console: Console, runs: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Print one table that compares runs: a row per run and set, best headline score first."""
    order = sorted(runs, key=lambda name: -next(iter(runs[name].values()), {}).get("macro_f1", 0.0))
    rows = {f"{name}  [{kind}]": scores for name in order for kind, scores in runs[name].items()}
    console.print(score_table("runs, best first", rows))
