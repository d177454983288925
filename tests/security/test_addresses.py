"""A model id is a name and never an address; where a call goes is always said."""

import pytest

from support.attacks import add_pipeline
from support.editor import Editor
from support.provider import Provider
from writeit.domain.errors import InvalidParams
from writeit.domain.model_id import check_model_id
from writeit.llm.litellm_backend import default_endpoint
from writeit.llm.providers.registry import get_provider

URL = "http://127.0.0.1:9/v1"
ADDRESSES = {
    "a text generation server": f"oobabooga/{URL}",
    "another provider": f"huggingface/{URL}",
    "no scheme": "huggingface//example.org/v1",
    "an upper case scheme": "oobabooga/HTTPS://example.org",
    "after the name": "openai/gpt-4o?x=http://example.org",
    "a fragment": "openai/gpt-4o#example.org",
    "an encoded address": "openai/http%3A%2F%2Fexample.org",
    "an address that is encoded twice": "openai/http%253A%252F%252Fexample.org//x",
    "an encoded line break": "openai/%0d%0aHost:example.org",
    "an encoded backslash": "openai/%5c%5cexample.org",
    "an escape": "openai/gpt%204o",
    "a step that is encoded twice": "openai/%252e%252e/x",
    "a scheme with one slash": "openai/http:/example.org",
    "a scheme with no slash": "azure/https:example.org",
    "a step up": "openai/../v2/x",
    "a dot": "openai/./x",
    "a backslash": "openai/\\\\example.org",
    "a space": "openai/gpt 4o",
    "a line break": "openai/gpt-4o\nHost: example.org",
    "no provider": "/gpt-4o",
    "no name": "openai/",
    "full-width characters": "openai/gpt\uff0f4o",
    "a bidirectional character": "openai/\u202eo4-tpg",
    "a zero-width character": "openai/gpt\u200b-4o",
    "a template": "openai/{{ env }}",
    "very long": "openai/" + "x" * 1_000,
}
NAMES = (
    *("openai/gpt-4o", "gpt-4o", "ollama/llama3.2:3b", "openrouter/a/b-c:free"),
    *("vertex_ai/claude@001", "bedrock/us-east-1/anthropic.claude-v2:1", "azure/x+y"),
)


@pytest.mark.parametrize("model", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_an_address_is_no_model_id(model: str) -> None:
    """It is refused when it would be called."""
    with pytest.raises(InvalidParams):
        check_model_id(model)


@pytest.mark.parametrize("model", NAMES)
def test_a_name_is_a_model_id(model: str) -> None:
    """Every form that providers use."""
    check_model_id(model)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("kind", ["oobabooga", "huggingface", "openai", "ollama"])
async def test_a_pipeline_that_names_an_address_sends_nothing(
    cloned: Editor, provider: Provider, kind: str
) -> None:
    """A run does not even start."""
    add_pipeline(
        cloned.folder, f"evil-{kind}", f"models: ['{kind}/{provider.base_url}']"
    )
    before = len(provider.calls)
    refusal = await cloned.refusal(
        "writeit.run.start", pipeline=f"evil-{kind}", uri=cloned.notes
    )
    assert refusal.kind == "invalid_params"
    assert "Nothing was sent" in str(refusal)
    assert provider.calls[before:] == []


@pytest.mark.asyncio(loop_scope="session")
async def test_front_matter_that_names_an_address_sends_nothing(
    cloned: Editor, provider: Provider
) -> None:
    """As a pipeline."""
    path = cloned.folder / "bound.md"
    path.write_text(
        "---\nwriteit:\n  pipeline: tech-article\n"
        f"  models: {{angles: ['oobabooga/{provider.root}']}}\n---\nSecret.\n"
    )
    before = len(provider.calls)
    refusal = await cloned.refusal(
        "writeit.run.start",
        pipeline="tech-article",
        uri=cloned.open_document(path),
    )
    assert refusal.kind == "invalid_params"
    assert provider.calls[before:] == []


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("provider_name", ["oobabooga", "custom_openai", "dotprompt"])
async def test_a_provider_without_an_address_is_not_called(
    cloned: Editor, provider_name: str
) -> None:
    """Else the library below would choose where the text goes."""
    run_id = await cloned.start_run()
    refusal = await cloned.refusal(
        "writeit.step.run", runId=run_id, models=[f"{provider_name}/x"]
    )
    assert "no address is set" in str(refusal)


@pytest.mark.parametrize(
    ("model", "host"),
    [
        ("openai/gpt-4o", "api.openai.com"),
        ("anthropic/claude-sonnet-4-5", "api.anthropic.com"),
        ("groq/llama-3.1-8b-instant", "api.groq.com"),
        ("mistral/mistral-large-latest", "api.mistral.ai"),
        ("gemini/gemini-2.5-pro", "generativelanguage.googleapis.com"),
    ],
)
def test_the_host_that_is_shown_is_the_one_that_is_called(
    model: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint is given with the call, so that no variable changes it."""
    provider = get_provider(model.partition("/")[0])
    default = default_endpoint(model)
    assert provider.destination(default) == host
    monkeypatch.setenv(f"{provider.name.upper()}_API_BASE", "https://proxy.example")
    assert provider.destination(default) == "proxy.example"
    assert provider.call_endpoint(default) == "https://proxy.example"
