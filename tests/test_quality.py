"""Scores of the shipped models do not fall: floors only rise, and a model that is older than its data is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT

from pilah.model_file import load_model, model_folder, read_card
from pilah.training.corpus import digest, read_labelled
from pilah.training.evaluate import score

FLOORS = json.loads((ROOT / "tests/quality/floors.json").read_text(encoding="utf-8"))
REAL = ROOT.parent / "shared" / "real" / "dev"
CASES = [(model, folder) for model, sets in FLOORS.items() for folder in sets]


def _folder(name: str) -> Path:
    if name.startswith("real/"):
        folder = REAL / name.removeprefix("real/")
        if not folder.is_dir():
            pytest.skip(f"the real pages of {name} are not beside this checkout")
        return folder
    return ROOT / name


@pytest.mark.parametrize(("model", "name"), CASES)
def test_no_score_is_below_its_floor(model: str, name: str) -> None:
    dumps = read_labelled([_folder(name)])
    predicted = load_model(model).predict([dump.lines for dump in dumps])
    found = score(zip([dump.labels for dump in dumps], predicted, strict=True)).to_dict()
    for figure, floor in FLOORS[model][name].items():
        assert found[figure] >= floor, f"{name}: {figure} is {found[figure]:.4f}, the floor is {floor}"


@pytest.mark.parametrize("model", sorted(FLOORS))
def test_a_shipped_model_was_trained_on_the_data_as_it_is_now(model: str) -> None:
    card = read_card(model_folder(model))
    assert card["data_digest"] == digest(ROOT / "data", wide=card["config"]["data"].get("wide", False)), (
        f"train {model} again: data/ has changed since"
    )


@pytest.mark.parametrize("model", sorted(FLOORS))
def test_a_shipped_model_is_small_and_says_where_it_comes_from(model: str) -> None:
    folder = model_folder(model)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 5_000_000
    card = read_card(folder)
    assert {"format", "labels", "config", "data_digest", "versions", "scores"} <= set(card)


def test_lines_below_nine_tenths_of_confidence_are_wrong_more_often_than_the_others() -> None:
    dumps = read_labelled([ROOT / "data/labelled"])
    tagged = load_model("default").tag([dump.lines for dump in dumps])
    pairs = [
        (g == line.label, line.confidence < 0.9)
        for d, lines in zip(dumps, tagged, strict=True)
        for g, line in zip(d.labels, lines, strict=True)
    ]
    wrong = {doubtful: [not right for right, d in pairs if d is doubtful] for doubtful in (True, False)}
    assert sum(wrong[True]) / len(wrong[True]) > 2 * sum(wrong[False]) / len(wrong[False])
