"""Models of the provider for these tests.

`openai/heron-STEP` and `openai/otter-STEP` answer each step of a pipeline with a text
of their own, at reading speed; so do some of `openai/gpt`, for pictures.
`openai/dictated-PATH` answers what a test writes to the file PATH.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from support import provider_models
from support.model_words import unescape
from support.replies import Reply, pieces_of

WORD_SECONDS = 0.03
POLL_SECONDS = 0.02
GATED = ("angles", "passage")
OUTLINE = """\
- The morning: cold, and nobody swims
- The mills: what their wheels were for
- The bridge, and what it joined
"""
ARTICLE = """\
# The river that decides

The river is cold in the morning, and nobody swims. It was here before the town, and \
it told the town where to stand.

Further down stand the mills. Their wheels turned day and night; the last one stopped \
in 1962, and people say they woke from the silence.

A bridge of stone leads over it to the old town. It has been rebuilt four times, each \
time by people who were sure it was the last.
"""
TEXTS = {
    "heron-angles": """\
1. **The river that decides.** A town believes it chose its place. The river chose it.
2. **What the mill heard.** Two hundred years of one wheel, told by its noise.
3. **Cold water.** Why nobody swims here, and who did.
""",
    "otter-angles": """\
1. **A map in motion.** Every flood redraws the border, and nobody updates the deeds.
2. **Work, then idleness.** From seven mills to one café in a single lifetime.
3. **The bridge as a sentence.** Stone, subject, verb: how a crossing made a grammar.
""",
    "heron-outline": OUTLINE,
    "otter-outline": OUTLINE + "- And once more, from the beginning\n" * 200,
    "heron-draft": ARTICLE,
    "otter-draft": """\
# Seven wheels

There were seven mills on this river and one of them still turns, for visitors, on \
Sundays.

The water does not care. It is cold in the morning, as it was when it was useful, and \
nobody swims.

Over the bridge of stone you come to the old town, which looks the other way.
""",
    "heron-polish": ARTICLE.replace("was here before", "is older than"),
}
ALIASES = {
    "gpt-4.1-mini": "heron-angles",
    "gpt-4o-mini": "otter-angles",
    "gpt-3.5-turbo": "heron-outline",
    "gpt-4.1": "heron-draft",
    "gpt-4o": "otter-draft",
    "gpt-4.1-nano": "heron-polish",
}
"""Names that readers know and that have prices, for pictures."""
PASSAGE = "The mills stand downstream, and their wheels turn day and night."


def scripted_answer(
    gate: Path | None,
) -> Callable[[Reply, str], Awaitable[None]]:
    """Return a behavior that answers with the text of the model, word by word.

    The last word of the `GATED` answers waits for a file of that name in `gate`, so
    that a test can see them stream on a machine of any speed.
    """
    calls = Counter[str]()

    async def answer(reply: Reply, argument: str) -> None:
        model = ALIASES.get(reply.call.model, reply.call.model)
        name = "passage" if "<passage>" in reply.call.prompt else model.split("-")[1]
        head, *rest = (PASSAGE if name == "passage" else TEXTS[model]).split("\n\n")
        first = calls[model] % len(rest) if rest and argument not in model else 0
        calls[model] += 1  # the next answer of an alias has other words first
        *words, last = pieces_of("\n\n".join([head, *rest[first:], *rest[:first]]))
        await reply.head()
        for piece in words:
            await reply.word(piece)
            await asyncio.sleep(WORD_SECONDS)
        if gate is not None and name in GATED:
            await wait_for_file(gate / name)
        await reply.word(last)
        await reply.end()

    return answer


async def wait_for_file(path: Path) -> None:
    """Wait for a file that another process creates."""
    while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 -- another process creates it
        await asyncio.sleep(POLL_SECONDS)


async def controlled_answer(reply: Reply, argument: str) -> None:
    """Answer with what a test writes to the file PATH, until PATH.end exists."""
    path, sent, ended = Path(unescape(argument)), 0, False
    await reply.head()
    while not ended:
        ended, text = await asyncio.to_thread(read_answer, path)
        if sent < len(text):
            await reply.word(text[sent:])
            sent = len(text)
        elif not ended:
            await asyncio.sleep(POLL_SECONDS)
    await reply.end()


def read_answer(path: Path) -> tuple[bool, str]:
    """Return whether the answer has ended, and its text."""
    ended = path.with_name(f"{path.name}.end").exists()
    return ended, path.read_text("utf-8") if path.exists() else ""


def register_models(monkeypatch: pytest.MonkeyPatch, gate: Path | None = None) -> None:
    """Add these models to the provider; `gate` is that of `scripted_answer`."""
    for name in ("heron", "otter", *(["gpt"] if gate else [])):
        monkeypatch.setitem(provider_models.BEHAVIOURS, name, scripted_answer(gate))
    monkeypatch.setitem(provider_models.BEHAVIOURS, "dictated", controlled_answer)
