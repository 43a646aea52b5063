"""When the loops of `kernels` are used: where Numba is installed, and so much was labelled, or will be, that loading it pays.

They give the same labels. Numba takes half a second to be loaded and, once on a machine, some seconds to compile.
"""

from __future__ import annotations

from types import ModuleType

ENOUGH = 100_000
"""Lines that a process has labelled before Numba is loaded: by then it will soon have paid."""

_seen = 0
_asked = False
_loaded: ModuleType | None = None


def force(on: bool | None) -> bool:
    """Use the loops from now on, or do not; with None, decide by what is labelled. For tests and measurements.

    Returns
    -------
    bool
        Whether they are used now: not where Numba is not installed.
    """
    global _seen, _asked, _loaded
    _seen, _asked, _loaded = 0, on is not None, _import() if on else None
    return _loaded is not None


def saw(lines: int) -> None:
    """So many more lines are about to be labelled."""
    global _seen, _asked, _loaded
    _seen += lines
    if _seen >= ENOUGH and not _asked:
        _asked, _loaded = True, _import()


def expect(lines: int) -> None:
    """So many lines are coming, in one piece of work: where that is enough, none has to be labelled without the loops first."""
    if lines >= ENOUGH:
        saw(lines)


def kernels() -> ModuleType | None:
    """The loops, if they are in use."""
    return _loaded


def _import() -> ModuleType | None:
    try:
        from pilah import kernels
    except ImportError:
        return None
    return kernels
