"""The training report as one HTML page, and the page that compares the runs of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pilah.labels import UNDECIDED
from pilah.tagger import LineTagger
from pilah.training import findings, plots
from pilah.training.evaluate import Scores, confusion
from pilah.training.findings import Result
from pilah.training.markup import Node, figure, folded, navigation, node, number, page, section, table

FIGURES = ("macro_f1", "body_f1", "block_f1", "exact_dumps", "accuracy")
"""Columns of every table of scores."""


# ------------------------------------------------------------------------------------------------------ of one run


def run_page(
    kept: LineTagger,
    testers: Mapping[str, LineTagger],
    results: Mapping[str, Result],
    config: str,
    worst: int = 40,
    curve: Sequence[tuple[int, Mapping[str, Scores]]] = (),
) -> bytes:
    """The report of one training run.

    Parameters
    ----------
    kept : LineTagger
        The model that the run leaves behind.
    testers : mapping of set name to LineTagger
        The ones that the results were measured with, where that was another one than ``kept``: what is held out is scored
        before the model is fitted on everything.
    results : mapping of set name to (dumps, tagged lines, scores)
    config : str
        The resolved configuration.
    worst : int
        How many wrong lines to show per set.
    curve : sequence of (dumps trained on, scores per set)
        Points of the learning curve, fewest dumps first; empty where it was not asked for.
    """
    sections = [
        _scores(kept, results),
        _confusions(kept, results),
        _reliability(results),
        _body(kept, testers, results),
        _learning(curve),
        _telling(kept),
        _worst(results, worst),
        section("configuration", "Configuration", folded("The resolved configuration", node("pre", config))),
    ]
    return page("Training report", _headline(results), navigation(sections), *sections)


def _headline(results: Mapping[str, Result]) -> Node:
    for name, (_, _, scores) in results.items():
        figures = [("macro-F1", scores.macro_f1), ("F1 of the body", scores.body_f1), ("exact blocks", scores.block_f1)]
        figures.append(("dumps without a mistake", scores.exact_dumps))
        shown = [node("div", node("b", number(value)), what) for what, value in figures]
        where = f"Measured on {name}: {scores.dumps} dumps, {scores.lines} lines."
        return node("div", node("div", *shown, class_="big"), node("p", where, class_="soft"))
    return node("p", "There was no labelled dump to measure this model on.", class_="note")


def _score_cells(scores: Scores | Mapping[str, Any]) -> list[str]:
    values = scores.to_dict() if isinstance(scores, Scores) else scores
    return [str(values["dumps"]), str(values["lines"]), *(number(values[name]) for name in FIGURES)]


def _scores(tagger: LineTagger, results: Mapping[str, Result]) -> Node:
    shipped = findings.shipped_scores(tagger.labels, results)
    head = ["set", "dumps", "lines", *(name.replace("_", " ") for name in FIGURES)]
    rows: list[list[Node | str]] = []
    for name, (_, _, scores) in results.items():
        rows.append([name, *_score_cells(scores)])
        if not isinstance(shipped, str):
            rows.append([node("th", "the shipped model", class_="soft", scope="row"), "", "", *_beside(scores, shipped[name])])
    legend = (
        "Beside the shipped model's figures, by how much this run is above or below it. It was fitted on all pieces in the "
        "end: pages composed of held-out ones are new to this run, but not to it."
    )
    per_label = [
        table(
            ["label", "precision", "recall", "F1", "lines", "said"],
            (
                [row.label, number(row.precision), number(row.recall), number(row.f1), str(row.gold), str(row.said)]
                for row in findings.label_scores(result, tagger.labels.names)
            ),
            name,
        )
        for name, result in results.items()
    ]
    return section(
        "scores",
        "Scores",
        table(head, rows),
        node("p", shipped if isinstance(shipped, str) else legend, class_="soft"),
        node("h3", "Per label"),
        node("div", *per_label, class_="side"),
    )


def _beside(ours: Scores, theirs: Scores) -> list[Node]:
    cells = []
    for name in FIGURES:
        value, gain = getattr(theirs, name), getattr(ours, name) - getattr(theirs, name)
        sign = node("span", f" ({gain:+.3f})", class_="up" if gain > 0 else "down") if abs(gain) >= 0.0005 else None
        cells.append(node("td", number(value), sign, class_="n soft"))
    return cells


def _confusions(tagger: LineTagger, results: Mapping[str, Result]) -> Node:
    names = tagger.labels.names
    tables = []
    for kind, result in results.items():
        counts = confusion(findings.pairs_of(result))
        rows: list[list[Node | str]] = []
        for gold in names:
            total = sum(counts[gold, said] for said in names)
            cells = []
            for said in names:
                n = counts[gold, said]
                share = n / total if total else 0.0
                cells.append(
                    node(
                        "td", str(n), class_="n heat right" if gold == said else "n heat",
                        style=f"--share: {share:.3f}", title=f"{share:.1%} of {gold} were taken for {said}",
                    )
                )  # fmt: skip
            rows.append([gold, *cells])
        tables.append(table(["gold ↓ said →", *names], rows, kind))
    lead = "Lines by the label they have (down) and the label they were given (across); the deeper, the larger the share of its row."
    return section("confusion", "Confusion", node("p", lead, class_="soft"), node("div", *tables, class_="side"))


def _reliability(results: Mapping[str, Result]) -> Node:
    found = {name: findings.reliability(result) for name, result in results.items() if result[2].lines}
    if not found:
        return section("reliability", "Reliability", node("p", "There was no line to measure it on.", class_="soft"))
    caption = "Confidence against accuracy. On the dashed line, of lines with confidence 0.9 nine in ten are right; below it the model is too sure of itself."
    tables = [
        table(
            ["confidence", "share right", "lines"],
            ([number(c), number(a), str(n)] for c, a, n in zip(row.confidence, row.accuracy, row.lines, strict=True)),
            f"{name}: expected calibration error {row.error:.3f}",
        )
        for name, row in found.items()
    ]
    diagram = figure(lambda: plots.reliability_diagram(found), caption)
    return section("reliability", "Reliability", diagram, folded("The figures", node("div", *tables, class_="side")))


def _body(tagger: LineTagger, testers: Mapping[str, LineTagger], results: Mapping[str, Result]) -> Node:
    curves = {
        name: points
        for name, (dumps, _, _) in results.items()
        if (points := findings.body_curve(testers.get(name, tagger), dumps))
    }
    if not curves:
        return section(
            "body",
            "Body: precision and recall",
            node("p", "No label of this run is the article's body, or no line has it.", class_="soft"),
        )
    caption = (
        f"What body_bias does: above 0 it keeps more body lines, below 0 it lets fewer headlines in. The ring marks "
        f"body_bias={tagger.body_bias:g}, as configured; predict.py takes another one as an override."
    )
    tables = [
        table(["body_bias", "precision", "recall"], ([f"{p.bias:+g}" + " (configured)" * (p.bias == tagger.body_bias), number(p.precision, 4), number(p.recall, 4)] for p in points), name)
        for name, points in curves.items()
    ]  # fmt: skip
    return section(
        "body",
        "Body: precision and recall",
        figure(lambda: plots.body_diagram(curves, tagger.body_bias), caption),
        folded("The figures", node("div", *tables, class_="side")),
    )


def _learning(curve: Sequence[tuple[int, Mapping[str, Scores]]]) -> Node:
    if not curve:
        off = "Not measured: it takes further training. report=curve measures it at a tenth, a quarter and half of the dumps; report.learning_curve=[0.05,0.5] at others."
        return section("learning", "Learning curve", node("p", off, class_="soft"))
    names = list(curve[-1][1])
    caption = "Score against the number of dumps trained on: where the curve still rises, more dumps would help. Lists of headings are learned whole, but by the tagger that scores what is held out: it sees no larger a share of them than of the dumps."
    rows = [[str(count), *(number(scores[name].macro_f1) for name in names)] for count, scores in curve]
    return section(
        "learning",
        "Learning curve",
        figure(lambda: plots.learning_diagram(curve), caption),
        folded("The figures", table(["dumps", *names], rows)),
    )


def _telling(tagger: LineTagger) -> Node:
    kinds: dict[str, list[list[Node | str]]] = {}
    first: dict[str, str] = {}
    for row in findings.telling(tagger):
        first.setdefault(row.kind, ", ".join(piece for piece, _ in row.in_favour[:5]))
        cells = [node("td", *(_chip(*piece) for piece in pieces)) for pieces in (row.in_favour, row.against)]
        kinds.setdefault(row.kind, []).append([row.part, *cells])
    lead = (
        "What a line says by itself: the words, character pieces (a space is shown as ␣) and facts that speak loudest for each type of line, "
        "and against it. What its place on the page says comes on top."
    )
    tables = [
        folded(kind, table(["part", "for", "against"], rows, class_="telling"), more=first[kind])
        for kind, rows in kinds.items()
    ]
    return section("telling", "Most telling pieces", node("p", lead, class_="soft"), *tables)


def _chip(piece: str, weight: float) -> Node:
    edges = piece[:1] == " " or piece[-1:] == " "
    return node("span", piece.replace(" ", "␣") if edges else piece, class_="chip", title=f"{weight:+.2f}")


def _worst(results: Mapping[str, Result], most: int) -> Node:
    lead = "The mistakes that the model was surest of, each with the lines around it; of neighbours with the same mistake the first."
    sets: list[Node | None] = []
    for name, result in results.items():
        found = findings.mistakes(result, most)
        shown = [_mistake(one) for one in found]
        sets += [node("h3", name), *shown[:3], folded(f"{len(shown) - 3} more", *shown[3:]) if shown[3:] else None]
        if not shown:
            sets.append(node("p", "Not one line is wrong." if result[2].lines else "There is no line.", class_="soft"))
    return section("worst", "Worst lines", node("p", lead, class_="soft"), *sets)


def _mistake(found: findings.Mistake) -> Node:
    rows = [
        node(
            "tr", node("td", str(n), class_="n"), node("td", gold), node("td", said, class_="down" if gold not in (said, UNDECIDED) else ""),
            node("td", text, dir="auto"), class_="hit" if n == found.n else "",
        )
        for n, gold, said, text in found.context
    ]  # fmt: skip
    title = node(
        "caption", f"{found.dump}, line {found.n}: {found.gold} taken for {found.said}, confidence {found.confidence:.2f}"
    )
    columns = node("colgroup", *(node("col") for _ in range(4)))
    head = node("thead", node("tr", *(node("th", name, scope="col") for name in ("line", "gold", "said", "text"))))
    return node("table", title, columns, head, node("tbody", *rows), class_="lines")


# --------------------------------------------------------------------------------------------------------- of sweeps


def sweep_page(runs: Sequence[tuple[str, str, Mapping[str, Mapping[str, Any]], bool]], shared: Sequence[str] = ()) -> bytes:
    """One page that compares the runs of a sweep, best first.

    Parameters
    ----------
    runs : sequence of (folder, overrides, scores per set, whether the folder has a page of its own)
    shared : sequence of str
        Overrides that all runs have in common.
    """
    kinds = list(dict.fromkeys(kind for _, _, scores, _ in runs for kind in scores))
    names = [f"{folder}: {overrides}" for folder, overrides, _, _ in runs]
    marks = {
        kind: [float(scores[kind]["macro_f1"]) if kind in scores else float("nan") for _, _, scores, _ in runs]
        for kind in kinds
    }
    caption = "Macro-F1 of every run, the best on the first set on top."
    sections = [section("overview", "Overview", figure(lambda: plots.runs_diagram(names, marks), caption))]
    for kind in kinds:
        here = [run for run in runs if kind in run[2]]
        best = {name: max((float(run[2][kind][name]) for run in here), default=0.0) for name in FIGURES}
        labels = list(dict.fromkeys(label for run in here for label in run[2][kind]["per_label"]))
        rows: list[list[Node | str]] = []
        label_rows: list[list[str]] = []
        for folder, overrides, scores, has_page in here:
            title = node(
                "th", node("a", folder, href=f"{folder}/report.html") if has_page else folder, f": {overrides}", scope="row"
            )
            values = scores[kind]
            figures = [
                node("td", number(values[name]), class_="n right up" if values[name] == best[name] else "n") for name in FIGURES
            ]
            rows.append([title, str(values["dumps"]), str(values["lines"]), *figures])
            label_rows.append([f"{folder}: {overrides}", *(number(values["per_label"].get(label)) for label in labels)])
        sections.append(
            section(
                f"set-{len(sections)}",
                kind,
                table(["run", "dumps", "lines", *(name.replace("_", " ") for name in FIGURES)], rows),
                folded("F1 per label", table(["run", *labels], label_rows)),
            )
        )
    common = node("p", "All of them with ", node("code", " ".join(shared)), class_="soft") if shared else None
    return page(f"{len(runs)} runs compared", common, navigation(sections), *sections)
