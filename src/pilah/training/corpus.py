"""The corpus on disk: the pools that dumps are composed from, and folders of labelled dumps.

Only this module of ``training`` reads training text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pilah.labels import UNDECIDED, UNKNOWN_ROLE, LabelSet, Tag
from pilah.page import InputError, decode, parse_labelled, read_bytes

ARTICLE_ROLES = ("title", "byline", "date", "caption", "paragraph", "subheading", "item", "signature", "pagemark")
"""What a row of an article file may be. Items and page marks are written as the roles that `labels.md` knows."""


@dataclass(frozen=True)
class ArticleText:
    """One written article: its topic and its rows ``(role, text)`` in order."""

    topic: str
    rows: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        """The headline of the article, or an empty string."""
        return next((text for role, text in self.rows if role == "title"), "")


@dataclass(frozen=True)
class LanguagePool:
    """Everything written in one language. ``headlines`` are pairs ``(topic, text)``, ``rarer_headings`` further headings."""

    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rarer_headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    furniture: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headlines: tuple[tuple[str, str], ...] = ()
    articles: tuple[ArticleText, ...] = ()


Pools = Mapping[str, LanguagePool]
"""Language code -> what is written in it."""


@dataclass(frozen=True)
class Dump:
    """A labelled dump. ``fold`` says which part of the pools it was made from (cross-fitting keeps parts apart)."""

    name: str
    lines: tuple[str, ...]
    tags: tuple[Tag, ...]
    fold: int = 0

    @property
    def labels(self) -> list[str]:
        """The label of every line."""
        return [label for label, _ in self.tags]


def read_yaml(path: Path, plain: bool = False) -> dict[str, Any]:
    """One YAML file of the data folder; an absent one is empty.

    With ``plain`` every value and key is text: YAML takes the language code ``no`` for a truth value.
    """
    if not path.exists():
        return {}
    try:
        name = "BaseLoader" if plain else "SafeLoader"
        loader = getattr(yaml, f"C{name}", getattr(yaml, name))  # in C, ten times as fast, where PyYAML was built with it
        return yaml.load(decode(read_bytes(str(path)), str(path)), loader) or {}
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None


def read_pools(folder: str | Path, wide: bool = False, sections: bool = True) -> dict[str, LanguagePool]:
    """Read the pools of a data folder.

    Parameters
    ----------
    wide : bool
        With the further headings and pieces in ``wide/``.
    sections : bool
        With the further names of sections there, too.

    Raises
    ------
    InputError
        If there are no pools, or a row has an unknown form (the message names file and row).
    """
    folder = Path(folder)
    further = {"pieces": ["pieces", "sections"]} if sections else {}
    named = {
        name: _lists(
            [folder / f"{name}.yaml", *(folder / "wide" / f"{file}.yaml" for file in further.get(name, [name]) if wide)]
        )
        for name in ("headings", "headings_more", "pieces", "furniture")
    }
    more = named.pop("headings_more")
    languages = sorted({*named["headings"], *(p.name for p in folder.glob("headlines/*"))})
    if not languages:
        raise InputError(f"{folder} holds no pools: expected headings.yaml, headlines/ and articles/ in it")
    return {
        language: LanguagePool(
            **{name: lists.get(language, {}) for name, lists in named.items()},
            rarer_headings=more.get(language, {}),
            headlines=tuple(h for f in sorted(folder.glob(f"headlines/{language}/*.tsv")) for h in _headlines(f)),
            articles=tuple(a for f in sorted(folder.glob(f"articles/{language}/*.tsv")) for a in _articles(f)),
        )
        for language in languages
    }


def read_layouts(folder: str | Path, wide: bool = False) -> dict[str, Any]:
    """How pages look: ``layouts.yaml``, with what ``wide/layouts.yaml`` says otherwise where that is asked for."""
    found = read_yaml(Path(folder) / "layouts.yaml")
    if wide:
        for group, chances in read_yaml(Path(folder) / "wide" / "layouts.yaml").items():
            found[group] = {**found.get(group, {}), **chances}
    return found


def _lists(paths: Sequence[Path]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Language -> kind -> phrases, those of each file behind those of the files before it."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for path in paths:
        for language, kinds in read_yaml(path, plain=True).items():
            lists = found.setdefault(language, {})
            for kind, phrases in (kinds or {}).items():
                lists[kind] = (*lists.get(kind, ()), *(str(phrase) for phrase in phrases or ()))
    return found


def _rows(path: Path) -> list[tuple[int, str]]:
    return list(enumerate(decode(read_bytes(str(path)), str(path)).split("\n"), 1))


def _headlines(path: Path) -> Iterable[tuple[str, str]]:
    for number, row in _rows(path):
        topic, tab, text = row.partition("\t")
        if row and not (topic and tab and text.strip()):
            raise InputError(f"{path}, row {number}: expected topic<TAB>headline")
        if row:
            yield topic, text.strip()


def _articles(path: Path) -> Iterable[ArticleText]:
    topic = ""
    rows: list[tuple[str, str]] = []
    for number, row in [*_rows(path), (0, "")]:
        role, _, text = row.partition("\t")
        if not row.strip():
            if rows:
                yield ArticleText(topic, tuple(rows))
            topic, rows = "", []
        elif role == "topic" and not rows:
            topic = text.strip()
        elif role in ARTICLE_ROLES and text.strip():
            rows.append((role, text.strip()))
        else:
            raise InputError(f"{path}, row {number}: expected one of {', '.join(ARTICLE_ROLES)}, a tab and a text")


def read_labelled(folders: Iterable[str | Path], labels: LabelSet | None = None) -> list[Dump]:
    """Labelled dumps (``*.tsv``) below some folders, in the order of their names.

    Parameters
    ----------
    labels : LabelSet, optional
        Checks the labels; a role that the set does not have counts as not annotated.

    Raises
    ------
    InputError
        If a folder is missing or holds no dump, or a label is not in the set.
    """
    dumps = []
    for folder in map(Path, folders):
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.tsv"))
        if not files:
            raise InputError(f"{folder} holds no labelled dump (*.tsv with label<TAB>role<TAB>text rows)")
        for file in files:
            lines, tags = parse_labelled(decode(read_bytes(str(file)), str(file)), str(file))
            if labels is not None:
                tags = [_known(tag, labels, file, number) for number, tag in enumerate(tags, 1)]
            name = str(file.relative_to(folder).with_suffix("")) if file != folder else file.stem
            dumps.append(Dump(name, tuple(lines), tuple(tags)))
    return dumps


def _known(tag: Tag, labels: LabelSet, file: Path, number: int) -> Tag:
    label, role = tag
    if label == UNDECIDED:
        return (UNDECIDED, UNKNOWN_ROLE)
    if label not in labels.names:
        raise InputError(f"{file}, row {number}: label '{label}' is not one of {', '.join(labels.names)}")
    return (label, role if role in labels.roles_of(label) else UNKNOWN_ROLE)


def digest(folder: str | Path, extra: Sequence[str | Path] = (), wide: bool = False) -> str:
    """A SHA-256 over what a model is trained on: the pools of a folder and any further folders of dumps.

    It is the same on every machine: names relative to the folder, contents, nothing else.
    """
    folder = Path(folder)
    total = hashlib.sha256()
    files = [folder / f"{name}.yaml" for name in ("headings", "headings_more", "pieces", "furniture", "layouts")]
    files += sorted(folder.glob("wide/*.yaml")) if wide else []
    files += sorted([*folder.glob("headlines/*/*.tsv"), *folder.glob("articles/*/*.tsv")])
    pairs = [(str(file.relative_to(folder)), file) for file in files if file.exists()]
    pairs += [(str(file.relative_to(more)), file) for more in map(Path, extra) for file in sorted(more.rglob("*.tsv"))]
    for name, file in pairs:
        total.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
