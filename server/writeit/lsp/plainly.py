"""What a client without a plug-in is told: what became of an offer its writer took.

It shows no reply of a command, and some (eglot of Emacs 28) no progress; without a word
she could not know whether anything happened. A plug-in announces itself under
`initializationOptions.writeit` and says these things in its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from lsprotocol import types

from writeit.core.run import PipelineStatus, StepStatus
from writeit.lsp import protocol as p
from writeit.lsp.convert import path_of
from writeit.views.words import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.core.run import StepState
    from writeit.lsp.connection import Connection
    from writeit.lsp.protocol import Params, Wire

Saying: TypeAlias = "Callable[[Any, Any], str]"


def tell(connection: Connection, sentence: str) -> None:
    """Say something to the writer, if no plug-in does."""
    if sentence and not connection.options.has_plugin:
        connection.show(f"WriteIt: {sentence}", types.MessageType.Info)


def tell_reply(
    connection: Connection, command: str, params: Params, reply: Wire
) -> None:
    """Say what an offer that was taken has done, or has set going."""
    if params.wait or command not in SAYINGS:
        return
    tell(connection, SAYINGS[command](params, reply))


def tell_answers(connection: Connection, state: StepState) -> None:
    """Say that the answers of a step have ended."""
    count = len(state.ai_responses)
    answers = "1 answer" if count == 1 else f"{count} answers"
    parts = [f"{state.step_name} has {answers}."]
    if any(answer.partial for answer in state.ai_responses):
        parts.append("Not every one is whole.")
    parts += [
        f"None of {failure.model}: {REASONS[failure.reason]}."
        for failure in state.failures
    ]
    tell(connection, " ".join([*parts, "Choose one, or open the step."]))


def file_name(uri: str) -> str:
    """Return what a writer calls a document."""
    path = path_of(uri)
    return uri if path is None else path.name


def _started(params: p.RunStartParams, run: p.PipelineRun) -> str:
    return f"{params.pipeline} is begun; nothing is sent yet. {_next(run)}".rstrip()


def _asked(params: Any, reply: p.Accepted) -> str:  # noqa: ANN401 -- several commands'
    del params
    return f"{reply.step} is asked; you will be told of its answers."


def _polished(params: p.DocumentPolishParams, _: Wire) -> str:
    return f"{params.pipeline} is asked; go on writing."


def _selected(params: p.StepSelectParams, run: p.PipelineRun) -> str:
    answer = f"Answer {params.response + 1}"
    step = params.step or "the step"
    return f"{answer} is the choice for {step}. {_next(run)}".rstrip()


def _merged(params: p.StepMergeParams, reply: p.PipelineRun | p.Accepted) -> str:
    if isinstance(reply, p.Accepted):
        return _asked(params, reply)
    step = params.step or "the step"
    return f"The merge is the text of {step}. {_next(reply)}".rstrip()


def _skipped(params: p.StepParams, run: p.PipelineRun) -> str:
    return f"{params.step or 'The step'} is skipped. {_next(run)}".rstrip()


def _taken(params: p.StepTakeParams, step: p.StepState) -> str:
    del params
    count = len(step.passages)
    passages = "1 passage" if count == 1 else f"{count} passages"
    return f"Taken: the merge of {step.step_name} has {passages}."


def _branched(params: p.RunBranchParams, run: p.PipelineRun) -> str:
    del run
    return f"A new run branches off at {params.step}; the other stays as it is."


def _rewound(params: p.RunRewindParams, run: p.PipelineRun) -> str:
    del run
    return f"Back at {params.step}; the run you left stays as it is."


def _activated(params: p.RunParams, session: p.UserSession) -> str:
    del params, session
    return "The document is about this run now; the other stays as it is."


def _exported(params: p.RunExportParams, result: p.RunExportResult) -> str:
    del params
    return f"Written to {file_name(result.uri)}." if result.uri else ""


def _next(run: p.PipelineRun) -> str:
    if run.status is PipelineStatus.COMPLETED:
        return "That was the last step: apply the text."
    step = run.steps[run.current_step]
    return f"Next: run {step.step_name}." if step.status is StepStatus.PENDING else ""


SAYINGS: dict[str, Saying] = {
    "writeit.run.start": _started,
    "writeit.step.run": _asked,
    "writeit.step.regenerate": _asked,
    "writeit.document.polish": _polished,
    "writeit.step.select": _selected,
    "writeit.step.merge": _merged,
    "writeit.step.skip": _skipped,
    "writeit.step.take": _taken,
    "writeit.session.activate": _activated,
    "writeit.run.branch": _branched,
    "writeit.run.rewind": _rewound,
    "writeit.run.pause": lambda _, __: "Stopped; what came is kept.",
    "writeit.run.resume": lambda _, __: "The run goes on.",
    "writeit.run.export": _exported,
    "writeit.model.install": lambda params, _: f"{params.model} is installed.",
}
"""By command: of its params and its reply, what a writer wants to know."""
