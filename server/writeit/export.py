"""A run as a file to keep: yaml and json with everything, markdown to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from writeit.core.errors import InvalidTransition
from writeit.core.run import StepStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.run import PipelineRun
    from writeit.core.session import ExportFormat

EXPORT_VERSION = 1


def export_run(
    run: PipelineRun,
    configuration: PipelineConfiguration,
    events: Sequence[Event] | None,
    form: ExportFormat,
) -> str:
    """Return `run` in a format; `events` are its history, None leaves it out.

    Raises:
        InvalidTransition: markdown of a run that has no completed step yet.
    """
    if form == "markdown":
        return article(run)
    data = as_data(run, configuration, events)
    if form == "json":
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    return yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=88
    )


def as_data(
    run: PipelineRun,
    configuration: PipelineConfiguration,
    events: Sequence[Event] | None,
) -> dict[str, Any]:
    """Return a run with all it was made from, in the data model's own names."""
    data: dict[str, Any] = {
        "writeit_export": EXPORT_VERSION,
        "run": run.model_dump(mode="json"),
        "configuration": {
            "configuration_id": configuration.configuration_id,
            **configuration.model_dump(mode="json", by_alias=True),
        },
    }
    if events is not None:
        data["history"] = [_as_fact(event) for event in events]
    return data


def _as_fact(event: Event) -> dict[str, Any]:
    """An event without the answers and the run, which stand in the run already."""
    fact = event.model_dump(mode="json", exclude={"run", "response", "prompt"})
    if response := getattr(event, "response", None):
        fact["response_id"] = str(response.response_id)
    return {"type": fact.pop("type"), **fact}


def article(run: PipelineRun) -> str:
    """Return the text of the last completed step, and nothing else.

    Raises:
        InvalidTransition: no step is completed yet.
    """
    for step in reversed(run.steps.values()):
        if step.status is StepStatus.COMPLETED and step.content is not None:
            return step.content.rstrip("\n") + "\n"
    raise InvalidTransition(
        f"Run {run.pipeline_run_id} has no completed step to export.",
        state=run.status.value,
        attempted="export",
        allowed=("step.run", "step.select"),
    )


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block that a person can read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
