"""The user's own configuration: the one place where it is read.

Three sources, the later wins: `config.yaml` in the user's configuration folder,
environment variables, and `initializationOptions.writeit.user` of an editor. A part
that cannot be used is left out, with one message that names the source and the key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from writeit.domain.session import UserConfig, problem_with
from writeit.library.catalog import user_library_root

CONFIG_FILE = "config.yaml"
VARIABLES = {
    "WRITEIT_STORE_LOCATION": "store_location",
    "WRITEIT_OLLAMA_URL": "ollama_url",
}
"""Environment variables, and the fields they set."""
EDITOR = "initializationOptions.writeit.user"


def config_file() -> Path:
    """Return where the file is, or would be."""
    return user_library_root() / CONFIG_FILE


def read_user_config(given: object = None) -> tuple[UserConfig, list[str]]:
    """Return what counts, and a message for each part that was left out.

    `given` is what the editor sent as `initializationOptions.writeit.user`.
    """
    path = config_file()
    in_file, messages = _file(path)
    if not isinstance(given, dict | None):
        messages.append(f"{EDITOR} should be an object. It is ignored.")
        given = None
    names = UserConfig.model_fields
    config: dict[str, Any] = {}
    for shown, values, fields in (
        (f"{path}: ", in_file, {name: name for name in names}),
        ("", {v: os.environ.get(v, "").strip() for v in VARIABLES}, VARIABLES),
        (f"{EDITOR}.", given or {}, {names[name].alias: name for name in names}),
    ):
        for key, value in values.items():
            if problem := _problem(fields.get(key), value):
                messages.append(f"{shown}{key} {problem}. It is ignored.")
            elif value is not None and value != "":
                config[fields[key]] = value
    return UserConfig(**config), messages


def _problem(field: str | None, value: object) -> str | None:
    """Say why a value cannot be used; one that is empty says nothing."""
    if field is None:
        return "is not known"
    if value is None or value == "":
        return None
    problem = problem_with(UserConfig, field, value)
    return problem and problem[1]


def _file(path: Path) -> tuple[dict[Any, Any], list[str]]:
    """Return what the file holds, none if there is no file, and what is wrong."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        return {}, [f"{path} cannot be read: {reason}. It is ignored."]
    from writeit.library.yaml_source import YamlSource  # noqa: PLC0415 -- most users have no file

    source = YamlSource(text, path.as_uri())
    data = source.data()
    problems = [f"{path}: {problem.message}" for problem in source.problems]
    if isinstance(data, dict):
        return data, problems
    if data is not None and not problems:
        problems = [f"{path} should hold keys and values. It is ignored."]
    return {}, problems
