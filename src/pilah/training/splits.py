"""Splits: which texts may be seen together.

A composed dump is new, its pieces are not: the same headline stands on many pages. So the pools are split, piece by
piece, and dumps are composed from one part; validation pieces (a part of the headings included) are in no training page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from pilah.params import Params
from pilah.training.corpus import Dump, LanguagePool, Pools


def fold_of(text: str, folds: int, salt: str = "") -> int:
    """A number from 0 to folds - 1 that depends on the text alone, the same on every machine.

    >>> fold_of("Berita Terkait", 5) == fold_of("Berita Terkait", 5)
    True
    """
    return int.from_bytes(hashlib.blake2b(f"{salt}{text}".encode(), digest_size=8).digest(), "big") % folds


def filtered(pools: Pools, keep: Callable[[str], bool], keep_heading: Callable[[str], bool]) -> dict[str, LanguagePool]:
    """The pools without the headlines, articles and furniture that ``keep`` refuses, and without some headings.

    A list that would lose everything stays whole: a language with two articles is worth more than a clean cut.
    """
    found = {}
    for language, pool in pools.items():
        headlines = tuple(h for h in pool.headlines if keep(h[1]))
        articles = tuple(a for a in pool.articles if keep(a.title))
        found[language] = LanguagePool(
            {label: tuple(filter(keep_heading, phrases)) or phrases for label, phrases in pool.headings.items()},
            {label: tuple(filter(keep_heading, phrases)) for label, phrases in pool.rarer_headings.items()},
            pool.pieces,
            {kind: tuple(filter(keep, phrases)) or phrases for kind, phrases in pool.furniture.items()},
            headlines or pool.headlines,
            articles or pool.articles,
        )
    return found


class PieceSplit(Params):
    """Hold out a share of all pieces: whole articles, headlines and headings that only validation pages are made of.

    Parameters
    ----------
    share : float
        Share of the pieces, and of labelled dumps of one's own, that is held out.
    """

    holds_out = True

    def __init__(self, share: float = 0.1) -> None:
        self.share = share

    def _held(self, text: str) -> bool:
        return fold_of(text, 1000, "held out ") < 1000 * self.share

    def validation(self, pools: Pools) -> dict[str, LanguagePool]:
        """The held-out pieces."""
        return filtered(pools, self._held, self._held)

    def training(self, pools: Pools) -> dict[str, LanguagePool]:
        """All other pieces."""
        return filtered(pools, lambda text: not self._held(text), lambda text: not self._held(text))

    def dumps(self, dumps: Sequence[Dump]) -> tuple[list[Dump], list[Dump]]:
        """Labelled dumps to train on and to test on; at least one of two or more is tested on."""
        ordered = sorted(dumps, key=lambda dump: fold_of(dump.name, 1_000_003, "dump "))
        count = max(round(len(dumps) * self.share), int(len(dumps) > 1))
        held = {id(dump) for dump in ordered[:count]}
        return [d for d in dumps if id(d) not in held], [d for d in dumps if id(d) in held]


class DumpSplit(PieceSplit):
    """Hold out whole dumps: composed validation pages are new, but made of pieces that are trained on too."""

    def validation(self, pools: Pools) -> dict[str, LanguagePool]:
        """All pieces."""
        return dict(pools)

    def training(self, pools: Pools) -> dict[str, LanguagePool]:
        """All pieces."""
        return dict(pools)


def training_folds(pools: Pools, count: int, common: float) -> list[dict[str, LanguagePool]]:
    """The pools in ``count`` parts without a common headline or article.

    Headings are common to all parts with a chance of ``common``; the rest belong to one part each, so that the
    cross-fitted first pass meets headings that it knows and headings that it has never seen.
    """
    heading = heading_folds(count, common)

    def part(number: int) -> dict[str, LanguagePool]:
        return filtered(pools, lambda text: fold_of(text, count, "fold ") == number, lambda text: heading(text) in (-1, number))

    return [part(number) for number in range(count)]


def heading_folds(count: int, common: float) -> Callable[[str], int]:
    """A function from a heading to the part it belongs to; -1 for all of them."""

    def fold(text: str) -> int:
        return -1 if fold_of(text, 1000, "common ") < 1000 * common else fold_of(text, count, "fold ")

    return fold
