"""The datatrove step says the same of a document as a labelled corpus does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from batch_fixtures import rows, settings_for, write_json

from pilah.batch.corpus import label_corpus
from pilah.batch.engines import Engine

pytest.importorskip("datatrove", reason="the extra 'datatrove' is not installed")


def test_the_step_labels_documents_in_a_pipeline_of_two_tasks(model_dir: Path, tmp_path: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    from pilah.datatrove import LineLabels

    for i in range(2):
        write_json(tmp_path / "in" / f"{i}.jsonl", 20, 20 * i)
    assert label_corpus([str(tmp_path / "in")], settings_for(model_dir, tmp_path / "out"), Engine()) == 0
    written = (line for i in range(2) for line in (tmp_path / "out" / "in" / f"{i}.jsonl").read_bytes().splitlines())
    expected = {record["url"]: record for record in map(json.loads, written)}
    pipeline = [
        JsonlReader(str(tmp_path / "in")),
        LineLabels(str(model_dir), batch_size=7),
        JsonlWriter(str(tmp_path / "trove")),
    ]
    LocalPipelineExecutor(pipeline, tasks=2, workers=1, logging_dir=str(tmp_path / "logs")).run()
    files = sorted((tmp_path / "trove").glob("*.jsonl.gz"))
    documents = [json.loads(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert len(files) == 2 and sorted(d["metadata"]["url"] for d in documents) == sorted(expected)
    for document in documents:
        known = expected[document["metadata"]["url"]]
        assert document["text"] == known["text"]
        assert all(document["metadata"][name] == known[name] for name in ("labels", "body", "sections"))


def test_the_body_can_take_the_place_of_the_text(model_dir: Path) -> None:
    from datatrove.data import Document

    from pilah.datatrove import LineLabels

    def documents() -> list[Document]:
        return [*(Document(row["text"], str(row["id"])) for row in rows(12)), Document("", "empty")]

    labelled = LineLabels(str(model_dir)).run(documents())
    bodies = {document.id: document.metadata["body"] for document in labelled}
    found = {document.id: document.text for document in LineLabels(str(model_dir), only_body=True).run(documents())}
    assert bodies["empty"] == "" and found == {name: text for name, text in bodies.items() if text}
    assert 0 < len(found) < len(bodies)
