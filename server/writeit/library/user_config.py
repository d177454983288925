"""The user's own configuration.

It has three sources, of which the later wins: `config.yaml` in the user's
configuration folder, environment variables, and `initializationOptions.writeit.user`
of an editor. An invalid value is ignored, with a message that names it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from writeit.domain.errors import StoreError
from writeit.domain.session import ModelSamples, UserConfig, problem_with
from writeit.library.catalog import user_library_root

CONFIG_FILE = "config.yaml"
VARIABLES = {
    "WRITEIT_STORE_LOCATION": "store_location",
    "WRITEIT_OLLAMA_URL": "ollama_url",
}
"""Environment variables, and the fields that they set."""
EDITOR = "initializationOptions.writeit.user"


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    return user_library_root() / CONFIG_FILE


def read_user_config(editor_options: object = None) -> tuple[UserConfig, list[str]]:
    """Return the configuration, and a message for each ignored value.

    `editor_options` is the editor's `initializationOptions.writeit.user`.
    """
    path = config_file()
    file_values, messages = _read_config_file(path)
    if not isinstance(editor_options, dict | None):
        messages.append(f"{EDITOR} should be an object. It is ignored.")
        editor_options = None
    names = UserConfig.model_fields
    config: dict[str, Any] = {}
    for prefix, values, fields in (
        (f"{path}: ", file_values, {name: name for name in names}),
        ("", {v: os.environ.get(v, "").strip() for v in VARIABLES}, VARIABLES),
        (
            f"{EDITOR}.",
            editor_options or {},
            {names[name].alias: name for name in names},
        ),
    ):
        for key, value in values.items():
            if problem := _problem(fields.get(key), value):
                messages.append(f"{prefix}{key} {problem}. It is ignored.")
            elif value is not None and value != "":
                config[fields[key]] = value
    return UserConfig(**config), messages


def read_default_models(editor_options: object) -> tuple[ModelSamples, ...]:
    """Return the user's default models, as the configuration has them now."""
    config, _ = read_user_config(editor_options)
    old = config.default_model
    return config.models.default or ((ModelSamples(model=old),) if old else ())


def _problem(field: str | None, value: object) -> str | None:
    """Return why a value is invalid, None for a valid or empty one."""
    if field is None:
        return "is not known"
    if value is None or value == "":
        return None
    problem = problem_with(UserConfig, field, value)
    return problem and problem[1]


def _read_config_file(path: Path) -> tuple[dict[Any, Any], list[str]]:
    """Return the values of the file, and its problems as messages."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        return {}, [f"{path} cannot be read: {reason}. It is ignored."]
    values, problems = _parse_config(path, text)
    return dict(values), list(problems)


@lru_cache(maxsize=1)
def _parse_config(path: Path, text: str) -> tuple[dict[Any, Any], list[str]]:
    from writeit.library.yaml_source import YamlSource  # noqa: PLC0415 -- most users have no file

    source = YamlSource(text, path.as_uri())
    data = source.data()
    problems = [f"{path}: {problem.message}" for problem in source.problems]
    if isinstance(data, dict):
        return data, problems
    if data is not None and not problems:
        problems = [f"{path} should hold keys and values. It is ignored."]
    return {}, problems


def changed_config_text(changes: Mapping[str, object]) -> str:
    """Return the configuration file with some values changed, all else as it is.

    None removes a value.

    Raises:
        StoreError: the file cannot be read, or not be changed safely.
    """
    path = config_file()
    values, problems = _read_config_file(path)
    kept = {key: value for key, value in values.items() if key not in changes}
    changed = {
        key: {**(values.get(key) or {}), **new} if isinstance(new, dict) else new
        for key, new in changes.items()
        if new is not None
    }
    lines = "".join(f"{key}: {json.dumps(new)}\n" for key, new in changed.items())
    text = "" if problems or not path.exists() else path.read_text("utf-8")
    for key in changes:
        text = re.sub(rf"(?m)^{key}[ ]*:.*\n?(?:[ \t]+.*\n?)*", "", text)
    text = f"{text}\n" if text and not text.endswith("\n") else text
    if problems or _values_of(text + lines) != kept | changed:
        raise StoreError(
            f"{path} was not changed, because it cannot be read safely.",
            reason="config",
            hint=f"Correct it, then add this to it:\n{lines}",
        )
    return text + lines


def _values_of(text: str) -> object:
    from writeit.library.yaml_source import YamlSource  # noqa: PLC0415 -- as above

    return YamlSource(text, "").data()
