"""A new file for a text: made by the client where it can, never over another."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import StoreError
from writeit.core.merge3 import merge
from writeit.lsp.changing import change
from writeit.lsp.convert import path_of, uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.files import inside, write_inside
from writeit.lsp.landing import send

if TYPE_CHECKING:
    from pathlib import Path

    from writeit.core.run import PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


def place_for(folder: Folder, run: PipelineRun, uri: str | None) -> Path:
    """Return where a new file of a run goes, before a number makes it free.

    `uri`, else the run's `output_path`, else `<stem>.<pipeline>.md` beside its source.

    Raises:
        NotTrusted: that is outside the workspace.
        InvalidParams: no folder is open.
    """
    source = path_of(run.uri) if run.uri else None
    if uri is not None:
        wanted = str(path_of(uri) or uri)
    elif run.output_path is not None:
        wanted = run.output_path
    else:
        pipeline = run.configuration_id.rpartition("@")[0] or run.configuration_id
        name = f"{source.stem}.{pipeline}.md" if source else f"{pipeline}.md"
        wanted = str(source.with_name(name)) if source else name
    return inside(folder.path, wanted)


async def make(
    connection: Connection, folder: Folder, place: Path, content: str
) -> Path:
    """Make a file with `content` at `place`, or with the next free number.

    Raises:
        StoreError: it could not be written.
    """
    path = _free(connection, place)
    if _creates_files(connection):
        create = types.CreateFile(
            uri=uri_of(path), options=types.CreateFileOptions(overwrite=False)
        )
        await send(connection, types.WorkspaceEdit(document_changes=[create]))
        if _is_empty(connection, path):
            outcome = await change(
                connection,
                folder,
                uri_of(path),
                lambda now: merge("", now, content),
            )
            if outcome.landed:
                return path
    return write_inside(folder.path, str(place), content)


def _creates_files(connection: Connection) -> bool:
    workspace = connection.server.client_capabilities.workspace
    edit = workspace.workspace_edit if workspace else None
    if edit is None or not edit.document_changes:
        return False
    return types.ResourceOperationKind.Create in (edit.resource_operations or ())


def _is_empty(connection: Connection, path: Path) -> bool:
    """Whether the client has made the file, whatever it said about that."""
    document = open_document(connection, uri_of(path))
    if document is not None:
        return not document.source
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _free(connection: Connection, place: Path) -> Path:
    for number in count(1):
        name = place.stem if number == 1 else f"{place.stem}-{number}"
        path = place.with_name(name + place.suffix)
        if not path.exists() and open_document(connection, uri_of(path)) is None:
            return path
    raise AssertionError  # count() never ends


def remove(connection: Connection, path: Path, content: str) -> bool:
    """Remove a file that still has just this content; False if it has not.

    Raises:
        StoreError: it could not be removed.
    """
    document = open_document(connection, uri_of(path))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            kept = file.read()
        if kept != content or (document is not None and document.source != content):
            return False
        path.unlink()
    except FileNotFoundError:
        return document is None
    except OSError as error:
        raise StoreError(
            f"{path} could not be removed: {error.strerror}.", reason="read_only"
        ) from error
    return True
