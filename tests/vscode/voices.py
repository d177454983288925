"""Two models whose answers are worth looking at, for a story told in pictures.

`openai/heron-STEP` and `openai/otter-STEP` answer each step of a pipeline in words of
their own, at a pace at which a person can read along.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support import provider

if TYPE_CHECKING:
    import pytest

PACE = 0.03
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


async def voice(reply: provider.Reply, argument: str) -> None:
    """Answer as the model that was asked does, word by word."""
    del argument
    asked_for_passage = "<passage>" in reply.call.prompt
    text = PASSAGE if asked_for_passage else TEXTS[reply.call.model]
    await reply.head()
    for piece in provider.pieces_of(text):
        await reply.word(piece)
        await asyncio.sleep(PACE)
    await reply.end()


async def lines(reply: provider.Reply, argument: str) -> None:
    """Answer `lines-R-N` with N short lines, R a second: more than a screen shows."""
    rate, count = (int(part) for part in argument.split("-"))
    await reply.head()
    for number in range(count):
        await reply.word(f"Line {number}\n")
        await asyncio.sleep(1 / rate)
    await reply.end()


def teach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the provider know both voices, and the one that fills a page."""
    for name in ("heron", "otter"):
        monkeypatch.setitem(provider.BEHAVIOURS, name, voice)
    monkeypatch.setitem(provider.BEHAVIOURS, "lines", lines)
