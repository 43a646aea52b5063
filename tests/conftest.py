"""What several test modules share: a few pages written by hand, a tiny tagger fitted on them, a tiny data folder."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: what is small is quicker on one thread

from pilah import fast
from pilah.labels import LabelSet, Tag
from pilah.model_file import save_model
from pilah.tagger import LineTagger
from pilah.training.corpus import read_yaml
from pilah.training.run import build

ROOT = Path(__file__).resolve().parents[1]

fast.force(False)  # compiled once, by the tests that are about the loops, and not wherever 100,000 lines have been labelled

settings.register_profile("pilah", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pilah")

Page = tuple[list[str], list[Tag]]

HEADINGS = {"related": "Berita Terkait", "popular": "Terpopuler", "pick": "Pilihan Redaksi", "latest": "Terkini"}
_WHO = [
    "Warga Kampung Melati",
    "Petani Cabai Randuasri",
    "Nelayan Teluk Sagara",
    "Siswa SMP Tirtamulya",
    "Pedagang Pasar Kemuning",
]
_WHAT = ["Tanam Seribu Pohon", "Gelar Lomba Perahu", "Panen Lebih Awal", "Bangun Jembatan Bambu", "Tolak Kenaikan Retribusi"]
_WHERE = ["di Lereng Gunung Sepuh", "Jelang Musim Hujan", "Setelah Sepekan Menunggu", "di Tepi Kali Wening"]


def toy_page(seed: int) -> Page:
    """A page with a title, a byline and paragraphs (one page of four has none), and one to three blocks in a random order."""
    rng = random.Random(seed)

    def headline() -> str:
        return f"{rng.choice(_WHO)} {rng.choice(_WHAT)} {rng.choice(_WHERE)}"

    article = seed % 4 != 3
    rows: list[tuple[str, str, str]] = []
    if article:
        rows += [("body", "title", headline()), ("body", "byline", "Penulis: Ratna Suminar")]
    for _ in range(rng.randint(2, 4) * article):
        who, what = rng.choice(_WHO), rng.choice(_WHAT)
        text = f"{who} mengatakan bahwa rencana itu sudah disepakati dalam rapat desa, dan pekan depan mereka {what.lower()} bersama."
        rows.append(("body", "paragraph", text))
    for label in rng.sample(list(HEADINGS), rng.randint(1, 3)):
        # written in several ways: a line that stands on many pages is learned from once
        form = rng.choice(["{}", "{}:", "• {}", "{} Hari Ini"])
        rows.append((label, "heading", form.format(HEADINGS[label])))
        timed = rng.random() < 0.5
        for number in range(1, rng.randint(3, 5)):
            rows.append((label, "bullet", "-"))
            rows.append((label, "headline", headline()))
            if timed:
                rows.append((label, "meta", f"{rng.randint(10, 20)}:{number}5 WIB"))
    return [text for _, _, text in rows], [(label, role) for label, role, _ in rows]


def toy_pages(count: int, first: int = 0) -> tuple[list[list[str]], list[list[Tag]]]:
    """Lines and tags of so many toy pages."""
    made = [toy_page(first + i) for i in range(count)]
    return [lines for lines, _ in made], [tags for _, tags in made]


def configured(*overrides: str) -> Any:
    """The training configuration, as `train.py` would see it."""
    with initialize_config_dir(config_dir=str(ROOT / "conf"), version_base="1.3"):
        return compose("train", list(overrides))


def toy_tagger(*overrides: str, **params: Any) -> LineTagger:
    """A tagger made of the parts that a configuration names, with few rounds of training; not fitted."""
    cfg = configured(*overrides)
    context = build(cfg.context) if cfg.context else None
    if hasattr(context, "iterations"):
        context.set_params(iterations=min(context.iterations, 40))
    if hasattr(context, "l2"):
        context.set_params(l2=0.01, l2_around=0.01)  # the toy pages are few and clear
    chosen = {"folds": 2, **params}
    return LineTagger(build(cfg.labels), build(cfg.features), build(cfg.model), context, build(cfg.decoder), **chosen)


@pytest.fixture(scope="session")
def five() -> LabelSet:
    """The five labels of the configuration."""
    found: LabelSet = build(configured().labels)
    return found


@pytest.fixture(scope="session")
def tagger() -> LineTagger:
    """A tagger of the default configuration, fitted on 60 toy pages. Do not change it: clone or save and load."""
    return toy_tagger().fit(*toy_pages(60))


@pytest.fixture(scope="session")
def model_dir(tagger: LineTagger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny tagger on disk."""
    folder = tmp_path_factory.mktemp("toy") / "model"
    save_model(tagger, folder, {"note": "a toy"})
    return folder


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few rows of the real pools: two languages, quick to compose and to learn from."""
    import yaml

    folder = tmp_path_factory.mktemp("data")
    for name in ("headings", "pieces", "furniture"):
        pools = read_yaml(ROOT / "data" / f"{name}.yaml", plain=True)
        few = {language: {kind: phrases[:25] for kind, phrases in pools[language].items()} for language in ("id", "en")}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(few, allow_unicode=True), encoding="utf-8")
    (folder / "layouts.yaml").write_bytes((ROOT / "data" / "layouts.yaml").read_bytes())
    for language in ("id", "en"):
        for kind, cut in (("headlines", "\n"), ("articles", "\n\n")):
            source = sorted((ROOT / "data" / kind / language).glob("*.tsv"))[0]
            target = folder / kind / language / source.name
            target.parent.mkdir(parents=True)
            target.write_text(cut.join(source.read_text(encoding="utf-8").split(cut)[:40]) + "\n", encoding="utf-8")
    labelled = folder / "labelled"
    labelled.mkdir()
    for seed in range(3):
        lines, tags = toy_page(1000 + seed)
        rows = "".join(f"{label}\t{role}\t{line}\n" for line, (label, role) in zip(lines, tags, strict=True))
        (labelled / f"toy-{seed}.tsv").write_text(rows, encoding="utf-8")
    return folder


def small_run(data: Path, folder: Path) -> list[str]:
    """Overrides for a training run of a few seconds that writes into one folder alone."""
    return [
        "data=small", f"data.folder={data}", "data.dumps=24", "data.validation=8", f"evaluate.dirs=[{data}/labelled]",
        "refit=false", "tagger.folds=2", "tagger.n_jobs=1", f"output={folder}/model", f"hydra.run.dir={folder}/run",
        "features.chars.ngram_max=3", "context=crf", "context.iterations=10",
    ]  # fmt: skip


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def run_door(
    door: str, arguments: Sequence[str | Path], cwd: Path = ROOT, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run `train.py` or `predict.py` as a user does, from the repository root."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "160", **options.pop("env", {})}
    command = [sys.executable, str(ROOT / door), *map(str, arguments)]
    options = {"capture_output": True, "timeout": 120, **options}
    return subprocess.run(command, cwd=cwd, env=env, check=False, **options)


@pytest.fixture(scope="session")
def trained(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of `python train.py`: the model is in ``model``, the report in ``run``."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_door("train.py", small_run(small_data, folder))
    assert done.returncode == 0, done.stderr.decode()
    return folder
