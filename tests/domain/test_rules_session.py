"""The data model's rules of sessions and preferences."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from support.runs import START, later, new_id
from writeit.domain.key_bindings import SYSTEM_BINDINGS
from writeit.domain.session import (
    FieldProblem,
    Settings,
    UserPreferences,
    UserSession,
    validate_preferences,
    validate_session,
)

HERE = Path("/notes")


def session(**fields: Any) -> UserSession:
    """A session that began at dawn and did something a second later."""
    return UserSession(
        **{
            "session_id": new_id(),
            "workspace_path": HERE,
            "created_at": START,
            "last_activity": later(1),
            **fields,
        }
    )


def wrong_with(one: UserSession, **world: Any) -> list[str]:
    """The fields of a session that the world has something against."""
    world = {
        "now": later(1),
        "active_ids": (),
        "run_exists": lambda _: True,
        "is_writable": lambda path: path == HERE,
        **world,
    }
    return [problem.loc[0] for problem in validate_session(one, **world)]


def preferring(**fields: Any) -> list[FieldProblem]:
    """What the world has against these preferences."""
    return validate_preferences(
        UserPreferences(**fields),
        known_primers={"academic"},
        known_providers={"openai", "ollama"},
        system_bindings=SYSTEM_BINDINGS,
    )


# --- sessions ---------------------------------------------------------------------


def test_a_session_in_order_has_no_problems() -> None:
    """With all that may be there, and with nothing of it."""
    assert wrong_with(session()) == []
    whole = session(active_pipeline_run_id=new_id(), websocket_connection_id="ws-1")
    assert wrong_with(whole, connections={"ws-1"}) == []


@pytest.mark.rule("session-1")
def test_session_id_must_be_unique_across_active_sessions() -> None:
    """An ended session's id does not count."""
    one = session()
    assert wrong_with(one, active_ids={new_id()}) == []
    assert wrong_with(one, active_ids={one.session_id}) == ["session_id"]


@pytest.mark.rule("session-2")
def test_workspace_path_must_exist_and_be_writable() -> None:
    """Whether it does is for the world to say."""
    assert wrong_with(session(workspace_path=Path("/gone"))) == ["workspace_path"]


@pytest.mark.rule("session-3")
def test_active_pipeline_run_must_exist_if_specified() -> None:
    """No run is fine, one that is not there is not."""
    gone: dict[str, Any] = {"run_exists": lambda _: False}
    assert wrong_with(session(), **gone) == []
    lost = session(active_pipeline_run_id=new_id())
    assert wrong_with(lost, **gone) == ["active_pipeline_run_id"]


@pytest.mark.rule("session-4")
@pytest.mark.parametrize(("now", "fields"), [(1, []), (0.5, ["last_activity"])])
def test_last_activity_cannot_be_in_future(now: float, fields: list[str]) -> None:
    """This very moment is none."""
    assert wrong_with(session(), now=later(now)) == fields


@pytest.mark.rule("session-5")
def test_websocket_connection_must_be_valid_if_specified() -> None:
    """One word, and one of the connections that are open, where they are known."""
    for form in ("", "two words", "line\n", "\0", "x" * 201, "ü"):
        with pytest.raises(ValidationError):
            session(websocket_connection_id=form)
    there = session(websocket_connection_id="127.0.0.1:4040#7")
    assert wrong_with(there) == []
    assert wrong_with(there, connections=()) == ["websocket_connection_id"]


@pytest.mark.rule("session-t3")
def test_what_changes_in_a_session_makes_another_value() -> None:
    """Activity, the active run and the connection move on; the id stays."""
    one = session()
    for changes in (
        {"last_activity": later(2)},
        {"active_pipeline_run_id": new_id()},
        {"websocket_connection_id": "ws-2"},
    ):
        other = one.evolve(**changes)
        assert other.session_id == one.session_id
        assert other.model_dump(include=set(changes)) == changes
        assert other != one


@pytest.mark.rule("rel-16", "rel-18", "settled-16")
def test_one_active_run_per_session_and_many_sessions() -> None:
    """A session has one active run; the user id is "local" until there are more."""
    one, other = (session(active_pipeline_run_id=new_id()) for _ in range(2))
    assert one.active_pipeline_run_id != other.active_pipeline_run_id
    assert one.session_id != other.session_id
    assert one.user_id == other.user_id == "local"


@pytest.mark.rule("rel-17")
def test_a_session_persists_preferences() -> None:
    """They come with it."""
    prefers = UserPreferences(theme="dark")
    assert session(preferences=prefers).preferences == prefers


# --- preferences ------------------------------------------------------------------


@pytest.mark.rule("preferences-1", "settled-19")
@pytest.mark.parametrize(
    ("model", "fine"),
    [
        ("openai/gpt-4o", True),
        ("ollama/library/llama3", True),
        ("nobody/gpt-4o", False),
        ("gpt-4o", False),
        ("openai/", False),
        ("openai/ ", False),
        ("/gpt-4o", False),
        ("", False),
    ],
)
def test_default_models_must_reference_valid_model_identifiers(
    model: str, fine: bool
) -> None:
    """A known provider and a model's name."""
    problems = preferring(default_models={"draft": model})
    locs = [] if fine else [("default_models", "draft")]
    assert [problem.loc for problem in problems] == locs


@pytest.mark.rule("settled-19")
def test_default_models_are_per_step() -> None:
    """A key is the name of a step."""
    problems = preferring(default_models={"My Draft": "openai/gpt-4o"})
    assert "not the name of a step" in problems[0].message


@pytest.mark.rule("preferences-2")
def test_style_primer_must_exist_if_specified() -> None:
    """None is specified with none."""
    assert preferring(style_primer="academic") == preferring() == []
    assert [p.loc for p in preferring(style_primer="gothic")] == [("style_primer",)]
    with pytest.raises(ValidationError):
        UserPreferences(style_primer="No Name")


@pytest.mark.rule("preferences-3")
@pytest.mark.parametrize("field", [UserPreferences, Settings])
def test_buffer_size_must_be_positive_integer(field: type[UserPreferences]) -> None:
    """As a preference and as a setting."""
    assert field(streaming_buffer_size=1).streaming_buffer_size == 1
    for wrong in (0, -1, 1.5, "many"):
        with pytest.raises(ValidationError):
            field.model_validate({"streaming_buffer_size": wrong})


@pytest.mark.rule("preferences-5")
@pytest.mark.parametrize("field", [UserPreferences, Settings])
def test_max_concurrent_pipelines_between_1_and_10(
    field: type[UserPreferences],
) -> None:
    """As a preference and as a setting."""
    for fine in range(1, 11):
        assert field(max_concurrent_pipelines=fine).max_concurrent_pipelines == fine
    for wrong in (0, 11, -1):
        with pytest.raises(ValidationError):
            field(max_concurrent_pipelines=wrong)


@pytest.mark.rule("preferences-6")
def test_export_format_must_be_supported() -> None:
    """Yaml, json, markdown."""
    for fine in ("yaml", "json", "markdown"):
        prefers = UserPreferences.model_validate({"export_format": fine})
        assert prefers.export_format == fine
    for wrong in ("xml", "YAML", "", None):
        with pytest.raises(ValidationError):
            UserPreferences.model_validate({"export_format": wrong})


@pytest.mark.rule("preferences-t1")
def test_preferences_are_updated_through_modifications() -> None:
    """Each makes a new value, checked as a whole; the old one stays."""
    before = UserPreferences()
    after = before.evolve(theme="dark", auto_save_enabled=False)
    assert (before.theme, after.theme) == ("default", "dark")
    assert after.evolve(theme="default", auto_save_enabled=True) == before
    with pytest.raises(ValidationError):
        before.evolve(max_concurrent_pipelines=11)
    with pytest.raises(ValidationError):
        before.evolve(font="mono")


# --- keyboard shortcuts -----------------------------------------------------------


@pytest.mark.rule("preferences-4")
@pytest.mark.parametrize(
    "chord",
    [
        *("ctrl+s", "Ctrl+Shift+P", "SHIFT+CTRL+P", "f1", "ctrl+k ctrl+s", "ctrl+k"),
        *("Command+S", "<C-w>", "<C-W>v", "gd", "gg", "G", "ZZ", "<Esc>", "<C-[>"),
        *("dd", "ctrl+s x", "<C-\\>"),
    ],
)
def test_keyboard_shortcuts_cannot_conflict_with_system_bindings(chord: str) -> None:
    """However it is spelled, also where one begins with the other."""
    problems = preferring(keyboard_shortcuts={"writeit.run.start": chord})
    assert [p.loc for p in problems] == [("keyboard_shortcuts", "writeit.run.start")]
    assert "conflicts" in problems[0].message


@pytest.mark.rule("settled-23")
@pytest.mark.parametrize(
    "chord", ["ctrl+alt+w", "ctrl+alt+shift+w", "<leader>ws", "gW", "<M-w>", "ctrl+f7"]
)
def test_other_keyboard_shortcuts_are_free(chord: str) -> None:
    """What no editor does with its keys."""
    assert preferring(keyboard_shortcuts={"writeit.run.start": chord}) == []


@pytest.mark.rule("settled-23")
@pytest.mark.parametrize("chord", ["", " ", "ctrl+", "crtl+p", "ctrl+pp", "<C-foo>"])
def test_a_keyboard_shortcut_is_a_chord_of_keys(chord: str) -> None:
    """Anything else is a problem, not a binding that never fires."""
    assert len(preferring(keyboard_shortcuts={"writeit.run.start": chord})) == 1


@pytest.mark.rule("preferences-4")
def test_keyboard_shortcuts_cannot_conflict_with_each_other() -> None:
    """The second of two is told whose it is."""
    shortcuts = {"writeit.run.start": "ctrl+alt+w", "writeit.run.show": "<C-A-w> x"}
    (problem,) = preferring(keyboard_shortcuts=shortcuts)
    assert problem.loc == ("keyboard_shortcuts", "writeit.run.show")
    assert "writeit.run.start" in problem.message
