"""The user's own configuration: three sources, and nothing in them raises."""

import os
from pathlib import Path

import pytest

from writeit.domain.session import UserConfig
from writeit.library.user_config import (
    config_file,
    read_default_models,
    read_user_config,
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's config file, which is not there yet; the environment says nothing."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("WRITEIT_OLLAMA_URL", raising=False)
    monkeypatch.delenv("WRITEIT_STORE_LOCATION", raising=False)
    assert config_file() == tmp_path / "config.yaml"
    return tmp_path / "config.yaml"


@pytest.mark.usefixtures("file")
def test_without_any_source_the_defaults_count() -> None:
    """The store is in the workspace."""
    assert read_user_config() == (UserConfig(), [])
    assert UserConfig().store_location == "workspace"


def test_the_editor_wins_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Field by field; an empty variable says nothing."""
    file.write_text("store_location: user\nollama_url: http://file:1\n")
    monkeypatch.setenv("WRITEIT_STORE_LOCATION", "")
    assert read_user_config() == (
        UserConfig(store_location="user", ollama_url="http://file:1"),
        [],
    )
    monkeypatch.setenv("WRITEIT_OLLAMA_URL", "environment:2")
    config, _ = read_user_config()
    assert (config.store_location, config.ollama_url) == ("user", "environment:2")
    config, problems = read_user_config({"ollamaUrl": "http://editor:3"})
    assert (config.store_location, config.ollama_url) == ("user", "http://editor:3")
    assert problems == []


def test_a_folder_may_begin_with_the_home_folder(file: Path) -> None:
    """As in a shell."""
    file.write_text("store_location: ~/histories\n")
    assert read_user_config()[0].store_location == os.path.expanduser("~/histories")  # noqa: PTH111 -- what it has to be equal to


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("store_location: notes/here", "store_location"),
        ("store_location: [user]", "store_location"),
        ("ollama_url: ftp://somewhere", "ollama_url"),
        ("ollama_url: http://host:port", "ollama_url"),
        ("storeLocation: user", "storeLocation"),
        ("3: user", "3"),
        ("models: {default: [gpt-4o]}", "models"),
        ("- store_location", ""),
        ("store_location: {", ""),
        ("just words", ""),
        ("\xff\xfe", ""),
    ],
)
def test_what_cannot_be_used_is_one_message(file: Path, text: str, key: str) -> None:
    """It names file and key, and all the rest counts."""
    file.write_bytes(text.encode("latin-1"))
    config, (problem,) = read_user_config()
    assert config == UserConfig()
    assert str(file) in problem
    assert key in problem
    if key:
        file.write_text(f"{text}\n{'ollama_url' if 'store' in key else 'x'}: a\n")
        assert any(key in each for each in read_user_config()[1])


def test_a_file_that_cannot_be_read_is_one_message(file: Path) -> None:
    """A folder in its place, for example."""
    file.mkdir()
    config, (problem,) = read_user_config()
    assert config == UserConfig()
    assert str(file) in problem


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"storeLocation": "here"}, "initializationOptions.writeit.user.storeLocation"),
        ({"store_location": "user"}, "store_location"),
        ({"ollamaUrl": 3}, "ollamaUrl"),
        ([], "initializationOptions.writeit.user"),
    ],
)
def test_what_an_editor_sends_is_checked(given: object, named: str) -> None:
    """With the names of the wire."""
    config, (problem,) = read_user_config(given)
    assert config == UserConfig()
    assert named in problem


def test_a_variable_that_is_wrong_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file counts."""
    file.write_text("store_location: user\n")
    monkeypatch.setenv("WRITEIT_STORE_LOCATION", "./here")
    config, (problem,) = read_user_config()
    assert config.store_location == "user"
    assert problem.startswith("WRITEIT_STORE_LOCATION ")


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "options", [{"storeLocation": "/tmp/\ud800"}, {"ollamaUrl": "http://\ud800"}]
)
def test_half_a_character_is_ignored_with_a_message(options: dict[str, str]) -> None:
    """It can be neither the name of a folder nor handed to the model host."""
    config, [message] = read_user_config(options)
    assert config == UserConfig()
    assert next(iter(options)) in message


A, TWO_B = ("openai/a", 1), ("x/b", 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("models: {default: [openai/a, {model: x/b, samples: 2}]}", [A, TWO_B]),
        ("default_model: openai/a", [A]),
        (
            "default_model: openai/a\nmodels: {default: [{model: x/b, samples: 2}]}",
            [TWO_B],
        ),
        ("models: {default: []}", []),
    ],
)
def test_the_default_models_are_read_also_as_an_earlier_version_wrote_them(
    file: Path, text: str, found: list[object]
) -> None:
    """And as they are in the file at that moment."""
    assert read_default_models(None) == ()
    file.write_text(text)
    models = [(m.model, m.samples) for m in read_default_models(None)]
    assert models == found
    assert read_user_config()[1] == []
