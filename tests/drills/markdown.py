"""The drill of markdown files: nothing outside the intended place changes.

    python -m drills.markdown

Each of forty files is opened in an editor for each position encoding. Models polish a
paragraph, a section, an item and a cell of it, with and without the marks of their
containers, or with a longer text; texts are applied in three modes; each text is
restored; front matter is inserted; a run is exported and imported.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from drills.markdown_files import RIGHT, WRONG, MarkdownFile, markdown_files
from drills.scene import environment
from support.code_actions import actions
from support.document import Document, place
from support.editor import Json, Refused, serving
from support.open_documents import OpenDocuments, file_of
from support.provider import running
from support.waiting import TIMEOUT
from support.workspace import new_workspace

Wanted = Callable[[str, str], bool]
"""Whether to try an operation on a file, by their names."""

Operation = Callable[[], Awaitable[bool]]

ENCODINGS = ("utf-8", "utf-16", "utf-32")
COPY_EDITOR = f"openai/amend-{WRONG}-{RIGHT}"
ARTICLE = "# New\n\nAn article of *two* paragraphs.\n\n- and an item"
MORE = "It has one more paragraph."
OTHER_DIALECTS = ("+++", "{", "%")
BOM = "\ufeff"
_END = re.compile(r"\r\n?|\n")


class Damage(AssertionError):
    """A byte outside the intended place is not as it was."""


def check(found: str, expected: str) -> None:
    """Raise Damage unless two texts are the same."""
    if found != expected:
        msg = f"is {found!r}, not {expected!r}"
        raise Damage(msg)


def corrected(text: str) -> str:
    """A text without the mistake."""
    pairs = ((WRONG, RIGHT), (WRONG.capitalize(), RIGHT.capitalize()))
    for wrong, right in pairs:
        text = text.replace(wrong, right)
    return text


@dataclass(slots=True)
class Tally:
    """What was tried, and what failed."""

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Answers that were shown and not applied, and refused front matter."""
    problems: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return the counts, one per line, and the problems."""
        lines = [
            f"{name:24}{count:6} tried{self.refused[name]:6} shown or refused"
            for name, count in self.tried.items()
        ]
        total = sum(self.tried.values())
        return "\n".join(
            [*lines, f"{total} operations, {len(self.problems)} failed", *self.problems]
        )


class Opened:
    """A file, open in an editor."""

    def __init__(self, docs: OpenDocuments, file: MarkdownFile) -> None:
        self.docs = docs
        self.file = file
        self.page: Document = docs.open(file.text)

    def operations(self) -> Iterator[tuple[str, Operation]]:
        """What is tried, by name; each returns whether the text was applied."""
        for kind in self.file.targets:
            yield f"polish {kind}", partial(self.polish, kind)
            if kind != "section":
                yield f"marked {kind}", partial(self.polish_marked, kind)
                yield f"longer {kind}", partial(self.lengthen, kind)
        yield "polish document", self.polish_document
        for mode in ("replace", "insert", "new_file"):
            yield f"apply: {mode}", partial(self.apply, mode)
        yield "insert front matter", self.insert_front_matter
        yield "export and import", self.export_and_import

    # --- passages -----------------------------------------------------------------

    async def polish(self, kind: str) -> bool:
        """A model corrects what it is given."""
        start, end = await self.span_of(kind)
        text = self.file.text
        run_id = await self.generate(start, end, COPY_EDITOR)
        check(self.page.text, text[:start] + corrected(text[start:end]) + text[end:])
        return await self.restore(run_id)

    async def polish_document(self) -> bool:
        """A model corrects the text, which it gets without the front matter."""
        text, head = self.file.text, len(self.file.head)
        run_id = await self.generate(head, len(text), COPY_EDITOR, is_whole=True)
        check(self.page.text, text[:head] + corrected(text[head:]))
        return await self.restore(run_id)

    async def polish_marked(self, kind: str) -> bool:
        """An answer has the marks of the containers as well."""
        start, end = self.file.targets[kind]
        text = self.file.text
        answer = re.sub(r"\r\n?", "\n", corrected(text[start:end]))
        run_id, applied = await self.apply_to(start, end, answer)
        assert applied
        check(self.page.text, text[:start] + corrected(text[start:end]) + text[end:])
        return await self.restore(run_id)

    async def lengthen(self, kind: str) -> bool:
        """An answer has a paragraph more; it may not fit."""
        start, end = self.file.targets[kind]
        text = self.file.text
        run_id, applied = await self.apply_to(start, end, f"New text.\n\n{MORE}")
        new = self.page.text[start : len(self.page.text) - len(text) + end]
        check(self.page.text, text[:start] + new + text[end:])
        if not applied:
            check(self.page.text, text)
            return False
        ends = [set(_END.findall(part)) for part in (new, text)]
        if MORE not in new or ends[0] - ends[1]:
            raise Damage(new)
        return await self.restore(run_id)

    async def apply_to(self, start: int, end: int, answer: str) -> tuple[str, bool]:
        """Apply an answer to a passage; return the run's id and whether it fits."""
        text = self.file.text
        run_id = await self.docs.run(
            self.page.uri,
            text,
            text[start:end],
            answer,
            range=self.range_of(start, end),
        )
        result = await self.docs.apply(run_id)
        assert result["applied"] or result["reason"] in {"container", "unfit"}, result
        return run_id, result["applied"]

    async def generate(
        self, start: int, end: int, model: str, *, is_whole: bool = False
    ) -> str:
        """Polish what is between two offsets; return the id of the run.

        Front matter is in no prompt.
        """
        run = await self.docs.editor.command(
            "writeit.document.polish",
            uri=self.page.uri,
            range=None if is_whole else self.range_of(start, end),
            models=[model],
            apply=True,
        )
        (answer,) = run["steps"]["polish"]["aiResponses"]
        head = self.file.head.strip(f"{BOM}\r\n")
        assert not head or head not in answer["promptUsed"]
        return str(run["pipelineRunId"])

    def range_of(self, start: int, end: int) -> Json:
        """The range between two offsets."""
        text, encoding = self.page.text, self.docs.encoding
        return {
            "start": place(text, start, encoding),
            "end": place(text, end, encoding),
        }

    async def span_of(self, kind: str) -> tuple[int, int]:
        """Where a target is; a section's text is where the action says."""
        start, end = self.file.targets[kind]
        if kind != "section":
            return start, end
        where = self.range_of(start, start)
        async with asyncio.timeout(TIMEOUT):
            while (found := await self.section_at(where)) is None:
                continue  # it was not parsed yet
        lines = self.page.text.splitlines(keepends=True)
        below, last = found["start"]["line"], found["end"]["line"]
        begin = sum(map(len, lines[:below]))
        assert begin >= end, "the section begins below its heading"
        return begin, sum(map(len, lines[:last]))

    async def section_at(self, where: Json) -> Json | None:
        """The range of the section action at a place."""
        found = await actions(self.docs.editor, self.page.uri, where)
        ranges = [
            command["arguments"][0]["range"]
            for title, command in found.items()
            if title.startswith("Polish this passage (")
        ]
        return ranges[0] if ranges else None

    async def restore(self, run_id: str) -> bool:
        """Restore the file, byte for byte."""
        await self.docs.editor.command("writeit.edit.restore", runId=run_id)
        check(self.page.text, self.file.text)
        return True

    # --- documents ----------------------------------------------------------------

    async def apply(self, mode: str) -> bool:
        """Apply an article to the whole document."""
        text, head = self.file.text, self.file.head or BOM * (self.file.text[0] == BOM)
        run_id = await self.docs.run(self.page.uri, text, content=ARTICLE)
        result = await self.docs.apply(run_id, mode=mode)
        assert result["applied"], result
        if mode == "new_file":
            check(self.page.text, text)
            assert "*two*" in file_of(result["uri"]).read_text(encoding="utf-8")
        elif mode == "insert":
            kept = text.rstrip()
            check(self.page.text[: len(kept)], kept)
            assert self.page.text.endswith(text[len(kept) :])
        else:
            check(self.page.text[: len(head)], head)
            check(re.sub(r"\r\n?", "\n", self.page.text[len(head) :]).strip(), ARTICLE)
        return await self.restore(run_id)

    async def insert_front_matter(self) -> bool:
        """Insert a block, where one can be."""
        text, head = self.file.text, self.file.head.lstrip(BOM)
        try:
            await self.docs.editor.command(
                "writeit.document.frontMatter",
                uri=self.page.uri,
                pipeline="tech-article",
            )
        except Refused as refused:
            check(self.page.text, text)
            if refused.kind == "invalid_params" and head.startswith(OTHER_DIALECTS):
                return False
            raise
        body = text[len(self.file.head) :].lstrip(BOM)
        check(self.page.text[len(self.page.text) - len(body) :], body)
        new = iter(self.page.text.lstrip(BOM).splitlines(keepends=True))
        missing = [x for x in head.splitlines(keepends=True) if x not in new]
        assert not missing, missing
        self.page.type(0, len(self.page.text), text)
        return True

    async def export_and_import(self) -> bool:
        """Export a run with its texts, and import it elsewhere."""
        run_id = await self.docs.run(self.page.uri, self.file.text, content=ARTICLE)
        path = self.docs.editor.folder / f"{run_id}.json"
        await self.docs.editor.command(
            "writeit.run.export", runId=run_id, format="json", path=str(path)
        )
        elsewhere = self.docs.editor.folder.parent / "elsewhere"
        new_workspace(elsewhere)
        await writeit(elsewhere, "import", str(path))
        copy = await writeit(elsewhere, "export", run_id, "--format", "json")
        check(copy.strip(), path.read_text(encoding="utf-8").strip())
        return True


async def writeit(folder: Path, *words: str) -> str:
    """Run the command line in a folder; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", *words),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problem = await process.communicate()
    if process.returncode:
        raise Damage(problem.decode())
    return out.decode()


async def drill_file(
    docs: OpenDocuments, file: MarkdownFile, tally: Tally, wanted: Wanted
) -> None:
    """Try what is wanted on a file."""
    opened = Opened(docs, file)
    for name, operation in opened.operations():
        if not wanted(file.name, name):
            continue
        tally.tried[name] += 1
        try:
            tally.refused[name] += not await operation()
        except (AssertionError, Refused, TimeoutError) as problem:
            what = str(problem) or type(problem).__name__
            tally.problems.append(f"{file.name} {docs.encoding} {name}: {what}")
            opened.page.type(0, len(opened.page.text), file.text)
    opened.page.close()


@asynccontextmanager
async def editing(encoding: str) -> AsyncIterator[OpenDocuments]:
    """An editor of the drill's own that counts positions in an encoding."""
    with tempfile.TemporaryDirectory() as place_of_all:
        home = Path(place_of_all)
        folder = new_workspace(home / "workspace")
        async with (
            running() as provider,
            serving(
                [folder], f"bare {encoding}", environment(provider, home)
            ) as editor,
        ):
            yield OpenDocuments(editor)


async def drill(encodings: Iterable[str], wanted: Wanted) -> Tally:
    """Try what is wanted of all files and operations, in each encoding."""
    tally = Tally()
    for encoding in encodings:
        async with editing(encoding) as docs:
            for file in markdown_files():
                await drill_file(docs, file, tally, wanted)
    return tally


def main() -> None:
    """Run the drill and exit with 1 if a byte was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoding", choices=ENCODINGS, action="append")
    parser.add_argument("--names", default="", help="only files with this in the name")
    given = parser.parse_args()
    tally = asyncio.run(
        drill(given.encoding or ENCODINGS, lambda file, _: given.names in file)
    )
    print(tally.report())  # noqa: T201 -- a program's output
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
