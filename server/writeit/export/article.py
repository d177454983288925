"""The finished text, alone, or with where it came from in its front matter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from writeit.core.errors import InvalidTransition
from writeit.core.run import StepStatus
from writeit.core.usage import total_cost
from writeit.export.texts import as_yaml

if TYPE_CHECKING:
    from datetime import datetime

    from writeit.core.dossier import Dossier
    from writeit.core.run import PipelineRun, StepState

KEY = "writeit_export"
"""Not `writeit`: the text is finished, and nothing should start from this by itself."""

_FRONT_MATTER = re.compile(
    r"\A(?P<open>\ufeff?---[ \t]*\r?\n)"
    r"(?P<yaml>(?:.*?\n)??)"
    r"(?P<close>(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z))",
    re.DOTALL,
)


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


def with_provenance(dossier: Dossier, version: str) -> str:
    """Return the article; its front matter says where it came from.

    Front matter that the text brings along is kept, save for an older account.

    Raises:
        InvalidTransition: no step is completed yet.
    """
    text = article(dossier.run)
    account = as_yaml({KEY: provenance(dossier, version)})
    match = _FRONT_MATTER.match(text)
    others = None if match is None else _without_account(match["yaml"])
    if match is None or others is None:
        return f"---\n{account}---\n{text}"
    if "\r\n" in match["open"]:
        account = account.replace("\n", "\r\n")
    return f"{match['open']}{others}{account}{match['close']}{text[match.end() :]}"


def provenance(dossier: Dossier, version: str) -> dict[str, Any]:
    """Return what an article should say of its own making."""
    run, primer = dossier.run, dossier.run.primer
    account: dict[str, Any] = {
        "run": str(run.pipeline_run_id),
        "pipeline": dossier.configuration.name,
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
        "started": _moment(run.created_at),
        "updated": _moment(run.updated_at),
        "cost_usd": run.cost_usd,
        "steps": {name: _step(step) for name, step in run.steps.items()},
        "writeit": version,
    }


def _step(step: StepState) -> dict[str, Any]:
    answers = step.ai_responses
    account: dict[str, Any] = {"status": step.status.value}
    if not answers:
        return account
    account["models"] = list(dict.fromkeys(answer.model for answer in answers))
    account |= _choice(step)
    account["cost_usd"] = total_cost(answer.usage_stats for answer in answers)
    account["seconds"] = round(sum(answer.processing_time for answer in answers), 1)
    if step.completed_at is not None:
        account["completed"] = _moment(step.completed_at)
    return account


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _choice(step: StepState) -> dict[str, Any]:
    """Whose words went on: a model's, the writer's, or parts of several."""
    if step.user_selection is not None:
        chosen = step.ai_responses[step.user_selection].model
        reworded = {"reworded": True} if step.edited_content is not None else {}
        return {"chosen": chosen, **reworded}
    if step.merged_content is None:
        return {}
    parts = [p.response_id for p in step.merged_from if p.response_id]
    found = [a.model for key in parts if (a := step.response(key)) is not None]
    return {"merged": list(dict.fromkeys(found)) or ["the writer"]}


def _without_account(front: str) -> str | None:
    """Return front matter without our key; None if it is no mapping at all."""
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if root is None:
        return front
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    for place, (key, _) in enumerate(root.value):
        if key.value == KEY:
            after = root.value[place + 1 :]
            end = after[0][0].start_mark.index if after else len(front)
            return front[: key.start_mark.index] + front[end:]
    return front
