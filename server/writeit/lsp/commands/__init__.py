"""`workspace/executeCommand`: find the handler, validate, reply or refuse.

There is a module for each noun; importing it adds its commands to `HANDLERS`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from lsprotocol import types
from pydantic import ValidationError

from writeit.domain.errors import InvalidParams, NoModelSet, WriteItError
from writeit.lsp.command import HANDLERS, Command, P, Request
from writeit.lsp.commands import (
    decide,
    document,
    findings,
    library,
    review,
    run,
    step,
    view,
    workspace,
)
from writeit.lsp.convert import to_invalid_params
from writeit.lsp.fallback_messages import show_reply_message
from writeit.lsp.messages import to_rpc_error
from writeit.lsp.pygls_fixes import JsonObject
from writeit.lsp.session import Session

__all__ = [
    "HANDLERS",
    "decide",
    "document",
    "findings",
    "library",
    "review",
    "run",
    "step",
    "view",
    "workspace",
]

logger = logging.getLogger(__name__)


async def execute_command(session: Session, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
    """Run a command and return its result.

    Raises:
        JsonRpcException: the command was refused; it carries the error's data.
    """
    client = session.client
    try:
        return await _run_command(session, params)
    except WriteItError as error:
        if "confirm" in error.data:
            again = partial(_run_command, session)
            session.confirmations.offer(params, error, again)
        elif isinstance(error, NoModelSet) and not client.options.has_plugin:
            models = session.ports.models
            client.spawn_task(session.confirmations.offer_models(models))
        logger.info("%s refused: %s", params.command, error.message)
        raise to_rpc_error(error, include_hint=not client.options.has_plugin) from None
    except Exception:
        logger.exception("%s failed", params.command)
        raise


async def _run_command(session: Session, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
    command = _find_command(params.command)
    parsed = _parse_params(command.params_model, params.arguments)
    session.confirmations.remove(params)
    request = Request(session, parsed, params.work_done_token)
    started = session.ports.clock.now()
    is_polled = params.command.rpartition(".")[2] in POLLED
    try:
        result = await command.handler(request)
    except WriteItError:
        if not is_polled:
            await _record_activity(request, started, keep=False)
        raise
    if not is_polled:
        await _record_activity(request, started, keep=True)
    show_reply_message(session.client, params.command, parsed, result)
    return JsonObject(result.to_json())


POLLED = frozenset(
    {"list", "show", "get", "read", "tree", "status", "search", "changes"}
)
"""The last words of commands that clients send by themselves, to show something."""


async def _record_activity(
    request: Request[Any], started: datetime, *, keep: bool
) -> None:
    """Record that the user did something, unless the command has recorded it.

    Without `keep` it is stored with the next change: a refusal writes nothing.
    """
    with suppress(WriteItError):  # the reply to the command says what is wrong
        folder = request.folder()
        if not folder.has_open_store:
            return
        transactions = folder.engine.transactions
        if transactions.session.last_activity >= started:
            return
        if keep:
            await folder.engine.record_activity()
        else:
            transactions.note_activity()


def _find_command(name: str) -> Command:
    if name not in HANDLERS:
        raise InvalidParams(
            f"There is no command {name!r}.",
            hint="Commands: " + ", ".join(sorted(HANDLERS)),
            problems=[{"path": "command", "message": "is not known"}],
        )
    return HANDLERS[name]


def _parse_params(model: type[P], arguments: Sequence[Any] | None) -> P:
    """Validate the one argument object; without an argument it is empty."""
    arguments = arguments or [{}]
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise InvalidParams(
            "A command takes one argument, an object.",
            hint="arguments: [{…}]",
            problems=[{"path": "", "message": f"{len(arguments)} arguments given"}],
        )
    _require_valid_unicode(arguments[0])
    try:
        return model.model_validate(arguments[0])
    except ValidationError as error:
        raise to_invalid_params(error, model) from None


def _require_valid_unicode(argument: dict[str, Any]) -> None:
    """Refuse lone surrogates: they can be neither stored nor sent back."""
    try:
        json.dumps(argument, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidParams(
            "The parameters have half a character (a lone UTF-16 surrogate).",
            hint="Send whole characters; the other half was cut off.",
            problems=[{"path": "", "message": error.reason}],
        ) from None
