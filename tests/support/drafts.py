"""An article that was made of notes, and what is marked in it."""

from support.document import Document, place
from support.editor import Json
from support.notes import NINE_FACTS, PLANTED
from support.open_documents import OpenDocuments, file_of, span

ONE_STEP = """\
name: article
inputs:
  - {name: notes, required: true, from: document}
steps:
  - {name: draft, prompt: "{{ inputs.notes }}"}
"""
LETTER = """\
name: letter
inputs:
  - {name: notes, required: true, from: document}
steps:
  - {name: plan, prompt: "Plan a letter"}
  - {name: letter, prompt: "{{ steps.plan.content }}: {{ inputs.notes }}"}
"""
"""Only its second step is made from the notes."""


class Draft:
    """Notes, and the article of a run on them, both open."""

    def __init__(self, docs: OpenDocuments, notes: Document, run_id: str) -> None:
        self.docs, self.notes, self.run_id = docs, notes, run_id
        self.page = notes

    async def marked(self) -> list[Json]:
        """The diagnostics of the article, asked for."""
        here = {"textDocument": {"uri": self.page.uri}}
        report = await self.docs.editor.request("textDocument/diagnostic", here)
        return list(report["items"])

    def published(self) -> list[Json]:
        """The diagnostics of the article that were sent last."""
        sent = self.docs.editor.sent("textDocument/publishDiagnostics")
        return next(
            (p["diagnostics"] for p in reversed(sent) if p["uri"] == self.page.uri), []
        )

    def words(self, found: list[Json]) -> list[str]:
        """The words that diagnostics mark; each stands once in the article."""
        starts = [at for at, _ in enumerate(self.page.text)]
        places = {str(self.place(at)): at for at in [*starts, len(self.page.text)]}
        return [
            self.page.text[places[str(d["range"]["start"])] :][
                : places[str(d["range"]["end"])] - places[str(d["range"]["start"])]
            ]
            for d in found
        ]

    def place(self, offset: int) -> Json:
        """The position of an offset in the article."""
        return place(self.page.text, offset, self.docs.encoding)

    async def offered(self, words: str) -> dict[str, Json]:
        """The commands of the actions on some words of the article, by title."""
        found = await self.docs.editor.request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": self.page.uri},
                "range": span(self.page.text, words, self.docs.encoding),
                "context": {"diagnostics": []},
            },
        )
        return {a["title"].removeprefix("WriteIt: "): a["command"] for a in found}

    async def take(self, title: str, words: str) -> None:
        """Take the action on some words whose title begins so."""
        offered = await self.offered(words)
        command = next(c for t, c in offered.items() if t.startswith(title))
        given = {key: command[key] for key in ("command", "arguments")}
        await self.docs.editor.request("workspace/executeCommand", given)


async def drafted(
    docs: OpenDocuments, text: str = PLANTED, notes: str = NINE_FACTS
) -> Draft:
    """Apply an article to a new file and open it."""
    page = docs.open(notes)
    draft = Draft(docs, page, await docs.run(page.uri, notes, content=text))
    result = await docs.apply(draft.run_id)
    draft.page = docs.open(file_of(result["uri"]).read_text("utf-8"), uri=result["uri"])
    return draft
