"""A document open in an editor, that takes edits as the real editors do.

honest   VS Code: a stale edit is refused, and it says so
lies     Neovim: a stale edit is skipped, and it says that it applied it
errors   eglot: a stale edit is answered with a JSON-RPC error
refuses  an editor that is busy with something else: every other edit is refused
lags     a slow one: it tells of changes late, several at once, and replies later
deaf     it says that it applied edits, and never does
"""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from typing import Any, Literal

from support.editor import Declined, Editor, Json

Behavior = Literal["honest", "lies", "errors", "refuses", "lags", "deaf"]
LAG = 0.15
_END = re.compile(r"\r\n|\r|\n")


def serve_documents(editor: Editor) -> dict[str, Document]:
    """Let an editor answer `workspace/applyEdit`; return its open pages by URI."""
    pages: dict[str, Document] = {}

    def answer(params: Json) -> Any:
        changes = params["edit"]["documentChanges"]
        assert len(changes) == 1, "only the first document's version is checked"
        return pages[changes[0]["textDocument"]["uri"]].take(changes[0])

    editor.answers["workspace/applyEdit"] = answer
    return pages


class Document:
    """One open document: its text, its version, and the editor's manner."""

    def __init__(
        self,
        editor: Editor,
        uri: str,
        text: str,
        manner: Behavior = "honest",
        version: int = 1,
    ) -> None:
        self.editor = editor
        self.uri = uri
        self.text = text
        self.version = version
        self.cursor = 0
        self.manner = manner
        self.is_open = True
        self.taken = 0
        """Edits of the server that were applied."""
        self.declined = 0
        self._encoding = editor.initialized["capabilities"].get(
            "positionEncoding", "utf-16"
        )
        self._unsent: list[Json] = []
        document = {
            "uri": uri,
            "languageId": "markdown",
            "version": self.version,
            "text": text,
        }
        editor.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, start: int, end: int, new: str) -> None:
        """Replace a stretch by hand; the server hears of it as the manner is."""
        self.version += 1
        self._tell([self._change(start, end, new)])

    def take(self, change: Json) -> Any:
        """Answer the server's edit of this document."""
        version = change["textDocument"]["version"]
        assert isinstance(version, int), "an edit without a version damages text"
        stale = version != self.version or not self.is_open
        if self.manner == "refuses":
            stale = stale or (self.taken + self.declined) % 2 == 0
        if stale or self.manner == "deaf":
            self.declined += 1
            return self._no()
        self.taken += 1
        self.version += 1
        spans = [
            (self._offset(e["range"]["start"]), self._offset(e["range"]["end"]), e)
            for e in change["edits"]
        ]
        for (_, end, _), (start, _, _) in pairwise(spans):
            assert end <= start, "edits of one document must not overlap"
        self._tell([self._change(s, e, x["newText"]) for s, e, x in reversed(spans)])
        return self._later({"applied": True})

    def close(self) -> None:
        """Close the document, nothing saved."""
        self.flush()
        self.is_open = False
        here = {"textDocument": {"uri": self.uri}}
        self.editor.notify("textDocument/didClose", here)

    def flush(self) -> None:
        """Tell the server all that it has not been told yet."""
        if self._unsent:
            changes, self._unsent = self._unsent, []
            here = {"uri": self.uri, "version": self.version}
            params = {"textDocument": here, "contentChanges": changes}
            self.editor.notify("textDocument/didChange", params)

    def _no(self) -> Any:
        if self.manner == "errors":
            return Declined(f"Edits require version {self.version}")
        if self.manner in {"lies", "deaf", "lags"}:
            return self._later({"applied": True})
        return {"applied": False}

    def _later(self, answer: Json) -> Any:
        if self.manner != "lags":
            return answer
        return asyncio.ensure_future(asyncio.sleep(LAG / 2, answer))

    def _tell(self, changes: list[Json]) -> None:
        idle = not self._unsent
        self._unsent += changes
        if self.manner != "lags":
            self.flush()
        elif idle:
            asyncio.get_running_loop().call_later(LAG, self.flush)

    def _change(self, start: int, end: int, new: str) -> Json:
        where = {"start": self._position(start), "end": self._position(end)}
        self.text = self.text[:start] + new + self.text[end:]
        if self.cursor >= end:
            self.cursor += len(new) - (end - start)
        elif self.cursor > start:
            self.cursor = start
        return {"range": where, "text": new}

    def _position(self, offset: int) -> Json:
        return place(self.text, offset, self._encoding)

    def _offset(self, position: Json) -> int:
        starts = [0, *(end.end() for end in _END.finditer(self.text))]
        start = starts[position["line"]]
        units = position["character"]
        for offset in range(start, len(self.text) + 1):
            if units_of(self.text[start:offset], self._encoding) >= units:
                return offset
        raise AssertionError(position)


def place(text: str, offset: int, encoding: str) -> Json:
    """The position of a place in a text."""
    before = text[:offset]
    ends = list(_END.finditer(before))
    start = ends[-1].end() if ends else 0
    return {"line": len(ends), "character": units_of(before[start:], encoding)}


def units_of(text: str, encoding: str) -> int:
    """The length of a text in an encoding's code units."""
    if encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2
