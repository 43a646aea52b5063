"""Every choice that the configuration offers can be taken, and a model can be fitted with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, configured, run_door, small_run, toy_pages
from omegaconf import OmegaConf

from pilah.model_file import load_model, read_card
from pilah.page import InputError, format_labelled
from pilah.training.run import build, train

CONF = ROOT / "conf"
CHOICES = sorted(
    (group.relative_to(CONF).as_posix(), choice.stem)
    for group in (p for p in CONF.rglob("*") if p.is_dir() and "predict" not in p.parts)
    for choice in group.glob("*.yaml")
)
FITTED: dict[str, tuple[float, Path]] = {}
PAGE = ["Warga Kampung Melati Gelar Lomba Perahu", "Terkini", "-", "Panen Lebih Awal di Tepi Kali Wening"]


def tiny(data: Path, folder: Path) -> list[str]:
    """Overrides for a run of about a second in this process."""
    return [f"data.folder={data}", "data.dumps=8", "data.validation=3", f"evaluate.dirs=[{data}/labelled]", "refit=false",
            "tagger.folds=2", "tagger.n_jobs=1", f"output={folder}", "report=scores", "features.chars.ngram_max=3",
            "context.iterations=8"]  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of labelled dumps."""
    folder = tmp_path_factory.mktemp("own")
    for i, (lines, tags) in enumerate(zip(*toy_pages(8, first=1100), strict=True)):
        (folder / f"own-{i}.tsv").write_text(format_labelled(lines, tags), encoding="utf-8")
    return folder


def overridden(choice: tuple[str, str], data: Path, folder: Path, own: Path) -> list[str]:
    """The overrides that take one choice, with what it cannot do without."""
    group, name = choice
    replaced = {"report": "report=", "features": "features.", "context": "context.", "experiment": "context."}.get(group, " ")
    chosen = [*(o for o in tiny(data, folder) if not o.startswith(replaced)), f"{group}={name}"]
    if choice == ("labels", "raw"):
        chosen.append("data.furniture=true")
    if choice == ("data", "raw"):
        chosen.append("labels=raw")
    if choice == ("data", "own"):
        chosen = [o for o in chosen if not o.startswith(("data.dumps", "data.validation"))] + [f"data.dirs=[{own}]"]
    if choice == ("labels", "own"):
        names = "[body,related,popular,pick,latest]"
        chosen = [o for o in chosen if not o.startswith(("data.dumps", "data.validation"))]
        chosen += ["data=own", f"data.dirs=[{own}]", f"labels.names={names}"]
    return chosen


def test_each_group_offers_a_choice() -> None:
    groups = {group for group, _ in CHOICES}
    assert {"data", "split", "features", "model", "decoder", "report", "labels"} <= groups
    for group in groups:
        assert sum(g == group for g, _ in CHOICES) > 1 or group in ("context", "experiment"), group


def test_the_named_combinations_are_there() -> None:
    names = [name for group, name in CHOICES if group == "experiment"]
    assert names, "conf/experiment holds none"


@pytest.mark.parametrize("choice", CHOICES, ids="=".join)
def test_a_model_is_fitted_with_every_choice(choice: tuple[str, str], small_data: Path, own: Path, tmp_path: Path) -> None:
    cfg = configured(*overridden(choice, small_data, tmp_path, own))
    same = OmegaConf.to_yaml(cfg).replace(str(tmp_path), "")
    if same not in FITTED:  # what is the default of its group need not be fitted once more
        FITTED[same] = (train(cfg), tmp_path)
    score, folder = FITTED[same]
    assert 0 <= score <= 1
    tagger = load_model(str(folder))
    (labels,) = tagger.predict([PAGE])
    assert len(labels) == len(PAGE)
    assert set(labels) <= set(tagger.labels.names)


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda path: path.relative_to(CONF).as_posix())
def test_a_configuration_names_classes_of_pilah_and_scikit_learn_alone(path: Path) -> None:
    stack, targets = [yaml.safe_load(path.read_text(encoding="utf-8"))], []
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            targets += [node["_target_"]] if "_target_" in node else []
            stack += [value for key, value in node.items() if key != "hydra"]
        elif isinstance(node, list):
            stack += node
    assert all(target.startswith(("pilah.", "sklearn.")) for target in targets)


def test_a_part_can_be_left_out() -> None:
    assert "chars" in configured().features
    assert "chars" not in configured("~features.chars").features


def test_one_number_of_one_part_can_be_changed() -> None:
    assert build(configured("features.chars.ngram_max=4").features)["chars"].ngram_max == 4
    assert build(configured("decoder.weight=0.5").decoder).weight == 0.5


def test_the_seed_reaches_the_model() -> None:
    assert build(configured("seed=77").model).random_state == 77


def test_a_class_of_another_package_is_not_built() -> None:
    with pytest.raises(InputError, match=r"only name classes of pilah and sklearn, not os\.system"):
        build(OmegaConf.create({"parts": [{"_target_": "os.system", "command": "true"}]}))


def test_the_same_seed_gives_the_same_model_bit_for_bit_and_another_seed_another(small_data: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        train(configured(*tiny(small_data, tmp_path / name), f"seed={seed}"))
    one, two, three = ((tmp_path / name / "arrays.npz").read_bytes() for name in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_dumps_of_ones_own_in_capitals_are_learned_from_as_they_will_be_read(
    small_data: Path, own: Path, tmp_path: Path
) -> None:
    for name, change in (("large", str.upper), ("small", str.lower)):
        (tmp_path / name).mkdir()
        for path in own.iterdir():
            rows = [row.split("\t") for row in path.read_text(encoding="utf-8").splitlines()]
            changed = "".join(f"{label}\t{role}\t{change(line)}\n" for label, role, line in rows)
            (tmp_path / name / path.name).write_text(changed, encoding="utf-8")
        chosen = overridden(("data", "own"), small_data, tmp_path / f"{name}-model", tmp_path / name)
        train(configured(*chosen))
    large, small = ((tmp_path / f"{name}-model" / "arrays.npz").read_bytes() for name in ("large", "small"))
    assert large == small


def test_the_card_keeps_the_resolved_configuration(small_data: Path, tmp_path: Path) -> None:
    train(configured(*tiny(small_data, tmp_path), "seed=9", "model=logreg"))
    config = read_card(tmp_path)["config"]
    assert config["model"]["random_state"] == 9
    assert config["data"]["dumps"] == 8
    assert "${" not in json.dumps(config)


@pytest.mark.parametrize(("shares", "points"), [("[]", 2), ("[0.5]", 2), ("[0.25,0.5]", 3)])
def test_a_run_that_is_fitted_again_has_a_learning_curve(
    shares: str, points: int, small_data: Path, own: Path, tmp_path: Path
) -> None:
    usual = [o for o in tiny(small_data, tmp_path) if not o.startswith(("refit", "report"))]
    train(configured(*usual, f"data.dirs=[{own}]", "probe=0.5", "report=full", f"report.learning_curve={shares}"))
    curve = (tmp_path / "report.html").read_text(encoding="utf-8").split('id="learning"')[1].split("<section")[0]
    rows = re.findall(r"<tr><th[^>]*>(\d+)</th>", curve)
    assert len(rows) == points and rows == sorted(rows, key=int)
    assert "composed" not in curve  # the last tagger was fitted on all pieces


def test_a_grid_ends_with_one_table_that_compares_the_runs(small_data: Path, tmp_path: Path) -> None:
    usual = [o for o in small_run(small_data, tmp_path) if not o.startswith(("hydra.run", "output", "data.dumps"))]
    arguments = [
        "-m",
        *usual,
        "data.dumps=6",
        "output=",
        "report=scores",
        f"hydra.sweep.dir={tmp_path}/sweep",
        "decoder=argmax,viterbi",
    ]
    done = run_door("train.py", arguments, env={"COLUMNS": "2000"})
    assert done.returncode == 0, done.stderr.decode()
    out = done.stdout.decode()
    assert out.count("runs, best first") == 1
    table = out[out.index("runs, best first") :]
    assert table.count("decoder=argmax") == table.count("decoder=viterbi") == 2  # a row per run and set: labelled, composed
    for number in (0, 1):
        run = tmp_path / "sweep" / str(number)
        scores = json.loads((run / "scores.json").read_text())
        assert f"{scores['labelled']['macro_f1']:.4f}" in table
        assert (run / "model" / "card.json").exists()
