"""Checks of a workspace after a server was killed and another was started."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from drills.book import Book, Heard, fact_of
from drills.scene import Witness
from support.editor import Json, Refused
from writeit.domain import state_machine
from writeit.domain.run import PipelineRun
from writeit.storage import keys
from writeit.storage.store import LmdbStore

DONE = {"COMPLETED", "SKIPPED"}


@dataclass(slots=True)
class Found:
    """The results of the checks."""

    problems: list[str] = field(default_factory=list)
    cut: int = 0
    """Answers that the kill made incomplete."""
    missing: list[float] = field(default_factory=list)
    """How much of the end of each is missing, in seconds of arrival time."""


async def after_a_death(
    editor: Witness, book: Book, died_at: float, promised: float
) -> Found:
    """Check all that was acknowledged or streamed, through a new server."""
    found = Found()
    shown = await _shown(editor, book, found)
    for run_id, run in shown.items():
        found.problems += [f"{run_id}: {what}" for what in contradictions(run)]
        if book.runs[run_id] == 0:
            found.problems += _unlike_the_reply(run, book.settled.get(run_id))
    for response_id, heard in book.heard.items():
        if heard.run_id in shown:
            look_at_stream(
                found, response_id, heard, shown[heard.run_id], (died_at, promised)
            )
    found.problems += await not_listed(editor, shown)
    return found


async def _shown(editor: Witness, book: Book, found: Found) -> dict[str, Json]:
    """Return the runs that must exist, by id; report deleted ones that do."""
    shown: dict[str, Json] = {}
    for run_id in (*book.runs, *book.deleted):
        try:
            shown[run_id] = await editor.show(run_id)
        except Refused as refused:
            known = run_id in book.deleted or book.runs[run_id]
            if refused.kind != "not_found" or not known:
                found.problems.append(f"run {run_id}: {refused}")
    for run_id in book.deleted & set(shown):
        found.problems.append(f"run {run_id} was deleted and is there again")
        del shown[run_id]
    return shown


def _unlike_the_reply(run: Json, reply: Json | None) -> list[str]:
    """Compare a run with the last reply about it, if no later request can change it."""
    if reply is None:
        return []
    now = run["steps"][reply["stepName"]] if "stepName" in reply else run
    changed = [name for name in reply if now.get(name) != reply[name]]
    return [
        f"{run['pipelineRunId']}: {name} was acknowledged as {reply[name]},"
        f" is {now.get(name)}"
        for name in changed
    ]


def contradictions(run: Json) -> list[str]:
    """Return the rules that a shown run violates."""
    steps = list(run["steps"].values())
    is_open = [step["stepName"] for step in steps if step["status"] not in DONE]
    problems = []
    expected = is_open[0] if is_open else steps[-1]["stepName"]
    if run["currentStep"] != expected:
        problems.append(f"currentStep {run['currentStep']}, expected {expected}")
    if run["status"] == "COMPLETED" and is_open:
        problems.append(f"COMPLETED with open steps {is_open}")
    if run["status"] == "RUNNING" and not is_open:
        problems.append("RUNNING with nothing left to do")
    for step in steps:
        problems += [f"{step['stepName']}: {what}" for what in _step_problems(step)]
        if step["stepName"] in is_open[1:] and step["status"] != "PENDING":
            problems.append(f"{step['stepName']} has begun before its turn")
    return problems


def _step_problems(step: Json) -> list[str]:
    selection, answers = step["userSelection"], step["aiResponses"]
    checks = {
        "a selection out of range": selection is None or selection < len(answers),
        "completed without answers": step["status"] != "COMPLETED" or bool(answers),
        "completed without content": step["status"] != "COMPLETED"
        or step["content"] is not None,
        "answers twice": len({a["responseId"] for a in answers}) == len(answers),
        "still streaming": not step["streaming"],
        "pending with answers": step["status"] != "PENDING" or not answers,
        "times out of order": step["completedAt"] is None
        or step["startedAt"] <= step["completedAt"],
    }
    return [what for what, holds in checks.items() if not holds]


def look_at_stream(
    found: Found, response_id: str, heard: Heard, run: Json, times: tuple[float, float]
) -> None:
    """Compare the text seen of an answer with the text kept."""
    died_at, promised = times
    step = run["steps"][heard.step]
    answers = {a["responseId"]: a for a in step["aiResponses"]}
    answer = answers.get(response_id)
    kept = answer["rawOutput"] if answer else ""
    seen, name = heard.text, f"answer {response_id} of run {heard.run_id}"
    if heard.finished is not None:
        if heard.finished["index"] is not None and kept != seen:
            found.problems.append(f"{name} was finished and is not as it was seen")
        return
    if not (kept.startswith(seen) or seen.startswith(kept)):
        found.problems.append(f"{name} is not the beginning of what was seen")
    missing = missing_seconds(heard, len(kept), died_at)
    if answer and answer["partial"] and answer["finishReason"] == "cancelled":
        found.cut += 1
        found.missing.append(missing)
        if run["status"] != "PAUSED":
            found.problems.append(f"{name} was cut, its run is {run['status']}")
    if missing > promised and seen.strip():
        found.problems.append(f"{name} lacks its last {1000 * missing:.0f} ms")


def missing_seconds(heard: Heard, kept: int, died_at: float) -> float:
    """Return how many seconds before the kill the first incomplete piece arrived."""
    length = 0
    for at, text in heard.pieces:
        length += len(text)
        if length > kept:
            return max(0.0, died_at - at)
    return 0.0


async def not_listed(editor: Witness, shown: dict[str, Json]) -> list[str]:
    """Check that each run is in its tree and in the list with the same state."""
    listed = await editor.command("writeit.run.list", limit=1000)
    summaries = {summary["runId"]: summary for summary in listed["runs"]}
    problems = []
    for run_id, run in shown.items():
        summary = summaries.get(run_id, {})
        for name in ("status", "currentStep"):
            if summary.get(name) != run[name]:
                difference = f"{name} {run[name]}, listed with {summary.get(name)}"
                problems.append(f"{run_id}: {difference}")
        tree = await editor.command("writeit.run.tree", runId=run_id)
        if run_id not in _names(tree):
            problems.append(f"{run_id} is not in its own tree")
    return problems


def _names(tree: Json) -> set[str]:
    return {tree["runId"]}.union(*(_names(child) for child in tree["children"]))


def in_the_store(folder: Path, book: Book) -> list[str]:
    """Check the store: it has every fact, and its entities agree with the log."""
    store = LmdbStore.open(folder)
    try:
        problems = _leftovers(store)
        with store.snapshot() as snapshot:
            stored = [keys.trailing_id(key) for key, _ in snapshot.scan(b"run:")]
        for run_id in stored:
            problems += _against_the_log(store, run_id, book)
    finally:
        store.close()
    return problems


def _against_the_log(store: LmdbStore, run_id: UUID, book: Book) -> list[str]:
    stored, events = store.get_run(run_id), store.events(run_id)
    if stored is None:
        return [f"{run_id} is there and cannot be read"]
    problems = []
    if stored.seq != len(events):
        problems.append(f"{run_id} is at {stored.seq}, has {len(events)} events")
    if _quiet(stored.run) != _quiet(state_machine.replay(events)):
        problems.append(f"{run_id} is not what its events say")
    there = Counter(fact_of(event) for event in events)
    lost = book.facts.get(str(run_id), Counter()) - there
    return problems + [f"{run_id} lost {fact}" for fact in lost]


def _quiet(run: PipelineRun) -> PipelineRun:
    """Return the run without the journaled text of its answers."""
    for state in run.steps.values():
        if state.streaming:
            streaming = tuple(s.evolve(text="") for s in state.streaming)
            run = run.with_step(state.evolve(streaming=streaming))
    return run


def _leftovers(store: LmdbStore) -> list[str]:
    """Return leases and streamed text of runs without streaming answers."""
    with store.snapshot() as snapshot:
        flowing = {
            str(keys.trailing_id(key)) for key, _ in snapshot.scan(keys.STREAMING)
        }
        of_runs = [
            key.decode()
            for kind in (b"lease:", b"journal:")
            for key, _ in snapshot.scan(kind)
        ]
    return [f"left over: {key}" for key in of_runs if key.split(":")[1] not in flowing]
