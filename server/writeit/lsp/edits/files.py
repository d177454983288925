"""Edits of documents that are open or on disk, and files in the workspace."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
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
from writeit.engine.precedence import Want
from writeit.files import (
    LOCK_RETRY_SECONDS,
    MAX_LOCK_RETRIES,
    folder_lock,
    is_beside,
    is_instruction,
    numbered_paths,
    resolve_article_path,
    resolve_in_workspace,
    temporary_file,
    write_error,
    write_whole_file,
)
from writeit.files import create_file as create_text_file
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.documents import Documents, SentEdit
from writeit.lsp.edits.edit_retry import EditOutcome, EditRetry
from writeit.lsp.folder import WorkspaceFolder
from writeit.text.merge3 import MergeResult, merge


def write_in_workspace(workspace: Path | None, path: str, content: str) -> Path:
    """Write `content` to a new file in the workspace and return where it went.

    An existing file is never overwritten: the name gets the next free number.

    Raises:
        InvalidParams: no folder is open, or it is not a path.
        NotTrusted: the path leads out of the workspace, also through a link.
        StoreError: it could not be written.
    """
    target = resolve_in_workspace(workspace, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_new_file(target, content)
    except OSError as error:
        raise write_error(
            target, error, "Choose another path, or free some space and try again."
        ) from error


def replace_file_text(path: Path, before: str, after: str) -> bool:
    """Replace a file's text, whole or not at all; return False if it has changed.

    Raises:
        OSError: it could not be written or is read-only; it is unchanged.
    """
    path, original = path.resolve(), before.encode()
    with temporary_file(path, after.encode()) as temporary:
        copymode(path, temporary)
        with folder_lock(path.parent):
            # "r+" fails for a read-only file, which a rename would replace.
            with path.open("r+b") as file:
                if file.read() != original:
                    return False
                temporary.replace(path)
                saved = _read_concurrent_save(file, original)
            if saved is not None:
                write_whole_file(path, saved)
    return saved is None


def _read_concurrent_save(file: BinaryIO, original: bytes) -> bytes | None:
    """Return what an editor saved into a file while it was being replaced.

    The editor had opened the old file, so its text would be lost.
    """
    file.seek(0)
    if (text := file.read()) == original:
        return None
    for _ in range(MAX_LOCK_RETRIES):
        time.sleep(LOCK_RETRY_SECONDS)
        file.seek(0)
        previous, text = text, file.read()
        if text and text == previous:  # the editor has finished
            break
    return text


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


# --- edits ---


async def edit_document(
    folder: WorkspaceFolder,
    uri: str,
    merge_text: Callable[[str], MergeResult],
    sent_edit: SentEdit | None = None,
    *,
    wait_for_user: bool = False,
) -> EditOutcome:
    """Change a document to what `merge_text` returns for its newest text.

    `wait_for_user`: the caller does not wait, so the user may take time to decide.

    Raises:
        DocumentChanged: it is neither open nor on disk.
        NotTrusted, InvalidParams: it is not open, and not in the workspace.
        StoreError: it could not be written.
    """
    documents = folder.documents
    async with documents.document_lock(uri):
        if documents.find_open(uri) is not None:
            return await EditRetry(
                documents, uri, merge_text, sent_edit, wait_for_user=wait_for_user
            ).apply()
        return _edit_closed_file(folder, uri, merge_text)


def require_document_text(documents: Documents, uri: str, content_uri: str = "") -> str:
    """Return a document's text; an error names where the text for it is kept.

    Raises:
        DocumentChanged: it is neither open nor on disk.
        InvalidParams: it is not open, and too long to be read.
    """
    kept = f" The text is kept: {content_uri}." if content_uri else ""
    try:
        return documents.read_text(uri)
    except InvalidParams as error:
        raise InvalidParams(
            error.message,
            hint=f"Open it in the editor and try again.{kept}",
            problems=error.data["problems"],
        ) from error
    except NotFound as error:
        raise DocumentChanged(
            f"{uri} was renamed, deleted or closed without being saved.",
            hint="If it has a new name, give that (`uri`); or write the text to a new"
            f" file (mode `new_file`).{kept}",
            uri=uri,
            **({"keptAt": content_uri} if content_uri else {}),
        ) from error


def _edit_closed_file(
    folder: WorkspaceFolder,
    uri: str,
    merge_text: Callable[[str], MergeResult],
) -> EditOutcome:
    """Change a file that is not open; start again if it changes meanwhile."""
    while True:
        text = require_document_text(folder.documents, uri)
        merged = merge_text(text)
        if merged.text == text:
            return EditOutcome(
                is_applied=not merged.conflicts,
                newest_text=text,
                conflicts=merged.conflicts,
            )
        if _write_if_unchanged(folder, uri, text, merged.text):
            folder.typed.note_written(uri, text, merged.text)
            return EditOutcome(
                is_applied=True,
                sent_edit=SentEdit(text, merged.text),
                newest_text=merged.text,
                conflicts=merged.conflicts,
            )


def _write_if_unchanged(
    folder: WorkspaceFolder, uri: str, before: str, after: str
) -> bool:
    path = resolve_in_workspace(folder.path, str(path_from_uri(uri)))
    try:
        return replace_file_text(path, before, after)
    except FileNotFoundError:
        return False  # just deleted: the caller reads it again
    except OSError as error:
        raise write_error(
            path,
            error,
            "Open it in the editor, make it writable, or free some space.",
        ) from error


def path_from_uri(uri: str) -> Path:
    """Return the path of a `file:` URI.

    Raises:
        InvalidParams: it is another URI.
    """
    path = uri_to_path(uri)
    if path is None:
        raise InvalidParams(
            f"{uri} is not a file.",
            hint="Give a new file as a file: URI inside the workspace.",
            problems=[{"path": "uri", "message": "is not a file: URI"}],
        )
    return path


# --- new files ---


def confirm_output(folder: WorkspaceFolder, run: PipelineRun) -> None:
    """Note that the user has confirmed where a run's article goes."""
    if run.output_path is not None:
        folder.confirm_output(run.output_path)


def new_file_path(folder: WorkspaceFolder, run: PipelineRun, uri: str | None) -> Path:
    """Return the path of a run's new file, before a number makes it unique.

    It is `uri`, else `output_path` of the run, else `<stem>.<pipeline>` beside its
    source, with the suffix of the source.

    Raises:
        NotTrusted: that is outside the workspace or no place for an article, or the
            user has not confirmed it.
        InvalidParams: no folder is open.
    """
    source = uri_to_path(run.uri) if run.uri else None
    if uri is not None:
        path = str(uri_to_path(uri) or uri)
    elif run.output_path is not None:
        target = resolve_article_path(folder.path, run.output_path, source)
        _check_confirmed(folder, source, target)
        return target
    else:
        pipeline = run.configuration_id.rpartition("@")[0] or run.configuration_id
        path = f"{pipeline}.md"
        if source is not None:
            suffix = source.suffix or ".md"
            path = str(source.with_name(f"{source.stem}.{pipeline}{suffix}"))
    return resolve_in_workspace(folder.path, path)


def _check_confirmed(
    folder: WorkspaceFolder, source: Path | None, target: Path
) -> None:
    """Check that the user knows of the place; beside the notes is always allowed.

    Not so a file that other programs follow: each of these is confirmed by itself.

    Raises:
        NotTrusted: a file of the workspace names it and the user has not confirmed it.
    """
    is_followed = is_instruction(target)
    place = target if is_followed else target.parent
    if place in folder.confirmed_outputs or (
        is_beside(source, target) and not is_followed
    ):
        return
    name = target.relative_to((folder.path or target.parent).resolve())
    why = " Other programs may follow such a file." if is_followed else ""
    raise NotTrusted(
        f"Nothing was written: a file of this folder names {name} for the article."
        f"{why}",
        hint="Confirm to write there, or apply the text to another file.",
        path=str(target),
        wants=[Want("output", str(name), "front matter").to_json()],
        confirm=f"Write to {name}",
    )


async def create_file(folder: WorkspaceFolder, target: Path, content: str) -> Path:
    """Create a file, with the next free number if it exists, and return its path.

    The client creates it if it can, so that the user can undo it.

    Raises:
        StoreError: it could not be written.
    """
    documents = folder.documents
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
                folder,
                path_to_uri(path),
                lambda text: merge("", text, content),
            )
            if outcome.is_applied:
                return path
    return write_in_workspace(folder.path, str(target), content)


def _is_created(documents: Documents, path: Path) -> bool:
    """Return whether the client has created the file; its reply is only a hint."""
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
    """Delete a file that still has this content; return False if it has not.

    Raises:
        StoreError: it could not be deleted.
    """
    document = documents.find_open(path_to_uri(path))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        if text != content or (document is not None and document.source != content):
            return False
        path.unlink()
    except FileNotFoundError:
        return document is None
    except OSError as error:
        raise StoreError(
            f"{path} could not be deleted: {error.strerror}.", reason="read_only"
        ) from error
    return True
