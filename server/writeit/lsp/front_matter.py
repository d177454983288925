"""Registers what is answered in front matter; each imports its module when asked.

A document that does not begin with a fence costs nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from writeit.lsp.server import WriteItServer

TRIGGERS = (":",)
"""A colon asks for completion; a blank would ask after every word of her prose."""

WATCHED = ("**/pipelines/*.{yaml,yml}", "**/primers/*.{yaml,yml}")
"""Files that decide what is right in front matter."""

logger = logging.getLogger(__name__)


def register(server: WriteItServer) -> None:
    """Announce what is asked of a place, diagnostics, and an eye on library files."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=TRIGGERS),
    )
    async def completion(
        ls: WriteItServer, params: types.CompletionParams
    ) -> types.CompletionList | None:
        if not _has_fence(ls, params.text_document.uri):
            return None
        from writeit.lsp.features.completion import complete  # noqa: PLC0415 -- heavy

        return await complete(ls.connection, params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: WriteItServer, params: types.HoverParams) -> types.Hover | None:
        if not ls.beginning_of(params.text_document.uri, 1):
            return None
        from writeit.lsp.features.hover import hover as meaning  # noqa: PLC0415 -- heavy

        return await meaning(ls.connection, params)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(
        ls: WriteItServer, params: types.DefinitionParams
    ) -> types.Location | None:
        if not ls.beginning_of(params.text_document.uri, 1):
            return None
        from writeit.lsp.features.definition import definition as place  # noqa: PLC0415 -- heavy

        return await place(ls.connection, params)

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            identifier="writeit",
            inter_file_dependencies=True,
            workspace_diagnostics=False,
        ),
    )
    def diagnostic(
        ls: WriteItServer, params: types.DocumentDiagnosticParams
    ) -> types.DocumentDiagnosticReport:
        if not _has_fence(ls, params.text_document.uri):
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        from writeit.lsp.features.diagnostics import report  # noqa: PLC0415 -- heavy

        return report(ls.connection, params)

    _register_files(server)


def _register_files(server: WriteItServer) -> None:
    @server.feature(types.INITIALIZED)
    async def initialized(ls: WriteItServer, _params: types.InitializedParams) -> None:
        workspace = ls.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [types.FileSystemWatcher(glob_pattern=glob) for glob in WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        registration = types.Registration(
            id="writeit.library",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=options,
        )
        try:
            await ls.client_register_capability_async(
                types.RegistrationParams(registrations=[registration])
            )
        except JsonRpcException as error:  # then a save has to do
            logger.info("the client watches no files: %s", error.message)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files_changed(
        ls: WriteItServer, _params: types.DidChangeWatchedFilesParams
    ) -> None:
        ls.look_again()
        await ls.have_asked_anew()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: WriteItServer, _params: types.DidSaveTextDocumentParams) -> None:
        ls.look_again()


def _has_fence(ls: WriteItServer, uri: str) -> bool:
    return "---" in ls.beginning_of(uri, 4)
