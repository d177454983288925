"""All pipelines and primers within reach, the nearest of each name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from writeit.core.errors import InvalidPipeline, NotFound
from writeit.library.folders import File, Kind, Shelf, files_in, folders
from writeit.library.pipelines import named_in, primer_named_at, read_pipeline
from writeit.library.primers import read_primer
from writeit.library.problem import Problem
from writeit.library.source import MAX_BYTES
from writeit.library.validate import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Entry(Generic[E]):
    """What a file holds; `value` is None where problems keep it from being used."""

    name: str
    file: File
    value: E | None
    problems: tuple[Problem, ...]

    @property
    def uri(self) -> str:
        """The file's URI."""
        return self.file.uri

    @property
    def folder(self) -> Kind:
        """Whose folder it lies in."""
        return self.file.kind


Cache = dict[Path, Entry[Any]]
"""Files as they were read; the caller keeps it from one reading to the next."""


@dataclass(frozen=True, slots=True)
class Library:
    """The nearest pipeline and the nearest primer of each name."""

    pipelines: dict[str, Entry[PipelineConfiguration]]
    primers: dict[str, Entry[StylePrimer]]

    @property
    def usable(self) -> list[PipelineConfiguration]:
        """The pipelines without errors, by name."""
        entries = (self.pipelines[name] for name in sorted(self.pipelines))
        return [entry.value for entry in entries if entry.value is not None]

    def pipeline(self, name_or_id: str) -> PipelineConfiguration:
        """Return the pipeline of that name, or of that id while its file has it.

        Raises:
            NotFound: there is none.
            InvalidPipeline: its file has problems.
        """
        found = _usable("pipeline", name_or_id.partition("@")[0], self.pipelines)
        if name_or_id not in {found.name, found.configuration_id}:
            raise NotFound(
                f"The pipeline {name_or_id!r} is not the one in its file any more.",
                hint=f"It is {found.configuration_id!r} now; use the name"
                f" {found.name!r} for whatever the file holds.",
            )
        return found

    def primer(self, primer_id: str) -> StylePrimer:
        """Return the primer with that id.

        Raises:
            NotFound: there is none.
            InvalidPipeline: its file has problems.
        """
        return _usable("primer", primer_id, self.primers)


def _usable(what: str, name: str, entries: dict[str, Entry[E]]) -> E:
    if name not in entries:
        raise NotFound.among(what, name, entries)
    entry = entries[name]
    if entry.value is None:
        first = next(p for p in entry.problems if p.severity == "error")
        raise InvalidPipeline(
            f"The {what} {name!r} cannot be used: {first.message}",
            hint=f"Put right what its file has marked: {entry.uri}",
            problems=[problem.as_data() for problem in entry.problems],
        )
    return entry.value


def read_library(
    workspace: Path | None, cache: Cache | None = None
) -> tuple[Library, list[Problem]]:
    """Read every pipeline and primer within reach of a workspace folder.

    A file that cannot be used is a problem and stops nothing. Files that `cache`
    knows, and that are as they were, are not read again.
    """
    known: Cache = {} if cache is None else cache
    primers, problems = _shelf("primers", workspace, known, _read_primer)
    pipelines, more = _shelf("pipelines", workspace, known, _read_pipeline)
    for entry in pipelines.values():
        more += _unknown_primer(entry, primers)
    return Library(pipelines, primers), [*problems, *more]


def _shelf(
    shelf: Shelf, workspace: Path | None, cache: Cache, read: Callable[[File], Entry[E]]
) -> tuple[dict[str, Entry[E]], list[Problem]]:
    found: dict[str, Entry[E]] = {}
    problems: list[Problem] = []
    for folder in folders(shelf, workspace):
        files, unread = files_in(folder)
        problems += unread
        here: dict[str, Entry[E]] = {}
        for file in files:
            entry = _kept(cache, file) or read(file)
            cache[file.path] = entry
            problems += entry.problems
            if first := here.get(entry.name):
                problems.append(_twice(entry, first))
            else:
                here[entry.name] = entry
        problems += [
            _shadowing(found[name], entry)
            for name, entry in here.items()
            if name in found
        ]
        found = {**here, **found}
    return found, problems


def _kept(cache: Cache, file: File) -> Entry[Any] | None:
    entry = cache.get(file.path)
    return entry if entry and entry.file == file else None


def _twice(entry: Entry[E], first: Entry[E]) -> Problem:
    message = f"{entry.name!r} is there twice: {first.file.path.name} has that name."
    return Problem(entry.uri, message)


def _shadowing(near: Entry[E], far: Entry[E]) -> Problem:
    message = f"This takes the place of the {far.folder} {near.name!r}."
    return Problem(near.uri, message, "information")


def _unknown_primer(
    entry: Entry[PipelineConfiguration], primers: dict[str, Entry[StylePrimer]]
) -> list[Problem]:
    """Style primer must exist if specified."""
    primer = entry.value.default("style_primer", str) if entry.value else None
    if primer is None or primer in primers:
        return []
    text, problem = _text_of(entry.file)
    message = f"No primer is called {primer!r}.{nearest(primer, primers)}"
    place = primer_named_at(text, entry.uri)
    return [problem] if problem else [Problem(entry.uri, message, "warning", place)]


# --- one file ---------------------------------------------------------------------


def _read_pipeline(file: File) -> Entry[PipelineConfiguration]:
    text, problem = _text_of(file)
    if problem:
        return Entry(file.path.stem, file, None, (problem,))
    created = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
    configuration, problems = read_pipeline(text, file.uri, created=created)
    name = configuration.name if configuration else named_in(text) or file.path.stem
    return Entry(name, file, configuration, problems)


def _read_primer(file: File) -> Entry[StylePrimer]:
    text, problem = _text_of(file)
    if problem:
        return Entry(file.path.stem, file, None, (problem,))
    primer, problems = read_primer(text, file.uri, stem=file.path.stem)
    name = primer.primer_id if primer else file.path.stem
    return Entry(name, file, primer, problems)


def _text_of(file: File) -> tuple[str, Problem | None]:
    try:
        with file.path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            message = f"This file has more than the {MAX_BYTES // 1024} KB allowed."
            return "", Problem(file.uri, message)
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        message = f"This file is not UTF-8 (at byte {error.start})."
        return "", Problem(file.uri, message)
    except OSError as error:
        reason = error.strerror or str(error)
        return "", Problem(file.uri, f"This file cannot be read: {reason}.")
