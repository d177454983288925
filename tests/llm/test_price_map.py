"""Prices and names are read from LiteLLM's files as LiteLLM itself would."""

# ruff: noqa: D103 -- the names of the tests describe them

import json
import subprocess
import sys

import pytest

from writeit.llm.answer import Answer
from writeit.llm.price_map import (
    PriceMap,
    ReportedUsage,
    litellm_file,
    price_call,
    read_provider_names,
    read_usage,
    thinks_by_default,
)

PRICES = PriceMap()


def test_each_entry_is_found_without_parsing_the_others() -> None:
    path = litellm_file("model_prices_and_context_window_backup.json")
    assert {m: PRICES[m] for m in PRICES} == json.loads(path.read_text("utf-8"))
    assert "no-such-model" not in PRICES


def test_the_providers_are_litellms() -> None:
    code = (
        "import litellm, json; print(json.dumps([*map(str, litellm.LlmProvidersSet)]))"
    )
    code = code.replace(
        "litellm.LlmProvidersSet", "litellm.types.utils.LlmProvidersSet"
    )
    listed = subprocess.run(
        [sys.executable, "-c", f"import litellm.types.utils; {code}"],
        capture_output=True,
        check=True,
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    assert read_provider_names() == set(json.loads(listed.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("gpt-4o", ReportedUsage(prompt=1000, completion=100), 0.0035),
        ("gpt-4o", ReportedUsage(prompt=1000, completion=100, cached=1000), 0.00225),
        (
            "claude-sonnet-4-5",
            ReportedUsage(prompt=1000, completion=0, written=1000),
            0.00375,
        ),
        (
            "gemini/gemini-2.5-pro",
            ReportedUsage(prompt=200_001, completion=1000, reasoning=1000),
            200_001 * 2.5e-6 + 0.015,
        ),
    ],
)
def test_a_call_is_priced_with_cache_and_tiers(
    model: str, usage: ReportedUsage, cost: float
) -> None:
    assert price_call(PRICES[model], usage) == pytest.approx(cost)


def test_a_call_without_a_price_has_none() -> None:
    assert price_call({}, ReportedUsage(prompt=1)) is None


@pytest.mark.parametrize(
    "reported",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 4},
        {"prompt_tokens": 3, "completion_tokens": -4},
        {"prompt_tokens": 3, "completion_tokens": 10**12},
        {"prompt_tokens": "3", "completion_tokens": 4},
    ],
)
def test_an_absurd_usage_is_none(reported: object) -> None:
    assert read_usage(reported) is None


@pytest.mark.parametrize("cost", [True, 1e30, 10**400, "1", [1]])
def test_an_absurd_cost_is_none(cost: object) -> None:
    usage = read_usage({"prompt_tokens": 3, "completion_tokens": 4, "cost": cost})
    assert usage is not None
    assert usage.cost is None


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        *(("MAX_NEW_TOKENS", "length"), ("eos_token", "stop"), ("ok", None)),
        *(("guardrail_intervened", "content_filter"), ("network_error", "error")),
        *(("contextLengthReached", "context"), ("FINISH_REASON_STOP", "stop")),
    ],
)
def test_an_end_is_known_by_what_its_word_contains(
    word: str, finish: str | None
) -> None:
    assert Answer(print, print, ending=word).finish == finish


def test_absurd_details_are_limited() -> None:
    usage = read_usage(
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 99},
            "output_tokens_details": {"reasoning_tokens": 99},
            "cost": -1,
        }
    )
    assert usage == ReportedUsage(prompt=10, completion=5, reasoning=5, cached=10)


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("openai/gpt-5-mini", True),
        ("openai/o3", True),
        ("openai/gpt-5.1", False),
        ("openai/gpt-4o", False),
        ("openai/deepseek-r1", True),
        ("openai/qwen3-8b", True),
        ("openai/qwen3-coder-30b", False),
        ("gemini/gemini-2.5-pro", True),
        ("gemini/gemini-2.5-flash-lite", False),
        ("anthropic/claude-sonnet-4-5", False),
        ("anthropic/claude-fable-5", True),
        ("deepseek/deepseek-reasoner", True),
    ],
)
def test_models_that_think_are_known(model: str, *, thinks: bool) -> None:
    entry = PRICES.get(model) or PRICES.get(model.partition("/")[2], {})
    assert thinks_by_default(model, entry) == thinks
