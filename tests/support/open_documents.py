"""Open documents in an editor, and runs that have a text to apply."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from support.document import Behavior, Document, place, serve_documents
from support.editor import Editor, Json, Refused

FIRST = "The river is cold in the morning, and nobody swims."
SECOND = "The mills stand further down, and their wheels turn."
THIRD = "A bridge of stone leads over it to the old town."
TEXT = f"{FIRST}\n\n{SECOND}\n\n{THIRD}\n"
BETTER = "The mills stand below, and their wheels turn day and night."
MIRROR = """\
name: mirror
inputs:
  - {name: text, required: true, from: document}
steps:
  - {name: look, prompt: "{{ inputs.text }}"}
"""
_names = count(1)


class OpenDocuments:
    """Open documents in an editor, and runs that have a text to apply."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.pages = serve_documents(editor)
        self.encoding: str = editor.initialized["capabilities"].get(
            "positionEncoding", "utf-16"
        )

    def path(self) -> Path:
        """A new place in the workspace."""
        return self.editor.folder / f"text {next(_names)}.md"

    def open(
        self,
        text: str = TEXT,
        manner: Behavior = "honest",
        uri: str | None = None,
        version: int = 1,
    ) -> Document:
        """Open a new document, or one that was closed."""
        path = self.path()
        if uri is None:
            path.write_bytes(text.encode())
        uri = uri or path.as_uri()
        self.pages[uri] = Document(self.editor, uri, text, manner, version)
        return self.pages[uri]

    async def run(
        self, uri: str, text: str, passage: str = "", content: str = BETTER, **more: Any
    ) -> str:
        """A run on a passage of a document (or all of it) with a text to apply."""
        given: Json = {"pipeline": "tech-article", **more}
        if passage:
            where = span(text, passage, self.encoding)
            given |= {"pipeline": "polish-passage", "range": where} | more
        run_id = await self.editor.answered("say-a", uri=uri, **given)
        await self.editor.choose(run_id, content=content)
        return run_id

    async def try_to_apply(self, run_id: str) -> Json:
        """Apply a run's text; a passage that is gone is a result as well."""
        try:
            return await self.apply(run_id)
        except Refused as refused:
            if refused.kind != "document_changed":
                raise
            return {"applied": False, "pending": False, "conflicts": []}

    def add_mirror(self) -> None:
        """Add a pipeline whose runs show the server's text of a document."""
        folder = self.editor.folder / "pipelines"
        folder.mkdir(exist_ok=True)
        (folder / "mirror.yaml").write_text(MIRROR, encoding="utf-8")

    async def settled(self, run_id: str) -> None:
        """Wait until what was decided of a run has reached its pages.

        Twice: a server that stood still in between has a moment for what is due.
        """
        for _ in range(2):
            await asyncio.sleep(0.4)
            await self.editor.show(run_id)

    async def polished(self, page: Document, content: str = BETTER, **more: Any) -> str:
        """A run on the second paragraph of a page."""
        return await self.run(page.uri, page.text, SECOND, content, **more)

    async def insist(self, run_id: str, result: Json, times: int = 5) -> Json:
        """Apply a pending text again, once the user has stopped typing.

        A server that stood still for seconds may have missed the editor's reply.
        """
        for _ in range(times):
            if not result["pending"]:
                break
            result = await self.try_to_apply(run_id)
        return result

    async def apply(self, run_id: str, **params: Any) -> Json:
        """Apply a run's text."""
        result: Json = await self.editor.command(
            "writeit.step.apply", runId=run_id, **params
        )
        return result


def file_of(uri: str) -> Path:
    """The file of a URI."""
    return Path(unquote(urlsplit(uri).path))


def span(text: str, passage: str, encoding: str = "utf-32") -> Json:
    """The range of a passage in a text."""
    start = text.index(passage)
    return {
        "start": place(text, start, encoding),
        "end": place(text, start + len(passage), encoding),
    }
