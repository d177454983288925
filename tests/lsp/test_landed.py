"""Did an edit land? The newest text says so, whatever was typed since."""

from __future__ import annotations

from random import Random

import pytest

from support.prose import essay
from writeit.lsp.desk import Desk, Sent
from writeit.lsp.landing import has_landed

BEFORE = "One two three.\n\nFour five six seven eight.\n"
SENT = Sent(BEFORE, BEFORE.replace("six seven", "6 and 7"))


@pytest.mark.parametrize("typed", ["", "x", "Much more than the edit was. "])
@pytest.mark.parametrize("place", [0, 14, 20, 30])
def test_typing_since_hides_nothing(typed: str, place: int) -> None:
    """In front of the edit, behind it, within it."""
    there = SENT.text[:place] + typed + SENT.text[place:]
    assert has_landed(SENT, there)
    elsewhere = BEFORE[:place] + typed + BEFORE[place:]
    assert not has_landed(SENT, elsewhere)


@pytest.mark.parametrize("seed", range(20))
def test_however_she_types(seed: int) -> None:
    """Random words at random places, after an edit that landed and one that did not."""
    random = Random(seed)  # noqa: S311 -- a writer
    before = essay(random, 500)
    at = random.randrange(len(before) - 40)
    sent = Sent(before, before[:at] + "some other words" + before[at + 30 :])
    for text, landed in ((sent.before, False), (sent.text, True)):
        now = text
        for _ in range(3):
            place = random.randrange(len(now))
            now = now[:place] + random.choice(("abc ", "\n", "d")) + now[place:]
        assert has_landed(sent, now) == landed


async def test_a_change_that_came_meanwhile_is_not_waited_for() -> None:
    """Waiting begins where counting ended."""
    desk = Desk()
    seen = desk.seen("file:///a%20b.md")
    desk.changed("file:///a b.md")
    assert await desk.change_after("file:///a%20b.md", seen, 90)
    assert not await desk.change_after("file:///a%20b.md", seen + 1, 0.01)
    assert await desk.pause("file:///a%20b.md", 0.01, 90)
