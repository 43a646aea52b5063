"""Where each method breaks: `python benchmarks/stress.py [FOLDER ...] [--dumps 7500]`.

The same labelled dumps, changed: headings removed, headings replaced by ones in no training list, blocks shuffled, bullets
changed, all lower case, all upper case, 2 % of the characters damaged, cut after the first 40 % of the lines. One table of body F1 and
one of macro-F1. Options and peers as of accuracy.py.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Callable
from pathlib import Path

from accuracy import DATA, ROOT, methods, scored
from rich.console import Console
from rich.table import Table

from pilah.training.corpus import Dump, read_labelled

UNSEEN = (
    "Zona Merpati",
    "Sudut Kiri",
    "Dari Laci Kami",
    "Papan Tulis",
    "Rak Nomor Tujuh",
    "Kotak Surat",
    "The Back Shelf",
    "Corner Table",
)
"""Headings that are in no training list and say nothing."""

Change = Callable[[Dump, random.Random], Dump]
_SIGN = re.compile(r"^[-•*·–]\s+|^[-•*·–]$")


def _kept(dump: Dump, rows: list[tuple[str, tuple[str, str]]]) -> Dump:
    return Dump(dump.name, tuple(line for line, _ in rows), tuple(tag for _, tag in rows), dump.fold)


def _each(dump: Dump, change: Callable[[str], str]) -> Dump:
    return Dump(dump.name, tuple(change(line) or line for line in dump.lines), dump.tags, dump.fold)


def without_headings(dump: Dump, rng: random.Random) -> Dump:
    return _kept(dump, [(line, tag) for line, tag in zip(dump.lines, dump.tags, strict=True) if tag[1] != "heading"])


def unseen_headings(dump: Dump, rng: random.Random) -> Dump:
    rows = zip(dump.lines, dump.tags, strict=True)
    return _kept(dump, [(rng.choice(UNSEEN) if tag[1] == "heading" else line, tag) for line, tag in rows])


def shuffled_blocks(dump: Dump, rng: random.Random) -> Dump:
    blocks: list[list[tuple[str, tuple[str, str]]]] = []
    for line, tag in zip(dump.lines, dump.tags, strict=True):
        if not blocks or blocks[-1][-1][1][0] != tag[0]:
            blocks.append([])
        blocks[-1].append((line, tag))
    others = [i for i, block in enumerate(blocks) if block[0][1][0] != "body"]
    mixed = rng.sample(others, len(others))
    order = dict(zip(others, mixed, strict=True))
    return _kept(dump, [row for i in range(len(blocks)) for row in blocks[order.get(i, i)]])


def other_bullets(dump: Dump, rng: random.Random) -> Dump:
    sign = rng.choice(["►", "◆", "~", "+"])
    return _each(dump, lambda line: _SIGN.sub(lambda m: sign + m[0][1:], line))


def lower_case(dump: Dump, rng: random.Random) -> Dump:
    return _each(dump, str.lower)


def upper_case(dump: Dump, rng: random.Random) -> Dump:
    return _each(dump, str.upper)


def damaged(dump: Dump, rng: random.Random) -> Dump:
    return _each(dump, lambda line: "".join(rng.choice("aeiou ") if rng.random() < 0.02 else c for c in line))


def cut_short(dump: Dump, rng: random.Random) -> Dump:
    size = max(1, int(len(dump.lines) * 0.4))
    return Dump(dump.name, dump.lines[:size], dump.tags[:size], dump.fold)


CHANGES: dict[str, Change] = {
    "as it is": lambda dump, rng: dump,
    "headings removed": without_headings,
    "unseen headings": unseen_headings,
    "blocks shuffled": shuffled_blocks,
    "other bullets": other_bullets,
    "lower case": lower_case,
    "upper case": upper_case,
    "2 % damaged": damaged,
    "first 40 %": cut_short,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--dumps", type=int, default=DATA.dumps)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    predictors = methods(options.dumps, options.model)
    console = Console(width=200)
    for folder in [str(ROOT / "data/labelled"), *options.folders]:
        dumps = read_labelled([folder])
        for figure in ("body_f1", "macro_f1"):
            table = Table(title=f"{Path(folder).name}: {figure}", title_justify="left")
            table.add_column("")
            for name in CHANGES:
                table.add_column(name, justify="right")
            for name, predict in predictors.items():
                cells = []
                for change in CHANGES.values():
                    rng = random.Random(7)
                    changed = [found for dump in dumps if (found := change(dump, rng)).lines]
                    cells.append(f"{getattr(scored(predict, changed), figure):.3f}")
                table.add_row(name, *cells)
            console.print(table)


if __name__ == "__main__":
    main()
