"""Many dumps: which arguments are inputs, what is read, labelled and written, and what happens to a bad one.

Here are the options, and dumps that are printed or written one by one; a corpus is the work of the modules beside this
one, in this order: `inputs -> streams -> readers -> shards -> writers`, spread by `engines`, led by `corpus`.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

from pilah.article import Article, build_article
from pilah.model_file import load_model, model_folder
from pilah.page import InputError, read_page, write_whole
from pilah.render import FORMATS
from pilah.render_terminal import colour_wanted, coloured
from pilah.tagger import LineTagger

LAST = Path("models/last")
"""Where `train.py` leaves the model that it trained last."""

_CORPUS = re.compile(r"\.(jsonl|ndjson|parquet|pq|wet|warc)(\.gz|\.zst|\.zstd)?$|://", re.IGNORECASE)
CORPUS_OUTPUTS = ("jsonl", "parquet")
"""Outputs with one file per shard of a corpus, instead of one per dump."""

EXPLAINED_OUTPUTS = ("text", "html")
"""Outputs that have a place for explanations."""


@dataclass(frozen=True)
class InputOptions:
    """How a corpus is read: where the text is, which original fields stay (all by default), and how much one task gets.

    Raises
    ------
    InputError
        If a value is of no use.
    """

    text_field: str = "text"
    keep: Sequence[str] | None = None
    split_mb: float = 64

    def __post_init__(self) -> None:
        if not isinstance(self.text_field, str) or not self.text_field:
            raise InputError(f"input.text_field must be the name of a field, not '{self.text_field}'")
        if self.keep is not None and (isinstance(self.keep, str) or not all(isinstance(name, str) for name in self.keep)):
            raise InputError(f"input.keep must be a list of fields, as in input.keep=[url,date], not '{self.keep}'")
        if isinstance(self.split_mb, bool) or not isinstance(self.split_mb, int | float) or not self.split_mb > 0:
            raise InputError(f"input.split_mb must be a number above 0, not '{self.split_mb}'")


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
    explain: bool | int = False
    input: InputOptions = field(default_factory=InputOptions)
    engine: Mapping[str, Any] | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        for name in ("model", "output", "output_dir", "encoding"):
            value = getattr(self, name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                object.__setattr__(self, name, str(value))  # output_dir=2024
            elif not isinstance(value, str):
                raise InputError(f"{name} must be text, not '{value}'")
        if self.output not in (*FORMATS, *CORPUS_OUTPUTS):
            raise InputError(f"there is no output '{self.output}': say one of {', '.join((*FORMATS, *CORPUS_OUTPUTS))}")
        bias = self.body_bias
        if bias is not None and (isinstance(bias, bool) or not isinstance(bias, int | float) or not isfinite(bias)):
            raise InputError(f"body_bias must be a number, not '{bias}'")
        if not isinstance(self.explain, int) or (self.explain < 1 and self.explain is not False):
            raise InputError(f"explain must be true, false or the number of a line, not '{self.explain}'")
        if self.explain and self.output not in EXPLAINED_OUTPUTS:
            raise InputError(f"explain is shown by output=text and output=html, not by output={self.output}")
        if not isinstance(self.resume, bool):
            raise InputError(f"resume must be true or false, not '{self.resume}'")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Options:
        """Options from what a configuration says, in which ``input`` is a mapping.

        Raises
        ------
        InputError
            If there is a name that is not known, or a value of no use.
        """
        try:
            return cls(**{**config, "input": InputOptions(**config.get("input") or {})})
        except TypeError as error:
            raise InputError(f"the configuration has a name that is not known: {error}") from None


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell inputs from overrides: a file that exists, ``-``, an address, a glob that finds files, or what has no ``=``.

    >>> split_arguments(["-", "no-such-dump.txt", "output=json", "~model"])
    (['-', 'no-such-dump.txt'], ['output=json', '~model'])
    """
    inputs: list[str] = []
    overrides: list[str] = []
    for argument in arguments:
        is_input = argument == "-" or os.path.exists(argument) or not ("=" in argument or argument.startswith(("~", "-")))
        is_input = is_input or "://" in argument.partition("=")[0] or ("*" in argument and bool(matches(argument)))
        (inputs if is_input else overrides).append(argument)
    return inputs, overrides


def matches(pattern: str) -> list[str]:
    """The files that a glob finds, in order. ``**`` stands for any number of folders; hidden files are left out."""
    return sorted(path for path in glob.iglob(pattern, recursive=True) if os.path.isfile(path))


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
    if options.output in CORPUS_OUTPUTS:
        return _corpus(inputs, options)
    if options.resume or options.engine:
        raise InputError("engine and resume are for a corpus: say output=jsonl or output=parquet as well")
    inputs = [
        path for name in inputs for path in (not os.path.lexists(name) and glob.has_magic(name) and matches(name)) or [name]
    ]
    corpora = [name for name in inputs if _CORPUS.search(name)]
    if corpora:
        raise InputError(f"{corpora[0]} holds many pages: say output=jsonl or output=parquet, and an output_dir")
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
            article = _article(name, tagger, options)
            on_terminal = not options.output_dir and colour_wanted(sys.stdout)
            content = coloured(article, options.output) if on_terminal else FORMATS[options.output][1](article)
            if options.output_dir:
                write_whole(target, content)
            else:
                _print(content)
        except InputError as error:
            failed += 1
            print(f"predict.py: {error}", file=sys.stderr)
    return 0 if not failed else 2 if failed == len(inputs) else 1


def _corpus(inputs: Sequence[str], options: Options) -> int:
    from pilah.batch.corpus import label_corpus
    from pilah.batch.engines import Engine
    from pilah.batch.shards import Settings, model_digest

    if "://" in options.output_dir:
        raise InputError(
            f"output_dir must be a folder, not the address {options.output_dir}: what is written has to be renamed"
        )
    if not options.output_dir:
        raise InputError(f"output={options.output} writes a file per shard: say where to, as in output_dir=out")
    engine = Engine(**options.engine) if options.engine else None
    _, name = choose_model(options.model)  # a model that cannot be read is said once, before any work
    folder, keep = model_folder(name).resolve(), options.input.keep
    settings = Settings(
        folder=os.path.abspath(options.output_dir),
        output=options.output,
        model=str(folder),
        digest=model_digest(folder),
        text_field=options.input.text_field,
        keep=None if keep is None else tuple(keep),
        encoding=options.encoding,
        body_bias=options.body_bias,
    )
    print(f"model: {name}", file=sys.stderr)
    try:
        return label_corpus(inputs, settings, engine, max(1, int(options.input.split_mb * 1e6)), options.resume)
    except KeyboardInterrupt:
        print("predict.py: stopped; what is finished stays, go on with resume=true", file=sys.stderr)
        return 130


def _stem(name: str) -> str:
    return "stdin" if name == "-" else Path(name).stem


def _article(name: str, tagger: LineTagger, options: Options) -> Article:
    page = read_page(name, options.encoding)
    if not any(line.strip() for line in page.lines):
        raise InputError(f"{name} holds no visible character: there is no line to label")
    article = build_article(page, tagger.tag([page.lines])[0])
    if not options.explain and options.output != "html":
        return article
    from pilah.explain import explain_for  # read only where it is asked for

    return replace(article, explanations=explain_for(tagger, page.lines, options.explain, whole=options.output == "html"))


def _print(content: str) -> None:
    """Write to standard output as UTF-8; a reader that has gone away ends the output, not the program."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.buffer.write(content.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stdout = None  # nothing more can be said to it, not even at exit
    except OSError as error:
        raise InputError(f"standard output cannot be written: {error.strerror}") from None
