"""`writeit.keys.*`: giving a provider its key, and where keys come from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core.run import split_model_id
from writeit.lsp import protocol as p
from writeit.lsp.commands.model import named_models
from writeit.lsp.dispatch import Command, Request

if TYPE_CHECKING:
    from writeit.ports import World


async def set_key(request: Request[p.KeysSetParams]) -> p.KeysSetResult:
    """Keep a key in the system keyring; it is never read back."""
    connection, params = request.connection, request.params
    world, provider = connection.world, params.provider
    await check_provider(world, provider)
    # A keyring may ask its owner first, and that may take her a while.
    await asyncio.to_thread(world.keys.set, provider, params.key.get_secret_value())
    if await asyncio.to_thread(world.keys.source, provider) == "environment":
        connection.show(
            f"The key of {provider} is kept, but the environment has one too, and"
            " that one is used.",
            types.MessageType.Info,
        )
    return p.KeysSetResult(provider=provider, stored=True)


async def check_provider(world: World, provider: str) -> None:
    """Check that somebody knows `provider`.

    Raises:
        NotFound: nobody does; the nearest names are in the hint.
    """
    if provider not in world.keys.sources():
        await world.models.identify(f"{provider}/any")


async def list_keys(request: Request[p.Params]) -> p.KeysListResult:
    """Say for each provider within reach where its key comes from."""
    folder = request.connection.folder(request.params)
    models = await named_models(request.connection, folder)
    named = [split_model_id(model)[0] for model in models if "/" in model]
    keys = request.connection.world.keys
    sources = await asyncio.to_thread(keys.sources, named)
    return p.KeysListResult(
        providers=[
            p.KeyEntry(provider=provider, source=source)
            for provider, source in sources.items()
        ]
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.keys.set": Command(p.KeysSetParams, p.KeysSetResult, set_key),
    "writeit.keys.list": Command(p.Params, p.KeysListResult, list_keys),
}
