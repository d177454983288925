"""Commands that were refused until the user confirms them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.lsp.client import Client

MAX_PENDING = 5
"""How many refused commands are offered again."""


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

    def add(self, title: str, command: str, argument: dict[str, Any]) -> None:
        """Offer a command as a code action."""
        self._pending.pop(title, None)
        self._pending[title] = types.Command(
            title=f"WriteIt: {title}", command=command, arguments=[argument]
        )
        while len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]

    def forget(self, title: str) -> None:
        """Offer a command no more."""
        self._pending.pop(title, None)

    def remove(self, params: types.ExecuteCommandParams) -> None:
        """Forget a command that the user has confirmed."""
        self._pending = {
            title: command
            for title, command in self._pending.items()
            if command.command != params.command
            or command.arguments != params.arguments
        }
