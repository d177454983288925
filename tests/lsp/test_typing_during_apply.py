"""A writer who types without a pause while texts are applied to the document.

Each typed character is there exactly once, and so are some words of each
text that is applied: what is lost, doubled or mixed up shows. The seed is printed; with
WRITEIT_TYPING=300 it takes longer and sees more.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import get_args

from support.document import Behavior, Document
from support.editor import Json
from support.open_documents import OpenDocuments
from support.text_strategies import essay

SEED = int(os.environ.get("WRITEIT_SEED", "2026"))
CASES = int(os.environ.get("WRITEIT_TYPING", "100"))
AT_ONCE = 8
MANNERS = [manner for manner in get_args(Behavior) if manner != "deaf"]
TYPED = [chr(code) for code in range(0xA000, 0xA48C)]
"""Letters that the user types, each once."""
ITS = [chr(code) for code in range(0x12000, 0x12300)]
"""Letters in the words of an answer, each once."""


@dataclass
class Case:
    """One document, its writer, and a text to apply."""

    random: Random
    page: Document
    manner: Behavior
    typed: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    result: Json = field(default_factory=dict)
    retries: int = 0
    restored: bool = False
    letters: Iterator[str] = field(default_factory=lambda: iter(TYPED))
    brought: str = ""
    """The letters of the answer that are there once."""

    async def write(self) -> None:
        """Type words, letter by letter, here and there; delete now and then."""
        for _ in range(self.random.randint(3, 10)):
            self.page.cursor = self.random.randrange(len(self.page.text) + 1)
            stroke = self.random.random()
            if stroke < 0.15:
                self._delete(self.random.randint(1, 9))
            elif stroke < 0.3:
                self._put(self.random.choice(("\n", "\n\n", " ")))
            else:
                for _ in range(self.random.randint(1, 5)):
                    self._put(letter := next(self.letters))
                    self.typed.add(letter)
                    await asyncio.sleep(self.random.uniform(0.002, 0.03))
            await asyncio.sleep(self.random.choice((0.01, 0.05, 0.2)))

    def _put(self, text: str) -> None:
        if "\r\n" in self.page.text:
            text = text.replace("\n", "\r\n")
        here = self.page.cursor
        if self.page.text[here - 1 : here + 1] == "\r\n":
            here -= 1  # no editor lets a cursor stand within a line end
        self.page.type(here, here, text)

    def _delete(self, size: int) -> None:
        start = self.page.cursor
        gone = self.page.text[start : start + size].split("\r")[0].split("\n")[0]
        self.page.type(start, start + len(gone), "")
        self.deleted |= set(gone)

    def check(self) -> None:
        """No typed text is lost or doubled."""
        there = Counter(self.page.text)
        assert all(there[letter] == 1 for letter in self.typed - self.deleted)
        assert all(there[letter] <= 1 for letter in (*TYPED, *ITS))
        reported = Counter("".join(c["theirs"] for c in self.result["conflicts"]))
        if not self.result["pending"] and self.result["applied"]:
            brought = set(self.brought) - self.deleted
            assert all(there[letter] or reported[letter] for letter in brought)

    async def restore(self, docs: OpenDocuments, run_id: str) -> None:
        """Restore while the user types; all that was typed stays."""
        writing = asyncio.create_task(self.write())
        await docs.editor.command("writeit.edit.restore", runId=run_id)
        await writing
        self.page.flush()
        there = Counter(self.page.text)
        assert all(there[letter] == 1 for letter in self.typed - self.deleted)
        self.restored = True


def answer_to(random: Random, passage: str) -> tuple[str, str]:
    """What a model made of a passage, and its own letters in it."""
    if random.random() < 0.15:
        brought = "".join(ITS[:20])
        words = [brought[n : n + 4] for n in range(0, 20, 4)]
        return " ".join(words) + ".", brought
    words, brought = passage.split(" "), ""
    for letter in ITS[: random.randint(2, 12)]:
        at = random.randrange(len(words))
        words[at : at + random.choice((0, 1, 1, 2))] = [f"{letter}word"]
        brought += letter
    text = " ".join(words)
    return text, "".join(letter for letter in brought if letter in text)


async def played(docs: OpenDocuments, number: int) -> Case:
    """One case from beginning to end."""
    random = Random(f"{SEED}-{number}")  # noqa: S311 -- a writer
    text = essay(random, random.choice((300, 1500, 3000)))
    if random.random() < 0.3:
        text = text.replace("\n", "\r\n")
    manner: Behavior = MANNERS[number % len(MANNERS)]
    page = docs.open(text, manner)
    case = Case(random, page, manner)
    passage = random.choice([line for line in text.splitlines() if line])
    if random.random() < 0.3:
        passage = text.strip()
    content, case.brought = answer_to(random, passage)
    run_id = await docs.run(page.uri, text, passage, content)
    writing = asyncio.create_task(case.write())
    await asyncio.sleep(random.uniform(0, 0.3))
    case.result = await docs.try_to_apply(run_id)
    await writing
    if case.result["pending"]:
        case.retries += 1
        case.result = await docs.insist(run_id, case.result)
    page.flush()
    case.check()
    if case.result["applied"] and random.random() < 0.5:
        await case.restore(docs, run_id)
    page.flush()
    again = await docs.editor.command(
        "writeit.run.start", pipeline="mirror", uri=page.uri
    )
    assert again["userInputs"]["text"] == page.text
    return case


async def test_no_typed_text_is_lost(docs: OpenDocuments) -> None:
    """With clients that tell the truth, lie, refuse, answer errors or lag."""
    docs.add_mirror()
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Case:
        async with limit:
            return await played(docs, number)

    cases = await asyncio.gather(*(one(number) for number in range(CASES)))
    for manner in MANNERS:
        mine = [case for case in cases if case.manner == manner]
        print(  # noqa: T201 -- the counts are what is asked for
            f"\n{manner:8} {len(mine)} documents,"
            f" {sum(len(c.typed) for c in mine)} letters typed;"
            f" {sum(bool(c.result['applied']) for c in mine)} applied,"
            f" {sum(c.retries for c in mine)} of them when the typing had stopped,"
            f" {sum(bool(c.result['conflicts']) for c in mine)} with conflicts,"
            f" {sum(c.restored for c in mine)} taken out again;"
            f" edits taken {sum(c.page.taken for c in mine)},"
            f" declined {sum(c.page.declined for c in mine)} (seed {SEED})"
        )
        assert not any(case.result["pending"] for case in mine)
