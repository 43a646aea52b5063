"""pilah: sort the lines of a news page's text dump, and rebuild the article from them.

>>> import pilah
>>> article = pilah.reconstruct("Hujan deras mengguyur Kalimati sejak Senin malam, kata Kepala Desa Sutarno.\\n"
...                             "Warga diminta menjauhi bantaran sungai sampai air surut.\\n"
...                             "Terpopuler\\n- Resep Soto Banjar Rumahan\\n- Jadwal Kereta Lebaran Dibuka Besok\\n")
>>> [(section.label, section.heading, len(section.items)) for section in article.sections]
[('popular', 'Terpopuler', 2)]
>>> tagger = pilah.load_tagger()
>>> tagger.predict([["Berita Terkait", "-", "Sungai Awi Meluap, Tiga Dusun Terendam"]])
[['related', 'related', 'related']]
"""

from __future__ import annotations

from functools import lru_cache

from pilah.article import Article, build_article
from pilah.labels import LabelSet
from pilah.model_file import load_model
from pilah.page import InputError, Page
from pilah.sections import Item, Section
from pilah.tagger import LineTagger, TaggedLine

__all__ = [
    "Article",
    "InputError",
    "Item",
    "LabelSet",
    "LineTagger",
    "Page",
    "Section",
    "TaggedLine",
    "load_tagger",
    "reconstruct",
]
__version__ = "0.1.0"


@lru_cache(maxsize=4)
def load_tagger(name_or_dir: str = "default") -> LineTagger:
    """A trained tagger: a shipped one by name (``default`` knows five labels), or any model folder by its path.

    Raises
    ------
    InputError
        If there is no such model, or it is damaged.
    """
    return load_model(name_or_dir)


def reconstruct(text: str, model: str = "default", source: str = "") -> Article:
    """Rebuild the article in the text of a dump (one line per block of the page)."""
    page = Page.from_text(text, source)
    tagger = load_tagger(model)
    return build_article(page, tagger.tag([page.lines])[0])
