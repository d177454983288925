"""An editor for tests: raw JSON over stdio, every message kept in its order."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pytest_lsp import client_capabilities

from support import contract
from support.waiting import TIMEOUT

Json = dict[str, Any]
PROFILES = ("visual_studio_code", "neovim", "bare")
EVERY_PROFILE = (*PROFILES, "neovim 0.12")
NEWER: dict[str, Json] = {
    "visual_studio_code": {
        "workspace.textDocumentContent": {"dynamicRegistration": True},
        "workspace.codeLens.refreshSupport": True,
        "textDocument.codeAction.tagSupport": {"valueSet": [1]},
    },
    "neovim 0.12": {
        "workspace.codeLens": {"refreshSupport": True},
        "workspace.workspaceEdit.changeAnnotationSupport": {"groupsOnLabel": True},
        "workspace.diagnostics": {"refreshSupport": True},
    },
}
"""What editors say they can do, beyond what was recorded of older ones."""


class Refused(Exception):
    """The server's error reply."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.data: Json = error.get("data") or {}
        self.kind = self.data.get("kind")


class Declined(Exception):
    """What a client answers a request of the server with, instead of a result."""

    def __init__(self, message: str, data: Json | None = None) -> None:
        super().__init__(message)
        self.data = data


def capabilities(profile: str) -> Json:
    """Client capabilities of a real editor; "bare" has next to none.

    "bare utf-8" counts positions in that encoding. What today's VS Code and Neovim
    0.12 can do beyond the versions that were recorded is added.
    """
    if profile == "bare":
        return {}
    if profile.startswith("bare "):
        return {"general": {"positionEncodings": [profile.removeprefix("bare ")]}}
    from pygls.protocol import default_converter  # noqa: PLC0415 -- slow to import

    converter = default_converter()  # type: ignore[no-untyped-call]  # pygls
    recorded = profile.partition(" ")[0]
    known: Json = converter.unstructure(client_capabilities(recorded))
    for path, support in NEWER.get(profile, {}).items():
        *sections, last = path.split(".")
        place = known
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = support
    return known


class Editor:
    """One connection to a real server process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.messages: list[Json] = []
        """Everything the server sent, in order."""
        self.settings: Json = {}
        """What `workspace/configuration` is answered with."""
        self.initialized: Json = {}
        self.answers: dict[str, Callable[[Json], Any]] = {}
        """What requests of the server are answered with, by method; may be awaited."""
        self.profile = ""
        self.folder = Path()
        """The first workspace folder."""
        self._notes = ""
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._commands: dict[int, Json] = {}
        """The commands that wait for a reply, by the id of the request."""
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @property
    def notes(self) -> str:
        """The URI of the open notes; the workspace's are opened at the first use."""
        self._notes = self._notes or self.open_document(self.folder / "notes.md")
        return self._notes

    @notes.setter
    def notes(self, uri: str) -> None:
        self._notes = uri

    # --- talking ------------------------------------------------------------------

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; return its id and the future of its result."""
        number = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        self._replies[number] = future
        if method == "workspace/executeCommand":
            self._commands[number] = params
        self._write({"id": number, "method": method, "params": params})
        return number, future

    async def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its result."""
        return await asyncio.wait_for(self.ask(method, params)[1], TIMEOUT)

    def start(
        self, command: str, work_done_token: str | None = None, **params: object
    ) -> tuple[int, asyncio.Future[Any]]:
        """Send a command without waiting for it."""
        sent: Json = {"command": command, "arguments": [params]}
        if work_done_token is not None:
            sent["workDoneToken"] = work_done_token
        return self.ask("workspace/executeCommand", sent)

    async def command(self, command: str, **params: object) -> Any:
        """Send a command and wait for its result; raises Refused."""
        return await asyncio.wait_for(self.start(command, None, **params)[1], TIMEOUT)

    async def start_run(self, **params: object) -> str:
        """Start a run on the open notes; return its id."""
        given: Json = {"pipeline": "tech-article", "uri": self.notes, **params}
        run = await self.command("writeit.run.start", **given)
        return str(run["pipelineRunId"])

    async def generate(self, run_id: str, *models: str, **params: object) -> Json:
        """Let models of the provider answer the current step; return the step."""
        params["models"] = [f"openai/{model}" for model in models]
        step: Json = await self.command("writeit.step.run", runId=run_id, **params)
        return step

    async def streaming(
        self, model: str, token: str
    ) -> tuple[str, int, asyncio.Future[Any]]:
        """Let an answer stream to a new run; return run id, request id and reply."""
        run_id = await self.start_run()
        number, reply = self.start(
            "writeit.step.run",
            runId=run_id,
            models=[f"openai/{model}"],
            streamToken=token,
        )
        await self.until(lambda: len(self.progress(token)) > 2)
        return run_id, number, reply

    async def answered(self, *models: str, **params: object) -> str:
        """Start a run whose first step those models answer; return its id."""
        run_id = await self.start_run(**params)
        await self.generate(run_id, *models)
        return run_id

    async def choose(
        self, run_id: str, response: int | str = 0, **params: object
    ) -> Json:
        """Choose an answer of the current step; return the run."""
        run: Json = await self.command(
            "writeit.step.select", runId=run_id, response=response, **params
        )
        return run

    async def show(self, run_id: str) -> Json:
        """Return a run as it is stored."""
        run: Json = await self.command("writeit.run.show", runId=run_id)
        return run

    async def step_page(self, run_id: str) -> Path:
        """Open the page of a run's first step as a file; return the file."""
        opened = await self.command("writeit.view.open", view="step", runId=run_id)
        path = self.folder / ".writeit" / "views" / "step" / run_id / "angles.md"
        assert opened["uri"] == path.as_uri()
        return path

    def shown_messages(self) -> list[str]:
        """The texts of all messages that were shown."""
        return [m["message"] for m in self.sent("window/showMessage")]

    async def refusal(self, command: str, **params: object) -> Refused:
        """Send a command that has to be refused; return the refusal."""
        try:
            result = await self.command(command, **params)
        except Refused as refused:
            return refused
        msg = f"{command} was not refused: {result}"
        raise AssertionError(msg)

    async def refused(self, reply: asyncio.Future[Any]) -> Refused:
        """Wait for the reply to a command that has to be refused."""
        try:
            result = await asyncio.wait_for(reply, TIMEOUT)
        except Refused as refused:
            return refused
        msg = f"it was not refused: {result}"
        raise AssertionError(msg)

    def cancel(self, number: int) -> None:
        """Cancel a request."""
        self.notify("$/cancelRequest", {"id": number})

    # --- hearing --------------------------------------------------------------------

    def progress(self, token: str) -> list[Json]:
        """The values of `$/progress` with a token, in order."""
        return [
            message["params"]["value"]
            for message in self.messages
            if message.get("method") == "$/progress"
            and message["params"]["token"] == token
        ]

    def sent(self, method: str) -> list[Json]:
        """The params of every message with a method."""
        return [m.get("params", {}) for m in self.messages if m.get("method") == method]

    async def until(self, condition: Any, within: float = TIMEOUT) -> None:
        """Wait until something has been heard."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(condition)

    # --- life -----------------------------------------------------------------------

    async def open(
        self, folders: list[Path], profile: str, options: Json | None = None
    ) -> None:
        """Initialize the server with workspace folders."""
        self.profile, self.folder = profile, (folders or [Path()])[0]
        uris = [folder.as_uri() for folder in folders]
        self.initialized = await self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": uris[0] if uris else None,
                "workspaceFolders": [{"uri": u, "name": u} for u in uris] or None,
                "capabilities": capabilities(profile),
                "initializationOptions": options,
            },
        )
        self.notify("initialized", {})

    def open_document(self, path: Path) -> str:
        """Open a file in the editor; return its URI."""
        uri = path.as_uri()
        document = {
            "uri": uri,
            "languageId": "markdown",
            "version": 1,
            "text": path.read_text(encoding="utf-8"),
        }
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    async def quit(self) -> int:
        """Shut the server down as an editor does; return its exit code."""
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await asyncio.wait_for(self.process.wait(), TIMEOUT)

    async def end(self) -> None:
        """Make sure that nothing is left."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    def _write(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            length = int(line.split(b":")[1])
            while (await self.process.stdout.readline()).strip():
                pass
            message = json.loads(await self.process.stdout.readexactly(length))
            self.messages.append(message)
            try:
                self._take(message)
            except Exception as error:
                # Whoever waits for a reply is told why none can come any more.
                for future in self._replies.values():
                    if not future.done():
                        future.set_exception(error)
                raise
            async with self._news:
                self._news.notify_all()

    def _take(self, message: Json) -> None:
        if "method" not in message:
            command = self._commands.pop(message["id"], None)
            if command is not None:
                contract.check_reply(command, message)
            future = self._replies.pop(message["id"])
            if future.done():
                return
            if "error" in message:
                future.set_exception(Refused(message["error"]))
            else:
                future.set_result(message["result"])
        elif "id" in message:
            self._reply(message["id"], self._answer(message))

    def _reply(self, number: int, answer: Any) -> None:
        if asyncio.isfuture(answer):
            answer.add_done_callback(lambda done: self._reply(number, done.result()))
        elif isinstance(answer, Declined):
            error = {"code": -32603, "message": str(answer), "data": answer.data}
            self._write({"id": number, "error": error})
        else:
            self._write({"id": number, "result": answer})

    def _answer(self, message: Json) -> Any:
        if message["method"] in self.answers:
            return self.answers[message["method"]](message["params"])
        if message["method"] == "workspace/configuration":
            return [self.settings for _ in message["params"]["items"]]
        if message["method"] == "window/showDocument":
            return {"success": True}
        return None


@asynccontextmanager
async def serving(
    folders: list[Path],
    profile: str = "visual_studio_code",
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    options: Json | None = None,
) -> AsyncIterator[Editor]:
    """A server process with an editor connected to it; its stderr goes to `log`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "writeit",
        "serve",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT),
        env={**os.environ, **(environment or {})},
        limit=2**26,
        start_new_session=True,  # a group of its own, as under Emacs
    )
    editor = Editor(process)
    try:
        await editor.open(folders, profile, options)
        yield editor
    finally:
        await editor.end()
