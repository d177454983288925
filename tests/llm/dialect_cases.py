"""What real providers send, and what WriteIt makes of it; `docs/models.md` shows it.

Each case replays one answer or failure in the format of a provider.
"""

# ruff: noqa: E501 -- providers' own sentences

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.wire_formats import TEXT, Fault, Piece, Reply, Scene, chat, event
from writeit.domain.errors import FailureReason

HALF = "The river rose in the night. "
LONG = Scene(text="word " * 400)
CLAUDE, FABLE = "anthropic/claude-sonnet-4-5", "anthropic/claude-fable-5"
FLASH, PRO = "gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro"


@dataclass(frozen=True, kw_only=True)
class DialectCase:
    """One recording and its outcome; tokens: 300 of text."""

    name: str
    model: str
    replies: tuple[Reply, ...]
    room: int = 0
    reasoning: str | None = None
    temperature: float | None = None
    text: str | None = TEXT
    """The whole text; None for a failure without any."""
    thought: bool = False
    finish: str | None = "stop"
    reason: FailureReason | None = None
    says: str = ""
    """A part of the message and its hint."""
    after: float | None = None
    """`retryAfter`, in seconds."""
    requests: int = 1
    notices: int = 0
    sent: dict[str, Any] = field(default_factory=dict)
    """Fields of the last request; None if absent."""
    usage: dict[str, Any] = field(default_factory=dict)
    """Fields of the usage, of a failed call too."""

    def as_markdown(self) -> str:
        """The row of the documentation's table."""
        dialect, _, what = self.name.rpartition(": ")
        outcome = "failed" if self.text is None else "complete"
        if self.text is not None and self.reason:
            outcome = "partial"
        word = f"`{self.reason or f'finishReason: {self.finish}'}`"
        again = "yes" if self.requests > 1 else "no"
        return f"| {dialect or 'any'} | {what} | {outcome} | {word} | {again} |"


def openai_error(message: str, **more: object) -> dict[str, Any]:
    """Build the body of an OpenAI error."""
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def refusing(name: str, message: str, **more: object) -> Reply:
    """Answer only requests without a parameter."""

    def reply(body: dict[str, Any]) -> Reply:
        if name in body:
            return Fault(status=400, body=openai_error(message, **more))
        return Scene()

    return reply


def failing(
    name: str, model: str, status: int, body: object, reason: FailureReason, **more: Any
) -> DialectCase:
    """Build a case of an HTTP error."""
    headers = more.pop("headers", {})
    reply = Fault(status=status, body=body, headers=headers)
    return DialectCase(
        name=name,
        model=model,
        replies=(reply,),
        text=None,
        finish=None,
        reason=reason,
        **more,
    )


def empty(
    name: str, model: str, scene: Scene, reason: FailureReason, **more: Any
) -> DialectCase:
    """Build a case of an answer without text."""
    return DialectCase(
        name=name,
        model=model,
        replies=(scene,),
        text=None,
        finish=None,
        reason=reason,
        **more,
    )


def google_error(
    code: int, status: str, message: str, *details: object
) -> dict[str, Any]:
    """Build the body of a Gemini error."""
    return {
        "error": {
            "code": code,
            "message": message,
            "status": status,
            "details": [*details],
        }
    }


def claude_error(kind: str, message: str) -> dict[str, Any]:
    """Build the body of an Anthropic error."""
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_1",
    }


def tagged(body: dict[str, Any]) -> list[Piece]:
    """Stream a thought in the content."""
    del body
    return list(chat(Scene(text=f"<think>\nWhich river?\n</think>\n\n{TEXT}")))


CUT_THINKING = {
    "thought": True,
    "says": "all 300 tokens for thinking",
    "usage": {"completion_tokens": 300},
}
NO_TEMPERATURE = "Unsupported value: 'temperature' does not support 0.9 with this model. Only the default (1) value is supported."
QUOTA = "You exceeded your current quota, please check your plan and billing details."
EVERY_SECOND = (b": keep-alive\n\n", 5, 0.25)
PING = (b'event: ping\ndata: {"type": "ping"}\n\n', 5, 0.25)

THINKING = (
    empty(
        "OpenAI chat: all tokens went into thinking",
        "openai/gpt-5-mini",
        Scene(think=900, told=False),
        "empty",
        says="all 300 tokens for thinking",
        usage={"reasoning_tokens": 300},
    ),
    DialectCase(
        name="OpenAI chat: a model that thinks, with room",
        model="openai/o3",
        replies=(Scene(think=900, told=False),),
        room=8192,
        sent={"max_completion_tokens": 8492, "max_tokens": None},
        usage={"reasoning_tokens": 900},
    ),
    DialectCase(
        name="OpenAI chat: thoughts in a field",
        model="deepseek/deepseek-reasoner",
        replies=(Scene(think=20),),
        thought=True,
    ),
    empty(
        "OpenAI chat: thoughts in a field and no text",
        "deepseek/deepseek-reasoner",
        Scene(think=900),
        "empty",
        **CUT_THINKING,
    ),
    DialectCase(
        name="OpenAI chat: thoughts in tags",
        model="openai/deepseek-r1",
        replies=(tagged,),
        text=f"<think>\nWhich river?\n</think>\n\n{TEXT}",
    ),
    DialectCase(
        name="OpenAI chat: a level of thinking",
        model="openai/o3",
        replies=(Scene(),),
        reasoning="low",
        sent={"reasoning_effort": "low"},
    ),
    DialectCase(
        name="OpenAI chat: no thinking, as near as the model can",
        model="openai/gpt-5-mini",
        replies=(Scene(),),
        reasoning="none",
        sent={"reasoning_effort": "minimal"},
    ),
    DialectCase(
        name="OpenAI chat: a level for a model that does not think",
        model="openai/gpt-4o",
        replies=(Scene(),),
        reasoning="high",
        sent={"reasoning_effort": None},
        notices=1,
    ),
    DialectCase(
        name="OpenAI Responses: a model of this dialect only",
        model="openai/gpt-5-pro",
        replies=(Scene(think=50),),
        room=8192,
        thought=True,
        reasoning="high",
        sent={
            "max_output_tokens": 8492,
            "reasoning": {"effort": "high"},
            "store": False,
        },
        usage={"reasoning_tokens": 50},
    ),
    empty(
        "OpenAI Responses: all tokens went into thinking",
        "openai/o3-pro",
        Scene(think=900),
        "empty",
        **CUT_THINKING,
    ),
    empty(
        "Anthropic: all tokens went into thinking",
        FABLE,
        Scene(think=900),
        "empty",
        **CUT_THINKING,
    ),
    DialectCase(
        name="Anthropic: a budget for thinking",
        model=CLAUDE,
        replies=(Scene(think=30),),
        room=2048,
        reasoning="low",
        temperature=0.9,
        thought=True,
        sent={
            "max_tokens": 2348,
            "thinking": {"type": "enabled", "budget_tokens": 2048},
            "temperature": None,
        },
        usage={"reasoning_tokens": None},
    ),
    DialectCase(
        name="Anthropic: adaptive thinking",
        model=FABLE,
        replies=(
            Scene(think=30, usage={"output_tokens_details": {"thinking_tokens": 29}}),
        ),
        room=2048,
        reasoning="low",
        thought=True,
        sent={"output_config": {"effort": "low"}},
        usage={"reasoning_tokens": 29},
    ),
    empty(
        "Gemini: all tokens went into thinking",
        PRO,
        Scene(think=900, told=False),
        "empty",
        says="all 300 tokens for thinking",
        usage={"reasoning_tokens": 300},
    ),
    DialectCase(
        name="Gemini: thoughts and a budget",
        model=FLASH,
        replies=(Scene(think=30),),
        room=2048,
        reasoning="low",
        thought=True,
        sent={
            "generationConfig": {
                "max_output_tokens": 2348,
                "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2048},
            }
        },
    ),
    empty(
        "Ollama: all tokens went into thinking",
        "ollama/qwen3:8b",
        Scene(think=900),
        "empty",
        **CUT_THINKING,
    ),
    DialectCase(
        name="Ollama: thoughts in a field",
        model="ollama/qwen3:8b",
        replies=(Scene(think=30),),
        room=2048,
        reasoning="low",
        thought=True,
        sent={"think": True},
    ),
    DialectCase(
        name="Ollama: thoughts in tags",
        model="ollama/deepseek-r1:7b",
        replies=(Scene(text=f"<think>\nWhich?\n</think>\n\n{TEXT}"),),
        text=f"<think>\nWhich?\n</think>\n\n{TEXT}",
    ),
)

FIELDS = tuple(
    DialectCase(
        name=f"OpenAI chat: thoughts in {name}",
        model="openai/a-server-of-ones-own",
        replies=(
            [
                event({"choices": [{"delta": {name: value}}]}),
                event({"choices": [{"delta": {"content": TEXT}}]}),
                event({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
            ],
        ),
        thought=True,
    )
    for name, value in (
        ("thinking", "Hm."),
        ("reasoning_text", "Hm."),
        ("reasoning_details", [{"type": "reasoning.summary", "summary": "Hm."}]),
    )
)

ENDS = (
    DialectCase(
        name="OpenAI chat: the limit of tokens",
        model="openai/gpt-4o",
        replies=(LONG,),
        text="word " * 300,
        finish="length",
    ),
    DialectCase(
        name="OpenAI chat: the content filter",
        model="openai/gpt-4o",
        replies=(Scene(end="content_filter"),),
        finish="content_filter",
    ),
    DialectCase(
        name="Anthropic: the limit of tokens",
        model=CLAUDE,
        replies=(LONG,),
        text="word " * 300,
        finish="length",
    ),
    DialectCase(
        name="Anthropic: a refusal after text",
        model=CLAUDE,
        replies=(Scene(end="refusal"),),
        finish="refused",
    ),
    DialectCase(
        name="Anthropic: a pause",
        model=CLAUDE,
        replies=(Scene(end="pause_turn"),),
        finish="length",
    ),
    DialectCase(
        name="Anthropic: the window is full",
        model=CLAUDE,
        replies=(Scene(end="model_context_window_exceeded"),),
        finish="context",
    ),
    empty(
        "Anthropic: a refusal without text",
        CLAUDE,
        Scene(text="", end="refusal"),
        "refused",
    ),
    DialectCase(
        name="Gemini: the limit of tokens",
        model=FLASH,
        replies=(LONG,),
        text="word " * 300,
        finish="length",
    ),
    DialectCase(
        name="Gemini: safety after text",
        model=FLASH,
        replies=(Scene(end="SAFETY"),),
        finish="content_filter",
    ),
    empty(
        "Gemini: safety without text",
        FLASH,
        Scene(text="", end="SAFETY"),
        "refused",
        says="SAFETY",
    ),
    DialectCase(
        name="Gemini: recitation",
        model=FLASH,
        replies=(Scene(end="RECITATION"),),
        finish="content_filter",
    ),
    DialectCase(
        name="Gemini: a blocked prompt",
        model=FLASH,
        replies=(
            [
                b'data: {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 20, "totalTokenCount": 20}}\n\n'
            ],
        ),
        text=None,
        finish=None,
        reason="moderated",
        says="PROHIBITED_CONTENT",
    ),
    DialectCase(
        name="Ollama: the limit of tokens",
        model="ollama/qwen3:8b",
        replies=(LONG,),
        text="word " * 300,
        finish="length",
    ),
    DialectCase(
        name="OpenAI Responses: the limit of tokens",
        model="openai/o3-pro",
        replies=(LONG,),
        text="word " * 300,
        finish="length",
    ),
    DialectCase(
        name="OpenRouter: the cost that it reports",
        model="openrouter/anthropic/claude-sonnet-4.5",
        replies=(Scene(usage={"cost": 0.00123}),),
        usage={"cost_usd": 0.00123},
        sent={"usage": {"include": True}},
    ),
    DialectCase(
        name="OpenAI chat: cached tokens",
        model="openai/gpt-4o",
        replies=(Scene(usage={"prompt_tokens_details": {"cached_tokens": 16}}),),
        usage={"cached_tokens": 16},
    ),
    DialectCase(
        name="Anthropic: cached tokens",
        model=CLAUDE,
        replies=(Scene(usage={"cache_read_input_tokens": 16}),),
        usage={"cached_tokens": 16, "prompt_tokens": 36},
    ),
)

REMEDIES = (
    DialectCase(
        name="OpenAI chat: no temperature",
        model="openai/unknown-a",
        replies=(refusing("temperature", NO_TEMPERATURE, param="temperature"),),
        temperature=0.9,
        requests=2,
        notices=1,
        sent={"temperature": None},
    ),
    DialectCase(
        name="LiteLLM proxy: no temperature, with its advice",
        model="openai/unknown-b",
        replies=(
            refusing(
                "temperature",
                "litellm.UnsupportedParamsError: claude-opus-4-8 does not support temperature=0.9. To drop unsupported params, set `litellm.drop_params = True`. No fallback was attempted.",
            ),
        ),
        temperature=0.9,
        requests=2,
        notices=1,
    ),
    DialectCase(
        name="LiteLLM proxy: JSON in the message",
        model="openai/unknown-c",
        replies=(
            refusing(
                "temperature",
                'litellm.BadRequestError: AnthropicException - {"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}',
            ),
        ),
        temperature=0.9,
        requests=2,
        notices=1,
    ),
    DialectCase(
        name="OpenAI chat: no stream_options",
        model="openai/unknown-d",
        replies=(
            refusing(
                "stream_options",
                "Extra inputs are not permitted, field: 'stream_options', value: {'include_usage': True}",
            ),
        ),
        requests=2,
        notices=1,
    ),
    DialectCase(
        name="OpenAI chat: another name for the limit",
        model="openai/unknown-e",
        replies=(
            refusing(
                "max_tokens",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                param="max_tokens",
            ),
        ),
        requests=2,
        notices=1,
        sent={"max_completion_tokens": 300},
    ),
    DialectCase(
        name="OpenAI chat: a limit that is too large",
        model="openai/unknown-f",
        replies=(
            Fault(
                status=400,
                body=openai_error(
                    "max_tokens is too large: 300. This model supports at most 256 completion tokens."
                ),
            ),
            Scene(),
        ),
        requests=2,
        notices=1,
        sent={"max_tokens": 256},
    ),
    DialectCase(
        name="OpenAI chat: served by Responses only",
        model="openai/unknown-g",
        replies=(
            Fault(
                status=404,
                body=openai_error(
                    "This model is only supported in v1/responses and not in v1/chat/completions."
                ),
            ),
            Scene(),
        ),
        requests=2,
        sent={"max_output_tokens": 300},
    ),
    DialectCase(
        name="Anthropic: no temperature",
        model="anthropic/claude-unknown",
        replies=(
            refusing("temperature", "`temperature` is deprecated for this model."),
        ),
        temperature=0.9,
        requests=2,
        notices=1,
        sent={"temperature": None},
    ),
    DialectCase(
        name="Ollama: a model that cannot think",
        model="ollama/llama3.2",
        replies=(
            Fault(status=400, body={"error": '"llama3.2" does not support thinking'}),
            Scene(),
        ),
        reasoning="high",
        requests=2,
        notices=1,
        sent={"think": None},
    ),
    DialectCase(
        name="OpenAI chat: no level of thinking",
        model="openai/unknown-h",
        replies=(
            refusing(
                "reasoning_effort",
                "Unrecognized request argument supplied: reasoning_effort",
            ),
        ),
        room=2048,
        reasoning="low",
        requests=2,
        notices=1,
        sent={"max_tokens": 300},
    ),
)

LIFE = (
    DialectCase(
        name="Anthropic: pings before the text",
        model=CLAUDE,
        replies=(Scene(silence=PING),),
    ),
    DialectCase(
        name="Anthropic: pings while it thinks",
        model=CLAUDE,
        replies=(Scene(think=9, silence=PING),),
        thought=True,
    ),
    DialectCase(
        name="OpenAI chat: comments before the text",
        model="deepseek/deepseek-chat",
        replies=(Scene(silence=EVERY_SECOND),),
    ),
    empty(
        "OpenAI chat: silence before the text",
        "openai/gpt-4o",
        Scene(silence=(b"", 1, 3.0)),
        "timeout",
        says="models.timeout",
    ),
    empty(
        "Gemini: silence before the text",
        FLASH,
        Scene(silence=(b"", 1, 3.0)),
        "timeout",
        says="models.timeout",
    ),
)

ERRORS = (
    failing(
        "OpenAI chat: no money",
        "openai/gpt-4o",
        429,
        openai_error(QUOTA, type="insufficient_quota", code="insufficient_quota"),
        "quota",
    ),
    failing(
        "OpenAI chat: a limit with a wait in milliseconds",
        "openai/gpt-4o",
        429,
        openai_error("Rate limit reached", code="rate_limit_exceeded"),
        "rate_limit",
        headers={"retry-after-ms": "3000"},
        after=3,
    ),
    failing(
        "OpenAI chat: a limit with a wait in words",
        "groq/llama",
        429,
        openai_error(
            "Rate limit reached for model `llama`. Please try again in 27m52.704s. Need more tokens? Upgrade at https://console.groq.com/settings/billing",
            code="rate_limit_exceeded",
        ),
        "rate_limit",
        after=1672.704,
    ),
    failing(
        "OpenAI chat: the organization is not verified",
        "openai/gpt-5",
        400,
        openai_error(
            "Your organization must be verified to stream this model.",
            param="stream",
            code="unsupported_value",
        ),
        "forbidden",
        says="must be verified",
    ),
    failing(
        "OpenAI chat: a filtered prompt",
        "openai/gpt-4o",
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
                "code": "content_filter",
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        "moderated",
    ),
    failing(
        "OpenAI chat: the prompt is too long",
        "openai/local",
        400,
        {
            "object": "error",
            "message": "'max_tokens' is too large: 300. This model's maximum context length is 256 tokens.",
            "code": 400,
        },
        "context",
    ),
    failing(
        "OpenAI chat: no model is loaded (LM Studio)",
        "openai/local-model",
        404,
        openai_error(
            "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
            code="model_not_found",
        ),
        "not_running",
        says="lms load local-model",
    ),
    failing(
        "OpenAI chat: the model is being loaded (llama.cpp)",
        "openai/local-model",
        503,
        {
            "error": {
                "code": 503,
                "message": "Loading model",
                "type": "unavailable_error",
            }
        },
        "unavailable",
        after=10,
    ),
    failing(
        "OpenAI chat: an error as a whole answer (OpenRouter)",
        "openrouter/x/y",
        200,
        {
            "error": {
                "message": "Provider returned error",
                "code": 502,
                "metadata": {
                    "raw": "upstream connect error",
                    "provider_name": "Chutes",
                },
            }
        },
        "unavailable",
        says="upstream connect error",
    ),
    failing(
        "OpenRouter: no money",
        "openrouter/deepseek/deepseek-r1",
        402,
        {
            "error": {
                "message": "This request requires more credits, or fewer max_tokens.",
                "code": 402,
            },
            "user_id": "u",
        },
        "quota",
    ),
    failing(
        "LiteLLM proxy: no budget",
        "openai/gpt-4o",
        400,
        {
            "error": {
                "message": "Budget has been exceeded! Current cost: 26.075, Max budget: 0.25",
                "type": "budget_exceeded",
                "code": "400",
            }
        },
        "quota",
    ),
    failing(
        "LiteLLM proxy: its advice",
        "openai/gpt-4o",
        400,
        openai_error(
            "litellm.BadRequestError: bad words. LiteLLM: model group 'writer' failed with the error above. No fallback was attempted."
        ),
        "invalid_request",
    ),
    DialectCase(
        name="OpenAI chat: an event named error",
        model="openai/gpt-4o",
        replies=([event({"message": "Slow down", "code": 429}, "error")],),
        text=None,
        finish=None,
        reason="rate_limit",
    ),
    DialectCase(
        name="OpenAI chat: an error in the middle",
        model="openai/gpt-4o",
        replies=(
            Scene(
                error={
                    "error": {
                        "message": "The server had an error while processing your request.",
                        "type": "server_error",
                    }
                }
            ),
        ),
        text=HALF,
        finish=None,
        reason="unavailable",
    ),
    DialectCase(
        name="OpenRouter: an upstream error in the middle",
        model="openrouter/x/y",
        replies=(
            Scene(
                error={
                    "error": {"code": 502, "message": "capacity exceeded"},
                    "choices": [
                        {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
                    ],
                }
            ),
        ),
        text=HALF,
        finish=None,
        reason="overloaded",
    ),
    failing(
        "Anthropic: no credit",
        CLAUDE,
        400,
        claude_error(
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
        ),
        "quota",
    ),
    failing(
        "Anthropic: overloaded",
        CLAUDE,
        529,
        claude_error("overloaded_error", "Overloaded"),
        "overloaded",
        says="Overloaded",
    ),
    failing(
        "Anthropic: a wrong key",
        CLAUDE,
        401,
        claude_error("authentication_error", "invalid x-api-key"),
        "auth",
    ),
    failing(
        "Anthropic: an unknown model",
        CLAUDE,
        404,
        claude_error("not_found_error", "model: claude-x"),
        "not_found",
    ),
    failing(
        "Anthropic: the prompt is too long",
        CLAUDE,
        400,
        claude_error(
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
        ),
        "context",
    ),
    DialectCase(
        name="Anthropic: overloaded in the middle",
        model=CLAUDE,
        replies=(Scene(error={"type": "overloaded_error", "message": "Overloaded"}),),
        text=HALF,
        finish=None,
        reason="overloaded",
    ),
    failing(
        "Gemini: a wrong key",
        FLASH,
        400,
        google_error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            {"reason": "API_KEY_INVALID"},
        ),
        "auth",
    ),
    failing(
        "Gemini: a limit with RetryInfo",
        FLASH,
        429,
        google_error(
            429,
            "RESOURCE_EXHAUSTED",
            QUOTA,
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"},
        ),
        "rate_limit",
        after=37,
    ),
    failing(
        "Gemini: overloaded",
        FLASH,
        503,
        google_error(
            503, "UNAVAILABLE", "The model is overloaded. Please try again later."
        ),
        "overloaded",
    ),
    failing(
        "Gemini: not in this country",
        FLASH,
        400,
        google_error(
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
        ),
        "forbidden",
    ),
    failing(
        "Gemini: an unknown model",
        FLASH,
        404,
        google_error(404, "NOT_FOUND", "models/x is not found for API version v1beta."),
        "not_found",
    ),
    DialectCase(
        name="Gemini: overloaded in the middle",
        model=FLASH,
        replies=(
            Scene(error=google_error(503, "UNAVAILABLE", "The model is overloaded.")),
        ),
        text=HALF,
        finish=None,
        reason="overloaded",
    ),
    failing(
        "Ollama: the model is not installed",
        "ollama/mistral",
        404,
        {"error": 'model "mistral" not found, try pulling it first'},
        "not_installed",
        says="ollama pull mistral",
    ),
    failing(
        "Ollama: not enough memory",
        "ollama/qwen3:8b",
        500,
        {
            "error": "model requires more system memory (18.1 GiB) than is available (7.9 GiB)"
        },
        "not_running",
        says="ollama cannot run ollama/qwen3:8b: model requires more system memory",
    ),
    DialectCase(
        name="Ollama: an error in the middle",
        model="ollama/qwen3:8b",
        replies=(
            Scene(
                error="an error was encountered while running the model: unexpected EOF"
            ),
        ),
        text=HALF,
        finish=None,
        reason="unavailable",
    ),
    failing(
        "A company's page instead of an answer",
        "openai/gpt-4o",
        403,
        "<html><head><style>x{}</style></head><h1>Blocked: category AI</h1></html>",
        "forbidden",
        says="Blocked: category AI",
    ),
)

CASES = THINKING + FIELDS + ENDS + REMEDIES + LIFE + ERRORS
DIALECTS = ("OpenAI chat", "OpenAI Responses", "Anthropic", "Gemini", "Ollama")
CASES_BY_DIALECT = sorted(
    CASES,
    key=lambda case: next(
        (n for n, name in enumerate(DIALECTS) if case.name.startswith(name)),
        len(DIALECTS),
    ),
)
"""As the documentation shows them."""
