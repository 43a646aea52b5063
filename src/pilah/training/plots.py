"""The plots of the training report, drawn by matplotlib: SVG elements that take their colours from the page.

Matplotlib (extra ``report``) is imported when a plot is drawn. Figures are made without pyplot, so that no display, no
window system and no global state is touched.
"""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilah.training.findings import BodyPoint, Reliability

INK, FAINT = "#010101", "#010102"
SERIES = ("#0100a1", "#0100a2", "#0100a3", "#0100a4", "#0100a5", "#0100a6")
"""Stand-ins for colours: matplotlib has to be told some, the page puts its own in their place, light or dark."""

LABELLED = (-8.0, -4.0, -2.0, 2.0, 8.0)
"""Values of ``body_bias`` that are written beside the first curve."""

_COLOURS = {INK: "currentColor", FAINT: "var(--line)", **{colour: f"var(--series-{i})" for i, colour in enumerate(SERIES, 1)}}
_MARKERS = "osD^vP"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 9.5, "text.color": INK, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "axes.facecolor": "none",
    "xtick.color": INK, "ytick.color": INK, "grid.color": FAINT, "grid.linewidth": 0.6, "axes.grid": True, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "figure.facecolor": "none",
    "lines.linewidth": 1.8, "lines.markersize": 5, "text.parse_math": False,
}  # fmt: skip


def available() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


def _drawn(name: str, draw: Callable[[Any], None], width: float = 6.2, height: float = 3.6) -> ET.Element:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):  # the salt keeps the ids of two plots apart
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = re.sub("#0100a[1-6]|#01010[12]", lambda found: _COLOURS[found[0]], buffer.getvalue())
    return _plain(ET.fromstring(text))


def _plain(svg: ET.Element) -> ET.Element:
    """Without namespaces, metadata and the ids that every figure has: ready to stand inside an HTML page."""
    for parent in svg.iter():
        for child in list(parent):
            if child.tag.endswith("}metadata"):
                parent.remove(child)
    for element in svg.iter():
        element.tag = element.tag.rpartition("}")[2]
        if element.tag == "g":
            element.attrib.pop("id", None)
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))
    del svg.attrib["width"], svg.attrib["height"]  # the page says how wide
    return svg


def reliability_diagram(rows: Mapping[str, Reliability]) -> ET.Element:
    """Confidence against accuracy per evaluation set; below, how many lines have each confidence."""

    def draw(figure: Any) -> None:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        top.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        for i, (name, row) in enumerate(rows.items()):
            colour, marker = _look(i)
            top.plot(row.confidence, row.accuracy, color=colour, marker=marker, label=_shown(name))
            below.plot(row.confidence, row.lines, color=colour, marker=marker, markersize=3.5, linewidth=1.2)
        top.set(ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02))
        below.set(xlabel="confidence", ylabel="lines", yscale="log")
        below.yaxis.set_major_formatter("{x:g}")
        top.legend(loc="upper left")

    return _drawn("reliability", draw, height=4.4)


def body_diagram(curves: Mapping[str, Sequence[BodyPoint]], default: float) -> ET.Element:
    """Precision against recall of the body over ``body_bias``; a ring marks the configured one."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for i, (name, points) in enumerate(curves.items()):
            colour, marker = _look(i)
            shown = [p for p in points if not math.isnan(p.precision)]
            axes.plot(
                [p.recall for p in shown],
                [p.precision for p in shown],
                color=colour,
                marker=marker,
                markersize=4,
                label=_shown(name),
            )
            here = [p for p in shown if p.bias == default]
            axes.plot([p.recall for p in here], [p.precision for p in here], "o", color=INK, markersize=12, fillstyle="none")
            for point in shown if i == 0 else ():
                if point.bias in LABELLED and point.bias != default:
                    where = {"xytext": (-5, -12), "textcoords": "offset points", "ha": "right", "fontsize": 8}
                    axes.annotate(f"{point.bias:+g}", (point.recall, point.precision), **where)
        axes.plot([], [], "o", color=INK, markersize=9, fillstyle="none", label=f"body_bias={default:g}")
        axes.set(
            xlabel="recall: share of the body's lines that are kept", ylabel="precision: share of kept lines that are body"
        )
        axes.margins(0.09)
        axes.legend(loc="lower left")

    return _drawn("body", draw)


def learning_diagram(curve: Sequence[tuple[int, Mapping[str, Any]]]) -> ET.Element:
    """Macro-F1 per evaluation set against the number of dumps that were trained on."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        counts = [count for count, _ in curve]
        for i, name in enumerate(curve[-1][1]):
            colour, marker = _look(i)
            axes.plot(counts, [scores[name].macro_f1 for _, scores in curve], color=colour, marker=marker, label=_shown(name))
        axes.set(xlabel="dumps trained on", ylabel="macro-F1", xscale="log")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.legend(loc="lower right")

    return _drawn("learning", draw)


def runs_diagram(names: Sequence[str], scores: Mapping[str, Sequence[float]]) -> ET.Element:
    """Macro-F1 of runs, one row each from the top, one mark for each evaluation set (not a number: none)."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        rows = range(len(names))
        for i, (kind, values) in enumerate(scores.items()):
            colour, marker = _look(i)
            axes.plot(values, rows, color=colour, marker=marker, markersize=7, linestyle="none", label=_shown(kind))
        axes.set_yticks(rows, [_shown(name) for name in names])
        axes.set(xlabel="macro-F1", ylim=(len(names) - 0.5, -0.5))
        axes.margins(x=0.08)
        figure.legend(loc="outside upper right", ncols=4)

    return _drawn("runs", draw, width=7.5, height=1.3 + 0.3 * len(names))


def _look(i: int) -> tuple[str, str]:
    """Colour and marker of the i-th series: no two of the first six differ by colour alone."""
    return SERIES[i % len(SERIES)], _MARKERS[i % len(_MARKERS)]


def _shown(name: str, most: int = 48) -> str:
    """A name that XML and a plot can hold."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return text if len(text) <= most else text[: most - 1] + "…"
