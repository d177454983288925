"""How many planted errors the facts checker finds, and how much else it reports.

The cases are files in `facts/known` (written with the checker) and `facts/held-out`
(written after it). Each has notes and an article of one sentence a line, in which
`{{kind: ...}}` marks what the notes do not say. Printed: precision and recall by kind.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from writeit.text.fact_sources import FactSources

CASES = Path(__file__).parent / "facts"
MARK = re.compile(r"\{\{(\w+): (.*?)\}\}", re.DOTALL)
KINDS = {"unit": "number", "rounding": "number"}
"""The kind of fact that an error of another name is in."""


@dataclass
class Tally:
    """What was found in some cases."""

    sentences: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """Planted errors, by the kind of error."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Reports of what the notes do say, by the kind of fact."""
    complaints: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Check the article of a case."""
        _, notes, marked = re.split(r"=== (?:notes|article)\n", path.read_text("utf-8"))
        article, marks = unmarked(marked)
        missing = [mark.fact for mark in FactSources([notes]).missing(article)]
        self.sentences += len(re.findall(r"^[^\s#].*[.:!?]\W*$", article, re.MULTILINE))
        for kind, start, end in marks:
            self.planted[kind] += 1
            if any(fact.start < end and start < fact.end for fact in missing):
                self.found[kind] += 1
            else:
                self.complaints.append(f"{path.name}: missed {article[start:end]!r}")
        for fact in missing:
            if not any(
                fact.start < end and start < fact.end for _, start, end in marks
            ):
                self.wrong[fact.kind] += 1
                line = article[article.rfind("\n", 0, fact.start) + 1 :].split("\n")[0]
                self.complaints.append(
                    f"{path.name}: {fact.kind} {fact.text!r}: {line}"
                )

    def lines(self) -> Iterator[str]:
        """Yield the figures."""
        kinds = dict.fromkeys(KINDS.get(kind, kind) for kind in self.planted)
        for kind in sorted(kinds):
            errors = [name for name in self.planted if KINDS.get(name, name) == kind]
            planted = sum(self.planted[name] for name in errors)
            found, wrong = sum(self.found[name] for name in errors), self.wrong[kind]
            parts = ", ".join(
                f"{name} {self.found[name]}/{self.planted[name]}"
                for name in sorted(errors)
            )
            yield (
                f"  {kind:10} precision {found / max(1, found + wrong):.2f}"
                f"  recall {found / planted:.2f}   found {parts}; wrong {wrong}"
            )


def unmarked(text: str) -> tuple[str, list[tuple[str, int, int]]]:
    """Return a text without its marks, and each error's kind, start and end."""
    marks: list[tuple[str, int, int]] = []
    pieces: list[str] = []
    length = at = 0
    for match in MARK.finditer(text):
        pieces += [text[at : match.start()], match[2]]
        start = length + match.start() - at
        length = start + len(match[2])
        marks.append((match[1], start, length))
        at = match.end()
    return "".join([*pieces, text[at:]]), marks


def main() -> None:
    """Measure and print; with `-v` each sentence that was judged wrong, too."""
    for part in ("known", "held-out"):
        tally = Tally()
        for path in sorted((CASES / part).glob("*.md")):
            tally.add(path)
        print(f"{part}: {tally.sentences} sentences, {tally.planted.total()} errors")
        print("\n".join(tally.lines()))
        if "-v" in sys.argv:
            print("\n".join(tally.complaints))


if __name__ == "__main__":
    main()
