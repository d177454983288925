"""Random choices among the actions that a run allows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from drills.book import Fact
from support.editor import Json

MODELS = (
    *("openai/slow-25", "openai/slow-60", "openai/slow-60", "openai/slow-150"),
    *("openai/slow-150", "openai/slow-300", "openai/fast-40", "openai/cut-12"),
)

WAITS = 0.7
"""The share of commands whose reply is awaited."""


@dataclass(slots=True)
class Act:
    """A command, and the events that its reply guarantees in the log."""

    command: str
    params: Json = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    asks: bool = False
    """Whether it calls models."""
    makes: str | None = None
    """The kind of event in the log of the run that it creates."""


def choose(run: Json, rng: Random) -> Act:
    """Return an action for a run in this state."""
    step = run["steps"][run["currentStep"]]
    makers, weights = zip(*_sensible(run, step), strict=True)
    (maker,) = rng.choices(makers, weights)
    act: Act = maker(run, step, rng)
    act.params["runId"] = run["pipelineRunId"]
    return act


def _sensible(run: Json, step: Json) -> list[tuple[Callable[..., Act], int]]:
    if step["streaming"]:
        return [(take, 10), (pause, 2), (feedback, 3), (branch, 1)]
    if run["status"] == "COMPLETED":
        return [(regenerate, 3), (feedback, 2), (rate, 1), (delete, 2), (rewind, 1)]
    begun: list[tuple[Callable[..., Act], int]] = []
    if run["status"] == "PAUSED":
        begun += [(resume, 3)]
    elif run["status"] == "RUNNING":
        begun += [(pause, 1)]
    if step["status"] == "PENDING":
        return [*begun, (ask, 16), (skip, 1), (branch, 1), (delete, 1)]
    if not step["aiResponses"]:
        return [*begun, (ask, 4), (pause, 1)]
    begun += [(select, 6), (regenerate, 5), (take, 4), (merge, 2), (join, 3), (rate, 2)]
    begun += [(branch, 1), (rewind, 1), (feedback, 3)]
    if any(answer["partial"] for answer in step["aiResponses"]):
        begun += [(ask, 5)]
    return begun


def words(rng: Random) -> str:
    """Return words that occur nowhere else."""
    return f"words {rng.getrandbits(64):x}"


def _models(rng: Random) -> list[str]:
    return rng.sample(MODELS, rng.choice((1, 1, 2)))


def ask(_run: Json, step: Json, rng: Random) -> Act:
    """Generate answers."""
    params = {"step": step["stepName"], "models": _models(rng)}
    params["wait"] = rng.random() < WAITS
    facts = [("step_started", step["stepName"], "")]
    return Act("writeit.step.run", params, facts, asks=True)


def regenerate(_run: Json, step: Json, rng: Random) -> Act:
    """Regenerate answers with feedback."""
    comment = words(rng)
    params = {"step": step["stepName"], "models": _models(rng), "feedback": comment}
    params["wait"] = rng.random() < WAITS
    facts = [("step_regenerated", step["stepName"], comment)]
    return Act("writeit.step.regenerate", params, facts, asks=True)


def join(_run: Json, step: Json, rng: Random) -> Act:
    """Merge answers with a model."""
    params: Json = {"step": step["stepName"], "instruction": words(rng)}
    params |= {"model": rng.choice(MODELS), "responses": [_answer(step, rng)]}
    facts = [("step_started", step["stepName"], "")]
    return Act("writeit.step.merge", params, facts, asks=True)


def merge(_run: Json, step: Json, rng: Random) -> Act:
    """Merge whole answers."""
    content = words(rng)
    facts = [("merged", step["stepName"], content)]
    return Act(
        "writeit.step.merge", {"step": step["stepName"], "content": content}, facts
    )


def select(_run: Json, step: Json, rng: Random) -> Act:
    """Choose an answer, sometimes an edited one."""
    index, name = _answer(step, rng), step["stepName"]
    content = words(rng) if rng.random() < 0.5 else None
    params: Json = {"step": name, "response": index, "content": content}
    facts = [("response_selected", name, f"{index} {content}")]
    if rng.random() < 0.5:
        params["feedback"] = words(rng)
        facts.append(("feedback_given", name, params["feedback"]))
    return Act("writeit.step.select", params, facts)


def take(_run: Json, step: Json, rng: Random) -> Act:
    """Add a passage to the merge, also of a streaming answer."""
    text, name = words(rng), step["stepName"]
    ids = [a["responseId"] for a in (*step["aiResponses"], *step["streaming"])]
    params = {"step": name, "response": rng.choice(ids), "text": text}
    return Act("writeit.step.take", params, [("passage_taken", name, text)])


def feedback(_run: Json, step: Json, rng: Random) -> Act:
    """Give feedback."""
    text, name = words(rng), step["stepName"]
    return Act(
        "writeit.step.feedback",
        {"step": name, "text": text},
        [("feedback_given", name, text)],
    )


def rate(_run: Json, step: Json, rng: Random) -> Act:
    """Rate an answer."""
    score, name = rng.random(), step["stepName"]
    if not step["aiResponses"]:
        return feedback(_run, step, rng)
    params = {"step": name, "response": _answer(step, rng), "score": score}
    return Act("writeit.response.rate", params, [("response_rated", name, str(score))])


def skip(_run: Json, step: Json, _rng: Random) -> Act:
    """Skip the step."""
    name = step["stepName"]
    return Act("writeit.step.skip", {"step": name}, [("step_skipped", name, "")])


def pause(_run: Json, _step: Json, _rng: Random) -> Act:
    """Pause the run."""
    return Act("writeit.run.pause", {}, [("run_paused", "", "")])


def resume(_run: Json, _step: Json, _rng: Random) -> Act:
    """Resume the run."""
    return Act("writeit.run.resume", {}, [("run_resumed", "", "")])


def branch(run: Json, _step: Json, rng: Random) -> Act:
    """Branch the run."""
    names = list(run["steps"])
    at = rng.choice(names[: names.index(run["currentStep"]) + 1])
    return Act(
        "writeit.run.branch", {"step": at, "name": words(rng)}, makes="run_branched"
    )


def rewind(run: Json, step: Json, rng: Random) -> Act:
    """Start over from a step."""
    act = branch(run, step, rng)
    del act.params["name"]
    act.command = "writeit.run.rewind"
    return act


def delete(_run: Json, _step: Json, rng: Random) -> Act:
    """Delete the run, or also its branches."""
    return Act("writeit.run.delete", {"descendants": rng.random() < 0.3})


def _answer(step: Json, rng: Random) -> int:
    return rng.randrange(len(step["aiResponses"]))
