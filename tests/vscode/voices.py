"""Two models whose answers are worth looking at, for a story told in pictures.

`openai/heron-STEP` and `openai/otter-STEP` answer each step of a pipeline in words of
their own, at a pace at which a person can read along.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from support import provider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

PACE = 0.03
LOOK = 0.02
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
PASSAGE = "The mills stand downstream, and their wheels turn day and night."


def voice(gate: Path | None) -> Callable[[provider.Reply, str], Awaitable[None]]:
    """Return what answers as the model that was asked does, word by word.

    The last word of some waits until there is a file of that name in the folder `gate`,
    if one is given: so that they can be seen coming, however slow the machine is.
    """

    async def answer(reply: provider.Reply, argument: str) -> None:
        name = "passage" if "<passage>" in reply.call.prompt else argument
        text = PASSAGE if name == "passage" else TEXTS[reply.call.model]
        *words, last = provider.pieces_of(text)
        await reply.head()
        for piece in words:
            await reply.word(piece)
            await asyncio.sleep(PACE)
        if gate is not None and name in GATED:
            await there(gate / name)
        await reply.word(last)
        await reply.end()

    return answer


async def there(path: Path) -> None:
    """Wait for a file that the test's other process makes."""
    while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 -- it has no event
        await asyncio.sleep(LOOK)


async def dictated(reply: provider.Reply, argument: str) -> None:
    """Answer `dictated-PATH` with what is written to a file, until `PATH.end` is there.

    So a test decides what has come of an answer when, however slow the machine is.
    """
    path, said, ended = Path(unquote(argument)), 0, False
    await reply.head()
    while not ended:
        ended, text = await asyncio.to_thread(heard, path)
        if said < len(text):
            await reply.word(text[said:])
            said = len(text)
        elif not ended:
            await asyncio.sleep(LOOK)
    await reply.end()


def heard(path: Path) -> tuple[bool, str]:
    """Whether a dictation is over, and all that was said."""
    ended = path.with_name(f"{path.name}.end").exists()
    return ended, path.read_text("utf-8") if path.exists() else ""


def teach(monkeypatch: pytest.MonkeyPatch, gate: Path | None = None) -> None:
    """Let the provider know both voices, and the one that is dictated.

    Some of the voices' answers end when a file of their name is in the folder `gate`.
    """
    for name in ("heron", "otter"):
        monkeypatch.setitem(provider.BEHAVIOURS, name, voice(gate))
    monkeypatch.setitem(provider.BEHAVIOURS, "dictated", dictated)
