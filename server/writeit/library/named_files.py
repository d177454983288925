"""The files that front matter names as notes or as context: found, checked and read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from writeit.domain.document import RunDocument, SourceFile
from writeit.domain.errors import (
    InvalidParams,
    InvalidPipeline,
    NotFound,
    NotTrusted,
    WriteItError,
)
from writeit.library.front_matter import (
    WRITEIT_KEY,
    FrontMatter,
    FrontMatterConfig,
    split_front_matter,
)
from writeit.library.yaml_source import ProblemCode, SourceProblem

MAX_FILES = 50
"""Files that one document may name, patterns filled in."""
MAX_CHARACTERS = 1_000_000
"""Characters that all of them together may have."""
MAX_CHARACTER_BYTES = 4
MAX_FOLDER_ENTRIES = 5_000
"""Entries of a folder that are looked at for a pattern."""
SUFFIXES = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".txt")
KEYS = ("notes", "context")
_PROBLEM_CODES: Mapping[type, ProblemCode] = {
    NotFound: "missing-file",
    NotTrusted: "outside-workspace",
}


def read_named_files(
    config: FrontMatterConfig,
    document: RunDocument,
    folder: Path | None,
    read_text: Callable[[Path], str],
) -> RunDocument:
    """Return the document with the files that its front matter names.

    `folder` is the workspace.

    Raises:
        NotFound, NotTrusted, InvalidParams, InvalidPipeline: a file is missing, is no
            place for notes or cannot be read, or they are too many or too long.
    """
    left, seen = MAX_CHARACTERS, {Path(document.path).resolve()}
    files: dict[str, list[SourceFile]] = {key: [] for key in KEYS}
    named = [
        (key, *file)
        for key in KEYS
        for pattern in getattr(config, key)
        for file in _find_files(pattern, document.path, folder)
    ]
    for key, name, path in named:
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        is_too_big = path.stat().st_size > left * MAX_CHARACTER_BYTES
        text = "" if is_too_big else read_text(path)
        left -= len(text)
        if is_too_big or left < 0 or len(seen) > MAX_FILES + 1:
            raise InvalidParams(
                f"The front matter names too much: at most {MAX_FILES} files with"
                f" {MAX_CHARACTERS:,} characters together are read.",
                hint="Name fewer or shorter files.",
            )
        uri, parts = path.as_uri(), _front_matter_of(name, text, path.as_uri())
        limit = parts.config.providers
        file = SourceFile(name=name, uri=uri, text=parts.body, providers=limit)
        files[key].append(file)
    return document.evolve(**{key: tuple(found) for key, found in files.items()})


def read_file_providers(
    document: RunDocument, find_text: Callable[[str], str | None]
) -> dict[str, tuple[str, ...] | None]:
    """Return what the front matter of a run's files says now, of those still there.

    `find_text` returns the text at a URI.

    Raises:
        InvalidPipeline: that of one has an error.
    """
    texts = ((file, find_text(file.uri)) for file in document.files)
    return {
        file.uri: _front_matter_of(file.name, text, file.uri).config.providers
        for file, text in texts
        if text is not None
    }


def find_file_problems(
    parts: FrontMatter, document: str, folder: Path | None
) -> Iterator[SourceProblem]:
    """Yield the problem of each name in a block that leads to no file."""
    if parts.source is None:
        return
    for key in KEYS:
        patterns = getattr(parts.config, key)
        for index, pattern in enumerate(patterns):
            try:
                list(_find_files(pattern, document, folder))
            except WriteItError as error:
                path = (WRITEIT_KEY, key, index)
                has_path = parts.source.has_path(path)
                yield SourceProblem(
                    parts.source.uri,
                    f"{error.message} {error.hint}",
                    range=parts.source.path_range(path if has_path else path[:-1]),
                    code=_PROBLEM_CODES.get(type(error), "wrong-value"),
                )


def suggest_files(typed: str, document: str, folder: Path | None) -> list[str]:
    """Return the names that may be meant by a half-written one: files, and folders."""
    start, slash, _ = typed.rpartition("/")
    found: dict[str, None] = {}
    for base in _bases(document, folder):
        place = base / start
        for name in _entries(place) if _is_inside(place, folder or base) else ():
            is_folder = (place / name).is_dir()
            if is_folder or (_is_text(name) and str(place / name) != document):
                found[f"{start}{slash}{name}{'/' if is_folder else ''}"] = None
    return list(found)


def _find_files(
    pattern: str, document: str, folder: Path | None
) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each file that a name or a pattern means.

    They are looked for beside the document first, then in the workspace folder.
    """
    bases, parts = _bases(document, folder), _checked_parts(pattern)
    if not bases:
        raise InvalidParams(
            "The front matter names files, and the document has no folder.",
            hint="Save the document first.",
        )
    found = next(filter(None, (_find_in(base, parts) for base in bases)), None)
    if found is None:
        raise NotFound(
            f"The front matter names {pattern}. There is no such file.",
            hint=f"Create it beside the document or in {bases[-1]}, or change the"
            " front matter.",
        )
    for name, path in found:
        if not _is_inside(path, folder or bases[0]):
            raise _not_a_place(pattern)
        yield name, path


def _bases(document: str, folder: Path | None) -> list[Path]:
    """Return the folders in which names are looked for, the nearest first."""
    beside = Path(document).absolute().parent if document else None
    return list(dict.fromkeys(filter(None, (beside, folder))))


def _checked_parts(pattern: str) -> tuple[str, ...]:
    if not _is_text(pattern) or not pattern.isprintable() or "\\" in pattern:
        raise InvalidParams(
            f"{pattern!r} is not the name of a text.",
            hint="Write / between folders, and at the end one of these:"
            f" {', '.join(SUFFIXES)}.",
        )
    parts = PurePosixPath(pattern).parts
    if any("*" in part or "?" in part for part in parts[:-1]):
        raise InvalidParams(
            f"{pattern}: * and ? may stand only in a file's name, not in a folder's.",
            hint="Name each folder.",
        )
    is_hidden = any(part.startswith((".", "~")) and part != ".." for part in parts)
    if is_hidden or parts[0].startswith("/") or len(parts) > MAX_FILES:
        raise _not_a_place(pattern)
    return parts


def _find_in(base: Path, parts: Sequence[str]) -> list[tuple[str, Path]]:
    """Return the files below a folder, with the names that they have there."""
    place, names = base, list[str]()
    for part in parts[:-1]:
        names += _matches(place, part)[:1] or [part]
        place = Path(os.path.normpath(place / names[-1]))
    return [
        (PurePosixPath(*names, name).as_posix(), place / name)
        for name in _matches(place, parts[-1])
        if (place / name).is_file()
    ]


def _matches(place: Path, name: str) -> list[str]:
    """Return the entries of a folder that a name or a pattern means.

    An accent may be a character of its own in one of them, and not in the other.
    """
    with suppress(OSError):  # a name that is too long
        if (place / name).exists():
            return [name]
    pattern = normalize("NFC", name.replace("[", "[[]"))
    return [n for n in _entries(place) if fnmatchcase(normalize("NFC", n), pattern)]


def _entries(place: Path) -> list[str]:
    """Return the names in a folder that are not hidden, sorted."""
    try:
        with os.scandir(place) as entries:
            names = [entry.name for entry in islice(entries, MAX_FOLDER_ENTRIES)]
    except OSError:
        return []
    names = [n for n in names if not n.startswith((".", "~")) and n.isprintable()]
    return sorted(names, key=_order)


def _order(name: str) -> list[tuple[int, str]]:
    """Order `chapter 2` before `chapter 10`."""
    parts = re.split(r"(\d+)", name)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _is_text(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path really is in the folder, and in no hidden one there."""
    real, root = path.resolve(), folder.resolve()
    return real.is_relative_to(root) and not any(
        part.startswith(".") for part in real.relative_to(root).parts
    )


def _front_matter_of(name: str, text: str, uri: str) -> FrontMatter:
    try:
        return split_front_matter(text, uri).require_valid()
    except InvalidPipeline as error:
        raise InvalidPipeline(
            f"{name}: {error.message}",
            hint=f"Correct the first lines of {name}.",
            **error.data,
        ) from error


def _not_a_place(pattern: str) -> NotTrusted:
    return NotTrusted(
        f"{pattern} is not a file of the workspace folder.",
        hint="Name a file in it that is not hidden, and no link that leads out of it.",
    )
