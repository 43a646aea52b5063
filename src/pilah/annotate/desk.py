"""What lies on the annotator's desk: every dump with what the model says of it and how much of that is in doubt.

Dumps are labelled in the background, a few at a time, so that a folder of thousands opens at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pilah.annotate.store import Store, Work
from pilah.page import InputError
from pilah.tagger import LineTagger, TaggedLine

BATCH = 16
"""Dumps labelled in one go: small, so that a request never waits long for the model."""

PAUSE = 0.01
"""Seconds between two batches in which requests have the processor to themselves."""

DOUBTFUL = 0.8
"""A line below this confidence is one that a person should look at."""


@dataclass(frozen=True)
class Entry:
    """One dump in the list.

    Attributes
    ----------
    lines, left : int
        Lines in all, and those that wait to be checked; ``lines`` is -1 until the dump has been looked at.
    doubtful : int
        Waiting lines that the model is not sure of.
    doubt : float
        Expected share of lines that the model has wrong and nobody has checked, from 0 to 1.
    error : str
        Why the dump cannot be shown.
    """

    name: str
    lines: int = -1
    left: int = 0
    doubtful: int = 0
    doubt: float = 0.0
    error: str = ""

    @property
    def order(self) -> tuple[int, float, str]:
        """Most doubtful first, then what has not been looked at, then what cannot be read; checked dumps last."""
        group = 2 if self.error else 1 if self.lines < 0 else 0 if self.left else 3
        return group, -self.doubt, self.name


class Desk:
    """Guesses and doubt about the dumps of a store."""

    def __init__(self, store: Store, tagger: LineTagger) -> None:
        self.store = store
        self.tagger = tagger
        self._tagging = threading.Lock()  # a tagger fills its word table while it works
        self._entries: dict[str, Entry] = {}
        self._guesses: dict[str, tuple[Sequence[str], list[TaggedLine]]] = {}
        self._wake = threading.Event()

    def start(self) -> None:
        """Label in the background from now on."""
        threading.Thread(target=self._work, daemon=True).start()
        self._wake.set()

    def _work(self) -> None:
        while self._wake.wait():
            self._wake.clear()
            self.catch_up()

    def catch_up(self) -> None:
        """Look at every dump that has not been looked at."""
        tagger = self.tagger
        unseen = [name for name in self.store.names() if name not in self._entries]
        for start in range(0, len(unseen), BATCH):
            works: dict[str, Work] = {}
            for name in unseen[start : start + BATCH]:
                try:
                    works[name] = self.store.read(name)
                except InputError as error:
                    self._entries[name] = Entry(name, error=str(error))
            waiting = [name for name, work in works.items() if work.left]
            with self._tagging:
                if tagger is not self.tagger:  # another model by now, which begins anew
                    return
                tagged = dict(zip(waiting, tagger.tag([works[name].page.lines for name in waiting]), strict=True))
                for name, work in works.items():
                    self._entries.setdefault(name, self._entry(name, work, tagged.get(name, [])))
            time.sleep(PAUSE)

    def entries(self) -> list[Entry]:
        """Every dump, most doubtful first; files that are new in the folder are among them."""
        names = self.store.names()
        if any(name not in self._entries for name in names):
            self._wake.set()
        return sorted((self._entries.get(name) or Entry(name) for name in names), key=lambda entry: entry.order)

    def open(self, name: str) -> dict[str, Any]:
        """One dump for the page: rows of ``[text, label, role, guessed label, guessed role, confidence]``.

        Raises as `Store.read`.
        """
        work = self.store.read(name)
        guesses = self._guess(name, work)
        rows = [
            [text, *tag, guess.label, guess.role, round(guess.confidence, 3)]
            for text, tag, guess in zip(work.page.lines, work.tags, guesses, strict=True)
        ]
        return {"name": name, "rows": rows, "differs": work.differs, **self.noted(name, work)}

    def noted(self, name: str, work: Work) -> dict[str, Any]:
        """The version of a dump and its entry, brought up to date."""
        entry = self._entries[name] = self._entry(name, work, self._guess(name, work))
        return {"version": work.version, "entry": asdict(entry)}

    def replace(self, tagger: LineTagger) -> None:
        """Work with another model from now on."""
        with self._tagging:
            self.tagger = tagger
            self._guesses.clear()
            self._entries.clear()
        self._wake.set()

    def predict(self, pages: Sequence[Sequence[str]]) -> list[list[str]]:
        """What the model says of pages."""
        with self._tagging:
            return self.tagger.predict(pages)

    def _guess(self, name: str, work: Work) -> list[TaggedLine]:
        known = self._guesses.get(name)
        if known is None or known[0] != work.page.lines:
            with self._tagging:
                known = (work.page.lines, self.tagger.tag([work.page.lines])[0])
                while len(self._guesses) >= BATCH:
                    self._guesses.pop(next(iter(self._guesses)))
                self._guesses[name] = known
        return known[1]

    @staticmethod
    def _entry(name: str, work: Work, guesses: Sequence[TaggedLine]) -> Entry:
        left = work.left
        sure = [guesses[i].confidence for i in left]
        visible = sum(1 for line in work.page.lines if line.strip())
        doubt = sum(1 - c for c in sure) / max(1, visible)
        return Entry(name, len(work.tags), len(left), sum(c < DOUBTFUL for c in sure), round(doubt, 4))
