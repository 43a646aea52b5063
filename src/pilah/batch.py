"""Many dumps: which arguments are inputs, what is read, labelled and written, and what happens to a bad one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pilah.article import Article, build_article
from pilah.model_file import load_model
from pilah.page import InputError, read_page, write_whole
from pilah.render import FORMATS
from pilah.tagger import LineTagger

LAST = Path("models/last")
"""Where `train.py` leaves the model that it trained last."""


@dataclass(frozen=True)
class Options:
    """What `conf/predict.yaml` says, checked.

    Raises
    ------
    InputError
        If an output is unknown or a number is none.
    """

    model: str = ""
    output: str = "text"
    output_dir: str = ""
    encoding: str = "utf-8"
    body_bias: float | None = None

    def __post_init__(self) -> None:
        if self.output not in FORMATS:
            raise InputError(f"there is no output '{self.output}': say one of {', '.join(FORMATS)}")
        if self.body_bias is not None and not isinstance(self.body_bias, int | float):
            raise InputError(f"body_bias must be a number, not '{self.body_bias}'")


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell inputs from overrides: a file that exists, ``-``, or whatever has no ``=`` is an input.

    >>> split_arguments(["-", "no-such-dump.txt", "output=json", "~model"])
    (['-', 'no-such-dump.txt'], ['output=json', '~model'])
    """
    inputs, overrides = [], []
    for argument in arguments:
        is_input = argument == "-" or Path(argument).exists() or not ("=" in argument or argument.startswith(("~", "-")))
        (inputs if is_input else overrides).append(argument)
    return inputs, overrides


def choose_model(name: str) -> tuple[LineTagger, str]:
    """The tagger and what to call it: the one named, else the one trained last in this checkout, else the shipped one."""
    name = name or (str(LAST) if (LAST / "card.json").is_file() else "default")
    return load_model(name), name


def predict(inputs: Sequence[str], options: Options) -> int:
    """Label and rebuild dumps, and print or write the results.

    Returns
    -------
    int
        0; 1 where some but not all of several dumps could not be done; 2 where none could.

    Raises
    ------
    InputError
        If there is no input, the model is unknown, or the output folder cannot be written to.
    """
    if not inputs:
        raise InputError("name a dump, or - for standard input")
    suffix = FORMATS[options.output][0]
    targets = [Path(options.output_dir) / f"{_stem(name)}.{suffix}" for name in inputs]
    if options.output_dir and len(set(targets)) < len(targets):
        twice = next(t for t in targets if targets.count(t) > 1)
        raise InputError(f"two inputs would both be written to {twice}: give them different names or folders")
    tagger, model_name = choose_model(options.model)
    if options.body_bias is not None:
        tagger.set_params(body_bias=float(options.body_bias))
    print(f"model: {model_name}", file=sys.stderr)
    failed = 0
    for name, target in zip(inputs, targets, strict=True):
        try:
            content = FORMATS[options.output][1](_article(name, tagger, options))
            if options.output_dir:
                write_whole(target, content)
            else:
                _print(content)
        except InputError as error:
            failed += 1
            print(f"predict.py: {error}", file=sys.stderr)
    return 0 if not failed else 2 if failed == len(inputs) else 1


def _stem(name: str) -> str:
    return "stdin" if name == "-" else Path(name).stem


def _article(name: str, tagger: LineTagger, options: Options) -> Article:
    page = read_page(name, options.encoding)
    if not any(line.strip() for line in page.lines):
        raise InputError(f"{name} holds no visible character: there is no line to label")
    return build_article(page, tagger.tag([page.lines])[0])


def _print(content: str) -> None:
    """Write to standard output as UTF-8; a reader that has gone away ends the output, not the program."""
    try:
        sys.stdout.buffer.write(content.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]  # nothing more can be said to it, not even at exit
    except OSError as error:
        raise InputError(f"standard output cannot be written: {error.strerror}") from None
