"""Folders that came from somewhere, open in an editor that has not decided on them.

The suite trusts every folder (`WRITEIT_TRUST` in `tests/conftest.py`), because most
tests build folders with pipelines. Servers for clones are started without that.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.attacks import add_pipeline
from support.code_actions import actions
from support.editor import Editor, Json, Refused, serving
from support.provider import Provider

OURS = "openai/say-ours"
"""A model that the user names."""
THEIRS = "openai/say-theirs"
"""A model that files of the folder name."""
HOSTILE_HEAD = (
    f"---\nwriteit:\n  models: {{angles: [{THEIRS}], draft: [{THEIRS}]}}\n---\n"
)


class Clone:
    """One folder in an editor, and what the user does in it."""

    def __init__(self, editor: Editor, provider: Provider, path: Path) -> None:
        self.editor = editor
        self.provider = provider
        self.path = path
        self._versions = itertools.count(2)
        self._calls = len(provider.calls)

    @property
    def sent(self) -> list[str]:
        """The models that the provider was asked for since this folder was made."""
        return [call.body["model"] for call in self.provider.calls[self._calls :]]

    def write(self, name: str, text: str) -> str:
        """Let another program write a file; return its URI."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path.as_uri()

    def add_pipeline(self, name: str = "theirs", step: str = "") -> str:
        """Let another program write a pipeline that names a model."""
        add_pipeline(self.path, name, step or f"models: [{THEIRS}]")
        return (self.path / "pipelines" / f"{name}.yaml").as_uri()

    def pipeline_text(self, step: str = f"models: [{THEIRS}]") -> str:
        """Return the text of a pipeline."""
        path = self.path / "elsewhere"
        path.mkdir(exist_ok=True)
        add_pipeline(path, "theirs", step)
        return (path / "pipelines" / "theirs.yaml").read_text(encoding="utf-8")

    # --- the editor ---

    def open(self, uri: str, text: str) -> None:
        """Open a file."""
        language = "yaml" if uri.endswith(".yaml") else "markdown"
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.editor.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, uri: str, text: str) -> None:
        """Let an open file have another text."""
        self.editor.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": next(self._versions)},
                "contentChanges": [{"text": text}],
            },
        )

    def save(self, uri: str) -> None:
        """Say that an open file was saved."""
        self.editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    async def type_file(self, name: str, text: str, before: str = "") -> str:
        """Let the user type a text into a file and save it; return its URI."""
        self.open(self.write(name, before), before)
        return await self.type_on(name, text)

    async def type_on(self, name: str, text: str) -> str:
        """Let the user type a text into an open file and save it; return its URI."""
        uri = (self.path / name).as_uri()
        self.change(uri, text)
        await self.state()  # the editor waits for `willSave` before it writes
        self.write(name, text)
        self.save(uri)
        await self.state()
        return uri

    # --- commands ---

    async def start(self, pipeline: str = "theirs", uri: str = "", **more: Any) -> str:
        """Start a run on the notes; return its id."""
        uri = uri or (self.path / "notes.md").as_uri()
        run = await self.editor.command(
            "writeit.run.start", pipeline=pipeline, uri=uri, **more
        )
        return str(run["pipelineRunId"])

    async def generate(self, run_id: str, **more: Any) -> list[str]:
        """Generate the first step; return the answers."""
        state = await self.editor.command("writeit.step.run", runId=run_id, **more)
        return [answer["rawOutput"] for answer in state["aiResponses"]]

    async def refusal(self, run_id: str, **more: Any) -> Refused:
        """Let a step be refused; return the refusal."""
        refused = await self.editor.refusal("writeit.step.run", runId=run_id, **more)
        assert refused.kind == "not_trusted", refused
        return refused

    async def trust(self, *, trusted: bool = True) -> Json:
        """Trust or restrict the folder."""
        reply: Json = await self.editor.command(
            "writeit.trust.set", folder=self.path.as_uri(), trusted=trusted
        )
        return reply

    async def trust_two(self) -> None:
        """Add two pipelines and trust the folder."""
        for name in ("first", "second"):
            self.add_pipeline(name, f"models: [openai/say-{name}]")
        await self.trust()

    async def show(self) -> Json:
        """Return state and wants."""
        reply: Json = await self.editor.command(
            "writeit.trust.show", folder=self.path.as_uri()
        )
        return reply

    async def state(self) -> str:
        """Return the state alone."""
        return str((await self.show())["state"])

    async def actions(self) -> dict[str, Json]:
        """Return the code actions of the notes."""
        return await actions(self.editor, (self.path / "notes.md").as_uri())

    def add_folder(self, path: Path) -> Clone:
        """Open another folder in the same editor."""
        added = [{"uri": path.as_uri(), "name": path.name}]
        self.editor.notify(
            "workspace/didChangeWorkspaceFolders",
            {"event": {"added": added, "removed": []}},
        )
        return Clone(self.editor, self.provider, path)


def values(wants: list[dict[str, str]], kind: str) -> set[str]:
    """Return what a folder wants, of one kind."""
    return {want["value"] for want in wants if want["kind"] == kind}


def trust_file(environment: Mapping[str, str]) -> Path:
    """Return where the decisions are."""
    return Path(environment["WRITEIT_DATA_DIR"]) / "trust.json"


def decisions(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the decisions as they are on the disk."""
    return dict(json.loads(trust_file(environment).read_text(encoding="utf-8")))


@asynccontextmanager
async def cloning(
    folder: Path,
    environment: Mapping[str, str],
    provider: Provider,
    **options: Any,
) -> AsyncIterator[Clone]:
    """An editor whose server has been told nothing about trust."""
    (folder / "notes.md").write_text("# Secret notes\n", encoding="utf-8")
    undecided = {**environment, "WRITEIT_TRUST": ""}
    async with serving([folder], "neovim", undecided, **options) as editor:
        yield Clone(editor, provider, folder)
