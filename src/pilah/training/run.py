"""One training run: corpus -> split -> fit -> evaluate -> report -> model, each a visible line.

With the two doors, the only module that knows Hydra. It is long because the stages of a run go by one configuration.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pilah.labels import LabelSet
from pilah.model_file import load_model, save_model
from pilah.page import InputError, read_bytes, uncapitalised
from pilah.tagger import LineTagger
from pilah.training.compose import compose_dump, heading_examples, section_examples
from pilah.training.corpus import Dump, Pools, digest, read_labelled, read_layouts, read_pools
from pilah.training.evaluate import Scores, score
from pilah.training.report import compare, score_table, write_comparison
from pilah.training.splits import heading_folds, training_folds

WIDTH = 110
"""Columns of a table of scores where no terminal says how many there are."""

console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH)


@contextmanager
def _stage(name: str) -> Iterator[list[str]]:
    """One visible line per stage, with what was done and how long it took."""
    notes: list[str] = []
    start = time.perf_counter()
    yield notes
    console.print(f"[bold]{name:9}[/bold] {'; '.join(notes)}  [dim]{time.perf_counter() - start:.1f} s[/dim]", highlight=False)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:9}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip


def build(cfg: Any) -> Any:
    """Instantiate a part of the configuration. Only classes of pilah and scikit-learn may be named in it.

    Raises
    ------
    InputError
        If another class is named.
    """
    plain = OmegaConf.to_container(cfg, resolve=True)
    stack = [plain]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            target = str(node.get("_target_", "pilah."))
            if not target.startswith(("pilah.", "sklearn.")):
                raise InputError(f"a configuration may only name classes of pilah and sklearn, not {target}")
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return instantiate(plain, _convert_="all")


def compose_pages(pools: Sequence[Pools], layouts: Mapping[str, Any], data: DictConfig, count: int, seed: str) -> list[Dump]:
    """So many composed dumps, taken in turn from the parts of the pools."""
    weights = {
        language: data.languages.get(language, data.other_languages if pool.articles else data.headings_only)
        for language, pool in pools[0].items()
    }
    dumps = []
    with _bar() as bar:
        for i in bar.track(range(count), description="corpus"):
            part = i % len(pools)
            dumps.append(compose_dump(pools[part], layouts, f"{seed}-{i}", weights, data.furniture, part))
    return dumps


def train(cfg: DictConfig) -> float:
    """Train as configured; the headline score (macro-F1 on the first evaluation set) is returned, for sweeps.

    What is held out is scored with a tagger that has not seen it. With ``refit`` that is a smaller one, fitted on a share
    of the pages and headings, and the tagger that is kept is fitted on everything afterwards; hand-written evaluation sets, which are
    in no training data, are scored with the tagger that is kept.
    """
    shares = _checked(cfg)
    labels: LabelSet = build(cfg.labels)
    run_folder = Path(HydraConfig.get().runtime.output_dir) if HydraConfig.initialized() else Path(cfg.output)
    data, folder = cfg.data, Path(cfg.data.folder)
    with _stage("corpus") as notes:
        pools = read_pools(folder, data.wide, data.wide_sections) if data.dumps else {}
        layouts = read_layouts(folder, data.wide)
        own = read_labelled(data.dirs, labels)
        fixed = {Path(path).name: read_labelled([path], labels) for path in cfg.evaluate.dirs if Path(path).exists()}
        notes.append(
            f"{sum(len(p.headlines) for p in pools.values())} headlines, {sum(len(p.articles) for p in pools.values())} articles, "
            f"{len(pools)} languages; {len(own)} dumps of your own"
        )
    split = build(cfg.split)
    with _stage("split") as notes:
        own_train, own_held = split.dumps(own)
        training = split.training(pools)
        held = compose_pages([split.validation(pools)], layouts, data, data.validation, f"{cfg.seed} held") if pools else []
        fresh = ({"composed": held} if held else {}) | ({"own": own_held} if own_held else {})
        again = bool(cfg.refit and split.holds_out and fresh)
        first = max(1, round(cfg.probe * data.dumps)) if again else data.dumps
        dumps = _pages(training, layouts, cfg, data.dumps if shares else first)
        notes.append(
            f"{len(dumps)} pages composed to train on, {len(held)} to test on; of your own {len(own_train)} and {len(own_held)}"
        )
    tagger = _tagger(cfg, labels)
    with _stage("fit") as notes:
        some = dumps[:first]
        _fit(tagger, cfg, training, layouts, some, own_train, cfg.probe if again else 1)
        notes.append(
            f"{len(some)} pages, {len(tagger.types_)} line types, {len(tagger.tags_)} tags"
            + ", without what is held out" * again
        )
    with _stage("evaluate") as notes:
        results = {name: evaluate(tagger, found) for name, found in fresh.items()}
        results |= _before(cfg, own_held)
        testers = dict.fromkeys(fresh, tagger)
        notes.append(
            ", ".join(f"{name} macro-F1 {scores.macro_f1:.4f}" for name, (_, _, scores) in results.items())
            or "nothing held out"
        )
    # the tagger that is kept cannot be measured on what was held out, if it is fitted on that in the end
    sets = fixed if again else {**fixed, **fresh}
    curve = _learning_curve(shares, cfg, labels, training, layouts, dumps, own_train, sets)
    if again and sets and not curve:  # the smaller tagger is a point of it that costs nothing
        curve = [(len(some) + len(own_train), {name: evaluate(tagger, found)[2] for name, found in sets.items()})]
    if again:
        with _stage("refit") as notes:
            dumps = _pages(pools, layouts, cfg, data.dumps)
            tagger = _tagger(cfg, labels)
            _fit(tagger, cfg, pools, layouts, dumps, own)
            notes.append(f"{len(dumps)} pages, on everything, what was held out included")
    with _stage("evaluate") as notes:
        results = {name: evaluate(tagger, found) for name, found in fixed.items()} | results
        testers |= dict.fromkeys(fixed, tagger)
        notes.append(", ".join(f"{name} macro-F1 {results[name][2].macro_f1:.4f}" for name in fixed) or "no evaluate.dirs here")
    console.print(score_table("scores", {name: scores for name, (_, _, scores) in results.items()}))
    if curve:
        curve.append((len(dumps) + len(own if again else own_train), {name: results[name][2] for name in sets}))
    with _stage("report") as notes:
        build(cfg.report).write(run_folder, tagger, results, OmegaConf.to_yaml(cfg, resolve=True), testers, curve)
        notes.append(f"in {run_folder}")
    with _stage("model") as notes:
        card = model_card(cfg, {name: scores for name, (_, _, scores) in results.items()})
        for target in dict.fromkeys([run_folder / "model", *([Path(cfg.output)] if cfg.output else [])]):
            save_model(tagger, target, card)
            notes.append(str(target))
    return next(iter(results.values()))[2].macro_f1 if results else 0.0


def _checked(cfg: DictConfig) -> list[float]:
    """The shares of the learning curve, after a look at the numbers that a user may have mistyped."""
    for name, value in (("data.dumps", cfg.data.dumps), ("data.validation", cfg.data.validation), ("seed", cfg.seed)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(f"{name} must be a whole number from 0 on, not {value!r}")
    if not isinstance(cfg.probe, int | float) or not 0 < cfg.probe <= 1:
        raise InputError(f"probe is a share of the pages, above 0 and at most 1, not {cfg.probe!r}")
    shares = cfg.report.get("learning_curve") or []
    if not all(isinstance(share, int | float) and 0 < share <= 1 for share in shares):
        raise InputError(f"report.learning_curve holds shares of the dumps, above 0 and at most 1, not {list(shares)}")
    return list(shares)


def _pages(pools: Pools, layouts: Mapping[str, Any], cfg: DictConfig, count: int) -> list[Dump]:
    """The first so many of the composed pages to train on."""
    if not pools:
        return []
    parts = training_folds(pools, cfg.tagger.folds, cfg.data.common_headings)
    return compose_pages(parts, layouts, cfg.data, count, f"{cfg.seed}")


def _before(cfg: DictConfig, held: Sequence[Dump]) -> dict[str, tuple[Sequence[Dump], Any, Scores]]:
    """How the model that ``init`` names does on the held-out dumps of one's own: the figure to beat."""
    if not cfg.init or not held:
        return {}
    return {"own before": evaluate(load_model("default" if cfg.init == "shipped" else cfg.init), held)}


def _tagger(cfg: DictConfig, labels: LabelSet) -> LineTagger:
    return LineTagger(
        labels, build(cfg.features), build(cfg.model), build(cfg.context) if cfg.context else None, build(cfg.decoder),
        **{str(key): value for key, value in cfg.tagger.items()},
    )  # fmt: skip


def _fit(
    tagger: LineTagger, cfg: DictConfig, pools: Pools, layouts: Mapping[str, Any], dumps: Sequence[Dump], own: Sequence[Dump],
    share: float = 1,
) -> None:  # fmt: skip
    """Fit on the dumps, on one's own, and on so large a share of the headings in ``data/`` besides."""
    groups = [d.fold for d in dumps]
    first = max(groups, default=-1) + 1
    mine = [(d, first + i) for i, d in enumerate(map(_as_read, own)) for _ in range(cfg.data.copies if dumps else 1)]
    # so many of them the first pass learns from, too
    taught = len(dumps) if cfg.data.line_dumps is None else max(1, round(share * cfg.data.line_dumps))
    pairs = list(zip(dumps, groups, strict=True))
    pairs = [*pairs[:taught], *mine, *pairs[taught:]]
    examples = (
        heading_examples(pools, layouts, cfg.seed, heading_folds(cfg.tagger.folds, cfg.data.common_headings)) if pools else []
    )
    if not cfg.data.furniture:  # in whose menus they stand
        examples += section_examples(pools, heading_folds(cfg.tagger.folds, cfg.data.common_headings))
    examples = examples[:: round(1 / share)]
    known = set(tagger.labels.tags)
    if not dumps and not own:
        raise InputError("there is nothing to train on: data.dumps is 0 and data.dirs names no labelled dumps")
    strangers = {label for d in dumps for label in d.labels} - set(tagger.labels.names)
    if strangers:
        raise InputError(
            f"the composed pages hold labels that labels={tagger.labels.name} does not have: {', '.join(sorted(strangers))}"
        )
    with _bar() as bar:
        task = bar.add_task("fit", total=1)
        tagger.fit(
            [d.lines for d, _ in pairs],
            [d.tags for d, _ in pairs],
            [group for _, group in pairs],
            [example for example in examples if example[1] in known],
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            line_pages=len(mine) + taught,
        )


def _as_read(dump: Dump) -> Dump:
    """A dump as the tagger will read such: in lower case if it is in capitals. Composed pages, few of which are, stay as they stand."""
    return replace(dump, lines=tuple(uncapitalised(dump.lines, [len(dump.lines)])))


def _learning_curve(
    shares: Sequence[float], cfg: DictConfig, labels: LabelSet, pools: Pools, layouts: Mapping[str, Any],
    dumps: Sequence[Dump], own: Sequence[Dump], sets: Mapping[str, Sequence[Dump]],
) -> list[tuple[int, Mapping[str, Scores]]]:  # fmt: skip
    """Scores of taggers fitted on a share of the dumps each, smallest first."""
    found: list[tuple[int, Mapping[str, Scores]]] = []
    for share in sorted(set(shares) - {1}):
        with _stage("curve") as notes:
            few, mine = ([*some[: max(1, round(share * len(some)))]] for some in (dumps, own))
            tagger = _tagger(cfg, labels)
            _fit(tagger, cfg, pools, layouts, few, mine)
            found.append((len(few) + len(mine), {name: evaluate(tagger, held)[2] for name, held in sets.items()}))
            notes.append(
                f"{found[-1][0]} dumps: " + ", ".join(f"{name} {scores.macro_f1:.4f}" for name, scores in found[-1][1].items())
            )
    return found


def evaluate(tagger: LineTagger, dumps: Sequence[Dump]) -> tuple[Sequence[Dump], Any, Scores]:
    """The dumps, what the tagger says of their lines, and the scores."""
    tagged = tagger.tag([dump.lines for dump in dumps])
    pairs = [(dump.labels, [line.label for line in lines]) for dump, lines in zip(dumps, tagged, strict=True)]
    return dumps, tagged, score(pairs, tagger.labels.body or "")


def model_card(cfg: DictConfig, scores: Mapping[str, Scores]) -> dict[str, Any]:
    """What a model says of itself besides its arrays."""
    folder = Path(cfg.data.folder)
    return {
        "data_digest": digest(folder if cfg.data.dumps else folder / "none", list(cfg.data.dirs), cfg.data.wide),
        "scores": {name: found.to_dict() for name, found in scores.items()},
        "config": OmegaConf.to_container(cfg, resolve=True),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("pilah", "numpy", "scipy", "scikit-learn")},
        },
    }


class CompareRuns(Callback):
    """Hydra callback: after ``-m`` one table and one page that compare the runs of the sweep."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Read what the runs of the sweep have written, print the table and write ``report.html`` beside them."""
        sweep = Path(config.hydra.sweep.dir)
        files = sorted(sweep.glob("*/scores.json"), key=lambda f: (len(f.parent.name), f.parent.name))
        chosen = [list(map(str, OmegaConf.load(file.parent / ".hydra" / "overrides.yaml"))) for file in files]
        shared = [x for x in chosen[0] if all(x in other for other in chosen)] if len(chosen) > 1 else []
        names = [" ".join(x for x in overrides if x not in shared) or "default" for overrides in chosen]
        scores = [json.loads(read_bytes(str(file))) for file in files]
        if files:
            compare(Console(width=None if sys.stdout.isatty() else WIDTH), dict(zip(names, scores, strict=True)))
            pages = list(zip([file.parent.name for file in files], names, scores, strict=True))
            console.print(f"compared in {write_comparison(sweep, pages, shared)}", highlight=False)


__all__ = ["CompareRuns", "build", "evaluate", "load_model", "train"]
