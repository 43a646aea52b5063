"""What a training run leaves behind: scores, a page to read them on, confusion, worst lines, configuration, the estimator."""

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
from pilah.training.report_page import FIGURES, run_page, sweep_page

Curve = Sequence[tuple[int, Mapping[str, Scores]]]
"""A learning curve: dumps trained on, scores per evaluation set."""


def score_table(title: str, rows: Mapping[str, Scores | Mapping[str, Any]]) -> Table:
    """One row of figures for each name."""
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold", min_width=20)
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

    >>> confusion_text(["a", "b"], {("a", "b"): 2, ("b", "b"): 1}).splitlines()
    ['gold\\\\said\\ta\\tb', 'a\\t0\\t2', 'b\\t0\\t1']
    """
    rows = [["gold\\said", *labels], *([g, *(str(counts.get((g, p), 0)) for p in labels)] for g in labels)]
    return "".join("\t".join(row) + "\n" for row in rows)


class ScoresReport(Params):
    """The short report: scores and the resolved configuration."""

    def write(
        self,
        folder: Path,
        tagger: LineTagger,
        results: Mapping[str, tuple[Sequence[Dump], Any, Scores]],
        config: str,
        testers: Mapping[str, LineTagger] | None = None,
        curve: Curve = (),
    ) -> None:
        """Write ``scores.json`` and ``config.yaml``."""
        scores = {name: found.to_dict() for name, (_, _, found) in results.items()}
        write_whole(folder / "scores.json", json.dumps(scores, indent=1) + "\n")
        write_whole(folder / "config.yaml", config)


class FullReport(Params):
    """Everything: scores, configuration, confusion table, worst lines in context, a page of it all, the scikit-learn estimator.

    Parameters
    ----------
    worst : int
        How many wrong lines to show per set.
    learning_curve : sequence of float
        Shares of the dumps, between 0 and 1, to train on for a learning curve. Each takes a training of its own, so
        there are none unless asked for.
    """

    def __init__(self, worst: int = 40, learning_curve: Sequence[float] = ()) -> None:
        self.worst = worst
        self.learning_curve = learning_curve

    def write(
        self,
        folder: Path,
        tagger: LineTagger,
        results: Mapping[str, tuple[Sequence[Dump], Sequence[Sequence[TaggedLine]], Scores]],
        config: str,
        testers: Mapping[str, LineTagger] | None = None,
        curve: Curve = (),
    ) -> None:
        """Write ``scores.json``, ``config.yaml``, ``report.html``, ``confusion-<set>.tsv``, ``worst-<set>.txt`` and ``estimator.joblib``.

        Parameters
        ----------
        tagger : LineTagger
            The model that the run leaves behind.
        testers : mapping of set name to LineTagger, optional
            The ones that ``results`` were measured with, where it is another.
        curve : sequence of (dumps trained on, scores per set)
        """
        ScoresReport().write(folder, tagger, results, config)
        write_whole(folder / "report.html", run_page(tagger, testers or {}, results, config, self.worst, curve))
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
    order = sorted(runs, key=lambda name: -_headline(runs[name]))
    rows = {f"{name}  [{kind}]": scores for name in order for kind, scores in runs[name].items()}
    console.print(score_table("runs, best first", rows))


def write_comparison(
    sweep: Path, runs: Sequence[tuple[str, str, Mapping[str, Mapping[str, Any]]]], shared: Sequence[str] = ()
) -> Path:
    """Write the page that compares the runs of a sweep, best headline score first, and say where it is.

    Parameters
    ----------
    runs : sequence of (folder in the sweep, overrides, scores per set)
    shared : sequence of str
        Overrides that all runs have in common.
    """
    order = sorted(runs, key=lambda run: -_headline(run[2]))
    pages = [(name, overrides, scores, (sweep / name / "report.html").exists()) for name, overrides, scores in order]
    write_whole(sweep / "report.html", sweep_page(pages, shared))
    return sweep / "report.html"


def _headline(scores: Mapping[str, Mapping[str, Any]]) -> float:
    """The score that a run is ranked by: macro-F1 on its first set."""
    return next((float(found["macro_f1"]) for found in scores.values()), 0.0)
