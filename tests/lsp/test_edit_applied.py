"""Did an edit land? The newest text says so, whatever was typed since."""

from random import Random

import pytest

from support.documents import documents_of
from support.text_strategies import essay
from writeit.lsp.documents import SentEdit
from writeit.lsp.edits.edit_retry import is_edit_applied
from writeit.lsp.pygls_fixes import WriteItWorkspace

BEFORE = "One two three.\n\nFour five six seven eight.\n"
SENT = SentEdit(BEFORE, BEFORE.replace("six seven", "6 and 7"))


@pytest.mark.parametrize("typed", ["", "x", "Much more than the edit was. "])
@pytest.mark.parametrize("place", [0, 14, 20, 30])
def test_typing_since_hides_nothing(typed: str, place: int) -> None:
    """In front of the edit, behind it, within it."""
    there = SENT.text_after[:place] + typed + SENT.text_after[place:]
    assert is_edit_applied(SENT, there)
    elsewhere = BEFORE[:place] + typed + BEFORE[place:]
    assert not is_edit_applied(SENT, elsewhere)


@pytest.mark.parametrize("seed", range(20))
def test_random_typing_hides_nothing(seed: int) -> None:
    """Random words at random places, after an edit that landed and one that did not."""
    random = Random(seed)  # noqa: S311 -- a writer
    before = essay(random, 500)
    at = random.randrange(len(before) - 40)
    sent = SentEdit(before, before[:at] + "some other words" + before[at + 30 :])
    for text, landed in ((sent.text_before, False), (sent.text_after, True)):
        now = text
        for _ in range(3):
            place = random.randrange(len(now))
            now = now[:place] + random.choice(("abc ", "\n", "d")) + now[place:]
        assert is_edit_applied(sent, now) == landed


async def test_a_change_that_came_meanwhile_is_not_waited_for() -> None:
    """Waiting begins where counting ended."""
    documents = documents_of(WriteItWorkspace(None))
    seen = documents.change_count("file:///a%20b.md")
    documents.notify_change("file:///a b.md")
    assert await documents.wait_for_change("file:///a%20b.md", seen, 90)
    assert not await documents.wait_for_change("file:///a%20b.md", seen + 1, 0.01)
    await documents.wait_for_idle("file:///a%20b.md", 0.01, 90)
