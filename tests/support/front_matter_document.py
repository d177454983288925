"""Documents with front matter, and what the server reports about it."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

from support.document import Document, place, units_of
from support.editor import Editor, Json

PIPELINE = """\
name: post
description: A post in two steps
inputs:
  - {name: notes, required: true, from: document}
  - {name: tone, type: choice, options: [dry, "very dry"], default: dry, help: Manner}
  - {name: readers, required: true, label: Who reads it}
  - {name: short, type: boolean}
steps:
  - {name: draft, description: All of it, prompt: "{{ inputs.notes }}", models: [a/b]}
  - {name: polish, prompt: "{{ steps.draft.content }}"}
"""
QUIET = 0.4
"""Seconds after which nothing more is sent: more than twice what the server waits."""
_names = count(1)


def add_pipeline(folder: Path, text: str = PIPELINE) -> Path:
    """Put the pipeline `post` into a workspace folder."""
    path = folder / "pipelines" / "post.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def writeit_block(words: str, body: str = "# Rivers\n") -> str:
    """A document with a `writeit:` block."""
    return f"---\ntitle: x\nwriteit:\n{words}---\n{body}"


class FrontMatterDocument:
    """An open document; `|` in its text marks the cursor."""

    def __init__(self, editor: Editor, text: str) -> None:
        self.editor = editor
        self.capabilities: Json = editor.initialized["capabilities"]
        self.encoding: str = self.capabilities.get("positionEncoding", "utf-16")
        self.at = text.find("|")
        uri = (editor.folder / f"head{next(_names)}.md").as_uri()
        self.page = Document(editor, uri, text.replace("|", "", 1))

    # --- places -------------------------------------------------------------------

    def span(self, words: str) -> Json:
        """The range of some words, in the client's encoding."""
        start = self.page.text.index(words)
        return {
            "start": place(self.page.text, start, self.encoding),
            "end": place(self.page.text, start + len(words), self.encoding),
        }

    def words(self, where: Json) -> str:
        """The words of a range."""
        lines: list[str] = self.page.text.splitlines(keepends=True)
        start, end = where["start"], where["end"]
        assert start["line"] == end["line"]
        line: str = lines[start["line"]]
        units = [start["character"], end["character"]]
        first, last = (
            next(n for n in range(len(line) + 1) if self._units(line[:n]) >= unit)
            for unit in units
        )
        return line[first:last]

    def _units(self, text: str) -> int:
        return units_of(text, self.encoding)

    def replace(self, old: str, new: str) -> None:
        """Type something over some words."""
        start = self.page.text.index(old)
        self.page.type(start, start + len(old), new)

    # --- asking ---------------------------------------------------------------------

    def here(self) -> Json:
        """The params of a request at the cursor."""
        position = place(self.page.text, max(self.at, 0), self.encoding)
        return {"textDocument": {"uri": self.page.uri}, "position": position}

    async def completion_list(self) -> Json:
        """The reply to a request for completions where the cursor stands."""
        found = await self.editor.request("textDocument/completion", self.here())
        return found or {"isIncomplete": False, "items": []}

    async def completed(self) -> list[Json]:
        """The completions where the cursor stands."""
        return list((await self.completion_list())["items"])

    async def labels(self) -> list[str]:
        """What could be typed, as the client sorts it."""
        found = sorted(await self.completed(), key=lambda item: item["sortText"])
        return [item["label"] for item in found]

    async def hovered(self) -> str | None:
        """What the hover says, and of what words."""
        found = await self.editor.request("textDocument/hover", self.here())
        return None if found is None else str(found["contents"]["value"])

    async def actions(self, where: Json, only: str) -> list[Json]:
        """The code actions of a kind on a range."""
        found: list[Json] = await self.editor.request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": self.page.uri},
                "range": where,
                "context": {"diagnostics": [], "only": [only]},
            },
        )
        return found

    # --- diagnostics ------------------------------------------------------------------

    @property
    def pulls(self) -> bool:
        """Whether this client asks for diagnostics."""
        return "diagnosticProvider" in self.capabilities

    def sent(self) -> list[list[Json]]:
        """All diagnostics that were sent of this page."""
        return [
            params["diagnostics"]
            for params in self.editor.sent("textDocument/publishDiagnostics")
            if params["uri"] == self.page.uri
        ]

    async def problems(self) -> list[Json]:
        """What is wrong now, asked for or sent; waits until all is sent."""
        if self.pulls:
            report = await self.pull()
            return list(report["items"])
        await self.settled()
        return self.sent()[-1] if self.sent() else []

    async def settled(self) -> None:
        """Wait until the server has seen all that was typed, and said what it says.

        Twice: a server that stood still in between has a moment for what is due.
        """
        await self.hovered()
        folder = self.editor.folder.as_uri()
        await self.editor.command("writeit.pipeline.list", folder=folder)  # is read
        for _ in range(2):
            await asyncio.sleep(QUIET)
            await self.hovered()

    async def pull(self, previous: str | None = None) -> Any:
        """Ask for the diagnostics."""
        params: Json = {"textDocument": {"uri": self.page.uri}}
        if previous:
            params["previousResultId"] = previous
        return await self.editor.request("textDocument/diagnostic", params)
