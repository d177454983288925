"""The fault table: the engine, a real host and a provider that has each fault."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from llm.fault_table import ROWS, Row
from support.certificate import self_signed
from support.engine_setup import PIPELINE, START, FakeProcesses, TickingClock
from support.provider import Provider, running
from support.scripted_models import ScriptedKeys
from writeit.domain.errors import ModelError, NotFound, WriteItError
from writeit.domain.run import StepState, StepStatus
from writeit.domain.session import UserSession
from writeit.engine.engine import Engine
from writeit.engine.precedence import StartRequest
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import (
    GenerationNotice,
    ResponseDelta,
    ResponseFinished,
    RetryPolicy,
    StreamEvent,
)
from writeit.llm.client import ModelHostClient
from writeit.storage.store import LmdbStore

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
KEYS = dict.fromkeys(("openai", "mistral", "deepseek", "groq"), "sk-of-the-fault-table")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    """An engine with a real host; every provider is on this machine."""
    tls = self_signed(tmp_path_factory.mktemp("tls"))
    async with running(tls=tls) as untrusted:
        environment = {
            "OPENAI_BASE_URL": provider.base_url,
            "MISTRAL_API_BASE": "http://127.0.0.1:9/v1",
            "DEEPSEEK_API_BASE": "http://nowhere.invalid/v1",
            "GROQ_API_BASE": untrusted.base_url.replace("http", "https"),
            "WRITEIT_MODEL_TIMEOUT": "6",
            "WRITEIT_ALLOW_MODEL_REQUESTS": "",
        }
        client = ModelHostClient(keys=ScriptedKeys(KEYS), environment=environment)
        await client.warm_up()  # waking up is not the provider's silence
        clock = TickingClock()
        session = UserSession(
            session_id=clock.new_id(),
            workspace_path=Path(),
            created_at=START,
            last_activity=START,
        )
        yield Engine(
            models=client,
            store=LmdbStore(tmp_path_factory.mktemp("store")),
            clock=clock,
            processes=FakeProcesses(),
            session=session,
            retry_policy=RetryPolicy(max_wait=0.01),
        )
        await client.close()


@dataclass
class Outcome:
    """The outcome of one call."""

    state: StepState
    error: WriteItError | None
    seen: list[StreamEvent] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        """How often the provider was asked, as the writer could see it."""
        return 1 + len([e for e in self.seen if isinstance(e, GenerationNotice)])

    @property
    def finished(self) -> ResponseFinished:
        """How the answer ended."""
        (finished,) = [e for e in self.seen if isinstance(e, ResponseFinished)]
        return finished

    @property
    def streamed(self) -> str:
        """What the writer saw coming."""
        return "".join(e.text for e in self.seen if isinstance(e, ResponseDelta))


async def ask(engine: Engine, model: str) -> Outcome:
    """Call one model in a new run."""
    seen: list[StreamEvent] = []
    run = await engine.start_run(
        StartRequest(configuration=PIPELINE, inputs={"source": "rivers"})
    )
    asked = GenerateStep(run_id=run.pipeline_run_id, models=(model,))
    error = None
    try:
        await engine.wait_for_generation(await engine.generate(asked, seen.append))
    except (ModelError, NotFound) as failed:
        error = failed
    stored = engine.transactions.read_run(run.pipeline_run_id).run
    return Outcome(stored.steps["angles"], error, seen)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
async def test_fault(engine: Engine, provider: Provider, row: Row) -> None:
    """Reason, retries and the text kept are as in the table."""
    outcome = await ask(engine, row.model)
    finished = outcome.finished
    assert (finished.status, finished.reason) == (row.outcome, row.reason)
    assert outcome.attempts == row.attempts
    asked = [c for c in provider.calls if f"openai/{c.model}" == row.model]
    assert len(asked) == (row.attempts if row.model.startswith("openai/") else 0)
    assert outcome.streamed.strip() == row.kept.strip()
    if row.outcome == "failed":
        check_failure(outcome, row)
        return
    (answer,) = outcome.state.ai_responses
    assert answer.raw_output == row.kept
    assert answer.finish_reason == row.end
    assert answer.partial == (row.outcome == "partial")
    assert outcome.state.failures == ()


def check_failure(outcome: Outcome, row: Row) -> None:
    """A failure has a reason and a hint, no key, and does not change the step."""
    assert outcome.state.ai_responses == ()
    assert outcome.state.status is StepStatus.PENDING
    (failure,) = outcome.state.failures
    assert failure.reason == row.reason
    assert row.says in failure.message
    assert "sk-of-the" not in failure.message
    error = outcome.error
    assert error is not None
    assert error.hint
    assert error.data["failures"][0]["reason"] == row.reason
    after = error.data.get("retryAfter")
    assert (after is None) == (row.after is None)
    assert after is None or row.after is None or row.after - 60 < after <= row.after


async def test_after_all_faults_the_host_still_answers(engine: Engine) -> None:
    """No fault ended the host."""
    assert (await ask(engine, "openai/fast-5")).finished.status == "complete"


async def test_the_documentation_has_the_same_rows() -> None:
    """In the same order and with the same words."""
    lines = DOCS.read_text("utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| ")]
    begin = next(i for i, line in enumerate(shown) if line.startswith("| Fault |"))
    table = shown[begin + 2 : begin + 2 + len(ROWS)]
    assert table == [row.as_markdown() for row in ROWS]
