"""The pipelines and primers of a workspace, the user and WriteIt itself.

Of several with one name, the nearest counts: workspace, user, bundled.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import platformdirs

from writeit.domain.entity import text_digest
from writeit.domain.errors import InvalidPipeline, NotFound
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import NO_PRIMER, StylePrimer
from writeit.library.pipelines import (
    primer_reference_range,
    read_name,
    read_pipeline,
    read_primer,
)
from writeit.library.validation import did_you_mean
from writeit.library.yaml_source import (
    MAX_PROBLEMS,
    MAX_YAML_BYTES,
    START_RANGE,
    SourceProblem,
    SourceRange,
)

LibraryScope = Literal["workspace", "user", "bundled"]
LibraryKind = Literal["pipelines", "primers"]

MAX_FILES = 100
"""The most files that are read from one folder."""
MAX_LISTED = 2_000
"""The most files of any kind in a folder of which some are read."""
MAX_FOLDER_BYTES = 1024 * 1024
"""The most bytes that are read from one folder."""


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A folder of pipelines or primers; it may not exist."""

    path: Path
    scope: LibraryScope
    boundary: Path | None = None
    """The folder that links of its files must not leave."""


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file to read; equal values mean the same content."""

    path: Path
    scope: LibraryScope
    mtime_ns: int
    size: int
    changed_ns: int

    @property
    def uri(self) -> str:
        """The file as a URI."""
        return self.path.as_uri()


def bundled_library_root() -> Path:
    """Return the folder of bundled files: the package's, or the repository's."""
    packaged = Path(__file__).parents[1] / "_bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


def user_library_root() -> Path:
    """Return the user's configuration folder, or `WRITEIT_CONFIG_DIR`."""
    if folder := os.environ.get("WRITEIT_CONFIG_DIR"):
        return Path(folder).absolute()
    return platformdirs.user_config_path("writeit")


def list_folders(kind: LibraryKind, workspace: Path | None) -> list[LibraryFolder]:
    """Return the folders of pipelines or primers, nearest first."""
    folders = []
    if workspace is not None:
        root = workspace.absolute()
        folders = [
            LibraryFolder(root / kind, "workspace", root),
            LibraryFolder(root / ".writeit" / kind, "workspace", root),
        ]
    folders += [
        LibraryFolder(user_library_root() / kind, "user"),
        LibraryFolder(bundled_library_root() / kind, "bundled"),
    ]
    # In WriteIt's own repository the workspace's folder is the bundled one. This runs
    # for each lens and action: comparing by inode is ten times as fast as resolving.
    unique: dict[object, LibraryFolder] = {}
    for folder in folders:
        unique.setdefault(_folder_identity(folder.path), folder)
    return list(unique.values())


def _folder_identity(path: Path) -> object:
    """Return the device and inode of a folder, its path if it cannot be read."""
    try:
        status = path.stat()
    except OSError:  # `list_files` reports it
        return path
    return status.st_dev, status.st_ino


def list_files(folder: LibraryFolder) -> tuple[list[LibraryFile], list[SourceProblem]]:
    """Return the YAML files of a folder by name, and the problems of the others."""
    try:
        with os.scandir(folder.path) as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_LISTED + 1))
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [_unreadable_problem(folder.path, error)]
    if len(names) > MAX_LISTED:
        message = f"No file of this folder is read: it has more than {MAX_LISTED:,}."
        return [], [SourceProblem(folder.path.as_uri(), message, "warning")]
    names = [n for n in names if n.endswith((".yaml", ".yml")) and n[0] != "."]
    boundary = folder.boundary and folder.boundary.resolve()
    results = [
        _inspect_file(folder.path / name, folder.scope, boundary)
        for name in names[:MAX_FILES]
    ]
    problems = [result for result in results if isinstance(result, SourceProblem)]
    if len(names) > MAX_FILES:
        message = f"Only the first {MAX_FILES} files of this folder are read."
        problems.append(SourceProblem(folder.path.as_uri(), message, "warning"))
    files = [result for result in results if isinstance(result, LibraryFile)]
    sizes = list(accumulate(file.size for file in files))
    read = bisect_right(sizes, MAX_FOLDER_BYTES)
    if read < len(files):
        message = f"The files from {files[read].path.name} on are not read: this folder"
        message += f" has more than {MAX_FOLDER_BYTES // 1024} KB."
        problems.append(SourceProblem(folder.path.as_uri(), message, "warning"))
    return files[:read], problems


def _inspect_file(
    path: Path, scope: LibraryScope, boundary: Path | None
) -> LibraryFile | SourceProblem:
    try:
        if boundary and not path.resolve().is_relative_to(boundary):
            message = "This link leads out of the workspace and is not followed."
            return SourceProblem(path.as_uri(), message, "warning")
        status = path.stat()
    except OSError as error:
        return _unreadable_problem(path, error)
    if not stat.S_ISREG(status.st_mode):
        return SourceProblem(path.as_uri(), "This is not a file.", "warning")
    changed = status.st_ctime_ns  # a program can set the other time
    return LibraryFile(path, scope, status.st_mtime_ns, status.st_size, changed)


def _unreadable_problem(path: Path, error: OSError) -> SourceProblem:
    reason = error.strerror or str(error)
    return SourceProblem(path.as_uri(), f"This cannot be read: {reason}.", "warning")


E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class LibraryEntry(Generic[E]):
    """The content of a file; `value` is None if it has errors."""

    name: str
    file: LibraryFile
    value: E | None
    problems: tuple[SourceProblem, ...]
    primer_range: SourceRange = START_RANGE
    """Where a pipeline's file names its style primer."""
    digest: str = ""
    """Of the text that was read; "" if none was."""

    @property
    def uri(self) -> str:
        """The file's URI."""
        return self.file.uri

    @property
    def scope(self) -> LibraryScope:
        """The scope of its folder."""
        return self.file.scope


LibraryCache = dict[Path, LibraryEntry[Any]]
"""The entries of unchanged files, kept by the caller between readings."""


@dataclass(frozen=True, slots=True)
class Library:
    """The nearest pipeline and the nearest primer of each name."""

    pipelines: dict[str, LibraryEntry[PipelineConfiguration]]
    primers: dict[str, LibraryEntry[StylePrimer]]
    other_pipelines: tuple[LibraryEntry[PipelineConfiguration], ...] = ()
    """Files that a nearer one replaces, and all but the first of one name."""
    other_primers: tuple[LibraryEntry[StylePrimer], ...] = ()

    @property
    def usable_pipelines(self) -> list[PipelineConfiguration]:
        """The pipelines without errors, by name."""
        entries = (self.pipelines[name] for name in sorted(self.pipelines))
        return [entry.value for entry in entries if entry.value is not None]

    @property
    def usable_primers(self) -> dict[str, StylePrimer]:
        """The primers without errors, by id."""
        return {n: entry.value for n, entry in self.primers.items() if entry.value}

    def usable_pipeline(self, name: str) -> PipelineConfiguration | None:
        """Return the pipeline with that name if its file has no errors."""
        entry = self.pipelines.get(name)
        return entry.value if entry else None

    def pipeline(self, name_or_id: str) -> PipelineConfiguration:
        """Return the pipeline with that name, or with that id if its file has it.

        Raises:
            NotFound: it does not exist.
            InvalidPipeline: its file has errors.
        """
        name = name_or_id.partition("@")[0]
        pipeline = _require_usable("pipeline", name, self.pipelines)
        if name_or_id not in {name, pipeline.configuration_id}:
            raise NotFound(
                f"The file of {name!r} has changed; it is not {name_or_id!r} any more.",
                hint=f"Use {pipeline.configuration_id!r}, or {name!r} for the current"
                " version.",
            )
        return pipeline

    def primer(self, primer_id: str) -> StylePrimer:
        """Return the primer with that id.

        Raises:
            NotFound: it does not exist.
            InvalidPipeline: its file has errors.
        """
        return _require_usable("primer", primer_id, self.primers)


def _require_usable(kind: str, name: str, entries: dict[str, LibraryEntry[E]]) -> E:
    if name not in entries:
        raise NotFound.with_suggestions(kind, name, entries)
    entry = entries[name]
    if entry.value is None:
        errors = [p.message for p in entry.problems if p.severity == "error"]
        raise InvalidPipeline(
            f"The {kind} {name!r} in {entry.file.path.name} cannot be used:"
            f" {errors[0]}",
            hint=f"Correct the errors in its file: {entry.uri}",
            problems=[problem.to_json() for problem in entry.problems],
        )
    return entry.value


_READ: LibraryCache = {}
"""What a command of the terminal has read; it looks at the same files again."""


def read_library(
    workspace: Path | None,
    cache: LibraryCache | None = None,
    unread: list[tuple[LibraryKind, LibraryFile]] | None = None,
) -> tuple[Library, list[SourceProblem]]:
    """Return the library of a workspace folder, and the problems of its files.

    Unchanged files in `cache` are not read again. With `unread`, new and changed files
    of the workspace are put there and not read: `read_file` does it elsewhere.
    """
    cache = _READ if cache is None else cache
    primers: _KindFiles[StylePrimer] = _read_kind("primers", workspace, cache, unread)
    pipelines: _KindFiles[PipelineConfiguration] = _read_kind(
        "pipelines", workspace, cache, unread
    )
    for name, entry in pipelines.nearest.items():
        unknown = _unknown_primer_problems(entry, primers.nearest)
        pipelines.nearest[name] = _with_problems(entry, *unknown)
    library = Library(
        pipelines.nearest,
        primers.nearest,
        tuple(pipelines.others),
        tuple(primers.others),
    )
    return library, [*primers.problems(), *pipelines.problems()]


def own_pipelines(cache: LibraryCache | None = None) -> frozenset[str]:
    """Return the ids of the bundled and the user's own pipelines."""
    library, _ = read_library(None, cache)
    return frozenset(p.configuration_id for p in library.usable_pipelines)


@dataclass(slots=True)
class _KindFiles(Generic[E]):
    """The files of pipelines or primers."""

    nearest: dict[str, LibraryEntry[E]] = field(default_factory=dict)
    others: list[LibraryEntry[E]] = field(default_factory=list)
    unreadable: list[SourceProblem] = field(default_factory=list)

    def problems(self) -> list[SourceProblem]:
        """Return all problems."""
        entries = (*self.nearest.values(), *self.others)
        found = [problem for entry in entries for problem in entry.problems]
        return [*self.unreadable, *found]


def _read_kind(
    kind: LibraryKind,
    workspace: Path | None,
    cache: LibraryCache,
    unread: list[tuple[LibraryKind, LibraryFile]] | None,
) -> _KindFiles[E]:
    found: _KindFiles[E] = _KindFiles()
    for folder in list_folders(kind, workspace):
        files, file_problems = list_files(folder)
        found.unreadable += file_problems
        in_folder: defaultdict[str, list[LibraryEntry[E]]] = defaultdict(list)
        for file in files:
            entry = cache.get(file.path)
            if entry is None or entry.file != file:
                if unread is not None and file.scope == "workspace":
                    unread.append((kind, file))
                else:
                    entry = cache[file.path] = read_file(kind, file)
            if entry is not None:
                in_folder[entry.name].append(entry)
        for name, entries in in_folder.items():
            _add_entries(found, name, _without_duplicates(entries))
    return found


def _add_entries(
    found: _KindFiles[E], name: str, entries: list[LibraryEntry[E]]
) -> None:
    """Add the files of one folder that have one name."""
    near = found.nearest.get(name)
    if near is None:
        found.nearest[name], *others = entries
        found.others += others
        return
    first = entries[0]
    replaces = SourceProblem(
        near.uri, f"This replaces the {first.scope} {name!r}.", "information"
    )
    found.nearest[name] = _with_problems(near, replaces)
    for entry in entries:
        message = f"The {near.scope} {name!r} replaces this: {near.file.path}"
        replaced = SourceProblem(entry.uri, message, "information")
        found.others.append(_with_problems(entry, replaced))


def _without_duplicates(entries: list[LibraryEntry[E]]) -> list[LibraryEntry[E]]:
    """Return the files of one folder and name; of several, none can be used."""
    if len(entries) == 1:
        return entries
    return [
        _with_problems(
            replace(entry, value=None),
            *(
                SourceProblem(
                    entry.uri,
                    f"{other.file.path.name} has the name {entry.name!r}, too.",
                )
                for other in entries
                if other is not entry
            ),
        )
        for entry in entries
    ]


def _with_problems(entry: LibraryEntry[E], *problems: SourceProblem) -> LibraryEntry[E]:
    return replace(entry, problems=(*entry.problems, *problems))


def _unknown_primer_problems(
    entry: LibraryEntry[PipelineConfiguration],
    primers: dict[str, LibraryEntry[StylePrimer]],
) -> list[SourceProblem]:
    """Style primer must exist if specified."""
    primer = entry.value.default("style_primer", str) if entry.value else None
    if primer is None or primer in {NO_PRIMER, *primers}:
        return []
    message = f"There is no style {primer!r}.{did_you_mean(primer, primers)}"
    return [SourceProblem(entry.uri, message, "warning", entry.primer_range)]


def read_file(kind: LibraryKind, file: LibraryFile) -> LibraryEntry[Any]:
    """Return the content of a file, or its problems."""
    read = _read_primer_file if kind == "primers" else _read_pipeline_file
    return read(file)


def unread_entry(file: LibraryFile, reason: str) -> LibraryEntry[Any]:
    """Return the entry of a file whose reading was stopped."""
    problem = SourceProblem(file.uri, f"Reading this file was stopped: {reason}.")
    return LibraryEntry(file.path.stem, file, None, (problem,))


def _read_pipeline_file(file: LibraryFile) -> LibraryEntry[PipelineConfiguration]:
    text, problem = _read_text(file)
    if problem:
        return LibraryEntry(file.path.stem, file, None, (problem,))
    created = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
    configuration, problems = read_pipeline(text, file.uri, created=created)
    name = configuration.name if configuration else read_name(text) or file.path.stem
    has_primer = configuration and configuration.default("style_primer", str)
    where = primer_reference_range(text, file.uri) if has_primer else START_RANGE
    shown, digest = problems[:MAX_PROBLEMS], text_digest(text)
    return LibraryEntry(name, file, configuration, shown, where, digest)


def _read_primer_file(file: LibraryFile) -> LibraryEntry[StylePrimer]:
    text, problem = _read_text(file)
    if problem:
        return LibraryEntry(file.path.stem, file, None, (problem,))
    primer, problems = read_primer(text, file.uri, default_id=file.path.stem)
    found = primer.primer_id if primer else read_name(text, "primer_id")
    shown = problems[:MAX_PROBLEMS]
    name, digest = found or file.path.stem, text_digest(text)
    return LibraryEntry(name, file, primer, shown, digest=digest)


def _read_text(file: LibraryFile) -> tuple[str, SourceProblem | None]:
    try:
        with file.path.open("rb") as stream:
            content = stream.read(MAX_YAML_BYTES + 1)
        if len(content) > MAX_YAML_BYTES:
            message = (
                f"This file is too long: the limit is {MAX_YAML_BYTES // 1024} KB."
            )
            return "", SourceProblem(file.uri, message)
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        message = f"This file is not UTF-8 (at byte {error.start})."
        return "", SourceProblem(file.uri, message)
    except OSError as error:
        reason = error.strerror or str(error)
        return "", SourceProblem(file.uri, f"This file cannot be read: {reason}.")
