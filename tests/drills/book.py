"""What the servers acknowledged and streamed, as recorded by their editors.

A fact is what an acknowledged decision must have left in the event log: a kind, a step
and a detail, most of them unique. `settled` holds the last reply about a run while
no other request is pending: the run must be shown so after any restart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.editor import Json
from writeit.domain import events as e
from writeit.domain.events import Event

Fact = tuple[str, str, str]

ANSWERS = (e.ResponseReceived, e.ResponseInterrupted)


@dataclass(slots=True)
class Heard:
    """One answer as it was streamed."""

    run_id: str
    step: str
    pieces: list[tuple[float, str]] = field(default_factory=list)
    """When each piece of text arrived, and the piece."""
    finished: Json | None = None

    @property
    def text(self) -> str:
        """The text that was seen."""
        return "".join(text for _, text in self.pieces)


@dataclass(slots=True)
class Book:
    """The record of one workspace."""

    runs: dict[str, int] = field(default_factory=dict)
    """Every acknowledged run, with its number of pending deletions."""
    parents: dict[str, str] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=dict)
    """Words that are in every prompt of a run and its branches."""
    facts: dict[str, Counter[Fact]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    deleted: set[str] = field(default_factory=set)
    settled: dict[str, Json] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    earlier: set[str] = field(default_factory=set)
    """The answers that were heard in earlier rounds."""
    acknowledged: int = 0
    problems: list[str] = field(default_factory=list)
    pausing: Counter[str] = field(default_factory=Counter)
    """Pending pauses, by run."""
    _under_way: Counter[str] = field(default_factory=Counter)
    _sent: Counter[str] = field(default_factory=Counter)

    def send(self, run_id: str) -> int:
        """Record a request about a run; return a ticket for the reply.

        It is 0 if another is pending: that one may change the run after this reply was
        made, and end before it arrives.
        """
        self.settled.pop(run_id, None)
        self._under_way[run_id] += 1
        self._sent[run_id] += 1
        return self._sent[run_id] if self._under_way[run_id] == 1 else 0

    def end(self, run_id: str, ticket: int, reply: Json | None = None) -> None:
        """Record the end of a request, with the entity of the reply if it had one."""
        self._under_way[run_id] -= 1
        alone = self._under_way[run_id] == 0 and self._sent[run_id] == ticket
        if alone and reply is not None:
            self.settled[run_id] = reply

    def died(self) -> None:
        """Forget pending requests: the server is dead."""
        self._under_way.clear()

    def acknowledge(self, run_id: str, facts: list[Fact]) -> None:
        """Record what a reply acknowledged."""
        self.acknowledged += 1
        if run_id in self.runs:
            self.facts[run_id].update(facts)

    def begin(self, run_id: str, fact: Fact, parent: str | None = None) -> None:
        """Record a new run, unless it was deleted with its parent before its reply."""
        self.runs[run_id] = 0
        if parent is not None:
            self.parents[run_id] = parent
            self.runs[run_id] = self.runs.get(parent, 1)
        self.acknowledge(run_id, [fact])

    def family(self, run_id: str) -> list[str]:
        """Return a run and its known branches, at any depth."""
        children = [child for child, of in self.parents.items() if of == run_id]
        return [run_id, *(each for child in children for each in self.family(child))]

    def doom(self, runs: list[str], by: int) -> None:
        """Record that a deletion of these runs started or ended."""
        for run_id in runs:
            if run_id in self.runs:
                self.runs[run_id] += by

    def bury(self, run_id: str) -> None:
        """Record that a run was deleted."""
        self.deleted.add(run_id)
        self.runs.pop(run_id, None)
        self.facts.pop(run_id, None)
        self.settled.pop(run_id, None)

    def hear(self, value: Json, at: float) -> None:
        """Record one value of a stream of this round."""
        if value.get("responseId") in self.earlier:
            return
        match value["kind"]:
            case "started":
                for response in value["responses"]:
                    heard = Heard(value["runId"], value["step"])
                    self.heard[response["responseId"]] = heard
            case "delta":
                self.heard[value["responseId"]].pieces.append((at, value["text"]))
            case "finished":
                heard = self.heard[value["responseId"]]
                heard.finished = value
                if value["index"] is not None and heard.run_id in self.runs:
                    fact = ("answer", heard.step, value["responseId"])
                    self.facts[heard.run_id][fact] = 1

    def forget_streams(self) -> None:
        """Start a new round; a stream of the last one may not have ended yet."""
        self.earlier |= self.heard.keys()
        self.heard.clear()


DETAILS: dict[str, Callable[[Any], str]] = {
    "response_received": lambda event: str(event.response.response_id),
    "response_interrupted": lambda event: str(event.response.response_id),
    "response_selected": lambda event: f"{event.index} {event.content}",
    "response_rated": lambda event: str(event.score),
    "passage_taken": lambda event: str(event.passage.text),
    "merged": lambda event: str(event.content),
    "feedback_given": lambda event: str(event.text),
    "step_regenerated": lambda event: str(event.feedback),
}


def fact_of(event: Event) -> Fact:
    """Return an event of the log as a fact."""
    detail = DETAILS.get(event.type, lambda _: "")(event)
    kind = "answer" if isinstance(event, ANSWERS) else event.type
    return kind, getattr(event, "step", ""), detail
