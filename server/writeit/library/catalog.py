"""All pipelines and primers within reach, the nearest of each name."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import platformdirs

from writeit.domain.errors import InvalidPipeline, NotFound
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.library.pipelines import (
    primer_reference_range,
    read_name,
    read_pipeline,
    read_primer,
)
from writeit.library.validation import did_you_mean
from writeit.library.yaml_source import MAX_YAML_BYTES, SourceProblem

# --- Where pipelines and primers are looked for, nearest first ------------------------

LibraryScope = Literal["workspace", "user", "bundled"]
LibraryKind = Literal["pipelines", "primers"]

MAX_FILES = 500
"""Files read from one folder."""


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A folder that may hold files of one shelf."""

    path: Path
    scope: LibraryScope
    boundary: Path | None = None
    """What its files must not leave, by whatever link."""


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file to read; the same stamp means the same content."""

    path: Path
    scope: LibraryScope
    mtime_ns: int
    size: int

    @property
    def uri(self) -> str:
        """The file as a URI."""
        return self.path.as_uri()


def bundled_library_root() -> Path:
    """Return the folder of what WriteIt ships: the package's, or the checkout's."""
    packaged = Path(__file__).parents[1] / "_bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


def user_library_root() -> Path:
    """Return the writer's own folder; `WRITEIT_CONFIG_DIR` names another."""
    if named := os.environ.get("WRITEIT_CONFIG_DIR"):
        return Path(named).absolute()
    return platformdirs.user_config_path("writeit")


def list_folders(kind: LibraryKind, workspace: Path | None) -> list[LibraryFolder]:
    """Return the folders of a shelf, nearest first."""
    near = []
    if workspace is not None:
        root = workspace.absolute()
        near = [
            LibraryFolder(root / kind, "workspace", root),
            LibraryFolder(root / ".writeit" / kind, "workspace", root),
        ]
    far = [
        LibraryFolder(user_library_root() / kind, "user"),
        LibraryFolder(bundled_library_root() / kind, "bundled"),
    ]
    # In WriteIt's own checkout the workspace's folder is the bundled one. Asked at
    # each lens and action, so by identity: resolving paths takes ten times as long.
    kept: list[LibraryFolder] = []
    seen: set[tuple[int, int] | None] = set()
    for folder in [*near, *far]:
        identity = _folder_identity(folder.path)
        if identity is None or identity not in seen:
            kept.append(folder)
        seen.add(identity)
    return kept


def _folder_identity(path: Path) -> tuple[int, int] | None:
    """Return what no other folder has; None if there is none to look at."""
    try:
        status = path.stat()
    except OSError:  # `files_in` says so, if it is more than that there is none
        return None
    return status.st_dev, status.st_ino


def list_files(folder: LibraryFolder) -> tuple[list[LibraryFile], list[SourceProblem]]:
    """Return the YAML files of a folder in order of name; none if it is not there."""
    try:
        names = sorted(os.listdir(folder.path))  # noqa: PTH208 -- names are all that is needed
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [_unreadable_problem(folder.path, error)]
    wanted = [
        name
        for name in names
        if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    ]
    looked_at = [
        _inspect_file(folder, folder.path / name) for name in wanted[:MAX_FILES]
    ]
    problems = [each for each in looked_at if isinstance(each, SourceProblem)]
    if len(wanted) > MAX_FILES:
        message = f"Only the first {MAX_FILES} files of this folder are read."
        problems.append(SourceProblem(folder.path.as_uri(), message, "warning"))
    return [each for each in looked_at if isinstance(each, LibraryFile)], problems


def _inspect_file(folder: LibraryFolder, path: Path) -> LibraryFile | SourceProblem:
    try:
        if folder.boundary and not path.resolve().is_relative_to(
            folder.boundary.resolve()
        ):
            message = "This link leaves the workspace and is not followed."
            return SourceProblem(path.as_uri(), message, "warning")
        status = path.stat()
    except OSError as error:
        return _unreadable_problem(path, error)
    if not stat.S_ISREG(status.st_mode):
        return SourceProblem(path.as_uri(), "This is not a file.", "warning")
    return LibraryFile(path, folder.scope, status.st_mtime_ns, status.st_size)


def _unreadable_problem(path: Path, error: OSError) -> SourceProblem:
    reason = error.strerror or str(error)
    return SourceProblem(path.as_uri(), f"This cannot be read: {reason}.", "warning")


# --- All pipelines and primers within reach, the nearest of each name -----------------

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class LibraryEntry(Generic[E]):
    """What a file holds; `value` is None where problems keep it from being used."""

    name: str
    file: LibraryFile
    value: E | None
    problems: tuple[SourceProblem, ...]

    @property
    def uri(self) -> str:
        """The file's URI."""
        return self.file.uri

    @property
    def scope(self) -> LibraryScope:
        """Whose folder it lies in."""
        return self.file.scope


LibraryCache = dict[Path, LibraryEntry[Any]]
"""Files as they were read; the caller keeps it from one reading to the next."""


@dataclass(frozen=True, slots=True)
class Library:
    """The nearest pipeline and the nearest primer of each name."""

    pipelines: dict[str, LibraryEntry[PipelineConfiguration]]
    primers: dict[str, LibraryEntry[StylePrimer]]

    @property
    def usable_pipelines(self) -> list[PipelineConfiguration]:
        """The pipelines without errors, by name."""
        entries = (self.pipelines[name] for name in sorted(self.pipelines))
        return [entry.value for entry in entries if entry.value is not None]

    def pipeline(self, name_or_id: str) -> PipelineConfiguration:
        """Return the pipeline of that name, or of that id while its file has it.

        Raises:
            NotFound: there is none.
            InvalidPipeline: its file has problems.
        """
        found = _require_usable(
            "pipeline", name_or_id.partition("@")[0], self.pipelines
        )
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
        return _require_usable("primer", primer_id, self.primers)


def _require_usable(kind: str, name: str, entries: dict[str, LibraryEntry[E]]) -> E:
    if name not in entries:
        raise NotFound.with_suggestions(kind, name, entries)
    entry = entries[name]
    if entry.value is None:
        first = next(p for p in entry.problems if p.severity == "error")
        raise InvalidPipeline(
            f"The {kind} {name!r} cannot be used: {first.message}",
            hint=f"Put right what its file has marked: {entry.uri}",
            problems=[problem.to_json() for problem in entry.problems],
        )
    return entry.value


def read_library(
    workspace: Path | None, cache: LibraryCache | None = None
) -> tuple[Library, list[SourceProblem]]:
    """Read every pipeline and primer within reach of a workspace folder.

    A file that cannot be used is a problem and stops nothing. Files that `cache`
    knows, and that are as they were, are not read again.
    """
    known: LibraryCache = {} if cache is None else cache
    primers, problems = _read_kind("primers", workspace, known, _read_primer_file)
    pipelines, more = _read_kind("pipelines", workspace, known, _read_pipeline_file)
    for entry in pipelines.values():
        more += _unknown_primer_problems(entry, primers)
    return Library(pipelines, primers), [*problems, *more]


def _read_kind(
    kind: LibraryKind,
    workspace: Path | None,
    cache: LibraryCache,
    read_file: Callable[[LibraryFile], LibraryEntry[E]],
) -> tuple[dict[str, LibraryEntry[E]], list[SourceProblem]]:
    found: dict[str, LibraryEntry[E]] = {}
    problems: list[SourceProblem] = []
    for folder in list_folders(kind, workspace):
        files, unread = list_files(folder)
        problems += unread
        here: dict[str, LibraryEntry[E]] = {}
        for file in files:
            entry = _cached_entry(cache, file) or read_file(file)
            cache[file.path] = entry
            problems += entry.problems
            if first := here.get(entry.name):
                problems.append(_duplicate_problem(entry, first))
            else:
                here[entry.name] = entry
        problems += [
            _shadowing_problem(found[name], entry)
            for name, entry in here.items()
            if name in found
        ]
        found = {**here, **found}
    return found, problems


def _cached_entry(cache: LibraryCache, file: LibraryFile) -> LibraryEntry[Any] | None:
    entry = cache.get(file.path)
    return entry if entry and entry.file == file else None


def _duplicate_problem(entry: LibraryEntry[E], first: LibraryEntry[E]) -> SourceProblem:
    message = f"{entry.name!r} is there twice: {first.file.path.name} has that name."
    return SourceProblem(entry.uri, message)


def _shadowing_problem(near: LibraryEntry[E], far: LibraryEntry[E]) -> SourceProblem:
    message = f"This takes the place of the {far.scope} {near.name!r}."
    return SourceProblem(near.uri, message, "information")


def _unknown_primer_problems(
    entry: LibraryEntry[PipelineConfiguration],
    primers: dict[str, LibraryEntry[StylePrimer]],
) -> list[SourceProblem]:
    """Style primer must exist if specified."""
    primer = entry.value.default("style_primer", str) if entry.value else None
    if primer is None or primer in primers:
        return []
    text, problem = _read_text(entry.file)
    message = f"No primer is called {primer!r}.{did_you_mean(primer, primers)}"
    place = primer_reference_range(text, entry.uri)
    return (
        [problem] if problem else [SourceProblem(entry.uri, message, "warning", place)]
    )


# --- one file ---------------------------------------------------------------------


def _read_pipeline_file(file: LibraryFile) -> LibraryEntry[PipelineConfiguration]:
    text, problem = _read_text(file)
    if problem:
        return LibraryEntry(file.path.stem, file, None, (problem,))
    created = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
    configuration, problems = read_pipeline(text, file.uri, created=created)
    name = configuration.name if configuration else read_name(text) or file.path.stem
    return LibraryEntry(name, file, configuration, problems)


def _read_primer_file(file: LibraryFile) -> LibraryEntry[StylePrimer]:
    text, problem = _read_text(file)
    if problem:
        return LibraryEntry(file.path.stem, file, None, (problem,))
    primer, problems = read_primer(text, file.uri, default_id=file.path.stem)
    name = primer.primer_id if primer else file.path.stem
    return LibraryEntry(name, file, primer, problems)


def _read_text(file: LibraryFile) -> tuple[str, SourceProblem | None]:
    try:
        with file.path.open("rb") as stream:
            content = stream.read(MAX_YAML_BYTES + 1)
        if len(content) > MAX_YAML_BYTES:
            message = (
                f"This file has more than the {MAX_YAML_BYTES // 1024} KB allowed."
            )
            return "", SourceProblem(file.uri, message)
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        message = f"This file is not UTF-8 (at byte {error.start})."
        return "", SourceProblem(file.uri, message)
    except OSError as error:
        reason = error.strerror or str(error)
        return "", SourceProblem(file.uri, f"This file cannot be read: {reason}.")
