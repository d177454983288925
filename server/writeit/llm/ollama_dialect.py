"""Ollama's own dialect: a line of JSON for each piece of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from writeit.llm.answer import Answer
from writeit.llm.network import open_response, parse_object, read_lines
from writeit.llm.parameters import CallParameters
from writeit.llm.price_map import ReportedUsage, read_usage
from writeit.llm.provider_messages import ProviderFailure, read_body
from writeit.llm.providers.ollama import context_size_for
from writeit.llm.providers.provider import CallTarget


async def answer_call(
    target: CallTarget, prompt: str, sent: CallParameters, answer: Answer
) -> None:
    """Make one call and read its answer.

    Raises:
        ProviderFailure: Ollama sent an error.
        httpx.HTTPError: the connection failed.
        ValueError: what it sent is no answer.
    """
    url = f"{target.endpoint}/api/chat"
    async with open_response(url, _body(target, prompt, sent), {}) as response:
        async for line in read_lines(response):
            if line.strip():
                _read_line(parse_object(line), answer)


def _body(target: CallTarget, prompt: str, sent: CallParameters) -> dict[str, Any]:
    options = {
        "temperature": sent.temperature,
        "num_predict": sent.max_tokens,
        "num_ctx": context_size_for(prompt, sent.max_tokens, target.context_window),
    }
    body: dict[str, Any] = {
        "model": target.name,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "options": {name: v for name, v in options.items() if v is not None},
    }
    if sent.json_schema is not None:
        body["format"] = sent.json_schema
    if sent.reasoning is not None:
        thinks = sent.level != "none"
        # Only this family has levels; it cannot be told not to think.
        has_levels = "gpt-oss" in target.name and thinks
        body["think"] = sent.level if has_levels else thinks
    return body


def _read_line(line: Mapping[str, Any], answer: Answer) -> None:
    if line.get("error"):
        raise ProviderFailure(read_body(line).status, dict(line))
    message = line.get("message")
    if isinstance(message, Mapping):
        answer.add_thoughts(message)
        answer.add_text(message.get("content"))
    if line.get("done"):
        answer.end(line.get("done_reason") or "stop")
        answer.usage = _usage(line)


def _usage(line: Mapping[str, Any]) -> ReportedUsage | None:
    return read_usage(
        {
            "prompt_tokens": line.get("prompt_eval_count"),
            "completion_tokens": line.get("eval_count"),
        }
    )
