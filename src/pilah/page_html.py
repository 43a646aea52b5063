"""Article -> one self-contained HTML page: the dump on the left, the rebuilt article on the right, and why.

Nothing is fetched and nothing is sent: the page's own Content-Security-Policy allows no address, and no script but the
one whose digest it names. Labels are words; colours only repeat them. Without script every explanation can still be
opened, since each line is a disclosure element.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pilah.article import Article, Line
from pilah.page_assets import SCRIPT, STYLE
from pilah.render import LABEL_NAMES, contribution, percent, visible

if TYPE_CHECKING:
    from pilah.evidence import Evidence
    from pilah.explain import LineExplanation

HUES = {"body": 0, "related": 1, "popular": 2, "pick": 3, "latest": 4, "other": 5}
"""Colour of a label by its name (a class ``c0`` ... ``c5`` of the style sheet); labels of other tasks take turns."""


def page_html(article: Article) -> str:
    """The page as text.

    Explanations are shown for the lines that ``article.explanations`` has; all text of the dump is escaped.
    """
    from pilah.explain import DOUBTFUL

    labels = list(dict.fromkeys(line.label for line in article.lines))
    hue = {label: HUES.get(label, i % len(HUES)) for i, label in enumerate(labels)}
    why = {e.number: e for e in article.explanations}
    doubtful = {line.n for line in article.lines if line.text.strip() and line.confidence < DOUBTFUL}
    title = _safe(article.title or article.source or "A dump")
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    rows = "\n".join(_line(line, hue[line.label], line.n in doubtful, why.get(line.n)) for line in article.lines)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · pilah</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#article">Skip to the rebuilt article</a>
<header>
<h1>{_safe(article.source or "A dump")}</h1>
{_legend(article, hue)}
{_doubts(len(doubtful), len(article.lines))}
</header>
<main>
<section id="dump" aria-labelledby="dump-name">
<h2 id="dump-name">The dump, line by line</h2>
<ol>
{rows}
</ol>
</section>
<article id="article" tabindex="0" aria-labelledby="article-name">
<h2 id="article-name">The rebuilt article</h2>
{_article(article, hue)}
</article>
</main>
<aside id="panel" aria-hidden="true" hidden></aside>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _safe(content: str) -> str:
    return html.escape(visible(content))


def _legend(article: Article, hue: dict[str, int]) -> str:
    counts = [(label, sum(line.label == label for line in article.lines)) for label in hue]
    chips = "".join(
        f'<li class="c{hue[label]}"><b class="tag">{_safe(label)}</b> {_lines(count)}</li>' for label, count in counts
    )
    return f'<ul class="legend" aria-label="Labels">{chips}</ul>'


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _doubts(count: int, size: int) -> str:
    if not count:
        return '<p class="doubts">No line is doubtful.</p>'
    return (
        f'<p class="doubts"><span>{count} of {_lines(size)} {"is" if count == 1 else "are"} doubtful</span> '
        '<button type="button" id="previous">Previous <kbd>p</kbd></button> '
        '<button type="button" id="next">Next <kbd>n</kbd></button></p>'
    )


def _line(line: Line, hue: int, doubtful: bool, why: LineExplanation | None) -> str:
    if not line.text.strip():
        return f'<li id="L{line.n}" class="line blank"><span class="n">{line.n}</span> <span class="role">blank</span></li>'
    role = "" if line.role == "." else f' <span class="role">{_safe(line.role)}</span>'
    sure = f'<span class="sure">{"doubtful, " if doubtful else ""}{percent(line.confidence)}</span>'
    head = (
        f'<span class="n">{line.n}</span> <span class="what"><b class="tag">{_safe(line.label)}</b>{role} {sure}</span> '
        f'<span class="text" dir="auto">{_safe(line.text)}</span>'
    )
    classes = f"line c{hue}" + " doubtful" * doubtful + " heading" * (line.role in ("heading", "title", "subheading"))
    start = f'<li id="L{line.n}" class="{classes}" style="--p:{line.confidence:.2f}">'
    if why is None:
        return f'{start}<div class="head" tabindex="-1">{head}</div></li>'
    return f'{start}<details><summary class="head">{head}</summary><div class="why">{_why(why)}</div></details></li>'


def _why(e: LineExplanation) -> str:
    heading = ""
    if e.heading:
        heading = (
            f'<p>Its heading: <a href="#L{e.heading[0]}">line {e.heading[0]}</a> <q dir="auto">{_safe(e.heading[1])}</q></p>'
        )
    rows = "".join(
        f'<tr{" class=chosen" * (row.label == e.label)}><th scope="row">{_safe(row.label)}</th>'
        f"<td>{row.before:.2f}</td><td>{row.after:.2f}</td><td>{row.posterior:.1%}</td></tr>"
        for row in e.labels
    )
    alone = " · ".join(f"{_safe(kind)} {score:.2f}" for kind, score in e.alone[:4])
    return (
        f"<p>The decoder {_safe(e.decision)}.</p>{heading}"
        '<table><thead><tr><th scope="col">label</th><th scope="col">in its place</th><th scope="col">on this page</th>'
        f'<th scope="col">probability</th></tr></thead><tbody>{rows}</tbody></table>'
        f"<h3>By itself</h3><p>{alone}</p>{_evidence(e.line_evidence, 3)}"
        + (f"<h3>In its place</h3>{_evidence(e.place_evidence, 2)}" if e.place_evidence else "")
    )


def _evidence(parts: Sequence[Evidence], count: int) -> str:
    found = []
    for part in parts:
        rows = ""
        for group in part.groups:
            shown = [*group.strongest(count), *group.strongest(count, against=True)]
            pieces = " ".join(
                f'<span class="{"plus" if c.amount > 0 else "minus"}">{_safe(contribution(c))}</span>' for c in shown
            )
            rows += f"<dt>{_safe(group.name)} {group.total:+.2f}</dt><dd>{pieces}</dd>" if shown else ""
        found.append(f"<h4>for {_safe(part.kind)}: {part.score:.2f}</h4><dl>{rows}</dl>")
    return "".join(found)


def _article(article: Article, hue: dict[str, int]) -> str:
    body = [line for line in article.lines if line.label == "body" and line.text.strip()]
    return "\n".join([*map(_paragraph, body), *_sections(article, hue)])


def _paragraph(line: Line) -> str:
    element = {"title": "h3", "subheading": "h4"}.get(line.role, "p")
    name = "" if line.role in ("title", "subheading", "paragraph", ".") else f'<span class="role">{_safe(line.role)}:</span> '
    style = ' class="small"' if name else ""
    return f'<{element}{style} data-line="{line.n}" dir="auto">{name}{_safe(line.text.strip())}{_link(line.n)}</{element}>'


def _link(n: int) -> str:
    return f' <a class="ref" href="#L{n}" aria-label="line {n}">{n}</a>'


def _sections(article: Article, hue: dict[str, int]) -> Iterable[str]:
    for section in article.sections:
        name = _safe(section.heading or LABEL_NAMES.get(section.label, section.label))
        items = ""
        for item, n in zip(section.items, article.item_lines(section), strict=False):
            meta = f' <span class="role">{_safe(" · ".join(item.meta))}</span>' if item.meta else ""
            items += f'<li data-line="{n}" dir="auto">{_safe(item.headline)}{meta}{_link(n)}</li>'
        yield (
            f'<section class="block c{hue[section.label]}"><h3 dir="auto">{name} <b class="tag">{_safe(section.label)}</b>'
            f"{_link(section.first_line)}</h3><ol>{items}</ol></section>"
        )
