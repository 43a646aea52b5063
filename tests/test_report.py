"""What a run leaves behind: tables, and files that say where it went wrong."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from conftest import toy_pages
from rich.console import Console

from pilah.page import InputError
from pilah.tagger import LineTagger
from pilah.training.corpus import Dump
from pilah.training.evaluate import score
from pilah.training.report import FIGURES, FullReport, ScoresReport, compare, confusion_text, score_table

GOOD = score([(["body", "pick"], ["body", "pick"])])
POOR = score([(["body", "pick"], ["body", "body"])])


@pytest.fixture(scope="module")
def results(tagger: LineTagger) -> dict[str, Any]:
    """A set of three toy dumps, the gold of one of which is wrong on purpose."""
    pages, tags = toy_pages(3, first=700)
    tags[1] = [("pick", "headline"), *tags[1][1:]]
    dumps = [Dump(f"toy-{i}", tuple(page), tuple(row)) for i, (page, row) in enumerate(zip(pages, tags, strict=True))]
    tagged = tagger.tag(pages)
    return {
        "toys": (dumps, tagged, score([(d.labels, [x.label for x in page]) for d, page in zip(dumps, tagged, strict=True)]))
    }


def printed(*tables: Any) -> str:
    """What a wide terminal shows."""
    console = Console(file=io.StringIO(), width=240)
    for table in tables:
        console.print(table)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_table_of_scores_has_a_row_for_each_name() -> None:
    shown = printed(score_table("scores", {"labelled": GOOD, "composed": POOR.to_dict()}))
    assert all(name in shown for name in (*FIGURES, "dumps", "lines"))
    rows = [line for line in shown.splitlines() if "labelled" in line or "composed" in line]
    assert "1.0000" in rows[0]
    assert f"{POOR.macro_f1:.4f}" in rows[1]  # (2/3 + 0) / 2
    assert POOR.macro_f1 == pytest.approx(1 / 3)


def test_a_figure_that_is_none_can_be_shown() -> None:
    bodiless = score([(["pick"], ["pick"])])
    assert math.isnan(bodiless.body_f1)
    assert "nan" in printed(score_table("scores", {"x": bodiless}))


def test_a_confusion_table_has_gold_down_and_predictions_across() -> None:
    rows = confusion_text(["body", "pick"], {("body", "pick"): 3, ("pick", "pick"): 1}).splitlines()
    assert [row.split("\t") for row in rows] == [["gold\\said", "body", "pick"], ["body", "0", "3"], ["pick", "0", "1"]]


def test_runs_are_compared_in_one_table_best_first() -> None:
    console = Console(file=io.StringIO(), width=240)
    compare(
        console,
        {
            "decoder=argmax": {"labelled": POOR.to_dict()},
            "decoder=viterbi": {"labelled": GOOD.to_dict(), "own": POOR.to_dict()},
        },
    )
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count("runs, best first") == 1
    assert shown.index("decoder=viterbi") < shown.index("decoder=argmax")
    assert shown.count("decoder=") == 3


def test_the_short_report_is_scores_and_configuration(tagger: LineTagger, results: dict[str, Any], tmp_path: Path) -> None:
    ScoresReport().write(tmp_path, tagger, results, "seed: 1\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.yaml", "scores.json"]
    assert json.loads((tmp_path / "scores.json").read_text()) == {"toys": results["toys"][2].to_dict()}
    assert (tmp_path / "config.yaml").read_text() == "seed: 1\n"


@pytest.fixture(scope="module")
def written(tagger: LineTagger, results: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full report."""
    folder = tmp_path_factory.mktemp("report")
    FullReport(worst=5).write(folder, tagger, results, "seed: 1\n")
    return folder


def test_the_full_report_holds_the_short_one_and_says_where_it_went_wrong(written: Path, results: dict[str, Any]) -> None:
    assert json.loads((written / "scores.json").read_text()) == {"toys": results["toys"][2].to_dict()}
    said = (written / "worst-toys.txt").read_text(encoding="utf-8")
    assert said.startswith("toy-1, line 1: pick taken for ")
    assert any(row.startswith(">") for row in said.splitlines())


def test_the_confusion_table_of_a_set_counts_all_its_lines(written: Path, results: dict[str, Any]) -> None:
    rows = [row.split("\t") for row in (written / "confusion-toys.tsv").read_text().splitlines()]
    counts = np.array([[int(n) for n in row[1:]] for row in rows[1:]])
    assert counts.sum() == results["toys"][2].lines
    assert counts[rows[0].index("pick") - 1].sum() - counts[rows[0].index("pick") - 1, rows[0].index("pick") - 1] == 1


def test_the_estimator_scores_lines_by_itself(written: Path, tagger: LineTagger) -> None:
    estimator = joblib.load(written / "estimator.joblib")
    lines = ["Terkini", "-", "Nelayan Teluk Sagara Panen Lebih Awal"]
    np.testing.assert_array_equal(estimator.decision_function(lines), tagger.line_model_.decision_function(lines))


def test_a_report_that_cannot_be_written_is_said_so(tagger: LineTagger, results: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file in place of the folder")
    with pytest.raises(InputError, match="cannot be written"):
        FullReport().write(tmp_path / "run", tagger, results, "")
