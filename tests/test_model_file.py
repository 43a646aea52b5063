"""Models on disk: the same answers, and never code out of a file."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import toy_pages, toy_tagger

from pilah import model_file
from pilah.model_file import load_model, model_folder, read_card, save_model
from pilah.page import InputError
from pilah.tagger import LineTagger

PAGES = [*toy_pages(6, first=500)[0], ["سوق المدينة", "", "Terkini", "雨が降った。"], []]


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a card on disk."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    change(card)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def put_arrays(folder: Path, payload: bytes) -> None:
    """Put other arrays into a model, with a card that vouches for them."""
    (folder / "arrays.npz").write_bytes(payload)
    rewrite(folder, lambda card: card.update(sha256=hashlib.sha256(payload).hexdigest()))


@pytest.fixture
def copy(model_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


def test_a_model_answers_alike_before_and_after_it_is_saved(tagger: LineTagger, model_dir: Path) -> None:
    before, after = tagger.tag(PAGES), load_model(str(model_dir)).tag(PAGES)
    assert [[(x.label, x.role) for x in page] for page in after] == [[(x.label, x.role) for x in page] for page in before]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose([x.confidence for x in one], [x.confidence for x in other], atol=1e-6)


@pytest.mark.parametrize(
    "overrides", [["decoder=argmax"], ["features=facts"], ["features=words", "model=logreg"], ["model=majority"]]
)
@pytest.mark.parametrize("passes", [1, 2])
def test_every_kind_of_tagger_can_be_saved(overrides: list[str], passes: int, tmp_path: Path) -> None:
    toy = toy_tagger(*overrides, body_bias=0.25, body_gap=30.0)
    fitted = (toy if passes == 2 else toy.set_params(context=None)).fit(*toy_pages(8))
    save_model(fitted, tmp_path, {})
    loaded = load_model(str(tmp_path))
    assert (loaded.body_bias, loaded.body_gap) == (0.25, 30.0)
    assert loaded.predict(PAGES) == fitted.predict(PAGES)


def test_a_saved_model_is_saved_again_as_the_same_bytes(model_dir: Path, tmp_path: Path) -> None:
    save_model(load_model(str(model_dir)), tmp_path, {"note": "a toy"})
    assert (tmp_path / "arrays.npz").read_bytes() == (model_dir / "arrays.npz").read_bytes()
    assert (tmp_path / "card.json").read_bytes() == (model_dir / "card.json").read_bytes()


def test_the_card_keeps_what_it_was_given(model_dir: Path, tagger: LineTagger) -> None:
    card = read_card(model_dir)
    assert card["note"] == "a toy"
    assert card["format"] == model_file.FORMAT
    assert card["labels"] == tagger.labels.to_dict()


def test_a_model_has_a_folder_of_its_own_and_two_files(model_dir: Path) -> None:
    assert sorted(p.name for p in model_dir.iterdir()) == ["arrays.npz", "card.json"]


def test_a_model_may_be_shipped_under_a_name(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(model_dir, tmp_path / "default")
    monkeypatch.setattr(model_file, "SHIPPED", tmp_path)
    assert model_folder("default") == tmp_path / "default"
    with pytest.raises(InputError, match="there is no model 'raw': say default, or a folder"):
        model_folder("raw")


@pytest.mark.parametrize("name", ["no-such-model", "", "x" * 5000, "a\0b"])
def test_a_model_that_is_not_there_is_said_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="there is no model"):
        load_model(name)


# ---------------------------------------------------------------------------------------- damaged, foreign, hostile


@pytest.mark.parametrize("cut", [0, 1, -1, 1000])
def test_truncated_arrays_are_damage(copy: Path, cut: int) -> None:
    (copy / "arrays.npz").write_bytes((copy / "arrays.npz").read_bytes()[:cut])
    with pytest.raises(InputError, match="is damaged"):
        load_model(str(copy))


def test_one_flipped_bit_is_damage(copy: Path) -> None:
    data = bytearray((copy / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "arrays.npz").write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        load_model(str(copy))


def test_a_card_without_arrays_cannot_be_read(copy: Path) -> None:
    (copy / "arrays.npz").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_model(str(copy))


@pytest.mark.parametrize("card", [b"", b"{", b"\xff\xfe", b"\x00", b"[1, 2]", b"null", b'{"name": "other"}', b'{"format": 1}'])
def test_a_foreign_card_is_refused(copy: Path, card: bytes) -> None:
    (copy / "card.json").write_bytes(card)
    with pytest.raises(InputError, match=r"cannot be read|is not the card of a pilah model"):
        load_model(str(copy))


@pytest.mark.parametrize("version", [0, 99, "1.0", None])
def test_another_format_is_refused_and_says_what_to_do(copy: Path, version: object) -> None:
    rewrite(copy, lambda card: card.update(format=version))
    with pytest.raises(InputError, match="train it again"):
        load_model(str(copy))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no parts": lambda card: card.pop("parts"),
    "parts of another type": lambda card: card.update(parts="abc"),
    "a part without a class": lambda card: card["parts"][0].pop("class"),
    "a class of another program": lambda card: card["decoder"].update({"class": "os.system"}),
    "a class of pilah that is no part": lambda card: card["decoder"].update({"class": "Path"}),
    "unknown parameters": lambda card: card["decoder"].update(params={"wieght": 1}),
    "a part that has no arrays": lambda card: card["parts"][0].update(name="nonsense"),
    "labels twice": lambda card: card["labels"].update(names=["body", "body"]),
    "labels as a list": lambda card: card.update(labels=["body"]),
    "tags of one column": lambda card: card.update(tags=[["body"]]),
    "no tags": lambda card: card.pop("tags"),
    "a digest of another type": lambda card: card.update(sha256=5),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_card_that_makes_no_sense_is_refused(copy: Path, change: str) -> None:
    rewrite(copy, CHANGES[change])
    with pytest.raises(InputError) as caught:
        load_model(str(copy))
    assert len(str(caught.value).splitlines()) == 1


class Trap:
    """What pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("trapped"),))


def test_an_array_of_objects_is_never_unpickled(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with np.load(copy / "arrays.npz") as file:
        arrays: dict[str, Any] = {name: file[name] for name in file.files}
    trap = np.empty(1, object)
    trap[0] = Trap()
    for name in arrays:
        buffer = io.BytesIO()
        np.savez(buffer, **{**arrays, name: trap})  # a vouched-for archive with the trap in place of one array
        put_arrays(copy, buffer.getvalue())
        with pytest.raises(InputError, match="Object arrays cannot be loaded"):
            load_model(str(copy))
    assert not Path("trapped").exists()


def test_a_pickle_in_place_of_the_arrays_is_never_unpickled(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put_arrays(copy, pickle.dumps(Trap()))
    with pytest.raises(InputError, match="cannot be read"):
        load_model(str(copy))
    assert not Path("trapped").exists()


def _broken_stream() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("coef.npy", b"x" * 1000)
    data = bytearray(buffer.getvalue())
    data[38] ^= 0xFF  # the first byte of the compressed stream
    return bytes(data)


@pytest.mark.parametrize(
    "payload", [b"", b"PK\x03\x04", b"Hujan reda.", _broken_stream()], ids=["empty", "half a zip", "text", "broken stream"]
)
def test_arrays_that_are_none_are_refused_even_when_the_card_vouches_for_them(copy: Path, payload: bytes) -> None:
    put_arrays(copy, payload)
    with pytest.raises(InputError, match="cannot be read"):
        load_model(str(copy))


def test_a_plain_array_in_place_of_the_archive_is_refused(copy: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    put_arrays(copy, buffer.getvalue())
    with pytest.raises(InputError, match="cannot be read"):
        load_model(str(copy))


def test_a_model_that_cannot_be_written_is_said_so(tagger: LineTagger, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file in place of the folder")
    with pytest.raises(InputError, match="cannot be written"):
        save_model(tagger, tmp_path / "model", {})
    assert (tmp_path / "model").read_text() == "a file in place of the folder"


def test_tags_of_a_type_that_the_model_does_not_have_are_refused(tmp_path: Path) -> None:
    tagger = toy_tagger().fit(*toy_pages(8))
    tagger.context_.type_of_ = tagger.context_.type_of_ + 100
    save_model(tagger, tmp_path / "model", {})
    with pytest.raises(InputError, match="other types than the"):
        load_model(str(tmp_path / "model"))
