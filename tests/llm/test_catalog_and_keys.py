"""Keys, endpoints, the catalog and the list of models, without a process."""

# ruff: noqa: D103 -- the names of the tests describe them

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import keyring.errors
import pytest

from support.scripted_models import ScriptedKeys
from writeit.domain.errors import ModelError, NotFound, StoreError
from writeit.llm.catalog import ModelCatalog, ModelLister, TokenPrice, short_list
from writeit.llm.keys import SystemKeys
from writeit.llm.model_lists import ServerList
from writeit.llm.providers import embedded, ollama
from writeit.llm.providers.registry import get_provider

ENTRIES: dict[str, dict[str, Any]] = {
    "gpt-4o": {
        "litellm_provider": "openai",
        "mode": "chat",
        "max_input_tokens": 128_000,
        "input_cost_per_token": 1e-6,
        "output_cost_per_token": 2e-6,
    },
    "openai/odd": {"litellm_provider": "openai", "mode": "chat", "max_tokens": "many"},
    "tts-1": {"litellm_provider": "openai", "mode": "audio_speech"},
    "mistral/small": {"litellm_provider": "mistral", "mode": "chat"},
}
CATALOG = ModelCatalog(ENTRIES, lambda: ["openai", "mistral", "ollama", "custom"])


# --- the catalog --------------------------------------------------------------------


def test_a_window_is_found_by_the_full_id() -> None:
    assert CATALOG.context_window("openai/gpt-4o") == 128_000


@pytest.mark.parametrize("model", ["openai/unheard", "openai/odd", "mistral/gpt-4o"])
def test_an_unknown_window_is_none(model: str) -> None:
    assert CATALOG.context_window(model) is None


def test_an_unknown_price_is_none_and_never_0() -> None:
    assert CATALOG.price("openai/unheard") is None
    assert CATALOG.price("mistral/small") is None


def test_models_on_this_machine_are_free() -> None:
    assert CATALOG.price("ollama/anything") == TokenPrice(0.0, 0.0)
    assert CATALOG.price(embedded.EMBEDDED_MODEL) == TokenPrice(0.0, 0.0)


def test_only_models_that_write_text_are_listed() -> None:
    assert CATALOG.text_models("openai") == ["openai/gpt-4o", "openai/odd"]


def test_the_newest_models_come_first_without_old_ones_and_snapshots() -> None:
    names: dict[str, dict[str, Any]] = {
        "gpt-4o": {},
        "gpt-5.2": {},
        "gpt-5.10-2026-01-01": {},
        "gpt-6": {},
        "gpt-6-audio": {},
        "gpt-3.5-turbo": {"deprecation_date": "2020-01-01"},
        "o3": {"supported_output_modalities": ["text", "audio"]},
    }
    entries = {
        name: {"litellm_provider": "openai", "mode": "chat", **entry}
        for name, entry in names.items()
    }
    models = ModelCatalog(entries, lambda: ["openai"]).text_models("openai")
    assert short_list(models) == ["openai/gpt-6", "openai/gpt-5.2", "openai/gpt-4o"]
    assert "openai/gpt-5.10-2026-01-01" in models


def test_an_unknown_provider_is_an_error_with_similar_names() -> None:
    with pytest.raises(NotFound) as caught:
        CATALOG.parse_model_id("opanai/gpt-4o")
    assert "openai" in caught.value.hint


def test_a_model_without_a_provider_is_not_found() -> None:
    with pytest.raises(NotFound, match="names no provider"):
        CATALOG.parse_model_id("gpt-4o")


# --- where a call goes --------------------------------------------------------------


def missing(model: str) -> bool:
    return not model.startswith("custom/")


def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WRITEIT_ALLOW_MODEL_REQUESTS")
    with pytest.raises(ModelError) as caught:
        get_provider("openai").check_call("openai/gpt-4o", None, missing)
    assert caught.value.reason == "auth"
    assert "OPENAI_API_KEY" in caught.value.hint


def test_another_remote_endpoint_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
    with pytest.raises(ModelError, match="no API key"):
        get_provider("openai").check_call("openai/gpt-4o", None, missing)


def test_an_endpoint_on_loopback_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://[::1]:8000/v1")
    key = get_provider("openai").check_call("openai/gpt-4o", None, missing)
    assert key
    assert get_provider("openai").endpoint() == "http://[::1]:8000/v1"


def test_a_provider_without_keys_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WRITEIT_ALLOW_MODEL_REQUESTS")
    monkeypatch.setenv("CUSTOM_BASE_URL", "https://models.example/v1")
    assert get_provider("custom").check_call("custom/x", None, missing) is None


@pytest.mark.parametrize(
    "url", [None, "https://models.example/v1", "http://127.0.0.1.example/v1"]
)
def test_tests_reach_loopback_only(
    monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    if url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(ModelError, match="only loopback"):
        get_provider("openai").check_call("openai/gpt-4o", "key", missing)


async def test_a_key_is_not_in_the_repr_of_a_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    provider = get_provider("openai")
    target = await provider.target("openai/x", "secret", None, missing)
    assert target.key == "secret"
    assert "secret" not in repr(target)


@pytest.mark.parametrize(
    ("provider", "url", "host"),
    [
        ("openai", None, "api.openai.com"),
        ("openai", "https://models.example/v1", "models.example"),
        ("openai", "http://localhost:8000/v1", "this machine"),
        ("embedded", None, "this machine"),
        ("rare", None, ""),
    ],
)
def test_destination(
    monkeypatch: pytest.MonkeyPatch, provider: str, url: str | None, host: str
) -> None:
    if url:
        monkeypatch.setenv(f"{provider.upper()}_BASE_URL", url)
    assert get_provider(provider).destination() == host


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://localhost:11434"),
        ("0.0.0.0", "http://localhost:11434"),  # noqa: S104 -- as Ollama is told
        ("0.0.0.0:8080", "http://localhost:8080"),
        ("box", "http://box:11434"),
        (":9999", "http://localhost:9999"),
        ("[::1]:9999", "http://[::1]:9999"),
        ("https://box/ollama/", "https://box:443/ollama"),
    ],
)
def test_ollama_host_in_all_its_forms(
    monkeypatch: pytest.MonkeyPatch, value: str, url: str
) -> None:
    monkeypatch.delenv("WRITEIT_OLLAMA_URL")
    monkeypatch.setenv("OLLAMA_HOST", value)
    assert ollama.ollama_url() == url


# The list of models


def listing(ollama: list[str] | None = None, *keyed: str) -> ModelLister:
    catalog = ModelCatalog(ENTRIES, lambda: CATALOG.providers)
    entries: dict[str, dict[str, Any]] = {name: {} for name in ollama or ()}
    catalog.lists.lists["ollama"] = ServerList(
        "http://localhost:11434", None if ollama is None else entries
    )
    return ModelLister(
        catalog=catalog,
        providers_with_keys=frozenset(keyed),
        is_key_missing=missing,
    )


def test_the_embedded_model_comes_first_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("WRITEIT_CACHE_DIR", str(tmp_path_factory.mktemp("empty")))
    first = listing().list_models([], None)[0]
    assert first.id == embedded.EMBEDDED_MODEL
    assert not first.available
    assert first.context_window == 8192


def test_named_models_are_there_once() -> None:
    named = ["openai/gpt-4o"] * 2
    infos = listing(None, "openai").list_models(named, None)
    assert [info.id for info in infos].count("openai/gpt-4o") == 1


@pytest.mark.parametrize(
    ("ollama", "reason"),
    [(None, "ollama serve"), ([], "ollama pull phi"), (["phi:latest"], None)],
)
def test_ollama_models_say_what_to_do(
    ollama: list[str] | None, reason: str | None
) -> None:
    info = listing(ollama).model_info("ollama/phi")
    assert info.available is (reason is None)
    assert (reason or "") in (info.reason or "")


# API keys


@pytest.fixture
def keyring_passwords(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """The passwords of a fake keyring."""
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(keyring, "get_password", lambda s, p: kept.get((s, p)))
    monkeypatch.setattr(
        keyring, "set_password", lambda s, p, k: kept.__setitem__((s, p), k)
    )
    return kept


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without a keyring."""

    def refuse(*_: str) -> None:
        raise keyring.errors.NoKeyringError

    monkeypatch.setattr(keyring, "get_password", refuse)
    monkeypatch.setattr(keyring, "set_password", refuse)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
        ("some-thing", "SOME_THING_API_KEY"),
    ],
)
def test_the_environment_comes_first(
    keyring_passwords: dict[tuple[str, str], str], provider: str, variable: str
) -> None:
    keyring_passwords["writeit", provider] = "from the keyring"
    keys = SystemKeys({variable: " from the environment "})
    assert keys.get(provider) == "from the environment"
    assert keys.source(provider) == "environment"


def test_the_keyring_comes_second(
    keyring_passwords: dict[tuple[str, str], str],
) -> None:
    keys = SystemKeys({"OPENAI_API_KEY": " "})
    keys.set("openai", " secret\n")
    assert keyring_passwords == {("writeit", "openai"): "secret"}
    assert keys.get("openai") == "secret"
    assert keys.source("openai") == "keyring"


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_there_is_no_key() -> None:
    assert SystemKeys({}).get("openai") is None
    assert SystemKeys({}).source("openai") == "none"


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_a_key_cannot_be_saved() -> None:
    with pytest.raises(StoreError) as caught:
        SystemKeys({}).set("openai", "secret")
    assert "OPENAI_API_KEY" in caught.value.hint
    assert "secret" not in str(caught.value.to_json())


@pytest.mark.usefixtures("keyring_passwords")
@pytest.mark.parametrize("make", [lambda: SystemKeys({}), ScriptedKeys])
def test_real_and_scripted_keys_agree(
    make: Callable[[], SystemKeys | ScriptedKeys],
) -> None:
    keys = make()
    assert (keys.get("openai"), keys.source("openai")) == (None, "none")
    keys.set("openai", "k")
    assert (keys.get("openai"), keys.source("openai")) == ("k", "keyring")


# The embedded model if a part is missing


def test_without_the_runtime_the_reason_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "pip install 'writeit[local]'" in (embedded.why_unusable() or "")


def test_without_the_weights_the_reason_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("WRITEIT_CACHE_DIR", str(tmp_path_factory.mktemp("empty")))
    monkeypatch.setattr("importlib.util.find_spec", ModuleType)
    with pytest.raises(ModelError) as caught:
        embedded.check_usable(embedded.EMBEDDED_MODEL)
    assert caught.value.reason == "unavailable"
    assert "xllamacpp" not in sys.modules
