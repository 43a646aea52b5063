"""text and labels for a terminal: in colour, aligned, doubtful lines marked. Through rich, imported when it is needed."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

from pilah.article import Article, Line
from pilah.render import FORMATS, LABEL_NAMES, explained, percent, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

COLOURS = {
    "body": "green",
    "related": "bright_blue",
    "popular": "bright_red",
    "pick": "magenta",
    "latest": "cyan",
    "other": "bright_black",
}
"""Colour of a label by its name; labels of other tasks take turns."""

_TURNS = ("green", "bright_blue", "bright_red", "magenta", "cyan", "yellow")


def colour_wanted(stream: IO[Any] | None) -> bool:
    """Whether a stream is a terminal whose user has not said NO_COLOR (https://no-color.org)."""
    known = stream is not None and os.environ.get("TERM") != "dumb"
    return known and not os.environ.get("NO_COLOR") and bool(stream and stream.isatty())


def coloured(article: Article, output: str, width: int | None = None) -> str:
    """An output as a terminal shows it, with its escape sequences; outputs without a form of their own as they are.

    Parameters
    ----------
    output : str
        One of `pilah.render.FORMATS`.
    width : int, optional
        In columns; that of the terminal where it is not given.
    """
    draw = _DRAWN.get(output)
    if draw is None:
        return FORMATS[output][1](article)
    from rich.console import Console

    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=width or shutil.get_terminal_size().columns, highlight=False)
    draw(article, console)
    return drawn.getvalue()


def draw(article: Article, output: str, console: Console) -> None:
    """Print an output on a rich console: ``text`` or ``labels``."""
    _DRAWN[output](article, console)


def _style(label: str, labels: Iterable[str]) -> str:
    names = list(dict.fromkeys(labels))
    return COLOURS.get(label) or _TURNS[names.index(label) % len(_TURNS)]


def _doubt(line: Line, where: bool = False) -> str:
    """What a doubtful line is marked with; nothing for any other. With what it is and where it stands, if that is not seen beside it."""
    from pilah.explain import DOUBTFUL

    if line.confidence >= DOUBTFUL or not line.text.strip():
        return ""
    return f"? {percent(line.confidence)}" + (f" {visible(line.label)}, line {line.n}".replace(" ", "\xa0") if where else "")


def _marked(content: str, line: Line, style: str = "") -> Text:
    from rich.text import Text

    found = Text(visible(content), style)
    doubt = _doubt(line, where=True)
    return found.append(f"  {doubt}", "not bold not underline not dim yellow") if doubt else found


def _draw_text(article: Article, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    labels = [line.label for line in article.lines]
    width = min(console.width, 100)
    styles = {"title": "bold underline", "subheading": "bold", "paragraph": "", ".": ""}
    for line in article.lines:
        if line.label == "body" and line.text.strip():
            name = "" if line.role in styles else f"({line.role}) "
            console.print(_marked(name + line.text.strip(), line, styles.get(line.role, "dim")), width=width)
            console.print()
    for section in article.sections:
        style = _style(section.label, labels)
        heading = Text(visible(section.heading or LABEL_NAMES.get(section.label, section.label)), f"bold {style}")
        heading.append(f" [{section.label}]", f"not bold {style}").append(
            f"  lines {section.first_line}-{section.last_line}", "not bold dim"
        )
        for line in article.lines[section.first_line - 1 : section.last_line]:
            if line.role == "heading" and _doubt(line):
                heading.append(f"  {_doubt(line, where=True)}", "not bold not dim yellow")
        console.print(heading, width=width)
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", style=style, no_wrap=True)
        table.add_column()
        for number, (item, at) in enumerate(zip(section.items, article.item_lines(section), strict=False), 1):
            row = _marked(item.headline, article.lines[at - 1])
            table.add_row(f"{number:2d}.", row.append(f"  {visible(' · '.join(item.meta))}", "dim") if item.meta else row)
        console.print(table, width=width)
        console.print()
    for explanation in article.explanations:
        head, *rest = map(visible, explained(explanation, width))
        console.print(Text(head, f"bold {_style(explanation.label, labels)}"))
        for content in rest:
            row = Text(content, "bold" if content.endswith(" *") else "")
            if content.startswith(" " * 6) and ("= " in content or content.startswith(" " * 37)):
                row.highlight_regex(r"(?<=\s)\+\d+\.\d\d\b", "green")
                row.highlight_regex(r"(?<=\s)-\d+\.\d\d\b", "red")
            console.print(row, soft_wrap=True)
        console.print()
    doubtful = sum(bool(_doubt(line)) for line in article.lines)
    if doubtful and not article.explanations:
        say = f"{doubtful} of {len(article.lines)} lines are doubtful: explain=true says why, output=labels shows them in place"
        console.print(Text(say, "dim yellow"), width=width)


def _draw_labels(article: Article, console: Console) -> None:
    from rich.text import Text

    labels = [line.label for line in article.lines]
    number = len(str(len(labels)))
    label = max((len(name) for name in labels), default=0)
    role = max((len(line.role) for line in article.lines), default=0)
    for line in article.lines:
        doubt = _doubt(line)
        row = Text(f"{line.n:{number}d} ", "dim", no_wrap=True)
        row.append(visible(line.label).ljust(label + 1), f"not dim bold {_style(line.label, labels)}")
        row.append(visible(line.role).ljust(role + 1), "not dim")
        row.append(doubt.rjust(5) + "  ", "not dim yellow").append(visible(line.text), "not dim")
        row.truncate(console.width, overflow="ellipsis")
        console.print(row, soft_wrap=True)


_DRAWN: Mapping[str, Callable[[Article, Console], None]] = {"text": _draw_text, "labels": _draw_labels}
