"""From `workspace/executeCommand` to a handler and back: validation and errors."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from writeit.domain.errors import InvalidParams, WriteItError
from writeit.lsp.convert import to_invalid_params
from writeit.lsp.errors import to_rpc_error
from writeit.lsp.fallback_messages import show_reply_message
from writeit.lsp.protocol import Params

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from lsprotocol import types

    from writeit.lsp.protocol import WireModel
    from writeit.lsp.session import Session, WorkspaceFolder

logger = logging.getLogger(__name__)

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Request(Generic[P]):
    """One command as its handler sees it."""

    session: Session
    params: P
    work_done_token: types.ProgressToken | None = None


def run_folder(request: Request[Any]) -> WorkspaceFolder:
    """Return the folder of the run that a command is about.

    Raises:
        NotFound: the folder that it names is not open.
    """
    return request.session.resolve_folder(request.params, run_id=request.params.run_id)


@dataclass(frozen=True, slots=True)
class Command(Generic[P]):
    """What a command takes, gives and does."""

    params_model: type[P]
    result_model: type[WireModel]
    """Where the command waits; `Accepted` otherwise."""
    handler: Callable[[Request[P]], Awaitable[WireModel]]


async def execute_command(session: Session, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
    """Run one command; its refusals become the contract's JSON-RPC errors."""
    try:
        command = _find_command(params.command)
        parsed = _parse_params(command.params_model, params.arguments)
        request = Request(session, parsed, params.work_done_token)
        result = await command.handler(request)
        show_reply_message(session, params.command, parsed, result)
    except WriteItError as error:
        logger.info("%s refused: %s", params.command, error.message)
        raise to_rpc_error(
            error, include_hint=not session.client_options.has_plugin
        ) from None
    except Exception:
        logger.exception("%s failed", params.command)
        raise
    return result.to_json()


def _find_command(name: str) -> Command[Any]:
    from writeit.lsp.commands import HANDLERS  # noqa: PLC0415 -- it imports this

    if name not in HANDLERS:
        raise InvalidParams(
            f"There is no command {name!r}.",
            hint="Commands: " + ", ".join(sorted(HANDLERS)),
            problems=[{"path": "command", "message": "is not known"}],
        )
    return HANDLERS[name]


def _parse_params(model: type[P], arguments: Sequence[Any] | None) -> P:
    """Validate the one argument object; no argument is an empty one."""
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
    """Refuse halves of characters: they could neither be stored nor sent back."""
    try:
        json.dumps(argument, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidParams(
            "The parameters hold half a character (a lone UTF-16 surrogate).",
            hint="Give whole characters; the other half was cut off.",
            problems=[{"path": "", "message": error.reason}],
        ) from None
