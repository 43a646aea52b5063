"""The parameter contract: everything that a configuration builds can be cloned by scikit-learn."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest
from conftest import toy_tagger
from sklearn.base import clone

from pilah.params import Params
from pilah.tagger import LineTagger

MODULES = ("features", "context", "decoding", "training.splits", "training.report")


def _buildable() -> list[type[Params]]:
    """Every class with parameters that can be made without arguments."""
    found = []
    for name in MODULES:
        module = importlib.import_module(f"pilah.{name}")
        for thing in vars(module).values():
            if inspect.isclass(thing) and issubclass(thing, Params) and thing.__module__ == module.__name__:
                found.append(thing)
    # bases only name what their children share: they have children and no __init__ of their own
    return [c for c in found if "__init__" in vars(c) or not any(c in other.__mro__[1:] for other in found)]


CLASSES = _buildable()


def test_every_kind_of_part_is_among_the_classes_that_are_checked() -> None:
    assert {"Words", "Characters", "Facts", "ChainCRF", "Argmax", "Viterbi", "PieceSplit", "FullReport"} <= {
        c.__name__ for c in CLASSES
    }


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_clone_has_the_same_parameters_and_is_another_object(kind: type[Params]) -> None:
    thing = kind()
    for name, value in thing.get_params().items():
        if type(value) in (int, float):  # changed, so that a clone made of defaults would not pass
            thing.set_params(**{name: value + 1})
    copy = clone(thing)
    assert type(copy) is kind
    assert copy is not thing
    assert copy.get_params() == thing.get_params()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_making_an_object_does_no_work(kind: type[Params]) -> None:
    """Only parameters, under their own names; what is learned ends in an underscore and comes with `fit`."""
    assert vars(kind()) == kind().get_params(deep=False)


def test_a_tagger_is_cloned_with_its_parts_and_without_what_it_learned(tagger: LineTagger) -> None:
    copy = clone(tagger)
    assert isinstance(copy, LineTagger)
    assert copy.decoder is not tagger.decoder
    assert copy.decoder.get_params() == tagger.decoder.get_params()
    assert copy.context is not tagger.context
    assert list(copy.features) == list(tagger.features)
    assert [repr(part) for part in copy.features.values()] == [repr(part) for part in tagger.features.values()]
    assert not hasattr(copy, "tags_")


def test_parameters_of_parameters_are_reached_by_two_underscores() -> None:
    tagger = toy_tagger()
    assert tagger.get_params()["decoder__weight"] == 1.0
    tagger.set_params(decoder__weight=2.5, body_bias=0.5)
    assert (tagger.decoder.weight, tagger.body_bias) == (2.5, 0.5)
    assert "decoder__weight" not in tagger.get_params(deep=False)


@pytest.mark.parametrize("name", ["wieght", "wieght__inner", "get_params"])
def test_an_unknown_parameter_is_refused_by_name(name: str) -> None:
    class Toy(Params):
        def __init__(self, weight: int = 3) -> None:
            self.weight = weight

    with pytest.raises(ValueError, match=r"Toy has no parameter '\w+': it has \['weight'\]"):
        Toy().set_params(**{name: 1})


def test_the_printed_form_makes_the_object_again() -> None:
    class Toy(Params):
        def __init__(self, weight: int = 3, name: str = "a") -> None:
            self.weight = weight
            self.name = name

    made: Any = eval(repr(Toy(5, "b")), {"Toy": Toy})
    assert (made.weight, made.name) == (5, "b")


def test_an_object_without_parameters_has_none() -> None:
    class Bare(Params):
        pass

    assert Bare().get_params() == {}
    assert repr(Bare()) == "Bare()"
