"""The words the writer can type, and what each does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from writeit.cli.choosing import deciding, joining, leaving, looking
from writeit.core.errors import NotFound
from writeit.core.run import DONE, StepStatus

if TYPE_CHECKING:
    from writeit.cli.choosing.sitting import Sitting
    from writeit.core.run import PipelineRun

Work = Callable[["Sitting", "PipelineRun", str], Awaitable[None]]
_NUMBER_FIRST = re.compile(r"(\d+)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Verb:
    """A word, the letter for short, and what it does."""

    name: str
    letter: str
    usage: str
    told: str
    work: Work


VERBS: Final = (
    Verb("choose", "", "N", "choose answer N", deciding.choose),
    Verb(
        "edit", "e", "edit N", "change answer N in $EDITOR, choose that", deciding.edit
    ),
    Verb(
        "again",
        "a",
        "again [WORDS]",
        "ask anew, with what should be different",
        deciding.again,
    ),
    Verb(
        "run",
        "r",
        "run",
        "ask the models; again only what failed or was cut",
        deciding.ask,
    ),
    Verb(
        "take",
        "t",
        "take N [2,4-5]",
        "take paragraphs of answer N into the merge",
        joining.take,
    ),
    Verb(
        "merge",
        "m",
        "merge [N …]",
        "join what was taken, or answers, in $EDITOR",
        joining.merge,
    ),
    Verb(
        "join",
        "j",
        "join [N …] [WORDS]",
        "let a model join them as you say",
        joining.join,
    ),
    Verb(
        "compare",
        "c",
        "compare N M",
        "show what is different between two answers",
        looking.compare,
    ),
    Verb(
        "say",
        "",
        "say WORDS",
        "what the prompts of later steps should know",
        deciding.say,
    ),
    Verb("rate", "", "rate N 0.8", "note how good an answer is", deciding.rate),
    Verb("skip", "s", "skip", "go on without this step", deciding.skip),
    Verb("redo", "u", "redo", "choose again in the step before", leaving.redo),
    Verb(
        "back",
        "b",
        "back STEP [NAME]",
        "go back: a new run that shares the past",
        leaving.back,
    ),
    Verb("show", "v", "show", "show the step again", looking.show),
    Verb(
        "prompt",
        "",
        "prompt",
        "the exact prompt, who gets it, what it costs",
        looking.prompt,
    ),
    Verb("status", "", "status", "the whole run and its family", looking.whole),
    Verb("pause", "p", "pause", "pause the run and leave", leaving.pause),
    Verb("quit", "q", "quit", "leave the run as it stands", leaving.end),
)
_BY_WORD: Final = {
    word: verb for verb in VERBS for word in (verb.name, verb.letter) if word
}


async def obey(sitting: Sitting, run: PipelineRun, line: str) -> None:
    """Carry out a line of the writer's.

    Raises:
        WriteItError: it is not understood, or does not fit; nothing was done.
        Leave: she is done.
    """
    line = line.strip()
    if line in {"?", "h", "help"}:
        _help(sitting)
        return
    if not line:
        await _nothing_said(sitting, run)
        return
    verb, words = understood(line)
    await verb.work(sitting, run, words)


def understood(line: str) -> tuple[Verb, str]:
    """Return the verb of a line, and the words behind it.

    Raises:
        NotFound: there is no such verb; the nearest are named.
    """
    if number := _NUMBER_FIRST.fullmatch(line):
        if not number[2]:
            return _BY_WORD["choose"], number[1]
        verb, words = understood(number[2])
        return verb, f"{number[1]} {words}".strip()
    word, _, words = line.partition(" ")
    if word.lower() not in _BY_WORD:
        raise NotFound.among("choice", word[:40], [verb.name for verb in VERBS])
    return _BY_WORD[word.lower()], words.strip()


async def _nothing_said(sitting: Sitting, run: PipelineRun) -> None:
    """Enter goes on: it asks a step that is next, and ends a run that is finished."""
    state = sitting.state(run)
    if state.status is StepStatus.PENDING:
        await sitting.ask_step()
    elif run.is_finished and sitting.step is None:
        await leaving.end(sitting, run, "")
    elif state.status in DONE:
        sitting.step, sitting.look = None, True
    else:
        _help(sitting)


def _help(sitting: Sitting) -> None:
    width = max(len(verb.usage) for verb in VERBS)
    for verb in VERBS:
        letter = verb.letter or " "
        sitting.console.say(f"  {letter}  {verb.usage:{width}}  {verb.told}")
    sitting.console.say("Ctrl-C stops answers on their way; what came of them is kept.")
