"""Composer: labelled dumps made from the pools in ``data/``, as many as wanted, the same for the same seed.

A page is drawn in the order in which a reader meets it: a site's habits (language, bullets, heading style), an
article, its inline links, then blocks before, inside and after it. Whatever must not matter (order, bullets, ranks,
times, counts, capitals) is drawn without a look at the label; in which order times and counts come is not, since that is what
`latest` and `popular` mean. All chances stand in ``data/layouts.yaml`` and ``data/wide/layouts.yaml``.

It is long because a page is one program: what a site does to its blocks, its article and its furniture hangs together.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pilah.labels import Tag
from pilah.training.corpus import ArticleText, Dump, LanguagePool, Pools

Row = tuple[str, str, str]
"""``(label, role, text)``: one line of a dump."""

_CLOCK = re.compile(r"\d[:.h時시]\s?\d\d(?!\d|[.]\d)")
"""A time of the day, and no day: 21.48 and 9h05, but not 12.05.2025."""

TEASER_CHARS = 200
"""Sites give a headline so much text of its article, and seldom more."""

BODY_ROLES = {"item": "paragraph", "pagemark": "signature"}
"""Rows of an article that `labels.md` has no role of their own for."""


@dataclass
class Site:
    """The habits of the site that a page is drawn from, and what has already been used on the page."""

    rng: random.Random
    layouts: Mapping[str, Any]
    pools: Pools
    language: str
    topic: str = ""
    headless: bool = False
    nameless: bool = False
    raw: bool = False
    bullet: tuple[str, str] = ("none", "-")
    outlet: str = ""
    used: list[str] = field(default_factory=list)

    @property
    def pool(self) -> LanguagePool:
        """The texts of the page's language."""
        return self.pools[self.language]

    def chance(self, group: str, name: str) -> bool:
        """True with the chance that the layouts give; one that they do not name is none."""
        share = float(self.layouts.get(group, {}).get(name, 0))
        return share > 0 and self.rng.random() < share

    def draw(self, group: str, name: str) -> Any:
        """One of the weighted choices of the layouts."""
        choices = self.layouts[group][name]
        return self.rng.choices(list(choices), list(choices.values()))[0]

    def piece(self, kind: str) -> str:
        """A short piece (a time, a section, a name, ...) of the language, or of English where it has none."""
        options = self.pool.pieces.get(kind) or self.pools["en"].pieces.get(kind) or ("",)
        return self.fill(self.rng.choice(options))

    def fill(self, text: str) -> str:
        """Put pieces into the slots of a phrase: ``By {name}``."""
        return re.sub(r"\{(\w+)\}", lambda slot: self._slot(slot[1]), text)

    def _slot(self, name: str) -> str:
        if name == "x":
            return "".join(self.rng.choices("abdefghiklmnprstuwy", k=self.rng.randint(2, 4)))
        if name in ("a", "b", "n"):
            return str(self.rng.randint(1, 3) + (name == "b") * 2)
        if name == "CITY":
            return self.piece("city").upper()
        if name == "topic":
            return self.piece("tag")
        if name == "site":
            self.outlet = self.outlet or self.rng.choice(self.pool.pieces.get("site") or ("Kabar Baru",))
            return self.outlet
        return self.piece(name) if name in ("name", "section", "city", "time", "count") else name


def compose_dump(
    pools: Pools,
    layouts: Mapping[str, Any],
    seed: int | str,
    languages: Mapping[str, float],
    furniture: bool = False,
    fold: int = 0,
) -> Dump:
    """One labelled dump.

    Parameters
    ----------
    pools : mapping of str to LanguagePool
        What may be used. English must be among the languages: it lends pieces and headings.
    layouts : mapping
        ``data/layouts.yaml``.
    seed : int or str
        The same seed gives the same dump.
    languages : mapping of str to float
        Weight of each language; one without headlines borrows those of another.
    furniture : bool
        Whether the page keeps its menus, share rows and footers (label ``other``).
    fold : int
        Kept with the dump.
    """
    rng = random.Random(f"pilah {seed}")
    language = rng.choices(list(languages), list(languages.values()))[0]
    site = Site(rng, layouts, pools, language)
    site.headless = not furniture and site.chance("page", "headless")
    site.nameless = site.chance("page", "nameless")
    site.raw = furniture
    site.bullet = (site.draw("item", "bullet"), site.draw("item", "bullet_sign"))
    if not site.pool.articles or not site.pool.headlines:  # known by its headings alone: on another language's page
        texts = rng.choice([p for p in pools.values() if p.articles and p.headlines])
        site.pools = {
            **pools,
            language: replace(
                site.pool, pieces=site.pool.pieces or texts.pieces, headlines=texts.headlines, articles=texts.articles
            ),
        }
    article = rng.choice(site.pool.articles)
    site.topic = article.topic
    front = site.chance("page", "no_article")
    site.headless = site.headless or (front and not furniture and site.chance("page", "front_headless"))
    body = [] if front else _body(site, article)
    before, after = [], []
    if front and not furniture and site.chance("page", "front_stream"):
        before += _stream(site)
    for _ in range(max(front and not before, int(site.draw("page", "blocks")))):
        place = site.draw("page", "place")
        block = _blocks(site, front, teasers=place != "inside" or site.chance("item", "teaser_inside"))
        if furniture and site.chance("raw", "between"):
            block += _furniture(site, rng.randint(1, 8))
        if place == "inside" and len(body) > 3:
            at = rng.randint(2, len(body) - 1)
            body[at:at] = block
        elif place == "before":
            before += block
        else:
            after += block
        if site.chance("page", "repeat_block"):
            after += block
    rows = before + body + after
    if furniture:
        rows = _furnish(site, before, body, after)
    rows = _weather(site, [row for row in rows if row[2].strip()])
    return Dump(f"composed-{seed}", tuple(r[2] for r in rows), tuple((r[0], r[1]) for r in rows), fold)


def _body(site: Site, article: ArticleText) -> list[Row]:
    rng, has = site.rng, partial(site.chance, "article")
    kept = {role: has(role) for role in ("title", "byline", "date", "caption", "signature", "pagemark", "subheading")}
    sign = rng.choice(["- ", "• ", "* ", "– ", "1"]) if has("item_bullets") else ""
    texts = article.rows
    if site.raw and site.chance("raw", "long_read"):  # a long read, a ticker: the paragraphs of further articles
        others = [a for a in site.pool.articles if a.topic == article.topic]
        more = [
            row
            for a in rng.choices(others, k=rng.randint(1, 4))
            for row in a.rows
            if row[0] in ("paragraph", "subheading", "item")
        ]
        last = max((i for i, row in enumerate(texts) if row[0] == "paragraph"), default=len(texts) - 1)
        texts = (*texts[: last + 1], *more, *texts[last + 1 :])
    rows: list[Row] = []
    number = 0
    alone = sign and sign != "1" and rng.random() < 0.3
    for role, text in texts:
        if not kept.get(role, True):
            continue
        number = number + 1 if role == "item" else 0
        if role == "item" and alone:
            rows += [("body", "bullet", sign.strip()), ("body", "paragraph", text)]
            continue
        if role == "item" and sign and not re.match(r"\W|\d", text):
            text = f"{number}. {text}" if sign == "1" else sign + text
        rows.append(("body", BODY_ROLES.get(role, role), text))
    paragraphs = [i for i, row in enumerate(rows) if row[1] == "paragraph"]
    if has("short") and len(paragraphs) > 3:
        rows = rows[: paragraphs[rng.randint(1, 3)]]
    elif has("shortened") and len(paragraphs) > 5:
        rows = rows[: paragraphs[rng.randint(4, len(paragraphs) - 1)]]
    if has("lead_bullets") and len(paragraphs) > 3:
        points = [_teaser(site, cut=False) for _ in range(rng.randint(1, 3))]
        at = 1 if rows[0][1] == "title" else 0
        if rng.random() < 0.5:
            rows[at:at] = [("body", "paragraph", f"{sign or '- '}{point}") for point in points]
        else:
            rows[at:at] = [row for point in points for row in (("body", "bullet", "-"), ("body", "paragraph", point))]
    if len(paragraphs) > 3:
        _made_structure(site, rows)
    _made_rows(site, rows)
    if has("title_only") and rows[:1] and rows[0][1] == "title":
        rows = rows[: rng.randint(1, 2)]
    if has("date_first") and len(rows) > 1:
        dates = [row for row in rows if row[1] == "date"]
        rows = dates + [row for row in rows if row[1] != "date"]
    if rows and has("title_twice"):
        rows.insert(0, ("body", "title", article.title))
    if rows and has("first_bullet"):
        rows.insert(0, ("body", "bullet", "-"))
    if has("lead_twice"):
        lead = next((i for i, row in enumerate(rows) if row[1] == "paragraph"), None)
        if lead is not None:
            rows.insert(lead, rows[lead])
    if site.rng.random() < site.layouts["inline"]["chance"]:
        for _ in range(int(site.draw("inline", "count"))):
            at = rng.randint(min(2, len(rows)), len(rows))
            rows[at:at] = _inline(site)
    return rows


def _made_structure(site: Site, rows: list[Row]) -> None:
    """Headlines as sub-headings (a live ticker, a listicle) and lists of short lines in the body."""
    rng, has = site.rng, partial(site.chance, "article")
    spots = [i for i, row in enumerate(rows) if row[1] == "paragraph"][1:]
    if spots and has("headline_subheadings"):
        ticker = rng.random() < 0.4
        pattern, glue = site.piece("time"), rng.choice([": ", " - ", " – ", " | "])
        for i in sorted(rng.sample(spots, min(len(spots), rng.randint(1, 6))), reverse=True):
            front = _varied(site, pattern, "time") + glue if ticker else ""
            rows.insert(i, ("body", "subheading", front + _headline(site)))
    if spots and has("made_list"):
        form = rng.choice(
            [
                ["time", "city"],
                ["city", "name"],
                ["name", "count"],
                ["tag", "count"],
                ["section", "name"],
                ["tag"],
                ["name", "city"],
                ["time", "tag"],
            ]
        )
        glue, sign = rng.choice([" – ", ": ", ", ", " - ", " | ", " "]), rng.choice(["", "", "", "- ", "• ", "1"])
        lines = [glue.join(site.piece(kind) for kind in form) for _ in range(rng.choice([3, 4, 5, 6, 8, 12, 20]))]
        at = rng.choice(spots)
        rows[at:at] = [("body", "paragraph", (f"{k}. " if sign == "1" else sign) + line) for k, line in enumerate(lines, 1)]


def _made_rows(site: Site, rows: list[Row]) -> None:
    rng, has = site.rng, partial(site.chance, "article")
    roles = {row[1] for row in rows}
    top = 1 if rows and rows[0][1] == "title" else 0
    if "byline" not in roles and has("made_byline"):
        at = len(rows) if rng.random() < 0.3 else top
        rows.insert(at, ("body", "byline", site.piece("byline")))
    if "date" not in roles and has("made_date"):
        rows.insert(rng.randint(0, min(top + 1, len(rows))), ("body", "date", site.piece("time")))
    first = next((i for i, row in enumerate(rows) if row[1] == "paragraph"), None)
    if first is not None and has("made_dateline"):
        line = site.piece("dateline")
        if rng.random() < 0.12:
            rows.insert(first, ("body", "paragraph", line.strip()))
        else:
            rows[first] = ("body", "paragraph", line + rows[first][2])
    if "caption" not in roles and has("made_caption"):
        credit = site.piece("caption_credit")
        text = credit if rng.random() < 0.4 else f"{_headline(site)} {credit}"
        rows.insert(rng.randint(0, min(3, len(rows))), ("body", "caption", text))
    if "signature" not in roles and has("made_signature"):
        rows.append(("body", "signature", site.piece("signature")))
    if has("made_credits"):  # who wrote, edited and owns it, a line each
        kinds = rng.sample(["byline", "byline", "signature"], rng.randint(1, 3))
        rows += [("body", kind, site.piece(kind)) for kind in kinds]
    if has("made_note"):
        kind = rng.choice(["newsletter_in_body", "embed_note", "embed_note"])
        at = len(rows) if has("note_last") else rng.randint(len(rows) // 2, len(rows))
        rows.insert(at, ("body", "paragraph", site.piece(kind)))
    if has("pagemark") and rng.random() < 0.3:
        rows.insert(rng.randint(len(rows) // 2, len(rows)), ("body", "signature", site.piece("pagemark")))


def _inline(site: Site) -> list[Row]:
    form = site.draw("inline", "form")
    prefix = site.piece("read_also")
    if form == "line":
        glue = "" if prefix.endswith(" ") else " "
        row = f"{prefix}{glue}{_headline(site, site.topic)}"
        return [("related", "link", ("- " if site.rng.random() < 0.05 else "") + row)]
    if form == "bare":
        return [("related", "heading", prefix.rstrip()), ("related", "headline", _headline(site, site.topic))]
    items = _items(site, "related", _layout(site), site.rng.randint(1, 3))
    if site.headless:
        return items
    if site.nameless:
        heading = _name(site)
    elif site.rng.random() < 0.6:
        heading = prefix.rstrip(" :")
    else:
        heading = _phrase(site, "related")
    return [("related", "heading", _styled_heading(site, heading)), *items]


def _phrase(site: Site, label: str) -> str:
    pool = site.pool
    if site.chance("page", "foreign_heading"):
        language = "en" if site.rng.random() < 0.3 else site.rng.choice(sorted(site.pools))
        pool = site.pools[language]
    rarer = pool.rarer_headings.get(label)
    if rarer and site.chance("page", "rarer_heading"):
        return site.fill(site.rng.choice(rarer))
    options = pool.headings.get(label) or site.pool.headings.get(label) or site.pools["en"].headings[label]
    return site.fill(site.rng.choice(options))


def _name(site: Site) -> str:
    """What a site calls a block when the name says nothing of what it holds: some words of no list."""
    rng = site.rng
    if rng.random() < 0.3:
        return " ".join(site.piece(rng.choice(["tag", "city", "site"])) for _ in range(rng.randint(1, 2)))
    text = rng.choice(site.pool.headlines)[1]
    words = [bare for word in text.split() if (bare := word.strip("\"'“”‘’.,:;!?()[]")) and not bare.isdigit()]
    if len(words) < 3:  # no spaces between words
        start = rng.randrange(max(1, len(text) - 4))
        return text[start : start + rng.randint(2, 6)].strip() or text
    if rng.random() < 0.5:
        start = rng.randrange(len(words))
        return _cased(" ".join(words[start : start + rng.randint(1, 3)]), rng.choice(["as_is", "title", "title"]))
    return _cased(" ".join(rng.choices(words, k=rng.randint(1, 3))), "title")


def _styled_heading(site: Site, text: str) -> str:
    front, mark = site.draw("heading", "front"), site.draw("heading", "mark")
    text = _cased(text, site.draw("heading", "case")) + ("" if mark == "none" else str(mark))
    return text if front == "none" else front + text


def _cased(text: str, case: str) -> str:
    if case == "title":
        return re.sub(r"\b\w", lambda m: m[0].upper(), text)
    return {"upper": text.upper, "lower": text.lower}.get(case, lambda: text)()


def _headline(site: Site, topic: str = "") -> str:
    rng = site.rng
    if site.used and site.chance("page", "repeat_headline"):
        return rng.choice(site.used)
    for _ in range(4 if topic else 1):
        if rng.random() < 0.12 and site.pool.articles:
            article = rng.choice(site.pool.articles)
            found = (article.topic, article.title)
        else:
            found = rng.choice(site.pool.headlines)
        if not topic or found[0] == topic:
            break
    if len(site.used) < 200:
        site.used.append(found[1])
    return found[1]


@dataclass(frozen=True)
class Layout:
    """How the items of one block are printed."""

    bullet: str
    sign: str
    rank: str
    metas: tuple[tuple[str, str, str], ...]  # kind, place, pattern
    teaser: bool
    first_only: bool
    twice: bool
    cut: bool
    case: str
    topic: str
    same_section: bool
    kicker: bool

    @property
    def times(self) -> bool:
        """Whether the items carry times."""
        return any("time" in kind for kind, _, _ in self.metas)

    @property
    def rhythm(self) -> str:
        """What sets the beat of the list besides its headlines, if anything does."""
        if self.rank in ("line", "both"):
            return "ranked_"
        return "timed_" if any("time" in kind and place in ("before", "after") for kind, place, _ in self.metas) else ""


def _layout(site: Site) -> Layout:
    bullet, sign = site.bullet
    if not site.chance("page", "same_bullets"):
        bullet, sign = site.draw("item", "bullet"), site.draw("item", "bullet_sign")
    rank = str(site.draw("item", "rank"))
    metas = []
    for _ in range(int(site.draw("item", "metas"))):
        kind = str(site.draw("item", "meta_kind"))
        metas.append(
            (kind, str(site.draw("item", "meta_place")), _meta(site, kind, "ranked_" if rank in ("line", "both") else ""))
        )
    topic = site.rng.choice(site.pool.headlines)[0] if site.chance("page", "one_topic") else ""
    found = Layout(
        bullet,
        sign,
        rank,
        tuple(metas),
        site.chance("item", "teaser"),
        site.chance("item", "teaser_first_only"),
        site.chance("item", "twice"),
        site.chance("item", "cut"),
        site.draw("item", "case"),
        topic,
        site.rng.random() < 0.35,
        site.chance("item", "kicker"),
    )
    if found.same_section and site.chance("item", "heading_as_repeated_section"):
        named = tuple((kind, place, _short_heading(site) if kind == "section" else text) for kind, place, text in found.metas)
        found = replace(found, metas=named)
    return found


def _meta(site: Site, kind: str, rhythm: str = "") -> str:
    joiner = site.rng.choice([" | ", " • ", " - ", ", ", " ", " / "])
    return joiner.join(_section(site, rhythm) if part == "section" else site.piece(part) for part in kind.split("_"))


def _section(site: Site, rhythm: str) -> str:
    """The name of a section; some sections are called as blocks elsewhere are headed (News, Headline, Trending).

    Between the numbers of a ranked list, or where every item has its time, that is common: there the place tells that it
    is no heading.
    """
    if not site.chance("item", f"heading_as_{rhythm}section"):
        return site.piece("section")
    return _short_heading(site)


def _short_heading(site: Site) -> str:
    longest = 1 if site.rng.random() < 0.7 else 2
    # 'More news' is the name of no section, but stands in menus
    labels = [label for label in sorted(site.pool.headings) if site.raw or label != "more"]
    phrases = [phrase for label in labels for phrase in site.pool.headings[label]]
    words = [phrase for phrase in phrases if len(phrase.split()) <= longest and "{" not in phrase]
    return site.rng.choice(words) if words else site.piece("section")


def _varied(site: Site, pattern: str, kind: str, rhythm: str = "") -> str:
    """The next item's meta: other digits in the same form, and another section or name where they change."""
    if kind in ("section", "name", "byline", "section_time") and site.rng.random() < 0.5:
        return _meta(site, kind, rhythm)
    return re.sub(r"\d+", lambda m: _digits(site.rng, m[0]), pattern)


def _digits(rng: random.Random, old: str) -> str:
    if len(old) > 2 or rng.random() < 0.3:
        return old
    top = min(59, int(old) + 9) if len(old) == 2 else 9
    return str(rng.randint(1, max(1, top))).zfill(len(old) if old[0] == "0" or len(old) == 2 else 1)


def _teaser(site: Site, cut: bool = True) -> str:
    article = site.rng.choice(site.pool.articles)
    paragraphs = [text for role, text in article.rows if role == "paragraph"] or [article.title]
    text = paragraphs[0] if site.rng.random() < 0.7 else site.rng.choice(paragraphs)
    if cut and site.chance("item", "teaser_cut"):
        words = text.split(" ")
        return " ".join(words[: site.rng.randint(6, 25)]) + site.rng.choice(["...", "…", " ...", " [...]", ""])
    first, *others = re.split(r"(?<=[.!?] )|(?<=[。！？])", text)  # as many sentences as a card holds
    while others and len(first) + len(others[0]) < TEASER_CHARS:
        first += others.pop(0)
    return first.strip()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def _in_order(site: Site, label: str, layout: Layout, count: int) -> dict[int, list[str]]:
    """Of a list that is ordered by time or by readers, the times or counts of all items, by their place in the layout.

    That is what `latest` and `popular` mean, so it does hang on the label.
    """
    found = {}
    for i, (kind, _, pattern) in enumerate(layout.metas):
        part = next((part for part in ("time", "count") if part in kind), None)
        many = len(_numbers(pattern))
        if not part or not many:
            continue
        day = part == "time" and many > 1 and not _CLOCK.search(pattern)
        if not site.chance("days_in_order" if day else f"{part}s_in_order", label):
            continue
        patterns = [pattern]
        # one number alone may be an age, '2 minutes ago', and ages rise; or a day, '12 May', and days fall
        rises = part == "time" and many == 1 and site.rng.random() < 0.7
        if rises and kind == "time":  # then come hours, and days
            ages = [text for text in site.pool.pieces.get("time", ()) if len(_numbers(text)) == 1]
            patterns += site.rng.sample(ages, min(len(ages), site.rng.randint(0, 2)))
        cuts = sorted(site.rng.randint(1, count) for _ in patterns[1:])
        found[i] = [
            text
            for start, stop, form in zip([0, *cuts], [*cuts, count], patterns, strict=True)
            for text in sorted((_varied(site, form, part) for _ in range(start, stop)), key=_numbers, reverse=not rises)
        ]
    return found


def _items(site: Site, label: str, layout: Layout, count: int, topic: str = "") -> list[Row]:
    rng = site.rng
    topic = topic or layout.topic
    rows: list[Row] = []
    in_order = _in_order(site, label, layout, count)
    for number in range(1, count + 1):
        text = _cased(_headline(site, topic if rng.random() < 0.8 else ""), layout.case)
        if layout.cut and len(text) > 40:
            text = text[: rng.randint(30, min(len(text), 70))].rstrip() + rng.choice(["...", "…"])
        if site.chance("item", "live_prefix"):
            text = f"{site.piece('section')}{rng.choice([': ', ' | ', ' - ', ' '])}{text}"
        front: list[Row] = []
        back: list[Row] = []
        for i, (kind, place, pattern) in enumerate(layout.metas):
            if site.chance("item", "meta_lost"):
                continue
            if i in in_order:
                meta = in_order[i][number - 1]
            else:
                meta = pattern if layout.same_section and kind == "section" else _varied(site, pattern, kind, layout.rhythm)
            if place == "before":
                front.append((label, "time" if "time" in kind else "meta", meta))
            elif place == "after":
                back.append((label, "time" if "time" in kind else "meta", meta))
            elif place == "front":
                text = f"{meta} {text}"
            else:
                text = f"{text} {meta}"
        if layout.rank == "prefix":
            text = rng.choice(["{}. {}", "{} {}", "{}) {}"][: 1 + 2 * (rng.random() < 0.2)]).format(number, text)
        elif layout.rank == "hash":
            front.insert(0, (label, "meta", f"#{number}"))
        elif layout.rank in ("line", "both"):
            front.insert(0, (label, "meta", f"{number:02d}" if layout.first_only else f"{number}" + "." * layout.cut))
        elif layout.rank == "bullet_line":
            front.insert(0, (label, "meta", f"{layout.sign} {number}"))
        if layout.bullet == "prefix":
            text = f"{layout.sign} {text}"
        elif layout.bullet == "line":
            front.insert(rng.choice([0, len(front)]) if layout.first_only else 0, (label, "bullet", layout.sign))
        rows += front
        kicker, colon, rest = text.partition(": ")
        if layout.kicker and (colon or rng.random() < 0.3):
            if not colon:
                kicker, rest = site.piece("tag"), text
            rows.append((label, "headline", kicker + (colon or rng.choice(["", " :", ":"])).rstrip()))
            text = rest
        rows.append((label, "headline", text))
        if layout.twice:
            rows.append((label, "headline", text))
        if layout.teaser and (number == 1 or not layout.first_only):
            back.insert(rng.choice([0, len(back)]), (label, "teaser", _teaser(site)))
        rows += back
    return rows


def _stream(site: Site) -> list[Row]:
    """What a section front is for: one long list under the name of the section, or under none, and a way to older news.

    With times it is in order of time, else chosen by the editors. The name is no heading as those of blocks are: it
    stands beside headlines on other pages.
    """
    rng = site.rng
    layout = _layout(site)
    label = "latest" if layout.times else "pick"
    rows: list[Row] = []
    if site.chance("block", "stream_named"):
        rows.append((label, "meta", _cased(site.piece(rng.choice(["section", "front"])), site.draw("heading", "case"))))
        if rng.random() < 0.2:
            rows.append((label, "teaser", _teaser(site)))
    rows += _items(site, label, layout, rng.randint(5, 25), rng.choice([site.topic, ""]))
    if site.chance("block", "stream_goes_on"):
        rows += [(label, "meta", site.piece("older")) for _ in range(rng.randint(1, 2))]
    return rows


def _blocks(site: Site, front: bool, teasers: bool = True) -> list[Row]:
    """One block; two where the page has them as tabs."""
    rng = site.rng
    label, layout = str(site.draw("page", "label")), _layout(site)
    layout = replace(layout, teaser=layout.teaser and teasers)
    count = int(site.draw("block", "items"))
    if site.headless or site.chance("raw" if site.raw else "block", "headless"):
        # nothing says what it is: with times it is in order of time on a section front, else it is offered with the article
        label = ("latest" if layout.times else "pick") if front else "related"
        return _items(site, label, layout, max(2, count), site.topic if label == "related" else "")
    role = "heading"
    if site.chance("block", "more"):
        label, role = "latest" if layout.times else "related", "more"
    nameless = site.nameless or site.chance("block", "nameless")
    phrase = _name(site) if nameless else _phrase(site, "more" if role == "more" else label)
    tabs = site.chance("block", "two_tabs"), site.chance("block", "joined_tabs")
    topic = site.topic if label == "related" and rng.random() < 0.7 else ""
    heading = _styled_heading(site, phrase)
    items = _items(site, label, layout, count, topic)
    if any(tabs):
        second = str(site.draw("page", "label"))
        other = _styled_heading(site, _phrase(site, second))
        others = _items(site, second, layout, count)
        see_all = [(label, "meta", site.piece("see_all"))] if rng.random() < 0.3 else []
        if tabs[0]:
            return [
                (label, role, heading),
                (second, f"tab_{label}" if second != label else "heading", other),
                *items,
                *see_all,
                *others,
            ]
        return [(label, role, f"{heading} {other}"), *items, *see_all, *others]
    see_all = site.draw("block", "see_all")
    if site.chance("block", "joined_see_all"):
        heading = f"{heading} {site.piece('see_all')}"
    rows: list[Row] = [(label, role, heading)] * (2 if site.chance("block", "heading_twice") else 1)
    if see_all == "first":
        rows.append((label, "meta", site.piece("see_all")))
    if site.chance("block", "intro"):
        rows.append((label, "meta", site.piece("section")))
    rows += items
    if see_all == "last":
        rows.append((label, "meta", site.piece("see_all")))
    return rows


def heading_examples(
    pools: Pools, layouts: Mapping[str, Any], seed: int, fold: Callable[[str], int]
) -> list[tuple[str, Tag, int]]:
    """Every heading phrase of every language as a line of its own, with its tag and its fold."""
    rng = random.Random(f"headings {seed}")
    found = []
    for language, pool in pools.items():
        site = Site(rng, layouts, pools, language)
        lists = [(label, phrase, True) for label, phrases in pool.headings.items() for phrase in phrases]
        lists += [(label, phrase, False) for label, phrases in pool.rarer_headings.items() for phrase in phrases]
        for label, phrase, usual in lists:
            tags = [("latest", "more"), ("related", "more")] if label == "more" else [(label, "heading")]
            plain = site.fill(phrase)
            lines = {plain, plain.upper()}
            if usual:
                lines |= {f"{plain}:", _styled_heading(site, site.fill(phrase))}
            found += [(line, tag, fold(phrase)) for line in sorted(lines) for tag in tags]
    return found


def section_examples(pools: Pools, fold: Callable[[str], int]) -> list[tuple[str, Tag, int]]:
    """Every section name of every language as a line of its own, as it stands beside headlines, and its fold.

    A list in which one of them is taken for a heading changes its label there.
    """
    names = {name for pool in pools.values() for name in pool.pieces.get("section", ())}
    return [(name, ("related", "meta"), fold(name)) for name in sorted(names)]


_KINDS = ("navigation", "breadcrumb", "share", "tags", "cookie", "advert", "newsletter", "footer", "author_box", "widget")


def _furniture(site: Site, count: int, kinds: Sequence[str] = _KINDS) -> list[Row]:
    rng = site.rng
    rows: list[Row] = []
    while len(rows) < count:
        kind = rng.choice(kinds)
        long = site.chance("raw", "long_comments" if kind == "comments" else "long")
        every = _options(site, kind)
        options = [text for text in every if (len(text) > 75) == long] or every
        run = rng.randint(1, 6 if kind in ("navigation", "footer", "comments", "share") and not long else 2)
        if site.chance("raw", "box"):
            rows.append(("other", "box", site.fill(rng.choice(_options(site, "heading")))))
            if site.chance("raw", "cards"):
                rows += _cards(site)
                continue
        start = rng.randrange(len(options))
        sign = _furniture_sign(site)
        for i in range(run):
            text = options[(start + i) % len(options)] if rng.random() < 0.6 else rng.choice(options)
            if kind in ("navigation", "footer") and rng.random() < 0.2:  # a whole menu in one line
                text = rng.choice([" ", " ", " | ", " · "]).join(rng.choices(options, k=rng.randint(2, 9)))
            elif rng.random() < 0.05:  # a counter, a leftover of a button
                text = rng.choice(["0", "0", "1", "×", "…", str(rng.randint(2, 999)), f"{text} : {rng.randint(0, 99)}"])
            rows.append(("other", kind, sign + _cased(site.fill(text), "upper" if rng.random() < 0.05 else "as_is")))
    return rows[:count]


def _furniture_sign(site: Site) -> str:
    return f"{site.bullet[1]} " if site.chance("raw", "bullets") else ""


def _options(site: Site, kind: str) -> Sequence[str]:
    return site.pool.furniture.get(kind) or site.pools["en"].furniture.get(kind) or ("Menu",)


def _cards(site: Site) -> list[Row]:
    """Cards of videos, pictures, partners, other sections: headlines, now and then with a teaser, that are none of the page's blocks."""
    rng = site.rng
    parts = rng.choice([("headline",), ("headline",), ("headline",), ("headline", "teaser"), ("meta", "headline")])
    sign = _furniture_sign(site)
    rows: list[Row] = []
    for _ in range(rng.randint(1, 5)):
        for part in parts:
            if part == "meta":
                rows.append(("other", "cards", site.piece(rng.choice(["section", "time", "name"]))))
            else:
                text = _headline(site) if part == "headline" else site.fill(rng.choice(_options(site, "cards")))
                rows.append(("other", "cards", sign + text))
    return rows


def _section_lists(site: Site) -> list[Row]:
    """The newest headlines of every section, as sites print them under their articles: none of the page's blocks."""
    rng = site.rng
    layout = _layout(site)
    rows: list[Row] = []
    for _ in range(rng.randint(1, 6)):
        name = _cased(site.piece("section"), "upper" if rng.random() < 0.2 else "as_is")
        rows.append(("other", "box", name))
        items = _items(site, "other", layout, rng.randint(2, 8), rng.choice(site.pool.headlines)[0])
        rows += [("other", "cards", text) for _, _, text in items]
    return rows


def _menu(site: Site) -> list[Row]:
    """A menu as sites print it, line by line or in rows: sections, places and subjects, some called as blocks elsewhere are headed."""
    rng = site.rng
    weights = {"section": 8, "navigation": 5, "tag": 2, "city": 1, "heading": 2}
    size = int(site.draw("raw", "menu"))
    counted, row = site.chance("raw", "menu_counts"), site.chance("raw", "menu_rows")
    sign = _furniture_sign(site)
    case = "upper" if rng.random() < 0.15 else "as_is"
    names: list[str] = []
    for kind in rng.choices(list(weights), list(weights.values()), k=rng.randint(size // 2, size * 3 // 2)):
        if kind == "heading":
            name = _short_heading(site)
        else:
            name = site.fill(rng.choice(_options(site, kind))) if kind == "navigation" else site.piece(kind)
        names.append(_cased(name, case) + (f" ({rng.randint(1, 300)})" if counted else ""))
    if row:
        width = rng.randint(3, 14)
        names = [" ".join(names[i : i + width]) for i in range(0, len(names), width)]
    return [("other", "navigation", sign + name) for name in names]


def _furnish(site: Site, before: list[Row], body: list[Row], after: list[Row]) -> list[Row]:
    """Put menus, share rows, adverts and footers around and into the page."""
    rng = site.rng

    def about(name: str) -> int:
        size = int(site.draw("raw", name))
        return rng.randint(size // 2, size * 3 // 2)

    body = list(body)
    if body and site.chance("raw", "inside"):
        for _ in range(rng.randint(1, 4)):
            at = rng.randint(1, len(body))
            body[at:at] = _furniture(site, rng.randint(1, 2), ("advert", "advert", "share", "newsletter", "widget"))
    if body and rng.random() < 0.6:  # a share row or a breadcrumb around the title
        body[1:1] = _furniture(site, rng.randint(1, 6), ("share", "share", "widget", "author_box"))
    menu = _menu(site) if rng.random() < 0.7 else []
    top = menu + _furniture(
        site, about("top"), ("navigation", "navigation", "navigation", "breadcrumb", "cookie", "widget", "advert")
    )
    close: list[Row] = []
    if site.chance("raw", "after"):
        close = _furniture(site, rng.randint(1, 12), ("tags", "share", "author_box", "newsletter", "advert", "navigation"))
    if body and site.chance("raw", "comments"):
        close += _furniture(site, rng.randint(3, 25), ("comments",))
    if site.chance("raw", "sections"):
        close += _section_lists(site)
    end = _furniture(
        site, about("end"), ("footer", "footer", "footer", "navigation", "newsletter", "cookie", "advert", "widget")
    )
    if menu and rng.random() < 0.5:  # the menu again, or another one
        end = (menu if rng.random() < 0.6 else _menu(site)) + end
    return top + before + body + close + after + end


_LOOKALIKES = str.maketrans({'"': "”", "'": "’", "-": "–"})


def _weather(site: Site, rows: list[Row]) -> list[Row]:
    """What happens to whole dumps: capitals, lost characters, early ends, other quotes."""
    rng = site.rng
    if len(rows) > 8 and site.chance("page", "cut"):
        rows = rows[: rng.randint(6, len(rows))]
    for name in ("upper", "lower"):
        if site.chance("page", name):
            rows = [(label, role, _cased(text, name)) for label, role, text in rows]
    if site.chance("page", "unicode_quotes"):
        rows = [(label, role, text.translate(_LOOKALIKES) if len(text) > 2 else text) for label, role, text in rows]
    if site.chance("page", "damaged"):
        rate = rng.choice([0.005, 0.01, 0.02])
        rows = [(label, role, _damaged(rng, text, rate)) for label, role, text in rows]
    return rows


def _damaged(rng: random.Random, text: str, rate: float) -> str:
    hit = [rng.random() for _ in text]
    changed = "".join("" if h < rate / 2 else rng.choice("aeiou �?") if h < rate else c for c, h in zip(text, hit, strict=True))
    return changed if changed.strip() else text


def main(arguments: Sequence[str]) -> None:
    """Print one composed dump: ``python -m pilah.training.compose seed=7``."""
    from omegaconf import OmegaConf

    from pilah.page import format_labelled
    from pilah.training.corpus import read_layouts, read_pools

    options = OmegaConf.merge(
        {"seed": 1, "data": "data", "language": "", "raw": False}, OmegaConf.from_dotlist(list(arguments))
    )
    pools, layouts = read_pools(options.data, True, sections=not options.raw), read_layouts(options.data, True)
    languages = {options.language: 1.0} if options.language else {"id": 2.0, "en": 1.0}
    dump = compose_dump(pools, layouts, options.seed, languages, bool(options.raw))
    sys.stdout.write(format_labelled(dump.lines, dump.tags))


if __name__ == "__main__":
    main(sys.argv[1:])
