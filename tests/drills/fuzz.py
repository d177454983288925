"""Mutated messages to a real server, and mutated files to all that reads files.

    python -m drills.fuzz --messages 1000000 --files 20000

A server must answer each request with a result or a typed error, stay alive, answer a
ping, and stay within its memory. A file must be read, or refused with a typed error.
Each case has a number: `--seed` and the number make it again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from drills.mutations import mutate_bytes, mutate_text, mutate_value
from support.attacks import framed
from support.waiting import TIMEOUT
from support.workspace import NOTES, new_workspace
from writeit.domain.errors import WriteItError
from writeit.export.bundle_reader import read_export
from writeit.library.catalog import Library, bundled_library_root, read_library
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_check import check_front_matter
from writeit.library.front_matter_writer import with_front_matter
from writeit.library.pipelines import read_name, read_pipeline, read_primer
from writeit.library.user_config import read_user_config
from writeit.library.yaml_cursor import cursor_context, parse_words
from writeit.lsp.commands import HANDLERS
from writeit.lsp.pygls_fixes import INTERNAL_ERROR
from writeit.text.front_matter import with_providers

MAX_RESIDENT = 400_000_000
"""Bytes of a server; one that has read all modules and notes has a quarter of it."""
BATCH = 100
NO_RUN = "019e0000-0000-7000-8000-000000000000"
COMPAT = Path(__file__).parents[1] / "compat"
NOT_SENT = {
    "writeit.model.install",  # would fetch 93 MB
    "writeit.keys.set",  # would write to the keyring of whoever runs this
    "writeit.store.compact",  # takes a second each time
    "writeit.store.backup",  # fills the disk
}


@dataclass(slots=True)
class Findings:
    """What was sent, and what went wrong."""

    cases: int = 0
    problems: list[str] = field(default_factory=list)
    resident: int = 0
    """The most bytes that a server had."""
    seconds: float = 0.0

    def report(self) -> str:
        """Return it as text."""
        figures = f"{self.cases:,} cases in {self.seconds:.0f} s"
        memory = f", at most {self.resident / 1e6:.0f} MB" if self.resident else ""
        return "\n".join([figures + memory, *self.problems[:20]])


# --- messages ---


@dataclass(slots=True)
class Target:
    """A server, and what it answers."""

    process: asyncio.subprocess.Process
    log: Path
    replies: dict[Any, dict[str, Any]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, body: bytes) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(framed(body))

    def request(self, number: Any, method: str, params: Any) -> None:
        """Send a request."""
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.send(json.dumps(message).encode())

    async def read(self) -> None:
        """Keep the replies; answer what the server asks."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            length = int(line.split(b":")[1])
            while (await self.process.stdout.readline()).strip():
                pass
            message = json.loads(await self.process.stdout.readexactly(length))
            if "method" not in message:
                self.replies[str(message.get("id"))] = message
                self.news.set()
            elif "id" in message:
                answer = {"jsonrpc": "2.0", "id": message["id"], "result": None}
                self.send(json.dumps(answer).encode())

    async def until_answered(self, numbers: set[Any]) -> set[Any]:
        """Wait for replies; return the numbers that got none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                while not numbers <= set(self.replies):
                    self.news.clear()
                    await self.news.wait()
        return numbers - set(self.replies)


@asynccontextmanager
async def attacked(home: Path) -> AsyncIterator[Target]:
    """Run a server to which anything may be sent."""
    folder, log = new_workspace(home / "w"), home / "log"
    (folder / "pipelines").mkdir(exist_ok=True)
    own = bundled_library_root() / "pipelines" / "tech-article.yaml"
    (folder / "pipelines" / "own.yaml").write_text(
        own.read_text().replace("name: tech-article", "name: own", 1)
    )
    names = ("CONFIG", "DATA", "CACHE")
    environment = {
        **os.environ,
        **{f"WRITEIT_{name}_DIR": str(home / name) for name in names},
        "HOME": str(home),
        "WRITEIT_ALLOW_MODEL_REQUESTS": "none",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "writeit", "serve"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment,
            cwd=home,
            limit=2**26,
        )
    target = Target(process, log)
    reader = asyncio.create_task(target.read())
    target.request("initialize", "initialize", _initialize_params(folder))
    await target.until_answered({"initialize"})
    try:
        yield target
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


def _initialize_params(folder: Path) -> dict[str, Any]:
    options = {"writeit": {"client": {"name": "fuzz"}}}
    return {
        "processId": None,
        "rootUri": folder.as_uri(),
        "capabilities": {"workspace": {"applyEdit": True}},
        "initializationOptions": options,
    }


def _seeds(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return requests that are right, or nearly so."""
    uri = (folder / "notes.md").as_uri()
    document = {"textDocument": {"uri": uri}}
    place = {"line": 2, "character": 9}
    span = {"start": place, "end": {"line": 6, "character": 3}}
    right: dict[str, Any] = {
        "runId": NO_RUN,
        "step": "angles",
        "response": 0,
        "score": 0.5,
        "text": "words",
        "pipeline": "own",
        "uri": uri,
        "primer": "academic",
        "view": "run",
        "model": "openai/gpt-4o",
        "range": span,
        "folder": folder.as_uri(),
        "inputs": {"target_audience": "you"},
        "models": ["openai/gpt-4o"],
        "samples": 2,
        "feedback": "more",
        "left": {"step": "angles"},
        "right": {"step": "angles"},
        "limit": 5,
    }
    commands = [
        (
            "workspace/executeCommand",
            {"command": name, "arguments": [_params(name, right)]},
        )
        for name in sorted(set(HANDLERS) - NOT_SENT)
    ]
    version = {"uri": uri, "version": 2}
    text = {**version, "languageId": "markdown", "text": NOTES}
    changes = [{"range": span, "text": "more words\n"}, {"text": NOTES}]
    context = {"diagnostics": [], "only": ["source.writeit"]}
    return commands * 2 + [
        ("textDocument/didOpen", {"textDocument": text}),
        (
            "textDocument/didChange",
            {"textDocument": version, "contentChanges": changes},
        ),
        ("textDocument/didClose", document),
        ("textDocument/didSave", document),
        ("textDocument/completion", {**document, "position": place}),
        ("textDocument/hover", {**document, "position": place}),
        ("textDocument/definition", {**document, "position": place}),
        ("textDocument/codeLens", document),
        ("textDocument/codeAction", {**document, "range": span, "context": context}),
        ("textDocument/diagnostic", {**document, "previousResultId": "x"}),
        ("textDocument/documentSymbol", document),
        ("workspace/textDocumentContent", {"uri": "writeit:/run/x.md"}),
        ("workspace/didChangeConfiguration", {"settings": {"writeit": {}}}),
        ("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]}),
        ("$/cancelRequest", {"id": 7}),
        ("window/workDoneProgress/cancel", {"token": "x"}),
    ]


def _params(command: str, right: dict[str, Any]) -> dict[str, Any]:
    fields = HANDLERS[command].params_model.model_fields
    names = [info.alias or name for name, info in fields.items()]
    return {name: right[name] for name in names if name in right}


async def fuzz_messages(count: int, seed: int) -> Findings:
    """Send mutated messages to a server, a hundred at a time, then a ping."""
    found, started = Findings(), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        async with attacked(Path(name)) as target:
            seeds = _seeds(Path(name) / "w")
            target.request("run", *_first_run(seeds))
            await target.until_answered({"run"})
            run_id = target.replies["run"]["result"]["pipelineRunId"]
            seeds = json.loads(json.dumps(seeds).replace(NO_RUN, run_id))
            while found.cases < count and not found.problems:
                await _send_batch(target, seeds, found, seed)
    found.seconds = time.monotonic() - started
    return found


def _first_run(seeds: list[tuple[str, dict[str, Any]]]) -> tuple[str, Any]:
    start = {"pipeline": "tech-article"}
    for _, params in seeds:
        if params.get("command") == "writeit.run.start":
            start = {"pipeline": "own", "uri": params["arguments"][0]["uri"]}
    return "workspace/executeCommand", {
        "command": "writeit.run.start",
        "arguments": [start],
    }


async def _send_batch(
    target: Target, seeds: list[tuple[str, dict[str, Any]]], found: Findings, seed: int
) -> None:
    sent: dict[Any, bytes] = {}
    for _ in range(BATCH):
        found.cases += 1
        chance = random.Random(f"{seed}/{found.cases}")  # noqa: S311 -- not a secret
        number = f"m{found.cases}"
        method, params = chance.choice(seeds)
        message = {"jsonrpc": "2.0", "method": method}
        message["params"] = mutate_value(params, chance)
        is_request = "/did" not in method and "ancel" not in method
        if is_request:
            message["id"] = number
        body = json.dumps(message).encode()
        if chance.random() < 0.15:  # not even JSON, or another message
            body = mutate_bytes(body, chance)
        elif is_request:
            sent[number] = body
        target.send(body)
    ping = f"ping{found.cases}"
    target.request(ping, "writeit/ping", None)
    missing = await target.until_answered({ping, *sent})
    found.problems += [
        f"no reply to {number}: {sent.get(number)!r}" for number in missing
    ]
    for number, body in sent.items():
        error = target.replies.get(number, {}).get("error") or {}
        if error.get("message") == INTERNAL_ERROR:
            found.problems.append(f"{number}: internal error of {body[:2_000]!r}")
    target.replies.clear()
    if target.process.returncode is not None:
        found.problems.append(f"the server ended before case {found.cases}")
        return
    resident = psutil.Process(target.process.pid).memory_info().rss
    found.resident = max(found.resident, resident)
    if resident > MAX_RESIDENT:
        found.problems.append(f"{resident / 1e6:.0f} MB after case {found.cases}")


async def fuzz_framing(count: int, seed: int) -> Findings:
    """Send mutated headers and bodies; the server stays, or ends with a sentence."""
    found, started = Findings(), time.monotonic()
    while found.cases < count and not found.problems:
        with tempfile.TemporaryDirectory() as name:
            async with attacked(Path(name)) as target:
                await _send_frames(target, found, seed)
    found.seconds = time.monotonic() - started
    return found


async def _send_frames(target: Target, found: Findings, seed: int) -> None:
    assert target.process.stdin is not None
    ping = json.dumps({"jsonrpc": "2.0", "id": "p", "method": "writeit/ping"}).encode()
    with suppress(ConnectionError):
        for _ in range(BATCH):
            found.cases += 1
            chance = random.Random(f"{seed}/frame/{found.cases}")  # noqa: S311 -- not a secret
            target.process.stdin.write(mutate_bytes(framed(ping), chance))
            target.process.stdin.write(framed(ping))
        await target.process.stdin.drain()
    target.process.stdin.close()
    try:
        code = await asyncio.wait_for(target.process.wait(), TIMEOUT)
    except TimeoutError:
        code = None
    said = target.log.read_text(errors="replace")
    if code not in {0, 1} or "Traceback" in said:
        found.problems.append(
            f"up to frame {found.cases}: ended with {code}: {said[-900:]}"
        )
    sentences = ("The server ends", "The last message ended")
    if "p" not in target.replies and not any(each in said for each in sentences):
        found.problems.append(f"up to frame {found.cases}: no reply, and no sentence")


# --- files ---


def fuzz_files(count: int, seed: int) -> Findings:
    """Read mutated files of each kind; anything but a typed error is a problem."""
    found, started = Findings(), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        readers = _readers(Path(name))
        kinds = [(kind, text) for kind in readers for text in _samples(kind)]
        for number in range(1, count + 1):
            found.cases = number
            chance = random.Random(f"{seed}/file/{number}")  # noqa: S311 -- not a secret
            kind, text = kinds[number % len(kinds)]
            for _ in range(chance.choice((1, 1, 2, 5))):
                text = mutate_text(text, chance, chance.choice(kinds)[1])
            text = text.encode("utf-8", "replace").decode()  # as a file has it
            try:
                with suppress(WriteItError):
                    readers[kind](text)
            except Exception as error:  # noqa: BLE001 -- any is a problem
                found.problems.append(f"file {number} ({kind}): {error!r} of {text!r}")
    found.seconds = time.monotonic() - started
    return found


def _readers(home: Path) -> dict[str, Callable[[str], object]]:
    library, _ = read_library(None)
    config = home / "config"
    config.mkdir()
    os.environ["WRITEIT_CONFIG_DIR"] = str(config)

    def read_config(text: str) -> None:
        (config / "config.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        read_user_config()

    return {
        "pipelines": _read_pipeline,
        "primers": lambda text: read_primer(text, "file:///a", default_id="a"),
        "front matter": lambda text: _read_front_matter(text, library),
        "config": read_config,
        "exports": read_export,
    }


def _read_pipeline(text: str) -> None:
    read_pipeline(text, "file:///a", created=datetime(2026, 1, 1, tzinfo=UTC))
    read_name(text)


def _read_front_matter(text: str, library: Library) -> None:
    found = split_front_matter(text, "file:///a")
    assert found.head + found.body == text
    check_front_matter(found, library)
    with_providers(text, ["openai"])
    parse_words(found.head)
    cursor_context(found.head, len(found.head) // 2)
    with_front_matter(text, library.pipeline("tech-article"))


def _samples(kind: str) -> Iterator[str]:
    match kind:
        case "pipelines" | "primers":
            for path in sorted((bundled_library_root() / kind).glob("*.yaml")):
                yield path.read_text(encoding="utf-8")
        case "front matter":
            yield NOTES
            yield '+++\na = 1\n[writeit]\nproviders = ["ollama"]\n+++\n# A\n\nA.\n'
            yield '{"writeit": {"pipeline": "own", "inputs": {"a": 1}}}\n\n# A\n\nA.\n'
            yield "% A title\n% An author\n  writeit: x\n% 2026\n\nText.\n"
            yield "---\nwriteit: &a\n  models: {a: [x]}\n  <<: {primer: y}\n...\nA.\n"
        case "config":
            yield "store_location: data\nollama_url: http://127.0.0.1:11434\n"
        case _:
            for suffix in ("*.yaml", "*.json"):
                for path in sorted(COMPAT.rglob(suffix))[:4]:
                    yield path.read_text(encoding="utf-8")


def main() -> int:
    """Run all three and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- not a secret
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    every = {
        "messages": asyncio.run(fuzz_messages(given.messages * 9 // 10, given.seed)),
        "frames": asyncio.run(fuzz_framing(given.messages // 10, given.seed)),
        "files": fuzz_files(given.files, given.seed),
    }
    for title, found in every.items():
        sys.stdout.write(f"{title}: {found.report()}\n")
    return 1 if any(found.problems for found in every.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
