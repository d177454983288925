"""Commands that were refused until the user confirms them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.lsp.client import Client
from writeit.ports.models import Models

MAX_PENDING = 5
"""How many refused commands are offered again."""
MAX_MODELS = 3
"""How many models are offered where none is set."""


class Confirmations:
    """Offers refused commands again, in a dialog and as code actions."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pending: dict[str, types.Command] = {}

    @property
    def pending(self) -> list[types.Command]:
        """The commands that wait, newest first; running one confirms it."""
        return list(reversed(self._pending.values()))

    def offer(
        self,
        params: types.ExecuteCommandParams,
        error: WriteItError,
        execute: Callable[[types.ExecuteCommandParams], Awaitable[Any]],
    ) -> None:
        """Offer a refused command; the title is the refusal's `confirm`.

        The refusal is the reply: nothing waits for the user.
        """
        title = error.data["confirm"]
        argument: Any = params.arguments[0] if params.arguments else {}
        again = {**argument, "confirmed": True, "wait": False}
        self.add(title, params.command, again)

        async def ask() -> None:
            if await self._client.ask(error.message, title):
                again_params = types.ExecuteCommandParams(
                    command=params.command, arguments=[again]
                )
                try:
                    await execute(again_params)
                except WriteItError as refused:
                    self._client.show_error(refused)

        if self._client.capabilities.ask:
            self._client.spawn_task(ask())

    async def offer_models(self, models: Models) -> None:
        """Offer models that can be used without another word: with a key, or local."""
        usable = [info for info in await models.list_models() if info.available]
        for info in reversed(usable[:MAX_MODELS]):
            params = {"provider": info.provider, "model": info.id}
            self.add(f"Use {info.id} by default", "writeit.model.add", params)
        if usable:
            self._client.show_fallback_message(
                f"Choose a code action to set one, such as: Use {usable[0].id} by"
                " default. The model is called once."
            )

    def add(self, title: str, command: str, argument: dict[str, Any]) -> None:
        """Offer a command as a code action."""
        self._pending.pop(title, None)
        self._pending[title] = types.Command(
            title=f"WriteIt: {title}", command=command, arguments=[argument]
        )
        while len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]

    def forget(self, named: str) -> None:
        """Offer the commands with this title or id no more."""
        for title, command in [*self._pending.items()]:
            if named in {title, command.command}:
                del self._pending[title]

    def remove(self, params: types.ExecuteCommandParams) -> None:
        """Forget a command that the user has confirmed."""
        self._pending = {
            title: command
            for title, command in self._pending.items()
            if command.command != params.command
            or command.arguments != params.arguments
        }
