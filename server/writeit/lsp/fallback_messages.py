"""Messages about commands, for the users of clients without a plug-in.

Such a client shows no reply of a command, and some (eglot of Emacs 28) no progress. A
plug-in sends `initializationOptions.writeit` and has messages of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from writeit.domain.blind import hidden_letters
from writeit.domain.operations.review import describe_review
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.client import Client
from writeit.lsp.convert import uri_to_path
from writeit.lsp.protocol import Params
from writeit.lsp.shapes import WireModel
from writeit.views.wording import FAILURE_DESCRIPTIONS, count_of

FallbackMessage: TypeAlias = Callable[[Any, Any], str]


def show_reply_message(
    client: Client, command: str, params: Params, reply: WireModel
) -> None:
    """Show what a command did or started; a client that waits has the reply."""
    if not params.wait and command in FALLBACK_MESSAGES:
        client.show_fallback_message(FALLBACK_MESSAGES[command](params, reply))


def answers_message(run: PipelineRun, step: str) -> str:
    """Say that all answers of a step have ended."""
    state = run.steps[step]
    hidden = hidden_letters(state)
    sentences = [f"{step} has {count_of(len(state.ai_responses), 'answer')}."]
    if any(answer.partial for answer in state.ai_responses):
        sentences.append("Some are incomplete.")
    sentences += [
        f"No answer from {hidden.get(failure.response_id, failure.model)}:"
        f" {FAILURE_DESCRIPTIONS[failure.reason]}."
        for failure in state.failures
    ]
    if run.review_step is None:
        sentences.append("Choose one, or open the step.")
    else:
        sentences[:1] = [f"{run.pipeline}: {describe_review(run)}."]
    return " ".join(sentences)


def document_name(uri: str) -> str:
    """Return the name of a document's file, else its URI."""
    path = uri_to_path(uri)
    return uri if path is None else path.name


def _with_next_step(message: str, run: shapes.WirePipelineRun) -> str:
    if run.next is not None and (run.next.error or run.status == "COMPLETED"):
        return message  # another message says what followed
    if run.next is not None:
        return f"{message} {_generating_sentence(run.next.step)}"
    if run.status is PipelineStatus.COMPLETED:
        return f"{message} All steps are done. Next: apply the text."
    step = run.steps[run.current_step]
    if step.status is StepStatus.PENDING:
        return f"{message} Next: generate {step.step_name}."
    return message


def _generating_sentence(step: str | None) -> str:
    return f"Generating {step}. A message follows when it is done."


def _generating_message(_: Params, reply: p.Accepted) -> str:
    return _generating_sentence(reply.step)


def _merged_message(
    params: p.StepMergeParams, reply: shapes.WirePipelineRun | p.Accepted
) -> str:
    if isinstance(reply, p.Accepted):
        return _generating_message(params, reply)
    return _with_next_step(f"Merge used for {_step_name(params)}.", reply)


def _passage_added_message(_: p.StepTakeParams, step: shapes.WireStepState) -> str:
    passages = count_of(len(step.passages), "passage")
    return f"Added to the merge of {step.step_name}: it has {passages}."


def _chosen_answer(run: shapes.WirePipelineRun, params: p.StepSelectParams) -> str:
    for step in run.steps.values():
        for index, answer in enumerate(step.ai_responses):
            if answer.response_id == params.response or (
                step.step_name == params.step and index == params.response
            ):
                return f"Answer {answer.letter or answer.number}"
    return "An answer"


def _step_name(params: p.NamedStepParams) -> str:
    return params.step or "the step"


FALLBACK_MESSAGES: dict[str, FallbackMessage] = {
    "writeit.run.start": lambda params, run: _with_next_step(
        f"Started {params.pipeline}."
        if params.go_on
        else f"Started {params.pipeline}. Nothing has been sent.",
        run,
    ),
    "writeit.step.run": _generating_message,
    "writeit.step.regenerate": _generating_message,
    "writeit.step.continue": _generating_message,
    "writeit.document.polish": lambda params, _: (
        f"Running {params.pipeline}. You can continue writing."
    ),
    "writeit.step.select": lambda params, run: _with_next_step(
        f"{_chosen_answer(run, params)} chosen for {_step_name(params)}.", run
    ),
    "writeit.step.merge": _merged_message,
    "writeit.step.skip": lambda params, run: _with_next_step(
        f"Skipped {_step_name(params)}.", run
    ),
    "writeit.step.take": _passage_added_message,
    "writeit.session.activate": lambda _, __: (
        "This is now the active run of the document. The other run is unchanged."
    ),
    "writeit.run.branch": lambda params, _: (
        f"Branched at {params.step}. The original run is unchanged."
    ),
    "writeit.run.rewind": lambda params, _: (
        f"Started over from {params.step}. The original run is unchanged."
    ),
    "writeit.run.refresh": lambda _, run: _with_next_step(
        "This branch has today's texts. The original run is unchanged.", run
    ),
    "writeit.run.move": lambda params, result: (
        f"{count_of(len(result.runs), 'run')} of"
        f" {document_name(params.from_uri)} moved to {document_name(params.to_uri)}."
    ),
    "writeit.run.pause": lambda _, __: "Stopped. What was received is kept.",
    "writeit.run.resume": lambda _, __: "Resumed the run.",
    "writeit.run.export": lambda _, result: (
        f"Exported to {document_name(result.uri)}." if result.uri else ""
    ),
    "writeit.model.install": lambda params, _: f"Installed {params.model}.",
}
"""The message of each command, made of its params and its reply."""
