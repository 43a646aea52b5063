"""Accuracy against peers: `python benchmarks/accuracy.py [FOLDER ...] [--dumps 7500]`.

Every method is trained on the same composed pages and scored on data/labelled and on the folders given (labelled dumps,
`label<TAB>role<TAB>text`). Needs the extra `bench`; a peer that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from omegaconf import OmegaConf
from peers import Predictor, Rules, train_crfsuite, train_fasttext, train_svc
from rich.console import Console
from rich.table import Table

from pilah.model_file import load_model
from pilah.training.compose import compose_dump
from pilah.training.corpus import Dump, Pools, read_labelled, read_layouts, read_pools
from pilah.training.evaluate import Scores, score

ROOT = Path(__file__).resolve().parent.parent
DATA = OmegaConf.load(ROOT / "conf/data/composed.yaml")
"""What pilah's own default model is trained on."""


def training_pages(count: int, pools: Pools, seed: int = 1) -> list[Dump]:
    """The pages that every peer is trained on: composed as for pilah's own default model."""
    layouts = read_layouts(ROOT / "data", wide=True)
    weights = {
        language: DATA.languages.get(language, DATA.other_languages if pool.articles else DATA.headings_only)
        for language, pool in pools.items()
    }
    return [compose_dump(pools, layouts, f"{seed}-{i}", weights) for i in range(count)]


def methods(count: int, model: str) -> dict[str, Predictor]:
    """Name -> predictor, trained; says how long each took."""
    console = Console(stderr=True)
    pools = read_pools(ROOT / "data", wide=True)
    dumps = training_pages(count, pools)
    makers: dict[str, Callable[[], Predictor]] = {
        "pilah": lambda: load_model(model).predict,
        "heading rules": lambda: Rules(pools),
        "TF-IDF + LinearSVC, per line": lambda: train_svc(dumps),
        "fastText": lambda: train_fasttext(dumps),
        "CRFsuite": lambda: train_crfsuite(dumps),
    }
    found = {}
    for name, make in makers.items():
        start = time.perf_counter()
        try:
            found[name] = make()
        except ImportError as error:
            console.print(f"{name}: left out, {error.name} is not installed")
            continue
        console.print(f"{name}: ready in {time.perf_counter() - start:.1f} s")
    return found


def scored(predict: Predictor, dumps: Sequence[Dump]) -> Scores:
    """Scores of one method on some dumps."""
    return score(zip([d.labels for d in dumps], predict([d.lines for d in dumps]), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="further folders of labelled dumps")
    parser.add_argument("--dumps", type=int, default=DATA.dumps, help="composed pages to train the peers on")
    parser.add_argument("--model", default="default", help="the model of pilah: a shipped one or a folder")
    options = parser.parse_args()
    sets = {Path(folder).name: read_labelled([folder]) for folder in [str(ROOT / "data/labelled"), *options.folders]}
    table = Table(title="macro-F1 / exact blocks / dumps entirely right", title_justify="left")
    table.add_column("")
    for name, dumps in sets.items():
        table.add_column(f"{name}\n{len(dumps)} dumps", justify="right")
    for name, predict in methods(options.dumps, options.model).items():
        cells = [scored(predict, dumps) for dumps in sets.values()]
        table.add_row(name, *(f"{s.macro_f1:.3f} / {s.block_f1:.3f} / {s.exact_dumps:.2f}" for s in cells))
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
