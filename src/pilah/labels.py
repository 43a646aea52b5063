"""Label sets: which labels a task has, and which roles a line may play inside each of them.

A **label** says what a line is (``body``, ``related``, ...), its **role** what it does there (``heading``,
``headline``, ...). A **tag** is the pair. Label sets are configuration: nothing else in the package names a label that
a model must have, apart from the places that rebuild an article, which need to know the one that is its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

UNKNOWN_ROLE = "."
"""The role of a line whose role was not annotated (or of a label that has no roles)."""

UNDECIDED = "?"
"""The label of a line that was left undecided: it is neither learned from nor scored."""

Tag = tuple[str, str]
"""``(label, role)``."""


@dataclass(frozen=True)
class LabelSet:
    """The labels of a task in a fixed order, with the roles that each may have.

    Parameters
    ----------
    name : str
        What the set is called in configurations and model cards.
    names : sequence of str
        The labels. The order is the order of every table and array.
    roles : mapping of str to sequence of str
        Roles per label; a label that is absent has the single role ``.``.
    body : str or None
        The label of the article's own text, if the task has one.
    opener : str
        The role that opens a block. What else a block holds (headlines, bullets) says the same under every label; an opener does not.
    aliases : mapping of str to str
        Roles that are learned apart and printed as another one.
    echoes : mapping of str to str
        Roles that look like another one in every way, are printed as it, and differ by what stands before them alone:
        the second of two tabs is a heading that remembers the first. The label that it remembers ends the role's name: ``tab_latest``.

    Raises
    ------
    ValueError
        If a label is empty, is named twice, or has roles without being named.

    Examples
    --------
    >>> five = LabelSet("five", ["body", "related"], {"body": ["paragraph"], "related": ["heading", "headline"]})
    >>> five.tags
    (('body', 'paragraph'), ('related', 'heading'), ('related', 'headline'))
    >>> LabelSet("own", ["question", "answer"]).tags
    (('question', '.'), ('answer', '.'))
    """

    name: str
    names: Sequence[str]
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: str | None = "body"
    opener: str = "heading"
    aliases: Mapping[str, str] = field(default_factory=dict)
    echoes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = tuple(str(n) for n in self.names)
        if not names or any(not n or n == UNDECIDED or "\t" in n for n in names) or len(set(names)) < len(names):
            raise ValueError(f"labels must be distinct, non-empty and free of tabs: {list(names)}")
        strangers = set(self.roles) - set(names)
        if strangers:
            raise ValueError(f"roles given for unknown labels: {sorted(strangers)}")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "aliases", dict(self.aliases))
        object.__setattr__(self, "echoes", dict(self.echoes))
        object.__setattr__(self, "roles", {k: tuple(v) for k, v in self.roles.items()})
        if self.body not in names:
            object.__setattr__(self, "body", None)

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Every (label, role) pair, label by label."""
        return tuple((label, role) for label in self.names for role in self.roles_of(label))

    @property
    def rest(self) -> str | None:
        """The label of what is neither body nor a block, if the set has one: the first besides the body that has no opener."""
        return next((name for name in self.names if name != self.body and self.opener not in self.roles_of(name)), None)

    def roles_of(self, label: str) -> tuple[str, ...]:
        """The roles of one label; ``('.',)`` where it has none."""
        return tuple(self.roles.get(label) or (UNKNOWN_ROLE,))

    def printed(self, role: str) -> str:
        """The role as it is shown."""
        role = self.echoes.get(role, role)
        return self.aliases.get(role, role)

    def opens(self, role: str) -> bool:
        """Whether a role opens a block."""
        return self.printed(role) == self.opener

    def line_type(self, tag: Tag) -> str:
        """What a line can say about itself without its neighbours.

        A headline looks the same in every block, so its type is its role alone; a heading names its block, so its type
        is label and role.

        >>> roles = {"body": ["paragraph"], "related": ["heading", "headline"], "popular": ["heading", "headline"]}
        >>> labels = LabelSet("three", ["body", "related", "popular"], roles)
        >>> labels.line_type(("popular", "headline")), labels.line_type(("popular", "heading"))
        ('headline', 'popular/heading')
        """
        label, role = tag[0], self.echoes.get(tag[1], tag[1])
        return role if role != self.opener and self._shared(role) else f"{label}/{role}"

    def place_type(self, tag: Tag) -> str:
        """What a line is in its place on the page: as `line_type`, but whatever opens a block names it."""
        label, role = tag[0], self.echoes.get(tag[1], tag[1])
        return role if not self.opens(role) and self._shared(role) else f"{label}/{role}"

    def transition_kind(self, before: Tag, after: Tag) -> tuple[object, ...]:
        """Transitions of one kind are alike: what happens inside a block does not hang on the block's label.

        Otherwise the smallest difference between two labels adds up over a long list until the list changes its label.

        >>> blocks = {name: ["heading", "headline"] for name in ("popular", "latest")}
        >>> labels = LabelSet("two", ["popular", "latest"], blocks)
        >>> inside = [labels.transition_kind((name, "heading"), (name, "headline")) for name in labels.names]
        >>> inside[0] == inside[1]
        True
        """
        blocks = [self.opener in self.roles_of(label) for label, _ in (before, after)]
        if not all(blocks):
            return (*before, *after)
        memories = [role.rpartition("_")[2] if role in self.echoes else "" for _, role in (before, after)]
        roles = ["tab" if memory else role for memory, (_, role) in zip(memories, (before, after), strict=True)]
        return (*roles, before[0] == after[0], memories[0] == after[0], memories[1] == before[0])

    def _shared(self, role: str) -> bool:
        return role != UNKNOWN_ROLE and sum(role in self.roles_of(name) for name in self.names) > 1

    def to_dict(self) -> dict[str, object]:
        """A JSON-ready form; ``LabelSet(**d)`` gives the set back."""
        return {
            "name": self.name,
            "names": list(self.names),
            "roles": {label: list(roles) for label, roles in self.roles.items()},
            "body": self.body,
            "opener": self.opener,
            "aliases": dict(self.aliases),
            "echoes": dict(self.echoes),
        }
