"""The longest stall of a server's event loop while a hostile folder is used.

    python benchmarks/stalls.py [WORD ...]

Each folder is opened by a new server, which was used with a harmless one before. A
task in its loop wakes every 5 ms. Printed for each folder: the longest delay, the
processor time that the loop used in it, the request, and where the loop was then.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

BEAT = 0.005
STALL = 0.1
TIMEOUT = 90

# --- in the server ---


class Heartbeat:
    """Measures the delays of a loop, and where it is during a long one."""

    def __init__(self) -> None:
        self.last = 0.0
        self.reset()

    def reset(self, *_: object) -> None:
        """Forget what was measured."""
        self.worst, self.processor, self.where = 0.0, 0.0, ""

    async def beat(self) -> None:
        """Wake every few milliseconds."""
        self.thread = threading.get_ident()
        threading.Thread(target=self.watch, daemon=True).start()
        while True:
            self.last, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT)
            late = time.perf_counter() - self.last - BEAT
            if late > self.worst:
                self.worst, self.processor = late, time.thread_time() - used
                self.where = self.seen if late > STALL / 2 else ""

    def watch(self) -> None:
        """Look at the loop's stack while it does not wake."""
        while True:
            time.sleep(BEAT)
            if self.last and time.perf_counter() - self.last > STALL / 2:
                frames = sys._current_frames()  # noqa: SLF001 -- nothing else tells
                stack = traceback.extract_stack(frames[self.thread])
                ours = [f for f in stack if "writeit" in f.filename][-4:]
                self.seen = " > ".join(
                    f"{Path(f.filename).stem}.{f.name}" for f in ours
                )

    seen = ""

    def tell(self, *_: object) -> None:
        """Write down what was measured, and start again."""
        path = Path(os.environ["STALLS_FILE"])
        scratch = path.with_suffix(".new")
        figures = [self.worst * 1000, self.processor * 1000, self.where]
        scratch.write_text(json.dumps(figures), encoding="utf-8")
        scratch.replace(path)
        self.reset()


def serve() -> None:
    """Run a server with a heartbeat in its loop."""
    from writeit import app  # noqa: PLC0415 -- in the server only
    from writeit.lsp import server  # noqa: PLC0415 -- as above

    heart, run = Heartbeat(), server._run_stdio  # noqa: SLF001 -- its loop

    async def run_with_heartbeat(*arguments: Any) -> None:  # noqa: ANN401 -- as it has
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, heart.tell)
        task = asyncio.create_task(heart.beat())
        await run(*arguments)
        task.cancel()

    server._run_stdio = run_with_heartbeat  # type: ignore[assignment]  # noqa: SLF001 -- as above
    app.main(["serve"])


# --- folders ---

HEAD = "inputs: [{name: notes, required: true, from: document}]\n"
NOTES = "---\nwriteit:\n  pipeline: theirs\n---\n# Notes\n\nA river is moving water.\n"


def pipeline(prompt: str = "{{ inputs.notes }}", more: str = "") -> str:
    """Return the text of a pipeline of one step."""
    return (
        f"name: theirs\n{HEAD}{more}steps:\n- name: draft\n  prompt: |\n    {prompt}\n"
    )


def big_folder(folder: Path, kind: str, count: int, size: int) -> None:
    """Write many big files."""
    for number in range(count):
        keys = "".join(f"x-{n}: [1, 2, 3]\n" for n in range(size // 20))
        text = f"name: a{number}\n{HEAD}steps: [{{name: s, prompt: x}}]\n{keys}"
        if kind == "primers":
            text = f"name: a{number}\ncontent: x\nguidelines:\n" + "".join(
                f"  k{n}: value\n" for n in range(size // 16)
            )
        (folder / kind / f"a{number:04}.yaml").write_text(text)


def doubled(last: str) -> str:
    """Return a template with a list of 2^40 places."""
    sets = "".join(f"{{% set a{n + 1} = [a{n}, a{n}] %}}" for n in range(40))
    return f"{{% set a0 = [1] %}}{sets}{last}"


def notes_of(front_matter: str) -> Callable[[Path], None]:
    """Return what writes notes with that front matter."""

    def write(folder: Path) -> None:
        (folder / "notes.md").write_text(
            f"---\nwriteit:\n  pipeline: tech-article\n{front_matter}---\n# A\n\nA.\n"
        )

    return write


def their(prompt: str = "{{ inputs.notes }}", more: str = "") -> Callable[[Path], None]:
    """Return what writes a pipeline of the folder."""

    def write(folder: Path) -> None:
        (folder / "pipelines" / "theirs.yaml").write_text(pipeline(prompt, more))

    return write


def long_notes(line: str) -> Callable[[Path], None]:
    """Return what writes notes of 5 MB."""

    def write(folder: Path) -> None:
        (folder / "notes.md").write_text(NOTES + line * (4_900_000 // len(line)))

    return write


LOOP = "{% for i in range(90000) %}"
FOLDERS: dict[str, Callable[[Path], object]] = {
    "harmless": lambda _: None,
    "4,000 steps": lambda f: (
        (f / "pipelines" / "theirs.yaml").write_text(
            f"name: theirs\n{HEAD}steps:\n"
            + "".join(f"- {{name: s{n}, prompt: x}}\n" for n in range(4_000))
        )
        and None
    ),
    "100 steps that use each other": lambda f: (
        (f / "pipelines" / "theirs.yaml").write_text(
            f"name: theirs\n{HEAD}steps:\n"
            + "".join(
                f"- {{name: s{n}, prompt: '{'{{ steps.s0.content }}' * min(n, 9)}x'}}\n"
                for n in range(100)
            )
        )
        and None
    ),
    "120 big pipelines": lambda f: big_folder(f, "pipelines", 120, 200_000),
    "100 pipelines of 10 KB": lambda f: big_folder(f, "pipelines", 100, 10_000),
    "100 primers of 10 KB": lambda f: big_folder(f, "primers", 100, 10_000),
    "20,000 small primers": lambda f: big_folder(f, "primers", 20_000, 16),
    "a pipeline with an unknown primer": lambda f: (
        (f / "pipelines" / "theirs.yaml").write_text(
            pipeline(more="defaults: {style_primer: nobody}\n")
            + "".join(f"x-{n}: 1\n" for n in range(18_000))
        )
        and None
    ),
    "deep YAML": their(more="x-deep: " + "[" * 100_000 + "\n"),
    "YAML with many nodes": their(more="x-many: [" + "1," * 120_000 + "]\n"),
    "big integers": their(more=f"defaults: {{x: {'9' * 200_000}}}\n"),
    "1,500 unknown variables": their(
        " ".join(f"{{{{ inputs.unknown{n} }}}}" for n in range(1_500))
    ),
    "shared lists compared": their(doubled("{{ a40 == [a39, 1] }}")),
    "shared lists printed": their(doubled("{{ a40 }}")),
    "lists of uppers": their(
        LOOP + "{% set x = inputs.notes|upper %}{% endfor %}" + "x"
    ),
    "a template that takes 2 s": their(LOOP * 2 + "{% endfor %}" * 2 + "x"),
    "front matter, 5,000 keys": notes_of(
        "x:\n" + "".join(f"  k{n}: v\n" for n in range(5_000))
    ),
    "front matter, 250 KB": notes_of(
        "  inputs: {source_material: x}\nx:\n"
        + "".join(f"  k{n}: [1, 2]\n" for n in range(17_000))
    ),
    "front matter, long text": notes_of(
        "  inputs:\n    source_material: |\n" + "      words of a text\n" * 11_000
    ),
    "front matter, 3,000 unknown inputs": notes_of(
        "  inputs:\n" + "".join(f"    target_{n}: v\n" for n in range(3_000))
    ),
    "front matter, 3,000 models": notes_of(
        "  models:\n    draft:\n"
        + "".join(f"    - openia/m{n}\n" for n in range(3_000))
    ),
    "front matter, 5 MB without end": lambda f: (
        (f / "notes.md").write_text(
            "---\nwriteit:\n  pipeline: theirs\n" + "key: value\n" * 450_000
        )
        and None
    ),
    "front matter, 200 KB of JSON": lambda f: (
        (f / "notes.md").write_text(
            '{"writeit": {"pipeline": "tech-article"}, "x": ['
            + "1, " * 66_000
            + "1]}\n\n# Notes\n"
        )
        and None
    ),
    "front matter, 200 KB of TOML": lambda f: (
        (f / "notes.md").write_text(
            '+++\n[writeit]\npipeline = "tech-article"\n[x]\n'
            + "".join(f"k{n} = 1\n" for n in range(20_000))
            + "+++\n# Notes\n"
        )
        and None
    ),
    "5 MB notes of paragraphs": long_notes("A line of words about rivers.\n\n"),
    "5 MB notes of lists": long_notes("- a\n  - b\n    - c\n"),
    "5 MB notes on one line": long_notes("word "),
    "5 MB notes of brackets": long_notes("[" * 79 + "\n"),
    "5 MB notes of headings": long_notes("# A\n\ntext\n\n"),
}

# --- the client ---


@asynccontextmanager
async def serving(folder: Path, home: Path) -> AsyncIterator[Any]:
    """Run a server with a heartbeat on a folder."""
    from support.editor import Editor  # noqa: PLC0415 -- found in `main`

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            **os.environ,
            "HOME": str(home),
            "STALLS_FILE": str(home / "stalls.json"),
            "OPENAI_API_KEY": "sk-x",
            "WRITEIT_ALLOW_MODEL_REQUESTS": "none",
            **{f"WRITEIT_{n}_DIR": str(home / n) for n in ("CONFIG", "DATA", "CACHE")},
        },
        limit=2**28,
    )
    editor = Editor(process)
    try:
        await editor.open([folder], "neovim")
        yield editor
    finally:
        await editor.end()


async def measure(editor: Any, home: Path, path: Path) -> list[Any]:  # noqa: ANN401 -- the editor of the tests
    """Use a folder as an editor does; return the worst stall and its request."""
    uri = path.as_uri()
    worst: list[Any] = [0.0, 0.0, "", ""]
    document = {"textDocument": {"uri": uri}}
    here = {**document, "position": {"line": 2, "character": 13}}
    span = {"start": {"line": 5, "character": 0}, "end": {"line": 5, "character": 3}}
    run_ids: list[str] = []

    async def open_notes() -> None:
        editor.open_document(path)
        await editor.request("textDocument/codeLens", document)

    async def start(name: str) -> None:
        run = await editor.command("writeit.run.start", pipeline=name, uri=uri)
        run_ids.append(run["pipelineRunId"])

    async def change() -> None:
        edit = {"range": {**span, "end": span["start"]}, "text": "word "}
        version = {"uri": uri, "version": 2 + len(run_ids)}
        editor.notify(
            "textDocument/didChange",
            {"textDocument": version, "contentChanges": [edit]},
        )
        await editor.request("textDocument/codeLens", document)

    async def polish() -> None:
        await editor.command(
            "writeit.document.polish", pipeline="polish-passage", uri=uri, range=span
        )

    steps: dict[str, Any] = {
        "open": open_notes,
        "codeLens": lambda: editor.request("textDocument/codeLens", document),
        "codeAction": lambda: editor.request(
            "textDocument/codeAction",
            {**document, "range": span, "context": {"diagnostics": []}},
        ),
        "completion": lambda: editor.request("textDocument/completion", here),
        "hover": lambda: editor.request("textDocument/hover", here),
        "definition": lambda: editor.request("textDocument/definition", here),
        "pipeline.list": lambda: editor.command("writeit.pipeline.list", uri=uri),
        "primer.list": lambda: editor.command("writeit.primer.list"),
        "frontMatter": lambda: editor.command(
            "writeit.document.frontMatter", pipeline="tech-article", uri=uri
        ),
        "change": change,
        "start theirs": lambda: start("theirs"),
        "preview": lambda: editor.command(
            "writeit.step.preview", runId=run_ids[-1], models=["openai/gpt-4o"]
        ),
        "skip": lambda: editor.command("writeit.step.skip", runId=run_ids[-1]),
        "start ours": lambda: start("tech-article"),
        "preview ours": lambda: editor.command(
            "writeit.step.preview", runId=run_ids[-1], models=["openai/gpt-4o"]
        ),
        "run page": lambda: editor.command(
            "writeit.view.open", view="run", runId=run_ids[-1]
        ),
        "polish": polish,
        "codeLens again": lambda: editor.request("textDocument/codeLens", document),
    }
    figures = home / "stalls.json"
    for name, step in steps.items():
        try:
            await asyncio.wait_for(step(), TIMEOUT)
        except Exception as error:  # noqa: BLE001 -- refusals are what is wanted, and nothing hangs
            if isinstance(error, TimeoutError):
                worst = [TIMEOUT * 1000.0, 0.0, "no reply", name]
        await asyncio.sleep(0.1)
        figures.unlink(missing_ok=True)
        editor.process.send_signal(signal.SIGUSR1)
        while not figures.exists():  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.01)
        found = [*json.loads(figures.read_text(encoding="utf-8")), name]
        worst = max(worst, found, key=itemgetter(0))
    return worst


async def main(words: list[str]) -> None:
    """Measure each folder and print."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    print(f"{'folder':36} {'stall':>8} {'of which ours':>14}  in", flush=True)
    for title, write in FOLDERS.items():
        if words and not any(word in title for word in words):
            continue
        with TemporaryDirectory() as name:
            home, folder = Path(name) / "home", Path(name) / "w"
            home.mkdir()
            for kind in ("pipelines", "primers"):
                (folder / kind).mkdir(parents=True)
            their()(folder)
            (folder / "warm.md").write_text(NOTES)
            (folder / "notes.md").write_text(NOTES)
            async with serving(folder, home) as editor:
                await measure(editor, home, folder / "warm.md")
                write(folder)
                found = await measure(editor, home, folder / "notes.md")
        late, used, where, step = found
        print(f"{title:36} {late:5.0f} ms {used:11.0f} ms  {step}  {where}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        asyncio.run(main(sys.argv[1:]))
