"""HTML for the training report: elements, tables and whole pages that need no script and no network.

Pages are trees of `xml.etree` elements, so that whatever text comes in is escaped on its way out.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence

from pilah.training import plots

Node = ET.Element
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --tint: #f4f6f8; --good: #116329; --bad: #b3261e;
  --heat: 31 111 235; --series-1: #1f6feb; --series-2: #c4500b; --series-3: #14804a; --series-4: #8250df; --series-5: #b0206f; --series-6: #57606a; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e4e8ed; --soft: #9aa5b1; --line: #353c45; --tint: #1d2227; --good: #6fd08c; --bad: #ff938a;
  --heat: 88 146 255; --series-1: #6ea8ff; --series-2: #f59a54; --series-3: #58c98b; --series-4: #c0a1ff; --series-5: #ff8cc6; --series-6: #aab4bf; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem clamp(.8rem, 3vw, 2rem) 5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.8rem 0 .4rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { max-width: 46rem; margin: .5rem 0; } .soft, figcaption, caption { color: var(--soft); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: .6rem 0; border-block: 1px solid var(--line); font-size: .92rem; }
a { color: var(--series-1); } .big { display: flex; flex-wrap: wrap; gap: .8rem 2.5rem; margin: 1rem 0; } .big b { display: block; font-size: 2rem; line-height: 1.1; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; } caption { text-align: left; padding-bottom: .2rem; }
th, td { padding: .22rem .7rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th { font-weight: 600; } thead th { border-bottom: 2px solid var(--line); font-size: .88rem; } .n { text-align: right; white-space: nowrap; }
.side { display: flex; flex-wrap: wrap; gap: 1rem 3rem; align-items: start; } .heat { background: rgb(var(--heat) / calc(var(--share) * .55)); } .right { font-weight: 600; }
.up { color: var(--good); } .down { color: var(--bad); } figure { margin: 1rem 0; max-width: 44rem; } figure svg { width: 100%; height: auto; display: block; }
svg text { font-family: inherit !important; } details { margin: .4rem 0; } summary { cursor: pointer; padding: .15rem 0; } summary .soft { margin-left: .5rem; }
.chip { display: inline-block; margin: .1rem .3rem .1rem 0; padding: 0 .4rem; border-radius: .3rem; background: var(--tint); border: 1px solid var(--line); font: .85rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }
.telling td { vertical-align: top; width: 50%; } .telling th { white-space: nowrap; text-align: left; } .lines { width: 100%; table-layout: fixed; font-size: .9rem; margin: .2rem 0 1.2rem; }
.lines col:first-child { width: 3.6rem; } .lines col:nth-child(2), .lines col:nth-child(3) { width: 5.6rem; } .lines td { overflow-wrap: anywhere; } .lines .hit { background: var(--tint); font-weight: 600; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow-x: auto; font-size: .85rem; }
.note { border-left: 3px solid var(--series-2); padding: .2rem .8rem; background: var(--tint); }
@media print { details > * { display: block; } nav { display: none; } }
"""


def node(tag: str, *inside: Node | str | None, **attributes: str) -> Node:
    """An element; strings become text, ``None`` and empty attributes are left out, ``class_`` stands for ``class``.

    >>> ET.tostring(node("p", "a < b ", node("b", "&"), class_="soft"), "unicode")
    '<p class="soft">a &lt; b <b>&amp;</b></p>'
    """
    element = ET.Element(tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value})
    for thing in inside:
        if isinstance(thing, ET.Element):
            element.append(thing)
        elif thing and len(element):
            element[-1].tail = (element[-1].tail or "") + thing
        elif thing:
            element.text = (element.text or "") + thing
    return element


def page(title: str, *inside: Node | None) -> bytes:
    """A whole HTML page in UTF-8."""
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        node("title", title),
        node("style", _STYLE),
    )
    html = node("html", head, node("body", node("h1", title), *inside), lang="en")
    return b"<!doctype html>\n" + ET.tostring(html, "unicode", method="html").encode("utf-8", "replace") + b"\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Node | str]], caption: str = "", class_: str = "") -> Node:
    """A table whose first column names the rows; a cell is a string, or a ready ``td``."""

    def cell(column: int, thing: Node | str) -> Node:
        if isinstance(thing, ET.Element) and thing.tag in ("td", "th"):
            return thing
        return node("td", thing, class_="n") if column else node("th", thing, scope="row")

    top = node("tr", *(node("th", name, scope="col", class_="n" if i else "") for i, name in enumerate(head)))
    body = [node("tr", *(cell(i, thing) for i, thing in enumerate(row))) for row in rows]
    found = node(
        "table", node("caption", caption) if caption else None, node("thead", top), node("tbody", *body), class_=class_
    )
    return node("div", found, class_="wide")


def number(value: float | None, digits: int = 3) -> str:
    """A figure for a table; a dash for none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def section(anchor: str, title: str, *inside: Node | None) -> Node:
    """A part of the page that the navigation leads to."""
    return node("section", node("h2", title, id=anchor), *inside)


def figure(draw: Callable[[], Node], caption: str) -> Node:
    """A plot with its caption, or the sentence that says why there is none."""
    if not plots.available():
        return node("p", "No plot: matplotlib is not installed (pip install 'pilah[report]'). ", caption, class_="note")
    svg = draw()
    svg.attrib.update({"role": "img", "aria-label": caption})
    return node("figure", svg, node("figcaption", caption))


def folded(title: str, *inside: Node | None, more: str = "") -> Node:
    """Something to open on demand."""
    return node("details", node("summary", title, node("span", more, class_="soft") if more else None), *inside)


def navigation(sections: Sequence[Node]) -> Node:
    """Links to the sections of the page."""
    heads = [part.find("h2") for part in sections]
    return node("nav", *(node("a", head.text, href=f"#{head.get('id')}") for head in heads if head is not None))
