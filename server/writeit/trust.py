"""Which folders the user trusts, and what the files of a folder name.

A folder may come from somebody else. Its pipelines, primers and front matter count only
if the user has seen them as they are: typed them, had a command write them, or said yes
to what they name. `trust.json` in the user's data folder has these decisions, by the
real path of the folder; a copy, a folder inside or one that was moved has none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from writeit.domain.entity import text_digest
from writeit.domain.errors import NotTrusted, StoreError
from writeit.domain.pipeline import PipelineConfiguration
from writeit.engine.limits import MAX_WORKSPACE_CALLS, TRUST_BUTTON
from writeit.engine.precedence import Untrusted, Want
from writeit.files import folder_lock, write_whole_file
from writeit.library.catalog import Library, LibraryEntry
from writeit.library.front_matter import FrontMatterConfig
from writeit.trust_record import (
    ENTRIES,
    HISTORY,
    Decision,
    TrustEntry,
    read_decisions,
    run_key,
)

TRUST_VARIABLE = "WRITEIT_TRUST"
MAX_SEEN = 2_000
"""Files of one folder that are remembered; the oldest are forgotten first."""


def is_trusted_by_environment() -> bool:
    """Return whether a script trusts every folder: `WRITEIT_TRUST=1`."""
    return os.environ.get(TRUST_VARIABLE) == "1"


def pipeline_wants(configuration: PipelineConfiguration, file: str) -> list[Want]:
    """Return what a pipeline names: models, and how many calls a step makes."""
    models = dict.fromkeys(m for step in configuration.steps for m in step.models)
    counts = [len(s.models or ("",)) * s.samples for s in configuration.steps]
    wants = [Want("model", model, file) for model in models]
    is_sampled = any(step.samples > 1 for step in configuration.steps)
    if is_sampled or max(counts, default=0) > MAX_WORKSPACE_CALLS:
        wants.append(Want("calls", str(max(counts)), file))
    return wants


def front_matter_wants(config: FrontMatterConfig, file: str) -> list[Want]:
    """Return what front matter names: models, reasoning, files and an output path."""
    models = dict.fromkeys(m for step in config.models.values() for m in step)
    wants = [Want("model", model, file) for model in models]
    efforts = dict.fromkeys(map(str, config.reasoning.values()))
    wants += [Want("reasoning", effort, file) for effort in efforts]
    names = dict.fromkeys((*config.notes, *config.context))
    wants += [Want("file", name, file) for name in names]
    if config.output_path is not None:
        wants.append(Want("output", config.output_path, file))
    return wants


class FolderTrust:
    """The user's decision about one folder, and what it covers."""

    def __init__(self, file: Path, folder: Path, *, override: bool | None) -> None:
        """`override`: what an editor or a script says; it is not remembered."""
        self.override = override
        self.problem = ""
        """Why the decisions cannot be read or written, for the user."""
        self.shown: dict[object, Mapping[str, str]] = {}
        """What the user was shown, as in `seen`, by what it was shown for."""
        self._file = file
        self._folder = folder.resolve()
        self._known: tuple[object, TrustEntry | None] = (None, None)
        """A version of the file, and the decision in it."""
        self._is_unreadable = False
        self._typed: dict[str, str] = {}
        """What the user typed here and that could not be remembered."""
        self._agreed: set[str] = set()
        """The digests of what the user was shown and trusted in this session."""

    # --- questions ---

    @property
    def entry(self) -> TrustEntry | None:
        """The decision, None for an unknown folder or if it cannot be read."""
        version: object = None
        with suppress(OSError):
            status = self._file.lstat()
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
        known_version, entry = self._known
        if version is None or version != known_version:
            entry, self._is_unreadable = None, False
            try:
                entry = read_decisions(self._file).get(str(self._folder))
            except StoreError as error:
                self.problem = f"{error.message} {error.hint}"
                self._is_unreadable = True
            self._known = (version, entry)  # at once: a thread may read it
        return entry

    def allows(self, digest: str) -> bool:
        """Return whether the user has seen a file with this digest."""
        if self.override is not None:
            return self.override
        entry = self.entry
        seen = entry.seen.values() if entry else ()
        return digest in seen or digest in self._typed.values()

    def unseen_files(self, library: Library) -> list[LibraryEntry[Any]]:
        """Return the files of the folder that the user has not seen as they are."""
        if self.override:
            return []
        entry, known = self.entry, set(self._typed.values())
        if entry is not None and self.override is None:
            known |= {*entry.seen.values()}
            if entry.digest == _library_digest(self._files(library)):
                return []
        return [
            entry
            for entry in _own_entries(library)
            if entry.digest and entry.digest not in known
        ]

    def state(self, library: Library) -> Decision:
        """Return what counts for the folder as it is now."""
        if self.override:
            return "trusted"
        entry, unseen = self.entry, self.unseen_files(library)
        if self.override is False or (entry and entry.decision == "restricted"):
            return "restricted"
        if entry is None:
            return "restricted" if self.wants(unseen) else "home"
        return "restricted" if unseen else entry.decision

    def wants(self, files: list[LibraryEntry[Any]]) -> list[Want]:
        """Return what pipelines of the folder name."""
        return [
            want
            for entry in files
            if isinstance(entry.value, PipelineConfiguration)
            for want in pipeline_wants(entry.value, self.name_of(entry.file.path))
        ]

    def assess(
        self,
        library: Library,
        configuration: PipelineConfiguration | None,
        config: FrontMatterConfig,
        document: Path | None,
        *,
        run_id: UUID | None = None,
        is_typed: bool = False,
    ) -> Untrusted:
        """Return what of a run the user has not trusted.

        `configuration` is None for a pipeline that is bundled or the user's own.
        `is_typed`: the front matter is what the user typed into the open document.
        """
        entry = self.entry
        is_own_run = run_id is None or entry is None or entry.is_own_run(run_id)
        if self.override:
            return Untrusted(is_own_run=is_own_run)
        unseen, state = self.unseen_files(library), self.state(library)
        digests = self.digests_of(unseen)
        wants = self.wants(unseen)
        pipeline = ""
        if configuration is not None and not self._allows_pipeline(
            configuration, library, state
        ):
            pipeline = self._pipeline_file(configuration, library)
            key = configuration.configuration_id
            digests[key] = text_digest(key)
            wants += pipeline_wants(configuration, pipeline)
        digest, name = config.digest_of_names, self.name_of(document)
        is_seen = not digest or is_typed or self.allows(digest)
        if not is_seen:
            digests[name] = digest
            wants += front_matter_wants(config, name)
        history = ""
        if run_id is not None and self._is_foreign_run(run_id):
            history, key = HISTORY, run_key(run_id)
            if entry and key in entry.seen:
                digests[key] = "seen"
            else:
                digests[HISTORY] = "own"
        return Untrusted(
            is_own_run=is_own_run,
            history=history,
            pipeline=pipeline,
            front_matter="" if is_seen else name,
            has_changed=self.override is None
            and entry is not None
            and entry.decision != "restricted",
            wants=tuple(dict.fromkeys(wants)),
            digests=digests,
            agreed_calls=self._agreed_calls(library, configuration),
        )

    def _is_foreign_run(self, run_id: UUID) -> bool:
        """Return whether a run may be somebody else's; if nothing is known, it may."""
        entry = self.entry
        if entry is None:
            return self._is_unreadable and run_key(run_id) not in self._typed
        return entry.is_foreign_run(run_id)

    def _agreed_calls(
        self, library: Library, configuration: PipelineConfiguration | None
    ) -> int:
        """Return how many calls of a step the user was shown and agreed to."""
        if configuration is None or not self._agreed:
            return 0
        key = configuration.configuration_id
        digests = {x.digest for x in _own_entries(library) if _id_of(x) == key}
        if self._agreed.isdisjoint(digests | {text_digest(key)}):
            return 0
        wants = pipeline_wants(configuration, "")
        return max((int(w.value) for w in wants if w.kind == "calls"), default=0)

    def _allows_pipeline(
        self, configuration: PipelineConfiguration, library: Library, state: Decision
    ) -> bool:
        key = configuration.configuration_id
        files = [x for x in _own_entries(library) if _id_of(x) == key]
        if self.allows(text_digest(key)) or any(self.allows(x.digest) for x in files):
            return True
        entry = self.entry
        if state == "restricted" and (entry is None or entry.decision == "restricted"):
            return False
        # Otherwise it is of a folder that names nothing, or only in the run history.
        return not pipeline_wants(configuration, "") and (entry is None or not files)

    def _pipeline_file(
        self, configuration: PipelineConfiguration, library: Library
    ) -> str:
        for entry in _own_entries(library):
            if entry.name == configuration.name:
                return self.name_of(entry.file.path)
        return configuration.name

    def name_of(self, path: Path | None) -> str:
        """Return a path in the folder as a short name, another one in full."""
        if path is None:
            return "the document"
        path = path.parent.resolve() / path.name
        if path.is_relative_to(self._folder):
            return path.relative_to(self._folder).as_posix()
        return str(path)

    def digests_of(self, files: list[LibraryEntry[Any]]) -> dict[str, str]:
        """Return the digests of files by path, as in `seen`."""
        return {self.name_of(x.file.path): x.digest for x in files if x.digest}

    def _files(self, library: Library) -> dict[str, str]:
        return self.digests_of(_own_entries(library))

    def has_changed(self, file: LibraryEntry[Any]) -> bool:
        """Return whether a file of a trusted folder is not as the user has seen it."""
        entry = self.entry
        return (
            file.scope == "workspace"
            and self.override is None
            and entry is not None
            and entry.decision != "restricted"
            and not self.allows(file.digest)
        )

    # --- decisions ---

    def agree(self, library: Library, key: object, digests: Mapping[str, str]) -> bool:
        """Trust these files as they were shown for `key`; return False if none was.

        Raises:
            StoreError: that could not be remembered; nothing was changed.
        """
        agreed = dict(self.shown.get(key, {}).items() & digests.items())
        if agreed:
            self.trust(library, agreed)
            self._agreed |= {*agreed.values()}
        return bool(agreed)

    def agree_or_refuse(
        self, library: Library, file: LibraryEntry[Any], *, confirmed: bool
    ) -> None:
        """Trust a changed primer if the user has been shown it and agrees.

        Raises:
            NotTrusted: the user has not agreed, or it has changed again.
        """
        name = self.name_of(file.file.path)
        digests = {name: file.digest}
        if confirmed and self.agree(library, name, digests):
            return
        self.shown[name] = digests
        raise NotTrusted(
            f"{name} is new or has changed since you trusted this folder. Nothing was"
            " started.",
            hint="Trust this folder (on the command line: writeit trust), or use"
            " another style.",
            wants=[want.to_json() for want in self.wants(self.unseen_files(library))],
            confirm=TRUST_BUTTON,
        )

    def require_files(
        self, config: FrontMatterConfig, untrusted: Untrusted, key: object
    ) -> None:
        """Refuse to read the files that front matter names if it is not trusted.

        `key` is what the user is shown it for.

        Raises:
            NotTrusted: the user has not agreed to this front matter.
        """
        if not untrusted.front_matter or not (config.notes or config.context):
            return
        self.shown[key] = untrusted.digests
        raise NotTrusted(
            f"{untrusted.front_matter} names other files, and you have not trusted it."
            " They were not read, and nothing was started.",
            hint="Trust this folder (on the command line: writeit trust and the name of"
            " the document), or remove `notes` and `context` there.",
            wants=[want.to_json() for want in untrusted.wants],
            confirm=TRUST_BUTTON,
        )

    def trust(self, library: Library, digests: Mapping[str, str]) -> None:
        """Trust the folder: the files with these digests, by path.

        Raises:
            StoreError: that could not be remembered; nothing was changed.
        """
        files = dict(self._files(library).items() & digests.items())

        def allow(entry: TrustEntry | None) -> TrustEntry:
            seen = {**(entry.seen if entry else {}), **digests}
            digest = _library_digest(files)
            return TrustEntry(decision="trusted", digest=digest, seen=seen)

        self._update(allow)
        self.override = self.override or None

    def trust_shown(self, library: Library) -> None:
        """Trust the files that were shown, as they were; else those that are there.

        Raises:
            StoreError: that could not be remembered; nothing was changed.
        """
        shown: dict[str, str] = {}
        for digests in self.shown.values():
            shown |= digests
        self.trust(library, shown if self.shown else self._files(library))
        self._agreed |= {*shown.values()}

    def revoke(self) -> None:
        """Restrict the folder, and forget what was seen of it.

        Raises:
            StoreError: that could not be remembered; nothing was changed.
        """

        def restrict(entry: TrustEntry | None) -> TrustEntry:
            seen = entry.origins() if entry else {}
            return TrustEntry(decision="restricted", seen=seen)

        self._update(restrict)
        self._typed.clear()
        self._agreed.clear()
        self.shown.clear()
        self.override = None

    def note_typed(self, path: Path, digest: str) -> None:
        """Let a file that the user typed count until WriteIt ends."""
        self._typed[self.name_of(path)] = digest

    def note_seen(self, path: Path | str, digest: str, library: Library) -> None:
        """Remember a file that the user typed or a command wrote."""
        name = path if isinstance(path, str) else self.name_of(path)
        self._typed[name] = digest
        if (self.override is not None and digest != "own") or not digest:
            return
        unseen = [x for x in self.unseen_files(library) if x.digest != digest]
        new: Decision = "restricted" if self.wants(unseen) else "home"
        files = self._files(library) if new == "home" else {}

        def add(entry: TrustEntry | None) -> TrustEntry:
            known = entry or TrustEntry(
                decision=new, digest=_library_digest(files), seen=files
            )
            return known.evolve(seen={**known.seen, name: digest})

        try:
            self._update(add)
        except StoreError as error:
            self.problem = f"{error.message} {error.hint}"

    def note_run(
        self,
        library: Library,
        configuration: PipelineConfiguration,
        untrusted: Untrusted,
        run_id: UUID,
    ) -> None:
        """Remember a run's pipeline; an unknown folder that names nothing is `home`.

        In a folder with the run history of somebody else, remember the run, too.
        """
        key = configuration.configuration_id
        known = self.entry
        if self._is_unreadable:
            self._typed[run_key(run_id)] = "own"
        elif known and not known.is_own_run(run_id):
            self.note_seen(run_key(run_id), "own", library)
        if untrusted.pipeline or self.override is not None:
            return
        entry = self.entry
        if entry is None and untrusted.wants:
            return
        if entry is None or key not in entry.seen:
            self.note_seen(key, text_digest(key), library)

    def note_imported(self, run_id: UUID, library: Library) -> None:
        """Remember that somebody else may have made a run; a script may trust it."""
        if not self.override:
            self.note_seen(run_key(run_id), "foreign", library)

    def note_foreign_history(self) -> None:
        """Remember that the folder came with a run history of somebody else."""

        def add(entry: TrustEntry | None) -> TrustEntry:
            known = entry or TrustEntry(decision="restricted")
            return known.evolve(seen={**known.seen, HISTORY: "foreign"})

        with suppress(StoreError):  # every question about the folder reports it
            self._update(add)

    def _update(self, change: Callable[[TrustEntry | None], TrustEntry]) -> None:
        """Change the decision, and nothing that another process decided meanwhile.

        Raises:
            StoreError: it could not be read or written.
        """
        key = str(self._folder)
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_lock(self._file.parent, required=True):
                entries = read_decisions(self._file)
                entry = change(entries.get(key))
                foreign = {  # never forgotten: that would trust them
                    name: value
                    for name, value in entry.seen.items()
                    if value == "foreign" or name == HISTORY
                }
                recent = dict([*entry.seen.items()][-MAX_SEEN:])
                entries[key] = entry.evolve(seen=foreign | recent)
                with suppress(FileNotFoundError):
                    self._file.chmod(0o600)
                data = ENTRIES.dump_python(entries)
                text = json.dumps(data, indent=1, ensure_ascii=True)
                write_whole_file(self._file, text.encode())
        except OSError as error:
            raise StoreError(
                f"{self._file} could not be written: {error.strerror}.",
                reason="read_only",
                hint="Make it writable, or free some space.",
            ) from error


def _own_entries(library: Library) -> list[LibraryEntry[Any]]:
    """Return the pipelines and primers of the folder itself."""
    entries: list[LibraryEntry[Any]] = [
        *library.pipelines.values(),
        *library.other_pipelines,
        *library.primers.values(),
        *library.other_primers,
    ]
    return [entry for entry in entries if entry.scope == "workspace"]


def _id_of(entry: LibraryEntry[Any]) -> str:
    value = entry.value
    return value.configuration_id if isinstance(value, PipelineConfiguration) else ""


def _library_digest(files: Mapping[str, str]) -> str:
    """Return one digest of all files; "" if there are none."""
    return text_digest(json.dumps(files, sort_keys=True)) if files else ""
