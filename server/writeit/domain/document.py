"""What a run is about: the user's document, and the files that it names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from writeit.domain.entity import Entity, GrowingEntity
from writeit.text.lines import LINE_END


class SourceFile(Entity):
    """A file that front matter names, as it was when the run started."""

    name: str
    """Its path as the front matter names it."""
    uri: str
    text: str
    """The whole text without its front matter."""
    providers: tuple[str, ...] | None = None
    """As of `RunDocument`."""


class RunDocument(GrowingEntity):
    """The user's document as it was when the run started."""

    ADDED: ClassVar[frozenset[str]] = frozenset(
        {"notes", "context", "primer", "first_line"}
    )

    text: str = ""
    """The whole text without its front matter."""
    first_line: int = 0
    """The line of the document in which the text begins, from 0; only of a review."""
    selection: str = ""
    before: str = ""
    """The text before the selection."""
    after: str = ""
    """The text after the selection."""
    title: str = ""
    path: str = ""
    providers: tuple[str, ...] | None = None
    """The providers that its front matter allowed; None if it set none.

    Used only if the document can no longer be read.
    """
    notes: tuple[SourceFile, ...] = ()
    """More files that the run is about, in the order of the front matter."""
    context: tuple[SourceFile, ...] = ()
    """Files that a model has to know and must not tell again."""
    primer: str | None = None
    """The style primer that its front matter named."""

    def line_of(self, offset: int) -> int:
        """Return the line of the document, from 0, that an offset in `text` is in."""
        return self.first_line + sum(1 for _ in LINE_END.finditer(self.text, 0, offset))

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All files that its front matter names."""
        return (*self.notes, *self.context)

    @property
    def all_text(self) -> str:
        """The text of the document and of all of its files."""
        return "\n".join([self.text, *(file.text for file in self.files)])

    @property
    def allowed_providers(self) -> tuple[str, ...] | None:
        """The providers that the document and all of its files allow."""
        return strictest([self.providers, *(file.providers for file in self.files)])


def strictest(limits: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Return the providers that are in all limits; None if there is no limit."""
    found: tuple[str, ...] | None = None
    for limit in limits:
        if found is None or limit is None:
            found = limit if found is None else found
        else:
            found = tuple(name for name in found if name in limit)
    return found
