"""The connected client: its capabilities, its options, and what is sent to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

from lsprotocol import types
from pydantic import ValidationError
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.progress import Progress

from writeit.domain.errors import WriteItError
from writeit.lsp.convert import line_range, path_to_uri
from writeit.lsp.messages import (
    CHANGED_METHOD,
    ChangedParams,
    ClientOptions,
    WireMessage,
    parse_client_options,
)
from writeit.lsp.pygls_fixes import can_pull_diagnostics, can_read_content
from writeit.text.lines import make_visible

EditReply: TypeAlias = "asyncio.Future[types.ApplyWorkspaceEditResult]"
MarkupFormats: TypeAlias = Sequence[types.MarkupKind | str]

CLOSE_TIMEOUT_SECONDS = 5.0
"""Seconds a background task gets to end by itself when the client leaves.

Some wait for replies that a client which has left never sends.
"""
REPLY_TIMEOUT_SECONDS = 2.0
"""Seconds an edit waits for its reply."""
WAIT_PARTS = 10
MAX_WAIT_PARTS = 3 * WAIT_PARTS
"""Parts of a wait, counted or not: no wait is endless."""

logger = logging.getLogger(__name__)


async def wait_done(future: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for a future; return whether it is done. It is never cancelled.

    Time in which this process was suspended does not count: the reply could not have
    been read then.
    """
    clock, part = asyncio.get_running_loop().time, seconds / WAIT_PARTS
    parts_left = WAIT_PARTS
    for _ in range(MAX_WAIT_PARTS):
        started_at = clock()
        done, _ = await asyncio.wait({future}, timeout=part)
        if done:
            return True
        parts_left -= clock() - started_at < 2 * part
        if parts_left == 0:
            return False
    return False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the client can do, as far as the server asks."""

    configuration: bool
    """It answers `workspace/configuration`."""
    versioned_edits: bool
    """It takes `documentChanges`, edits bound to a document's version."""
    create_files: bool
    code_action_edits: bool
    llm_tag: bool
    """It shows which code actions use a model."""
    symbol_tree: bool
    show_document: bool
    ask: bool
    """It shows messages with buttons."""
    progress: bool
    read_content: bool
    """It reads `writeit:` URIs with `workspace/textDocumentContent`."""
    pull_diagnostics: bool
    refresh_diagnostics: bool
    refresh_lenses: bool
    hover_formats: MarkupFormats
    completion_formats: MarkupFormats

    @classmethod
    def resolve(cls, client: types.ClientCapabilities) -> Self:
        """Read the capabilities that the client sent with `initialize`."""
        workspace = client.workspace or types.WorkspaceClientCapabilities()
        document = client.text_document or types.TextDocumentClientCapabilities()
        window = client.window or types.WindowClientCapabilities()
        edit = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
        action = document.code_action or types.CodeActionClientCapabilities()
        symbol = document.document_symbol
        completion = (
            document.completion.completion_item if document.completion else None
        )
        tags = action.tag_support.value_set if action.tag_support else ()
        lenses, diagnostics = workspace.code_lens, workspace.diagnostics
        versioned = bool(edit.document_changes)
        return cls(
            configuration=bool(workspace.configuration),
            versioned_edits=versioned,
            create_files=versioned
            and types.ResourceOperationKind.Create in (edit.resource_operations or ()),
            code_action_edits=action.code_action_literal_support is not None,
            llm_tag=types.CodeActionTag.LlmGenerated in tags,
            symbol_tree=bool(symbol and symbol.hierarchical_document_symbol_support),
            show_document=bool(window.show_document and window.show_document.support),
            ask=window.show_message is not None,
            progress=bool(window.work_done_progress),
            read_content=can_read_content(client),
            pull_diagnostics=can_pull_diagnostics(client),
            refresh_diagnostics=bool(diagnostics and diagnostics.refresh_support),
            refresh_lenses=bool(lenses and lenses.refresh_support),
            hover_formats=(document.hover and document.hover.content_format) or (),
            completion_formats=(completion and completion.documentation_format) or (),
        )


class Client:
    """The client at the other end of a connection; made after `initialize`."""

    def __init__(
        self,
        server: LanguageServer,
        initialization_options: object = None,
        websocket_id: str | None = None,
    ) -> None:
        self._server = server
        self._warnings: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.websocket_id = websocket_id
        """The id of its WebSocket connection, if it uses one."""
        self.capabilities = Capabilities.resolve(server.client_capabilities)
        self.position_encoding: str = server.workspace.position_encoding or "utf-16"
        self.options = self._parse_options(initialization_options)

    def _parse_options(self, initialization_options: object) -> ClientOptions:
        try:
            return parse_client_options(initialization_options)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            self.show_warning(
                f"initializationOptions.writeit.{name}: {first['msg']}."
                " Defaults are used for all of them."
            )
            return ClientOptions()

    @property
    def can_open_view_uris(self) -> bool:
        """Whether the client opens `writeit:` documents; else views are files."""
        return self.capabilities.read_content or self.options.views == "uri"

    # --- messages ---

    def show_info(self, message: str) -> None:
        """Show the user a message."""
        self._show_message(message, types.MessageType.Info)

    def show_warning(self, message: str) -> None:
        """Show the user a warning."""
        self._show_message(message, types.MessageType.Warning)

    def show_error(self, error: WriteItError) -> None:
        """Show the user an error and its hint."""
        self._show_message(message_with_hint(error), types.MessageType.Error)

    def warn_once(self, message: str) -> None:
        """Show a warning unless this client has had the same one."""
        if message not in self._warnings:
            self._warnings.add(message)
            self.show_warning(message)

    def show_fallback_message(self, message: str) -> None:
        """Show a message to the user of a client without a plug-in."""
        if message and not self.options.has_plugin:
            self.show_info(f"WriteIt: {message}")

    def _show_message(self, message: str, severity: types.MessageType) -> None:
        self._server.window_show_message(
            types.ShowMessageParams(type=severity, message=make_visible(message))
        )

    async def ask(self, message: str, button: str) -> bool:
        """Show a message with a button; return whether the user pressed it."""
        try:
            reply = await self._server.window_show_message_request_async(
                types.ShowMessageRequestParams(
                    type=types.MessageType.Warning,
                    message=make_visible(message),
                    actions=[types.MessageActionItem(button)],
                )
            )
        except JsonRpcException as error:
            logger.info("the client did not ask: %s", error.message)
            return False
        return reply is not None and reply.title == button

    async def open_document(self, uri: str) -> None:
        """Open a document that the user has just made, where the editor can.

        A plug-in opens it itself.
        """
        if self.capabilities.show_document and not self.options.has_plugin:
            await self.show_document(uri, take_focus=True)

    async def show_document(
        self, uri: str, *, take_focus: bool, line: int | None = None, said: str = ""
    ) -> None:
        """Open a document in the editor, at a line if one is given.

        If it cannot, tell the user the URI and what is `said` there.
        """
        if self.capabilities.show_document:
            place = None if line is None else line_range(line, line)
            params = types.ShowDocumentParams(uri, take_focus=take_focus)
            params.selection = place
            try:
                await self._server.window_show_document_async(params)
            except JsonRpcException as error:
                logger.info("the client did not show %s: %s", uri, error.message)
            else:
                return
        self.show_info("\n".join(filter(None, [said, f"WriteIt: {uri}"])))

    # --- edits, refreshes, progress, settings ---

    async def apply_edit(self, edit: types.WorkspaceEdit) -> EditReply:
        """Send an edit; return its reply, which may be pending and is only a hint."""
        params = types.ApplyWorkspaceEditParams(label="WriteIt", edit=edit)
        reply = asyncio.ensure_future(self._server.workspace_apply_edit_async(params))
        reply.add_done_callback(_log_failed_reply)
        await wait_done(reply, REPLY_TIMEOUT_SECONDS)
        return reply

    def publish_diagnostics(self, uri: str, items: list[types.Diagnostic]) -> None:
        """Replace the diagnostics that the client shows of a document."""
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=items)
        )

    async def refresh_diagnostics(self) -> None:
        """Have a client that pulls diagnostics pull them again."""
        if self.capabilities.refresh_diagnostics:
            try:
                await self._server.workspace_diagnostic_refresh_async(None)
            except JsonRpcException as error:
                logger.info("the client did not refresh: %s", error.message)

    async def refresh_lenses(self) -> None:
        """Have the client request code lenses again.

        Raises:
            JsonRpcException: the client refused.
        """
        if self.capabilities.refresh_lenses:
            await self._server.workspace_code_lens_refresh_async(None)

    async def refresh_content(self, view_uri: str) -> None:
        """Have the client read a view again.

        Raises:
            JsonRpcException: the client refused.
        """
        if self.capabilities.read_content:
            await self._server.workspace_text_document_content_refresh_async(
                types.TextDocumentContentRefreshParams(uri=view_uri)
            )

    def notify_changed(self, params: ChangedParams) -> None:
        """Send `writeit/changed` to a client that asked for it."""
        if self.options.events:
            self._server.protocol.notify(CHANGED_METHOD, params.to_json())

    async def request(self, method: str, params: Any, request_id: str) -> Any:  # noqa: ANN401 -- any JSON
        """Send a request of WriteIt's own; cancelling this cancels it.

        Raises:
            JsonRpcException: the client refused.
        """
        protocol = self._server.protocol
        try:
            return await protocol.send_request_async(method, params, request_id)
        except asyncio.CancelledError:
            protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id=request_id))
            raise

    def send_stream_event(self, token: str, message: WireMessage) -> None:
        """Send an event to the `streamToken` of a command."""
        self._server.progress(
            types.ProgressParams(token=token, value=message.to_json())
        )

    @property
    def work_done_progress(self) -> Progress:
        """The progress display of the client."""
        return self._server.work_done_progress

    async def pull_settings(self, path: Path | None) -> dict[str, Any]:
        """Return the `writeit` settings of a folder; {} if the client has none."""
        if not self.capabilities.configuration:
            return {}
        item = types.ConfigurationItem(
            section="writeit", scope_uri=path_to_uri(path) if path else None
        )
        try:
            reply = await self._server.workspace_configuration_async(
                types.ConfigurationParams(items=[item])
            )
        except JsonRpcException as error:
            logger.warning("the client did not send its settings: %s", error)
            return {}
        return reply[0] if reply and isinstance(reply[0], dict) else {}

    # --- background tasks ---

    def spawn_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the background until it ends or the client leaves."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a background task failed", exc_info=error)

    async def close(self) -> None:
        """Let background tasks end; cancel those that take too long."""
        if self._tasks:
            _, pending = await asyncio.wait(self._tasks, timeout=CLOSE_TIMEOUT_SECONDS)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)


def message_with_hint(error: WriteItError) -> str:
    """Return an error's message and hint as one text."""
    return f"{error.message} {error.hint}".strip()


def _log_failed_reply(reply: EditReply) -> None:
    if reply.cancelled():
        return
    error = reply.exception()
    if isinstance(error, JsonRpcException):
        logger.info("the client refused an edit: %s", error)
    elif error is not None:
        logger.warning("the client did not answer an edit: %s", error)
