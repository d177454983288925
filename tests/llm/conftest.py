"""One provider and one model host per module: starting a host takes seconds."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.provider import Provider, running
from support.scripted_models import ScriptedKeys
from writeit.llm.client import ModelHostClient

MakeClient = Callable[..., ModelHostClient]

KEY = "sk-test-0123456789abcdefghijklmnop"
CACHE = Path(__file__).parents[2] / ".cache" / "writeit"
_FOREIGN = ("_API_KEY", "_BASE_URL", "_API_BASE", "_TOKEN")


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """No test calls a real provider, whatever the environment contains."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.endswith(_FOREIGN):
                patch.delenv(name)
        patch.setenv("WRITEIT_ALLOW_MODEL_REQUESTS", "loopback")
        # Nothing listens on the discard port: no test meets a developer's Ollama.
        patch.setenv("WRITEIT_OLLAMA_URL", "http://127.0.0.1:9")
        yield


@pytest.fixture(scope="session")
def key() -> str:
    """The key of every keyed provider in these tests."""
    return KEY


@pytest.fixture(scope="session")
def cache() -> Path:
    """The folder that the embedded model is downloaded to, once."""
    return CACHE


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def provider() -> AsyncIterator[Provider]:
    """A provider on loopback."""
    async with running() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(provider: Provider) -> AsyncIterator[ModelHostClient]:
    """A client whose host calls the provider on loopback."""
    made = client_for(provider, {"openai": KEY})
    await made.resolve_model_id("openai/anything")  # wait until it is ready
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def make_client(provider: Provider) -> AsyncIterator[MakeClient]:
    """Make clients with a host each; arguments are API keys by provider."""
    made: list[ModelHostClient] = []

    def make(**keys: str) -> ModelHostClient:
        made.append(client_for(provider, keys))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def impatient_client(provider: Provider) -> AsyncIterator[ModelHostClient]:
    """A client whose host has a time limit of one second."""
    made = client_for(provider, {"openai": KEY}, patience=1)
    await made.resolve_model_id("openai/anything")
    yield made
    await made.close()


def client_for(
    provider: Provider, keys: dict[str, str], patience: int = 20
) -> ModelHostClient:
    """Make a client whose host calls `provider`."""
    environment = {
        "OPENAI_BASE_URL": provider.base_url,
        "WRITEIT_OLLAMA_URL": provider.root,
        "WRITEIT_MODEL_TIMEOUT": str(patience),
    }
    return ModelHostClient(keys=ScriptedKeys(keys), environment=environment)
