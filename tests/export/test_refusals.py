"""Files that are no exports, or not as they were written: typed, said, nothing more."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from export.dossiers import finished
from writeit.domain.errors import InvalidExport
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run

Data = dict[str, Any]


def exported() -> Data:
    """A good export, as data without the checksum: to be spoiled."""
    data: Data = json.loads(export_run(finished(), "json", "0"))
    del data["checksum"]
    return data


def refusal_of(text: str) -> InvalidExport:
    """Why a text is not read."""
    with pytest.raises(InvalidExport) as refused:
        read_export(text)
    assert refused.value.hint
    assert refused.value.kind == "invalid_params"
    return refused.value


def test_a_good_one_is_read() -> None:
    """Also without the checksum: somebody may have changed it on purpose."""
    assert read_export(json.dumps(exported())) == finished()


TEXTS = {
    "empty": ("", "malformed"),
    "prose": ("Dear reader,\n", "malformed"),
    "a list": ("- a\n- b\n", "malformed"),
    "a markdown export": (export_run(finished(), "markdown", "0"), "malformed"),
    "json cut short": ('{"writeit_export": 2, "run": {"a', "malformed"),
    "json with a key twice": (
        '{"writeit_export": 2, "run": {}, "run": {}}',
        "malformed",
    ),
    "yaml with a key twice": ("writeit_export: 2\nrun: {}\nrun: {}\n", "malformed"),
    "two documents": ("writeit_export: 2\n---\nrun: {}\n", "malformed"),
    "a tag": ("writeit_export: 2\nrun: !!python/object:os.system {}\n", "malformed"),
    "a tagged word": ("writeit_export: 2\nrun: !!binary aGk=\n", "malformed"),
    "aliases": ("a: &a [1]\nb: [*a, *a]\nwriteit_export: 2\n", "malformed"),
    "a mapping for a key": ("writeit_export: 2\n? {a: b}\n: c\n", "malformed"),
    "deep yaml": ("writeit_export: 2\nrun: " + "[" * 5000 + "]" * 5000, "malformed"),
    "deep json": (
        '{"writeit_export": 2, "run": ' + "[" * 90000 + "]" * 90000 + "}",
        "malformed",
    ),
    "a control character": ("writeit_export: 2\nrun: \x07\n", "malformed"),
    "a number too long": ('{"writeit_export": ' + "9" * 9000 + "}", "malformed"),
    "no version": ("writeit_export: yes\n", "malformed"),
    "from the future": ("writeit_export: 3\nwhatever: 1\n", "too_new"),
    "from the past": ("writeit_export: 1\nrun: {}\n", "too_old"),
    "nothing else": ("writeit_export: 2\n", "malformed"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_export_is_refused(name: str) -> None:
    """Quickly, and with a reason."""
    text, reason = TEXTS[name]
    before = time.process_time()
    assert refusal_of(text).reason == reason
    assert time.process_time() - before < 20


def spoiled(path: str, value: Any) -> Callable[[Data], None]:
    """Put a value at a dotted path."""
    *above, last = path.split(".")

    def spoil(data: Data) -> None:
        place: Any = data
        for key in above:
            place = place[int(key) if isinstance(place, list) else key]
        place[int(last) if isinstance(place, list) else last] = value

    return spoil


OTHER = "00000000-0000-7000-8000-0000000000ff"
SPOILED: dict[str, tuple[Callable[[Data], None], str]] = {
    "a key nobody knows": (spoiled("endpoint", "http://evil.example"), "endpoint"),
    "a key in the run": (
        spoiled("run.api_base", "http://evil.example"),
        "run.api_base",
    ),
    "a key in a step": (spoiled("run.steps.draft.key", "sk-x"), "run.steps.draft.key"),
    "a key in an event": (spoiled("history.1.env", {"A": "b"}), "history.1"),
    "no run": (spoiled("run", None), "run"),
    "a run that is a list": (spoiled("run", []), "run"),
    "an id that is none": (spoiled("run.pipeline_run_id", "me"), "run.pipeline_run_id"),
    "another configuration": (
        spoiled("configuration.description", "x"),
        "configuration",
    ),
    "an id of its own": (
        spoiled("configuration.configuration_id", "a@b"),
        "configuration",
    ),
    "a primer that is not its own": (spoiled("primer.content", "Lie."), "primer"),
    "no primer": (spoiled("primer", None), "primer"),
    "a choice that is not there": (
        spoiled("run.steps.draft.user_selection", 7),
        "run.steps.draft",
    ),
    "a status that cannot be": (spoiled("run.status", "PAUSED"), "history"),
    "an answer's text": (spoiled("run.steps.draft.edited_content", "x"), "history"),
    "an event twice": (
        lambda data: data["history"].append({**data["history"][-1]}),
        "history",
    ),
    "an event too few": (lambda data: data["history"].pop(), "history"),
    "no beginning": (lambda data: data["history"].pop(0), "history"),
    "no events": (spoiled("history", []), "history"),
    "a history that is a word": (spoiled("history", "long"), "history"),
    "an event of no kind": (spoiled("history.2.type", "run_exploded"), "history.2"),
    "an event that is a word": (spoiled("history.2", "x"), "history.2"),
    "an answer that is not there": (
        spoiled("history.3.response_id", OTHER),
        "history.3",
    ),
    "a beginning with a step too many": (
        spoiled("history.0.run", {"steps": {"fifth": {"step_name": "fifth"}}}),
        "history.0",
    ),
    "ancestors of nobody": (spoiled("ancestors", [{"run_id": OTHER}]), "ancestors.0"),
    "a parent that is missing": (
        lambda data: data["run"].update(
            parent_pipeline_run_id=OTHER, branch_point="draft"
        ),
        "ancestors",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_contradicts_itself_is_refused_with_its_place(name: str) -> None:
    """Whoever wrote it."""
    spoil, place = SPOILED[name]
    data = exported()
    spoil(data)
    for text in (json.dumps(data), yaml.safe_dump(data)):
        refused = refusal_of(text)
        assert refused.reason == "malformed"
        assert f" at {place}" in refused.message


BARE: dict[str, Callable[[Data], None]] = {
    "finished, with an open step": spoiled("run.steps.polish.status", "RUNNING"),
    "a step that waits behind one that does not": lambda data: data["run"].update(
        current_step="angles",
        status="RUNNING",
        steps={**data["run"]["steps"], "angles": {"step_name": "angles"}},
    ),
    "steps of another pipeline": lambda data: data["run"]["steps"].pop("polish"),
    "chosen, and nothing chosen": spoiled("run.steps.draft.user_selection", None),
}


@pytest.mark.parametrize("name", BARE)
def test_without_history_a_run_must_still_be_possible(name: str) -> None:
    """No event is there to contradict it."""
    data = exported()
    del data["history"]
    BARE[name](data)
    assert refusal_of(json.dumps(data)).reason == "malformed"


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_file_that_was_cut_short_is_refused_wherever(form: Any) -> None:
    """Also where what is left is whole YAML."""
    text = export_run(finished(), form, "0")
    for end in range(0, len(text.rstrip()) - 1, 97):
        refused = refusal_of(text[:end])
        assert refused.reason in {"damaged", "malformed"}


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_letter_that_changed_is_noticed(form: Any) -> None:
    """Even in the middle of a text, where the history has nothing to say."""
    text = export_run(finished(), form, "0")
    place = text.index("They dance.")
    changed = f"{text[:place]}Thez{text[place + 4 :]}"
    refused = refusal_of(changed)
    assert refused.reason == "damaged"
    assert "checksum" in refused.hint


def test_another_programs_numbers_are_no_damage() -> None:
    """1.0 and 1 are one number, and the order of keys means nothing: they sort it."""
    data = json.loads(export_run(finished(), "json", "0"))
    answer = data["run"]["steps"]["angles"]["ai_responses"][0]
    answer["usage_stats"]["prompt_tokens"] = 1.0
    assert read_export(json.dumps(data, sort_keys=True)) == finished()
    assert read_export(yaml.safe_dump(data)) == finished()
