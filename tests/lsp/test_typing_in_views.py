"""A writer who types into a step's page, kept as a file, while its run goes on.

The user edits answers, writes into the merge and the feedback, saves, closes without
saving and opens again; meanwhile answers come, passages are taken, one is chosen. Each
typed letter is there exactly once. It has to be on the screen, in the
file, or in the run's history. The seed is printed; with WRITEIT_TYPING=300 it takes
longer and sees more.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import get_args

from support.document import Behavior, Document
from support.editor import Json, Refused
from support.open_documents import OpenDocuments
from writeit.views.section_markers import find_section_markers

SEED = int(os.environ.get("WRITEIT_SEED", "2026"))
CASES = int(os.environ.get("WRITEIT_TYPING", "40")) // 2
AT_ONCE = 5
MANNERS = [manner for manner in get_args(Behavior) if manner != "deaf"]
LETTERS = [chr(code) for code in range(0xA000, 0xA48C)]
"""Letters that the user types, each once."""
REFUSALS = {"invalid_transition", "busy", "invalid_params", "retry_limit"}
"""What may be answered when a command comes at the wrong moment."""
DOINGS: list[tuple[str, Json]] = [
    ("regenerate", {"models": ["openai/slow-12"]}),
    ("regenerate", {"models": ["openai/say-Third+20words."]}),
    ("take", {"response": 0, "text": "First words."}),
    ("select", {"response": 0}),
    ("select", {"response": 1}),
    ("merge", {}),
]
"""Commands on the step that may run during the typing."""


class Evening:
    """One run, its first step's page, and a writer at it."""

    def __init__(self, docs: OpenDocuments, number: int) -> None:
        self.random = Random(f"{SEED}-{number}")  # noqa: S311 -- a writer
        self.docs = docs
        self.manner = MANNERS[number % len(MANNERS)]
        self.crlf = self.random.random() < 0.3
        self.letters = iter(LETTERS)
        self.unsaved: set[str] = set()
        self.typed: set[str] = set()
        self.refused = 0
        self.version = 0
        self.run_id = ""
        self.path: Path
        self.page: Document

    async def begin(self) -> None:
        """Two answers, and the page of their step open."""
        command = self.docs.editor.command
        self.run_id = await self.docs.editor.start_run()
        models = ["openai/say-First+20words.+0A+0AMore.", "openai/say-Second+20words."]
        await command("writeit.step.run", runId=self.run_id, models=models)
        await command("writeit.view.open", view="step", runId=self.run_id)
        views = self.docs.editor.folder / ".writeit" / "views"
        self.path = views / "step" / self.run_id / "angles.md"
        if self.crlf:
            self._write(self.path.read_text(encoding="utf-8").replace("\n", "\r\n"))
        self._open()

    async def write(self) -> None:
        """Type here and there; save, or close without saving, now and then."""
        for _ in range(self.random.randint(4, 12)):
            stroke = self.random.random()
            if stroke < 0.15:
                self.page.flush()
                self._write(self.page.text)
                self.unsaved.clear()
            elif stroke < 0.25:
                self._close_unsaved()
                await asyncio.sleep(self.random.uniform(0, 0.1))
                self._open()
            else:
                await self._type()
            await asyncio.sleep(self.random.choice((0.01, 0.05, 0.2)))

    async def go_on(self) -> None:
        """Run a command on the run during the typing."""
        for _ in range(self.random.randint(1, 4)):
            await asyncio.sleep(self.random.uniform(0, 0.3))
            command, params = self.random.choice(DOINGS)
            given: Json = {"runId": self.run_id, "step": "angles", **params}
            try:
                await self.docs.editor.command(f"writeit.step.{command}", **given)
            except Refused as refused:
                if refused.kind not in REFUSALS:
                    raise
                self.refused += 1

    async def check(self) -> None:
        """All typed text is somewhere, and nowhere twice in one text."""
        self.page.flush()
        export = await self.docs.editor.command(
            "writeit.run.export", runId=self.run_id, format="json"
        )
        file = self.path.read_bytes().decode()
        world = self.page.text + file + export["content"]
        lost = {letter for letter in self.typed if letter not in world}
        assert not lost, (lost, self.manner, self.page.text, file)
        for opening, closing in find_section_markers(self.page.text):
            there = Counter(self.page.text[opening.end : closing.start])
            assert all(there[letter] <= 1 for letter in self.typed)

    def _open(self) -> None:
        text = self.path.read_bytes().decode()
        # An edit that is late must not fit the page as it was opened again by chance.
        self.version += 1000
        self.page = self.docs.open(
            text, self.manner, self.path.as_uri(), version=self.version
        )

    def _close_unsaved(self) -> None:
        """What the user discards may be lost."""
        self.page.close()
        self.typed -= self.unsaved
        self.unsaved.clear()

    def _write(self, text: str) -> None:
        self.path.write_bytes(text.encode())

    async def _type(self) -> None:
        """Type a word at some place of some section; it may move meanwhile."""
        sections = list(find_section_markers(self.page.text))
        opening, closing = self.random.choice(sections)
        last = closing.start - (2 if self.crlf else 1)
        here = self.random.randint(opening.end, max(opening.end, last))
        if self.page.text[here - 1 : here + 1] == "\r\n":
            here -= 1  # no editor lets a cursor stand within a line end
        self.page.cursor = here
        if self.random.random() < 0.2:
            self._put("\r\n" if self.crlf else "\n")
        for _ in range(self.random.randint(1, 5)):
            self._put(letter := next(self.letters))
            self.typed.add(letter)
            self.unsaved.add(letter)
            await asyncio.sleep(self.random.uniform(0.002, 0.03))

    def _put(self, text: str) -> None:
        self.page.type(self.page.cursor, self.page.cursor, text)


async def test_no_text_typed_into_a_page_is_lost(bare: OpenDocuments) -> None:
    """With clients that tell the truth, lie, refuse, answer errors or lag."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Evening:
        async with limit:
            evening = Evening(bare, number)
            await evening.begin()
            await asyncio.gather(evening.write(), evening.go_on())
            await evening.check()
            return evening

    evenings = await asyncio.gather(*(one(number) for number in range(CASES)))
    for manner in MANNERS:
        mine = [evening for evening in evenings if evening.manner == manner]
        print(  # noqa: T201 -- the counts are what is asked for
            f"\n{manner:8} {len(mine)} pages, {sum(len(e.typed) for e in mine)} letters"
            f" typed; commands refused {sum(e.refused for e in mine)}; edits taken"
            f" {sum(e.page.taken for e in mine)}, declined"
            f" {sum(e.page.declined for e in mine)} (seed {SEED})"
        )
