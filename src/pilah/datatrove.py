"""A step for datatrove pipelines that labels documents. Needs the extra ``datatrove``::

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from pilah.datatrove import LineLabels

LocalPipelineExecutor([JsonlReader("corpus/"), LineLabels(), JsonlWriter("out/")], tasks=8).run()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from pilah import load_tagger
from pilah.article import build_article
from pilah.page import Page
from pilah.render import body


class LineLabels(PipelineStep):
    """Adds ``labels``, ``body`` and ``sections`` to the metadata of every document, as in a labelled corpus.

    Parameters
    ----------
    model : str
        A shipped model or a folder.
    only_body : bool
        Make the body the document's text; a document without one is left out.
    batch_size : int
        Documents that are held and labelled at a time.
    """

    type = "🏷️ - LABELS"
    name = "pilah"

    def __init__(self, model: str = "default", only_body: bool = False, batch_size: int = 256) -> None:
        super().__init__()
        self.model = model
        self.only_body = only_body
        self.batch_size = batch_size

    def run(self, data: Iterable[Document] | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Label documents as they pass. The model is loaded here: a step travels to its worker without it."""
        tagger = load_tagger(self.model)
        documents = iter(data or ())
        while batch := list(islice(documents, self.batch_size)):
            pages = [Page.from_text(document.text, document.id) for document in batch]
            with self.track_time("batch"):
                tagged = tagger.tag([page.lines for page in pages])
            for document, page, tags in zip(batch, pages, tagged, strict=True):
                article = build_article(page, tags)
                text = body(article)
                labels = [line.label for line in article.lines]
                document.metadata |= {
                    "labels": labels,
                    "body": text,
                    "sections": [section.to_dict() for section in article.sections],
                }
                for label in labels:
                    self.stat_update(f"lines_{label}")
                self.stat_update("documents" if text else "documents_without_body")
                if self.only_body:
                    if not text:
                        continue
                    document.text = text
                yield document
