"""The finished text, alone or with its provenance in the front matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml

from writeit.domain.blind import hidden_in, hidden_letters
from writeit.domain.entity import total_cost
from writeit.domain.errors import InvalidTransition
from writeit.domain.operations.review import describe_remarks
from writeit.domain.run import PipelineRun, StepState, StepStatus
from writeit.domain.run_bundle import RunBundle
from writeit.export.bundle_writer import dump_yaml
from writeit.text.block_reader import split_paragraphs
from writeit.text.front_matter import find_front_matter, with_providers
from writeit.text.lines import first_line_end

PROVENANCE_KEY = "writeit_export"
"""Not `writeit`: no run should start from an exported text by itself."""


def final_text(run: PipelineRun) -> str:
    """Return the text of the last completed step, and nothing else.

    Raises:
        InvalidTransition: no step is completed yet.
    """
    if run.review_step and run.review_step.status is StepStatus.COMPLETED:
        return (describe_remarks(run) or "No remarks.") + "\n"
    for step in reversed(run.steps.values()):
        if step.status is StepStatus.COMPLETED and step.content is not None:
            return step.content.rstrip("\n") + "\n"
    raise InvalidTransition(
        f"Run {run.pipeline_run_id} has no completed step to export.",
        state=run.status.value,
        attempted="export",
        allowed=("step.run", "step.select"),
        hint="Choose an answer of its first step, then export it.",
    )


def article_with_provenance(bundle: RunBundle, program_version: str) -> str:
    """Return the article with its provenance in the front matter.

    Other YAML front matter of the text is kept; older provenance is replaced. A text
    with front matter of another kind stays as it is. The providers that its notes
    allowed are named.

    Raises:
        InvalidTransition: no step is completed yet.
    """
    text = with_providers(final_text(bundle.run), bundle.run.document.allowed_providers)
    provenance = dump_yaml(
        {PROVENANCE_KEY: article_provenance(bundle, program_version)}
    )
    found = find_front_matter(text)
    if found is not None and found.dialect != "YAML":
        return text  # a second front matter would make it a part of the text
    line_end = first_line_end(found.open if found else text)
    provenance = provenance.replace("\n", line_end)
    others = None if found is None else _remove_provenance(found.content)
    if found is None or others is None:
        return f"---{line_end}{provenance}---{line_end}{text}"
    parts = (found.lead, found.open, others, provenance, found.close)
    return "".join(parts) + text[len(found.head) :]


def article_provenance(bundle: RunBundle, program_version: str) -> dict[str, Any]:
    """Return the provenance of an article as plain data."""
    run, primer = bundle.run, bundle.run.used_primer
    provenance: dict[str, Any] = {
        "run": str(run.pipeline_run_id),
        "pipeline": bundle.configuration.name,
        "configuration": run.configuration_id,
    }
    if primer is not None:
        provenance["primer"] = primer.primer_id
        provenance["primer_version"] = primer.version
    if run.branch_point is not None:
        provenance["branched_from"] = str(run.parent_pipeline_run_id)
        provenance["branched_at"] = run.branch_point
    return {
        **provenance,
        "started": _format_timestamp(run.created_at),
        "updated": _format_timestamp(run.updated_at),
        "cost_usd": None if hidden_in(run) else run.cost_usd,
        "steps": {name: _step_provenance(step) for name, step in run.steps.items()},
        "writeit": program_version,
    }


def _step_provenance(step: StepState) -> dict[str, Any]:
    answers = step.ai_responses
    provenance: dict[str, Any] = {"status": step.status.value}
    if not answers or hidden_letters(step):
        return provenance
    provenance["models"] = list(dict.fromkeys(answer.model for answer in answers))
    provenance |= _selection_provenance(step)
    provenance["cost_usd"] = total_cost(answer.usage_stats for answer in answers)
    provenance["seconds"] = round(sum(answer.processing_time for answer in answers), 1)
    if step.completed_at is not None:
        provenance["completed"] = _format_timestamp(step.completed_at)
    return provenance


def _format_timestamp(timestamp: datetime) -> str:
    return timestamp.isoformat(timespec="seconds").replace("+00:00", "Z")


def _selection_provenance(step: StepState) -> dict[str, Any]:
    """Return whose text was chosen: a model's, the user's or parts of several."""
    if (answer := step.chosen) is not None:
        chosen = answer.model
        if step.edited_content is None:
            cut = {"incomplete": answer.finish_reason} if answer.is_cut else {}
            return {"chosen": chosen, **cut}
        return {"chosen": chosen, "reworded": True, "parts": _part_sources(step)}
    if step.merged_content is None:
        return {}
    models = [answer.model for answer in step.source_answers]
    return {
        "merged": list(dict.fromkeys(models)) or ["the writer"],
        "parts": _part_sources(step),
    }


def _part_sources(step: StepState) -> list[dict[str, Any]]:
    """Return the source of each part of a text: its paragraphs, counted from 1."""
    sources: list[dict[str, Any]] = []
    count = 0
    for part in step.content_sources:
        first, count = count + 1, count + len(split_paragraphs(part.text))
        answer = part.response_id and step.find_response(part.response_id)
        source = (
            {"from": answer.model, "response": str(answer.response_id)}
            if answer
            else {"from": "the writer"}
        )
        sources.append({"paragraphs": [first, count], **source})
    return sources


def _remove_provenance(front_matter: str) -> str | None:
    """Return front matter without `PROVENANCE_KEY`, None if it is not a mapping."""
    try:
        root = yaml.compose(front_matter, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if root is None:
        return front_matter
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    for index, (key, _) in enumerate(root.value):
        if key.value == PROVENANCE_KEY:
            following = root.value[index + 1 :]
            end = following[0][0].start_mark.index if following else len(front_matter)
            return front_matter[: key.start_mark.index] + front_matter[end:]
    return front_matter
