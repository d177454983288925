"""The finished text, alone, or with where it came from in its front matter."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import yaml

from writeit.domain.entity import total_cost
from writeit.domain.errors import InvalidTransition
from writeit.domain.run import PipelineRun, StepState, StepStatus
from writeit.domain.run_bundle import RunBundle
from writeit.export.bundle_writer import dump_yaml

PROVENANCE_KEY = "writeit_export"
"""Not `writeit`: the text is finished, and nothing should start from this by itself."""

_FRONT_MATTER = re.compile(
    r"\A(?P<open>\ufeff?---[ \t]*\r?\n)"
    r"(?P<yaml>(?:.*?\n)??)"
    r"(?P<close>(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z))",
    re.DOTALL,
)


def final_text(run: PipelineRun) -> str:
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
        hint="Choose an answer of its first step, then export it.",
    )


def article_with_provenance(bundle: RunBundle, program_version: str) -> str:
    """Return the article; its front matter says where it came from.

    Front matter that the text brings along is kept, save for an older account.

    Raises:
        InvalidTransition: no step is completed yet.
    """
    text = final_text(bundle.run)
    account = dump_yaml({PROVENANCE_KEY: article_provenance(bundle, program_version)})
    match = _FRONT_MATTER.match(text)
    others = None if match is None else _remove_provenance(match["yaml"])
    if match is None or others is None:
        return f"---\n{account}---\n{text}"
    if "\r\n" in match["open"]:
        account = account.replace("\n", "\r\n")
    return f"{match['open']}{others}{account}{match['close']}{text[match.end() :]}"


def article_provenance(bundle: RunBundle, program_version: str) -> dict[str, Any]:
    """Return what an article should say of its own making."""
    run, primer = bundle.run, bundle.run.primer
    account: dict[str, Any] = {
        "run": str(run.pipeline_run_id),
        "pipeline": bundle.configuration.name,
        "configuration": run.configuration_id,
    }
    if primer is not None:
        account["primer"] = primer.primer_id
        account["primer_version"] = primer.version
    if run.branch_point is not None:
        account["branched_from"] = str(run.parent_pipeline_run_id)
        account["branched_at"] = run.branch_point
    return {
        **account,
        "started": _format_timestamp(run.created_at),
        "updated": _format_timestamp(run.updated_at),
        "cost_usd": run.cost_usd,
        "steps": {name: _step_provenance(step) for name, step in run.steps.items()},
        "writeit": program_version,
    }


def _step_provenance(step: StepState) -> dict[str, Any]:
    answers = step.ai_responses
    account: dict[str, Any] = {"status": step.status.value}
    if not answers:
        return account
    account["models"] = list(dict.fromkeys(answer.model for answer in answers))
    account |= _selection_provenance(step)
    account["cost_usd"] = total_cost(answer.usage_stats for answer in answers)
    account["seconds"] = round(sum(answer.processing_time for answer in answers), 1)
    if step.completed_at is not None:
        account["completed"] = _format_timestamp(step.completed_at)
    return account


def _format_timestamp(timestamp: datetime) -> str:
    return timestamp.isoformat(timespec="seconds").replace("+00:00", "Z")


def _selection_provenance(step: StepState) -> dict[str, Any]:
    """Whose words went on: a model's, the writer's, or parts of several."""
    if step.user_selection is not None:
        chosen = step.ai_responses[step.user_selection].model
        reworded = {"reworded": True} if step.edited_content is not None else {}
        return {"chosen": chosen, **reworded}
    if step.merged_content is None:
        return {}
    parts = [p.response_id for p in step.merged_from if p.response_id]
    found = [a.model for key in parts if (a := step.find_response(key)) is not None]
    return {"merged": list(dict.fromkeys(found)) or ["the writer"]}


def _remove_provenance(front_matter: str) -> str | None:
    """Return front matter without our key; None if it is no mapping at all."""
    try:
        root = yaml.compose(front_matter, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if root is None:
        return front_matter
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    for place, (key, _) in enumerate(root.value):
        if key.value == PROVENANCE_KEY:
            after = root.value[place + 1 :]
            end = after[0][0].start_mark.index if after else len(front_matter)
            return front_matter[: key.start_mark.index] + front_matter[end:]
    return front_matter
