"""A change to one of the writer's documents, wherever it is: open, or on the disk."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copymode
from typing import BinaryIO

from lsprotocol import types

from writeit.domain.errors import (
    DocumentChanged,
    InvalidParams,
    NotFound,
    NotTrusted,
    StoreError,
)
from writeit.domain.run import PipelineRun
from writeit.files import create_file as create_text_file
from writeit.files import numbered_paths, temporary_file, write_error, write_whole_file
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.documents import Documents, SentEdit
from writeit.lsp.edits.edit_retry import EditOutcome, EditRetry
from writeit.lsp.folder import WorkspaceFolder
from writeit.text.merge3 import MergeResult, merge

# --- Files that a command may write: inside the workspace, never over another ---------

LOCK_RETRY_SECONDS = 0.002
"""Seconds between two looks whether another server is done."""
MAX_LOCK_RETRIES = 250


def write_in_workspace(workspace: Path | None, path: str, content: str) -> Path:
    """Write `content` to a new file in the workspace and return where it went.

    An existing file is never overwritten: the name gets the next free number.

    Raises:
        InvalidParams: no folder is open, or it is no path.
        NotTrusted: the path leads out of the workspace, also through a link.
        StoreError: it could not be written.
    """
    target = resolve_in_workspace(workspace, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_new_file(target, content)
    except OSError as error:
        raise write_error(
            target, error, "Choose another path, or make room and try again."
        ) from error


def resolve_in_workspace(workspace: Path | None, path: str) -> Path:
    """Return the absolute path of a path in the workspace.

    Raises:
        InvalidParams: no folder is open.
        NotTrusted: the path leads out of the workspace, also through a link.
    """
    if workspace is None:
        raise InvalidParams(
            "No folder is open that could be written to.",
            hint="Open a folder, or leave `path` out and keep the content.",
            problems=[{"path": "path", "message": "needs an open folder"}],
        )
    root = workspace.resolve()
    try:
        target = (root / path).resolve()
    except (ValueError, OSError, RuntimeError) as error:
        raise InvalidParams(
            f"{path[:80]!r} is no path: {error}.",
            hint="Give a path inside the workspace, such as articles/wasm.md.",
            problems=[{"path": "path", "message": "is no path"}],
        ) from error
    if not target.is_relative_to(root) or target == root:
        raise NotTrusted(
            f"{path!r} is outside the workspace; nothing was written.",
            hint=f"Give a path inside {root}; the command line may write anywhere.",
            path=path,
        )
    return target


def replace_file_text(path: Path, before: str, after: str) -> bool:
    """Put `after` in place of `before`, whole or not at all; False if it has changed.

    Raises:
        OSError: it could not be written, or is not to be; it is as it was.
    """
    path, was = path.resolve(), before.encode()
    with temporary_file(path, after.encode()) as beside:
        copymode(path, beside)
        with folder_lock(path.parent):
            # To be written: a folder would let a file go that is made read-only.
            with path.open("r+b") as file:
                if file.read() != was:
                    return False
                beside.replace(path)
                saved = _read_concurrent_save(file, was)
            if saved is not None:
                write_whole_file(path, saved)
    return saved is None


def _read_concurrent_save(file: BinaryIO, original: bytes) -> bytes | None:
    """Return what an editor saved into a file in the moment in which it was replaced.

    It had opened it by its name before; without this its text would be nowhere.
    """
    file.seek(0)
    if (found := file.read()) == original:
        return None
    for _ in range(MAX_LOCK_RETRIES):
        time.sleep(LOCK_RETRY_SECONDS)
        file.seek(0)
        before, found = found, file.read()
        if found and found == before:
            break
    return found


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Wait for other servers that look at a file in `folder` before they replace it.

    But only a moment: one of them may stand still. It must not be nested.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # what comes next says what is wrong with it
        yield
        return
    try:
        _acquire_lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _acquire_lock(descriptor: int) -> None:
    for _ in range(MAX_LOCK_RETRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_RETRY_SECONDS)
        except OSError:  # a filesystem without locks
            return
        else:
            return


def write_new_file(target: Path, content: str) -> Path:
    """Create `target` or the next free name, and return where it went.

    Raises:
        OSError: it could not be written; no part of it is left.
    """
    for path in numbered_paths(target):
        with suppress(FileExistsError):
            create_text_file(path, content)
            return path
    raise AssertionError  # the paths never end


# --- A change to one of the writer's documents, wherever it is: open, or on the disk --


async def edit_document(
    documents: Documents,
    folder: WorkspaceFolder,
    uri: str,
    merge_text: Callable[[str], MergeResult],
    sent_edit: SentEdit | None = None,
    *,
    wait_for_user: bool = False,
) -> EditOutcome:
    """Bring what `wanted` makes of the newest text into the document.

    `patient`: nobody waits for it, so that she may take her time if she is asked.

    Raises:
        DocumentChanged: it is neither open nor on the disk.
        NotTrusted, InvalidParams: it is not open, and not in the workspace.
        StoreError: it could not be written.
    """
    async with documents.document_lock(uri):
        if documents.find_open(uri) is not None:
            return await EditRetry(
                documents, uri, merge_text, sent_edit, wait_for_user=wait_for_user
            ).apply()
        return _edit_closed_file(documents, folder, uri, merge_text)


def require_document_text(documents: Documents, uri: str, content_uri: str = "") -> str:
    """Return the document's text; else say where the text meant for it is kept.

    Raises:
        DocumentChanged: it is neither open nor on the disk.
        InvalidParams: it is on the disk only, and too long to be read.
    """
    kept = f" The text is kept: {content_uri}." if content_uri else ""
    try:
        return documents.read_text(uri)
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
            **({"keptAt": content_uri} if content_uri else {}),
        ) from error


def _edit_closed_file(
    documents: Documents,
    folder: WorkspaceFolder,
    uri: str,
    merge_text: Callable[[str], MergeResult],
) -> EditOutcome:
    """Change a file that no editor has open, if it stays as it was read."""
    while True:
        text = require_document_text(documents, uri)
        merged = merge_text(text)
        if merged.text == text:
            return EditOutcome(
                is_applied=not merged.conflicts,
                newest_text=text,
                conflicts=merged.conflicts,
            )
        if _write_if_unchanged(folder, uri, text, merged.text):
            return EditOutcome(
                is_applied=True,
                sent_edit=SentEdit(text, merged.text),
                newest_text=merged.text,
                conflicts=merged.conflicts,
            )


def _write_if_unchanged(
    folder: WorkspaceFolder, uri: str, before: str, after: str
) -> bool:
    path = resolve_in_workspace(folder.path, str(_require_path(uri)))
    try:
        return replace_file_text(path, before, after)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise write_error(
            path,
            error,
            "Open it in the editor, or make it writable or room for it, and try again.",
        ) from error


def _require_path(uri: str) -> Path:
    path = uri_to_path(uri)
    if path is None:  # what has no path was found open
        raise DocumentChanged(f"{uri} was closed.", hint="Open it.", uri=uri)
    return path


# --- A new file for a text: made by the client where it can, never over another -------


def new_file_path(folder: WorkspaceFolder, run: PipelineRun, uri: str | None) -> Path:
    """Return where a new file of a run goes, before a number makes it free.

    `uri`, else the run's `output_path`, else `<stem>.<pipeline>.md` beside its source.

    Raises:
        NotTrusted: that is outside the workspace.
        InvalidParams: no folder is open.
    """
    source = uri_to_path(run.uri) if run.uri else None
    if uri is not None:
        wanted = str(uri_to_path(uri) or uri)
    elif run.output_path is not None:
        wanted = run.output_path
    else:
        pipeline = run.configuration_id.rpartition("@")[0] or run.configuration_id
        name = f"{source.stem}.{pipeline}.md" if source else f"{pipeline}.md"
        wanted = str(source.with_name(name)) if source else name
    return resolve_in_workspace(folder.path, wanted)


async def create_file(
    documents: Documents, folder: WorkspaceFolder, target: Path, content: str
) -> Path:
    """Make a file with `content` at `place`, or with the next free number.

    Raises:
        StoreError: it could not be written.
    """
    path = _next_free_path(documents, target)
    if documents.client.capabilities.create_files:
        create = types.CreateFile(
            uri=path_to_uri(path), options=types.CreateFileOptions(overwrite=False)
        )
        await documents.client.apply_edit(
            types.WorkspaceEdit(document_changes=[create])
        )
        if _is_created(documents, path):
            outcome = await edit_document(
                documents,
                folder,
                path_to_uri(path),
                lambda now: merge("", now, content),
            )
            if outcome.is_applied:
                return path
    return write_in_workspace(folder.path, str(target), content)


def _is_created(documents: Documents, path: Path) -> bool:
    """Whether the client has made the file, whatever it said about that."""
    document = documents.find_open(path_to_uri(path))
    if document is not None:
        return not document.source
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _next_free_path(documents: Documents, target: Path) -> Path:
    return next(
        path
        for path in numbered_paths(target)
        if not path.exists() and documents.find_open(path_to_uri(path)) is None
    )


def remove_file(documents: Documents, path: Path, content: str) -> bool:
    """Remove a file that still has just this content; False if it has not.

    Raises:
        StoreError: it could not be removed.
    """
    document = documents.find_open(path_to_uri(path))
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
