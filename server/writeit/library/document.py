"""A markdown file as a run sees it: body, selection, title, and what binds it."""

from __future__ import annotations

from dataclasses import dataclass

from writeit.core.errors import InvalidPipeline
from writeit.core.run import RunDocument
from writeit.library.frontmatter import FrontMatter, split
from writeit.library.markdown import title_of


@dataclass(frozen=True, slots=True)
class Manuscript:
    """The writer's document with its front matter understood."""

    document: RunDocument
    front_matter: FrontMatter

    def understood(self) -> Manuscript:
        """Return this manuscript if its front matter was understood.

        Raises:
            InvalidPipeline: it was not; what cannot be read may be what forbids
                sending the text anywhere.
        """
        if self.front_matter.ok:
            return self
        problems = self.front_matter.problems
        first = next(p for p in problems if p.severity == "error")
        raise InvalidPipeline(
            f"The front matter cannot be understood: {first.message}",
            hint="Put right what is marked in the first lines of the document.",
            problems=[problem.as_data() for problem in problems],
        )


def read_manuscript(
    text: str,
    *,
    path: str = "",
    uri: str = "",
    selection: tuple[int, int] | None = None,
) -> Manuscript:
    """Read a markdown text; `selection` counts code points from its beginning.

    The document's text leaves its front matter out, so what of a selection lies in
    the front matter is not selected.
    """
    front_matter = split(text, uri)
    body = front_matter.body
    document = RunDocument(
        text=body,
        title=title_of(body),
        path=path,
        providers=front_matter.binding.providers,
    )
    if selection is not None:
        start, end = (
            min(max(offset - len(front_matter.head), 0), len(body))
            for offset in selection
        )
        document = document.evolve(
            selection=body[start:end], before=body[:start], after=body[end:]
        )
    return Manuscript(document, front_matter)
