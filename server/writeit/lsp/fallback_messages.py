"""What a client without a plug-in is told: what became of an offer its writer took.

It shows no reply of a command, and some (eglot of Emacs 28) no progress; without a word
she could not know whether anything happened. A plug-in announces itself under
`initializationOptions.writeit` and says these things in its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from writeit.domain.run import PipelineStatus, StepState, StepStatus
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.client import Client
from writeit.lsp.convert import uri_to_path
from writeit.lsp.protocol import Params
from writeit.lsp.shapes import WireModel
from writeit.views.wording import FAILURE_DESCRIPTIONS

FallbackMessage: TypeAlias = Callable[[Any, Any], str]


def show_reply_message(
    client: Client, command: str, params: Params, reply: WireModel
) -> None:
    """Say what an offer that was taken has done, or has set going."""
    if params.wait or command not in FALLBACK_MESSAGES:
        return
    client.show_fallback_message(FALLBACK_MESSAGES[command](params, reply))


def show_answers_message(client: Client, state: StepState) -> None:
    """Say that the answers of a step have ended."""
    count = len(state.ai_responses)
    answers = "1 answer" if count == 1 else f"{count} answers"
    parts = [f"{state.step_name} has {answers}."]
    if any(answer.partial for answer in state.ai_responses):
        parts.append("Not every one is whole.")
    parts += [
        f"None of {failure.model}: {FAILURE_DESCRIPTIONS[failure.reason]}."
        for failure in state.failures
    ]
    client.show_fallback_message(" ".join([*parts, "Choose one, or open the step."]))


def document_name(uri: str) -> str:
    """Return what a writer calls a document."""
    path = uri_to_path(uri)
    return uri if path is None else path.name


def _run_started_message(params: p.RunStartParams, run: shapes.WirePipelineRun) -> str:
    started = f"Started {params.pipeline}. Nothing has been sent."
    return f"{started} {_next_step_hint(run)}".rstrip()


def _generating_message(params: Any, reply: p.Accepted) -> str:  # noqa: ANN401 -- several commands'
    del params
    return f"{reply.step} is asked; you will be told of its answers."


def _polishing_message(params: p.DocumentPolishParams, _: WireModel) -> str:
    return f"{params.pipeline} is asked; go on writing."


def _selected_message(params: p.StepSelectParams, run: shapes.WirePipelineRun) -> str:
    answer = f"Answer {params.response + 1}"
    step = params.step or "the step"
    return f"{answer} is the choice for {step}. {_next_step_hint(run)}".rstrip()


def _merged_message(
    params: p.StepMergeParams, reply: shapes.WirePipelineRun | p.Accepted
) -> str:
    if isinstance(reply, p.Accepted):
        return _generating_message(params, reply)
    step = params.step or "the step"
    return f"The merge is the text of {step}. {_next_step_hint(reply)}".rstrip()


def _skipped_message(params: p.StepParams, run: shapes.WirePipelineRun) -> str:
    return f"{params.step or 'The step'} is skipped. {_next_step_hint(run)}".rstrip()


def _passage_added_message(params: p.StepTakeParams, step: shapes.WireStepState) -> str:
    del params
    count = len(step.passages)
    passages = "1 passage" if count == 1 else f"{count} passages"
    return f"Taken: the merge of {step.step_name} has {passages}."


def _branched_message(params: p.RunBranchParams, run: shapes.WirePipelineRun) -> str:
    del run
    return f"A new run branches off at {params.step}; the other stays as it is."


def _rewound_message(params: p.RunRewindParams, run: shapes.WirePipelineRun) -> str:
    del run
    return f"Back at {params.step}; the run you left stays as it is."


def _activated_message(params: p.RunParams, session: shapes.WireUserSession) -> str:
    del params, session
    return "The document is about this run now; the other stays as it is."


def _exported_message(params: p.RunExportParams, result: p.RunExportResult) -> str:
    del params
    return f"Written to {document_name(result.uri)}." if result.uri else ""


def _next_step_hint(run: shapes.WirePipelineRun) -> str:
    if run.status is PipelineStatus.COMPLETED:
        return "That was the last step: apply the text."
    step = run.steps[run.current_step]
    return f"Next: run {step.step_name}." if step.status is StepStatus.PENDING else ""


FALLBACK_MESSAGES: dict[str, FallbackMessage] = {
    "writeit.run.start": _run_started_message,
    "writeit.step.run": _generating_message,
    "writeit.step.regenerate": _generating_message,
    "writeit.document.polish": _polishing_message,
    "writeit.step.select": _selected_message,
    "writeit.step.merge": _merged_message,
    "writeit.step.skip": _skipped_message,
    "writeit.step.take": _passage_added_message,
    "writeit.session.activate": _activated_message,
    "writeit.run.branch": _branched_message,
    "writeit.run.rewind": _rewound_message,
    "writeit.run.pause": lambda _, __: "Stopped; what came is kept.",
    "writeit.run.resume": lambda _, __: "The run goes on.",
    "writeit.run.export": _exported_message,
    "writeit.model.install": lambda params, _: f"{params.model} is installed.",
}
"""By command: of its params and its reply, what a writer wants to know."""
