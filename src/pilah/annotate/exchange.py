"""Labelled dumps to and from other annotation tools: Label Studio's JSON and doccano's JSON lines.

Both mark spans of characters. A line is one span, called ``label/role``, or ``label`` where the role is not known; on
the way back a span may also cover many lines, and a line belongs to the span that holds most of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from pilah.annotate.store import Store
from pilah.labels import UNDECIDED, UNKNOWN_ROLE, Tag
from pilah.page import InputError, Page, decode, read_bytes, write_whole

Span = tuple[int, int, str]
"""First character, character after the last, what it is called."""

Document = tuple[str, str, list[Span]]
"""Name, text and spans of a dump."""


def to_spans(lines: Sequence[str], tags: Sequence[Tag]) -> list[Span]:
    """One span for every decided line that has a character, in the text of the lines joined by line feeds.

    >>> to_spans(["Baca Juga", "", "Hujan reda"], [("related", "heading"), ("body", "."), ("body", ".")])
    [(0, 9, 'related/heading'), (11, 21, 'body')]
    """
    spans, start = [], 0
    for line, (label, role) in zip(lines, tags, strict=True):
        if line and label != UNDECIDED:
            spans.append((start, start + len(line), label if role == UNKNOWN_ROLE else f"{label}/{role}"))
        start += len(line) + 1
    return spans


def to_tags(lines: Sequence[str], spans: Sequence[Span]) -> list[Tag]:
    """Tags of lines from spans; ``?`` where no span is. A blank line is what stands above it.

    >>> to_tags(["Baca Juga", "", "Hujan reda"], [(0, 9, "related/heading"), (12, 21, "body")])
    [('related', 'heading'), ('related', '.'), ('body', '.')]
    """
    ordered, tags, start, first = sorted(spans), [], 0, 0
    for line in lines:
        stop = start + len(line)
        while first < len(ordered) and ordered[first][1] <= start:
            first += 1
        near = []
        for a, b, name in ordered[first:]:
            if a >= stop:
                break
            near.append((min(b, stop) - max(a, start), name))
        label, _, role = max(near, default=(0, UNDECIDED), key=lambda pair: pair[0])[1].partition("/")
        tags.append((label, role or UNKNOWN_ROLE))
        if not line.strip() and not near and len(tags) > 1:
            tags[-1] = (tags[-2][0], UNKNOWN_ROLE)
        start = stop + 1
    return tags


def write_labelstudio(documents: Sequence[Document]) -> str:
    """Label Studio tasks; control ``label`` on object ``text`` (see `labelling_config`)."""
    tasks = []
    for name, text, spans in documents:
        result = [
            {
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {"start": a, "end": b, "text": text[a:b], "labels": [of]},
            }
            for a, b, of in spans
        ]
        tasks.append({"data": {"text": text, "name": name}, "annotations": [{"result": result}] if result else []})
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def labelling_config(documents: Sequence[Document]) -> str:
    """What to paste as the labelling interface of a Label Studio project."""
    names = sorted({name for _, _, spans in documents for _, _, name in spans})
    inside = "".join(f"<Label value={quoteattr(name)}/>" for name in names)
    return f'<View><Labels name="label" toName="text">{inside}</Labels><Text name="text" value="$text"/></View>'


def read_labelstudio(text: str) -> Iterator[Document]:
    """Label Studio tasks, in the form of its JSON export or of JSON-MIN; of several annotations the last counts."""
    for number, task in enumerate(json.loads(text), 1):
        data = task.get("data", task)
        annotations = task.get("annotations") or [{}]
        values = [region["value"] for region in annotations[-1].get("result", []) if region.get("type") == "labels"]
        values += task.get("label", []) if data is task else []
        spans = [(int(value["start"]), int(value["end"]), str(value["labels"][0])) for value in values]
        yield str(data.get("name") or f"task-{task.get('id', number)}"), data["text"], spans


def write_doccano(documents: Sequence[Document]) -> str:
    """JSON lines for doccano's sequence labelling."""
    return "".join(
        json.dumps({"text": text, "label": [list(span) for span in spans], "name": name}, ensure_ascii=False) + "\n"
        for name, text, spans in documents
    )


def read_doccano(text: str) -> Iterator[Document]:
    """JSON lines of doccano, with ``label`` (or ``labels``) or in its relation form with ``entities``."""
    for number, row in enumerate((row for row in text.split("\n") if row.strip()), 1):
        task = json.loads(row)
        spans = [(int(a), int(b), str(name)) for a, b, name in task.get("label", task.get("labels", []))]
        spans += [(int(e["start_offset"]), int(e["end_offset"]), str(e["label"])) for e in task.get("entities", [])]
        yield str(task.get("name") or f"task-{task.get('id', number)}"), task["text"], spans


FORMATS: dict[str, tuple[Callable[[Sequence[Document]], str], Callable[[str], Iterator[Document]]]] = {
    "labelstudio": (write_labelstudio, read_labelstudio),
    "doccano": (write_doccano, read_doccano),
}


def export(store: Store, kind: str, output: Path) -> tuple[int, str]:
    """Write all dumps of a folder into one file; how many they were, and Label Studio's interface for them."""
    works = [(name, store.read(name)) for name in store.names()]
    documents = [(name, "\n".join(work.page.lines), to_spans(work.page.lines, work.tags)) for name, work in works]
    write_whole(output, FORMATS[kind][0](documents))
    return len(documents), labelling_config(documents)


def bring_in(store: Store, kind: str, source: Path, overwrite: bool = False) -> int:
    """Put the dumps of a file into the folder; how many were new or changed.

    Raises
    ------
    InputError
        If the file is not of this kind, or a dump is in the folder with other lines or labels.
    """
    text = decode(read_bytes(str(source)), str(source))
    found = []
    try:
        for name, content, spans in FORMATS[kind][1](text):
            page = Page.from_text(decode((content.removesuffix("\n") + "\n").encode(), name))
            found.append((name, page, to_tags(page.lines, spans)))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is not what {kind} exports: {type(error).__name__} {error}") from None
    if len({name for name, _, _ in found}) < len(found):
        raise InputError(f"{source} names two dumps alike")
    new = [dump for dump in found if store.fits(*dump, overwrite)]  # all are looked at before one is written
    for dump in new:
        store.put(*dump)
    return len(new)
