"""A change to one of the writer's documents, wherever it is: open, or on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.errors import DocumentChanged, InvalidParams, NotFound, StoreError
from writeit.lsp.convert import path_of
from writeit.lsp.desk import Sent
from writeit.lsp.documents import open_document, text_of
from writeit.lsp.files import NO_ROOM, inside, replace_text
from writeit.lsp.landing import Landing, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from writeit.core.merge3 import Merged
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


async def change(
    connection: Connection,
    folder: Folder,
    uri: str,
    wanted: Callable[[str], Merged],
    sent: Sent | None = None,
    *,
    patient: bool = False,
) -> Outcome:
    """Bring what `wanted` makes of the newest text into the document.

    `patient`: nobody waits for it, so that she may take her time if she is asked.

    Raises:
        DocumentChanged: it is neither open nor on the disk.
        NotTrusted, InvalidParams: it is not open, and not in the workspace.
        StoreError: it could not be written.
    """
    async with connection.desk.hand_on(uri):
        if open_document(connection, uri) is not None:
            return await Landing(connection, uri, wanted, sent, patient=patient).land()
        return _on_disk(connection, folder, uri, wanted)


def check_there(connection: Connection, uri: str, kept_at: str = "") -> str:
    """Return the document's text; else say where the text meant for it is kept.

    Raises:
        DocumentChanged: it is neither open nor on the disk.
        InvalidParams: it is on the disk only, and too long to be read.
    """
    kept = f" The text is kept: {kept_at}." if kept_at else ""
    try:
        return text_of(connection, uri)
    except InvalidParams as error:
        raise InvalidParams(
            error.message,
            hint=f"Open it in the editor, and do this again.{kept}",
            problems=error.data["problems"],
        ) from error
    except NotFound as error:
        raise DocumentChanged(
            f"{uri} is gone: renamed, deleted or closed without being saved.",
            hint="If it has another name now, name it (`uri`); or put the text into a"
            f" new file (mode `new_file`), as the run's page offers.{kept}",
            uri=uri,
            **({"keptAt": kept_at} if kept_at else {}),
        ) from error


def _on_disk(
    connection: Connection, folder: Folder, uri: str, wanted: Callable[[str], Merged]
) -> Outcome:
    """Change a file that no editor has open, if it stays as it was read."""
    while True:
        text = check_there(connection, uri)
        merged = wanted(text)
        if merged.text == text:
            return Outcome(
                landed=not merged.conflicts, text=text, conflicts=merged.conflicts
            )
        if _written(folder, uri, text, merged.text):
            return Outcome(
                landed=True,
                sent=Sent(text, merged.text),
                text=merged.text,
                conflicts=merged.conflicts,
            )


def _written(folder: Folder, uri: str, before: str, after: str) -> bool:
    path = inside(folder.path, str(_path(uri)))
    try:
        return replace_text(path, before, after)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}. It is as it was.",
            reason="full" if error.errno in NO_ROOM else "read_only",
            hint="Open it in the editor, or make it writable or room for it, and do"
            " this again.",
        ) from error


def _path(uri: str) -> Path:
    path = path_of(uri)
    if path is None:  # what has no path was found open
        raise DocumentChanged(f"{uri} was closed.", hint="Open it.", uri=uri)
    return path
