"""Notes with nine facts, and an article of them with three errors."""

from support.document import Document, place
from support.editor import Json
from support.open_documents import OpenDocuments, file_of, span

NINE_FACTS = """\
# Notes on the cache

- Ada Lovelace added the cache in March 2024.
- A request took 120 ms before. It takes 40 ms now.
- 1,200 users read 35 % more pages.
- A reader wrote: "The page is there before I look."
- Switch it on with `cache.enabled`, see https://example.org/cache.
"""
PLANTED = """\
# A faster page

In March 2024, Grace Hopper gave the site a cache. A request of 120 ms takes 45 ms
now.

About 1.2k users read 35 percent more. "The page is there before I look," one wrote.

Set `cache.enabled`; [the documentation](https://example.org/caches) has the rest.
"""
ERRORS = ("Grace Hopper", "45 ms", "https://example.org/caches")
CORRECTED = (
    PLANTED.replace("Grace Hopper", "Ada Lovelace")
    .replace("45 ms", "40 ms")
    .replace("caches", "cache")
)


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
