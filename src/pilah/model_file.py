"""Trained models on disk: a folder with ``card.json`` and ``arrays.npz``. Arrays and JSON, never a pickle.

A card says everything about a model that a reader may ask: format, labels, configuration, data, versions, scores.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.columns import LABEL_COLUMNS, page_feature_names
from pilah.context import ChainCRF, Perceptron, Stacked
from pilah.decoding import Argmax, Transitions, Viterbi
from pilah.features import Characters, Edges, Facts, LineScorer, Phrases, Words
from pilah.labels import LabelSet
from pilah.page import InputError, write_whole
from pilah.tagger import LineTagger

FORMAT = 2
"""Version of the layout of a model folder; a reader refuses another one."""

SHIPPED = Path(__file__).parent / "shipped"
"""Where the models that come with the package are."""

_KNOWN: Mapping[str, type[Any]] = {
    c.__name__: c for c in (Words, Characters, Edges, Phrases, Facts, ChainCRF, Stacked, Perceptron, Argmax, Viterbi)
}


def save_model(tagger: LineTagger, folder: Path, card: Mapping[str, Any]) -> None:
    """Write a fitted tagger into a folder.

    Parameters
    ----------
    card : mapping
        What else the card should say (configuration, data digest, scores, versions): JSON-ready.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    arrays: dict[str, NDArray[Any]] = {
        "coef": tagger.scorer_.coef.astype(np.float16),
        "intercept": tagger.scorer_.intercept,
        "between": tagger.transitions_.between,
        "start": tagger.transitions_.start,
        "stop": tagger.transitions_.stop,
    }
    parts = []
    for name, part in tagger.scorer_.parts.items():
        parts.append({"name": name, **_described(part)})
        if not isinstance(part, Facts):
            arrays[f"vocabulary.{name}"] = np.frombuffer("\n".join(part.vocabulary_).encode(), np.uint8)
            arrays[f"idf.{name}"] = getattr(part, "idf_", np.zeros(0, np.float32))
    if tagger.context is not None:
        arrays["weights"] = tagger.context_.weights_
        arrays["type_of"] = tagger.context_.type_of_
        if tagger.context_.by_label:
            arrays["label_weights"] = tagger.context_.label_weights_
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            # a fixed date: the same model is the same file
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue(), zipfile.ZIP_DEFLATED)
    payload = buffer.getvalue()
    description = {
        "format": FORMAT,
        "labels": tagger.labels.to_dict(),
        "tags": [list(tag) for tag in tagger.tags_],
        "types": list(tagger.types_),
        "parts": parts,
        "context": None if tagger.context is None else _described(tagger.context_),
        "decoder": _described(tagger.decoder),
        "body_bias": tagger.body_bias,
        "body_gap": tagger.body_gap,
        "sha256": hashlib.sha256(payload).hexdigest(),
        **card,
    }
    write_whole(folder / "arrays.npz", payload)
    write_whole(folder / "card.json", json.dumps(description, ensure_ascii=False, indent=1) + "\n")


def _described(thing: Any) -> dict[str, Any]:
    return {"class": type(thing).__name__, "params": thing.get_params()}


def _built(description: Mapping[str, Any]) -> Any:
    return _KNOWN[description["class"]](**description["params"])


def model_folder(name_or_dir: str) -> Path:
    """The folder of a model: a shipped one by name, any other by its path.

    Raises
    ------
    InputError
        If there is neither.
    """
    shipped = sorted(p.parent.name for p in SHIPPED.glob("*/card.json"))
    if name_or_dir in shipped:
        return SHIPPED / name_or_dir
    if os.path.isfile(os.path.join(name_or_dir, "card.json")):
        return Path(name_or_dir)
    raise InputError(f"there is no model '{name_or_dir}': say {' or '.join(shipped)}, or a folder that holds a card.json")


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model.

    Raises
    ------
    InputError
        If it is damaged, not of this project, or of another format version.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the model in {folder} cannot be read: {error}") from None
    if not isinstance(card, dict) or "sha256" not in card or "format" not in card:
        raise InputError(f"{folder}/card.json is not the card of a pilah model")
    if card["format"] != FORMAT:
        raise InputError(
            f"the model in {folder} has format {card['format']}, this version reads format {FORMAT}: train it again"
        )
    return card


def load_model(name_or_dir: str) -> LineTagger:
    """A tagger from a model folder, ready to predict (not to be fitted further).

    Raises
    ------
    InputError
        If there is no such model, or it is damaged or foreign.
    """
    folder = model_folder(name_or_dir)
    card = read_card(folder)
    try:
        payload = (folder / "arrays.npz").read_bytes()
        if hashlib.sha256(payload).hexdigest() != card["sha256"]:
            raise InputError(f"the model in {folder} is damaged: arrays.npz is not what its card says")
        with np.load(io.BytesIO(payload), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _assembled(card, arrays)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the model in {folder} cannot be read: {type(error).__name__} {error}") from None


def _assembled(card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LineTagger:
    parts: dict[str, Any] = {}
    for description in card["parts"]:
        part, name = _built(description), description["name"]
        if not isinstance(part, Facts):
            pieces = arrays[f"vocabulary.{name}"].tobytes().decode().split("\n")
            part.vocabulary_ = dict(zip(pieces, range(len(pieces)), strict=True)) if pieces != [""] else {}
            part.idf_ = arrays[f"idf.{name}"]
        parts[name] = part
    tags: Sequence[Any] = card["tags"]
    tagger = LineTagger(
        LabelSet(**card["labels"]), parts, None, None, _built(card["decoder"]), card["body_bias"], card["body_gap"]
    )
    tagger.tags_ = tuple((label, role) for label, role in tags)
    tagger.types_ = tuple(card["types"])
    tagger.scorer_ = LineScorer(parts, arrays["coef"].astype(np.float32), arrays["intercept"])
    tagger.transitions_ = Transitions(arrays["between"], arrays["start"], arrays["stop"])
    if card["context"] is not None:
        tagger.context = tagger.context_ = _built(card["context"])
        tagger.context_.weights_ = arrays["weights"]
        columns = len(page_feature_names(tagger.types_, tagger.type_groups(), tagger.context_.window))
        if len(arrays["weights"]) != columns:
            raise InputError(
                f"the model looks at {len(arrays['weights'])} columns of a page, this version at {columns}: train it again"
            )
        if tagger.context_.by_label:
            tagger.context_.label_weights_ = arrays["label_weights"]
            columns, known = len(LABEL_COLUMNS), tagger.context_.label_weights_.shape
            if known != (columns, len(tags)):
                raise InputError(f"the model has label weights of shape {known}, not {(columns, len(tags))}: train it again")
        tagger.context_.type_of_ = type_of = arrays["type_of"]
        types = arrays["weights"].shape[1]
        if len(type_of) != len(tags) or np.any((type_of < 0) | (type_of >= types)):  # scores are taken without a look at that
            raise InputError(f"the model gives its {len(tags)} tags other types than the {types} that it has: train it again")
        tagger.context_.transitions_ = tagger.transitions_
    return tagger
