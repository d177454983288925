"""OpenAI's two dialects, chat completions and Responses, without any SDK.

Most providers, gateways and local servers speak the first. The SDK would take longer
to import than the whole rest of a call, and hides the bytes that say that a provider
is at work.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import httpx

from writeit.llm.answer import THOUGHT_NAME, Answer
from writeit.llm.network import open_response, read_events
from writeit.llm.parameters import CallParameters, Learned
from writeit.llm.price_map import read_usage
from writeit.llm.provider_messages import ProviderFailure, read_body
from writeit.llm.providers.provider import CallTarget

_LOST: Final = (httpx.ReadError, httpx.RemoteProtocolError)


async def answer_call(
    target: CallTarget,
    prompt: str,
    sent: CallParameters,
    known: Learned,
    answer: Answer,
) -> None:
    """Make one call and read its answer.

    Raises:
        ProviderFailure: the provider sent an error.
        httpx.HTTPError: the connection failed.
        ValueError: what it sent is no answer.
    """
    if known.by_responses:
        body = _responses_body(target, prompt, sent, known)
        path, read = "responses", _respond
    else:
        body = _chat_body(target, prompt, sent, known)
        path, read = "chat/completions", _read_chunk
    url = f"{(target.endpoint or '').rstrip('/')}/{path}"
    try:
        async with open_response(url, body, _headers(target)) as response:
            async for event in read_events(response):
                read(event, answer)
    except _LOST:
        # Some servers close the connection abruptly after the last event.
        if answer.ending is None:
            raise


def _headers(target: CallTarget) -> dict[str, str]:
    headers = {"authorization": f"Bearer {target.key}"} if target.key else {}
    if target.provider == "openai":
        for name in ("organization", "project"):
            variable = "ORG_ID" if name == "organization" else "PROJECT_ID"
            if value := os.environ.get(f"OPENAI_{variable}", "").strip():
                headers[f"openai-{name}"] = value
    return headers


def _chat_body(
    target: CallTarget, prompt: str, sent: CallParameters, known: Learned
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": target.name,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
    }
    if sent.stream_options:
        body["stream_options"] = {"include_usage": True}
    if sent.max_tokens is not None:
        body[known.limit_name] = sent.max_tokens
    if sent.temperature is not None:
        body["temperature"] = sent.temperature
    if form := sent.chat_response_format:
        body["response_format"] = form
    if target.provider == "openrouter":
        body["usage"] = {"include": True}
    if sent.reasoning is not None:
        body |= _chat_reasoning(target.provider, sent, _effort(sent, known))
    return body


def _effort(sent: CallParameters, known: Learned) -> str:
    return known.lowest_effort if sent.level == "none" else sent.level


def _chat_reasoning(provider: str, sent: CallParameters, effort: str) -> dict[str, Any]:
    if provider == "openrouter":
        if isinstance(sent.reasoning, int) and sent.reasoning:
            return {"reasoning": {"max_tokens": sent.reasoning}}
        return {"reasoning": {"effort": effort}}
    if provider == "deepseek":
        kind = "disabled" if sent.level == "none" else "enabled"
        return {"thinking": {"type": kind}}
    return {"reasoning_effort": effort}


def _raise_error(event: Mapping[str, Any]) -> None:
    """Raise the error of an event that has one."""
    if event.get("error") or event.get("object") == "error":  # the latter of vLLM
        raise ProviderFailure(read_body(event).status, dict(event))


def _read_chunk(event: Mapping[str, Any], answer: Answer) -> None:
    _raise_error(event)
    answer.usage = read_usage(event.get("usage")) or answer.usage
    choices = event.get("choices")
    if not isinstance(choices, list) or not choices:
        return
    choice = choices[0] if isinstance(choices[0], dict) else {}
    answer.usage = read_usage(choice.get("usage")) or answer.usage  # Moonshot's place
    delta = choice.get("delta") or choice.get("message")
    delta = delta if isinstance(delta, dict) else {}
    answer.add_thoughts(delta)
    _read_content(delta.get("content", choice.get("text")), answer)
    if isinstance(refusal := delta.get("refusal"), str):
        answer.refusal += refusal
    answer.end(choice.get("finish_reason"))
    if answer.refusal and answer.ending == "stop":
        answer.ending = "refusal"


def _read_content(content: object, answer: Answer) -> None:
    """Add content: text, or a list of parts, of which some are thoughts."""
    for part in content if isinstance(content, list) else [content]:
        if not isinstance(part, Mapping):
            answer.add_text(part)
        elif part.get("thought") is True or THOUGHT_NAME.search(str(part.get("type"))):
            answer.add_thoughts({"thought": part})
        else:
            answer.add_text(part.get("text"))


def _responses_body(
    target: CallTarget, prompt: str, sent: CallParameters, known: Learned
) -> dict[str, Any]:
    body = {
        "model": target.name,
        "input": prompt,
        "stream": True,
        "store": False,
        "max_output_tokens": sent.max_tokens,
        "temperature": sent.temperature,
        "reasoning": None
        if sent.reasoning is None
        else {"effort": _effort(sent, known)},
    }
    if form := sent.response_format:
        body["text"] = {"format": form}
    return {name: value for name, value in body.items() if value is not None}


def _respond(event: Mapping[str, Any], answer: Answer) -> None:
    """Read an event of the Responses API."""
    kind = str(event.get("type", ""))
    response = event.get("response")
    response = response if isinstance(response, Mapping) else {}
    if kind == "error" or response.get("error") or event.get("error"):
        failed = response if response.get("error") else event
        raise ProviderFailure(read_body(failed).status, dict(failed))
    match kind:
        case "response.output_text.delta":
            answer.add_text(event.get("delta"))
        case "response.refusal.delta":
            answer.refusal += str(event.get("delta", ""))
        case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
            answer.add_thought(event.get("delta"))
        case "response.output_item.added":
            if _field(event, "item", "type") == "reasoning":
                answer.add_thought("")
        case "response.completed" | "response.incomplete":
            answer.usage = read_usage(response.get("usage")) or answer.usage
            why = _field(response, "incomplete_details", "reason")
            answer.end("refusal" if answer.refusal else why or kind.partition(".")[2])


def _field(of: Mapping[str, Any], name: str, inner: str) -> Any:  # noqa: ANN401 -- JSON of a stranger
    value = of.get(name)
    return value.get(inner) if isinstance(value, Mapping) else None
