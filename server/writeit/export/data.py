"""A dossier as plain data in the data model's own names, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from writeit.core.dossier import Ancestor, Dossier
from writeit.core.entity import Entity, unknown_in
from writeit.core.pipeline import PipelineConfiguration
from writeit.core.primer import StylePrimer
from writeit.core.run import PipelineRun
from writeit.export.checksum import KEY, checksum_of
from writeit.export.facts import Known, as_event, as_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from writeit.core.events import Event

FORMAT = "writeit_export"
OLDEST = 2
"""Format 1 could be read by people only: it left out what was sent in vain."""

Data = dict[str, Any]
UPCASTS: tuple[Callable[[Data], Data], ...] = ()
"""The first one makes format 3 of format 2, and so on."""
VERSION = OLDEST + len(UPCASTS)
E = TypeVar("E", bound=Entity)


def as_data(dossier: Dossier) -> Data:
    """Return a run with all that belongs to it."""
    data = _said(dossier)
    return {FORMAT: VERSION, KEY: checksum_of({FORMAT: VERSION, **data}), **data}


def _said(dossier: Dossier) -> Data:
    run, configuration = dossier.run, dossier.configuration
    data: Data = {
        "run": run.model_dump(mode="json"),
        "configuration": {
            "configuration_id": run.configuration_id,
            **configuration.model_dump(mode="json", by_alias=True),
        },
    }
    if dossier.primer is not None:
        dates = {"created_at", "last_used"}
        data["primer"] = dossier.primer.model_dump(mode="json", exclude=dates)
    if dossier.ancestors:
        data["ancestors"] = [each.model_dump(mode="json") for each in dossier.ancestors]
    if dossier.events is not None:
        known = Known.of(run)
        data["history"] = [as_fact(event, known) for event in dossier.events]
    return data


class Misplaced(ValueError):
    """What is wrong with a part of a file: `path` says with which."""

    def __init__(self, path: str, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.unknown = unknown
        """Whether it is there and nobody here knows what it means."""


def as_dossier(data: Data) -> Dossier:
    """Return the dossier of plain data that says what it must, and nothing else.

    Data of an older format that can be read is brought up to date first.

    Raises:
        Misplaced: a part is not what it should be.
    """
    for upcast in UPCASTS[data[FORMAT] - OLDEST :]:
        data = upcast(data)
    known = {FORMAT, KEY, "run", "configuration", "primer", "ancestors", "history"}
    for key in data:
        if key not in known:
            message = "an export has no such key"
            raise Misplaced(str(key)[:60], message, unknown=True)
    configuration, configuration_id = _configuration(data.get("configuration"))
    run = _entity(PipelineRun, _in_order(data.get("run"), configuration), "run")
    if run.configuration_id != configuration_id:
        raise Misplaced("configuration", f"the run was made of {run.configuration_id}")
    primer = data.get("primer")
    history = data.get("history")
    dossier = Dossier(
        run=run,
        configuration=configuration,
        primer=None if primer is None else _entity(StylePrimer, primer, "primer"),
        events=None if history is None else tuple(_events(history, run)),
        ancestors=tuple(
            _entity(Ancestor, each, f"ancestors.{place}")
            for place, each in enumerate(_list(data.get("ancestors", []), "ancestors"))
        ),
    )
    if KEY not in data:
        _check_ids(dossier)
    return dossier


def _check_ids(dossier: Dossier) -> None:
    """Refuse ids that are not those of the content: somebody changed one by hand.

    Only where no checksum says that the file is as it was written. Where one does, ids
    are taken as they stand: they may be hashes of another form.
    """
    run, made_of, primer = dossier.run, dossier.configuration, dossier.primer
    if run.configuration_id != made_of.configuration_id:
        message = f"its id should be {made_of.configuration_id}"
        raise Misplaced("configuration.configuration_id", message)
    if run.primer and primer and run.primer.version != primer.version:
        message = f"it is not version {run.primer.version}, which the run has pinned"
        raise Misplaced("primer", message)


def _in_order(run: object, configuration: PipelineConfiguration) -> object:
    """Return the run with its steps in their order: a sorted file is as good."""
    steps = run.get("steps") if isinstance(run, dict) else None
    names = configuration.step_names
    if not isinstance(run, dict) or not isinstance(steps, dict):
        return run
    if set(steps) != set(names):
        return run
    return {**run, "steps": {name: steps[name] for name in names}}


def _configuration(data: object) -> tuple[PipelineConfiguration, object]:
    """Return a configuration, and what is said to be its id."""
    fields = dict(data) if isinstance(data, dict) else {}
    said = fields.pop("configuration_id", None)
    return _entity(PipelineConfiguration, fields, "configuration"), said


def _events(history: object, run: PipelineRun) -> Iterator[Event]:
    known = Known.of(run)
    for place, fact in enumerate(_list(history, "history")):
        path = f"history.{place}"
        if not isinstance(fact, dict):
            raise Misplaced(path, "it is no mapping")
        try:
            yield as_event(fact, known)
        except ValueError as error:
            raise Misplaced(path, _why(error), unknown=_unknown(error)) from error


def _list(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise Misplaced(path, "it is no list")
    return value


def _entity(kind: type[E], data: object, path: str) -> E:
    if data is None:
        raise Misplaced(path, "it is missing")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([path, *map(str, first["loc"])])
        unknown = _unknown(error)
        raise Misplaced(where, first["msg"], unknown=unknown) from error


def _unknown(error: ValueError) -> bool:
    return isinstance(error, ValidationError) and unknown_in(error) is not None


def _why(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]
