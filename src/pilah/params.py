"""Scikit-learn's parameter contract for objects that must also live without scikit-learn.

`sklearn.base.clone` and `sklearn.pipeline.FeatureUnion` ask an object for no more than ``get_params`` and
``set_params``. Inheriting from ``BaseEstimator`` would import scikit-learn whenever a dump is read, which takes longer
than labelling it.
"""

from __future__ import annotations

import inspect
from typing import Any, Self


class Params:
    """Parameters are the arguments of ``__init__``, kept under the same names, untouched.

    >>> class Toy(Params):
    ...     def __init__(self, width: int = 3) -> None:
    ...         self.width = width
    >>> Toy(width=5).get_params()
    {'width': 5}
    >>> Toy().set_params(width=7)
    Toy(width=7)
    """

    @classmethod
    def _names(cls) -> list[str]:
        if cls.__init__ is object.__init__:  # whose signature is a catch-all
            return []
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; with ``deep`` also those of parameters that have parameters, as ``name__inner``."""
        found: dict[str, Any] = {}
        for name in self._names():
            value = getattr(self, name)
            found[name] = value
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found.update({f"{name}__{inner}": v for inner, v in value.get_params().items()})
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in self._names():
                raise ValueError(f"{type(self).__name__} has no parameter '{name}': it has {self._names()}")
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names())
        return f"{type(self).__name__}({inside})"
