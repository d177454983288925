"""The host process: it ends with its parent or when idle, and restarts after a crash.

Each test starts its own hosts.
"""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from support.provider import Provider
from support.scripted_models import ScriptedKeys
from support.waiting import TIMEOUT, wait_until_async
from writeit.domain.errors import ModelError
from writeit.llm import HOST_COMMAND
from writeit.llm.client import ModelHostClient
from writeit.ports.models import ModelCall, ModelDone, TextDelta

MakeClient = Callable[..., ModelHostClient]

SLOW = ModelCall(model="openai/slow-5000", prompt="x")
FAST = ModelCall(model="openai/fast-5", prompt="x")
LEAKING_HOST = (
    sys.executable,
    "-c",
    """
import sys, time
print("the key is sk-in-stderr-0123456789", file=sys.stderr, flush=True)
sys.stdin.readline()
time.sleep(0.2)
sys.exit(3)
    """,
)
"""A host that prints a key and exits at the first request."""


async def finish(client: ModelHostClient, call: ModelCall) -> ModelDone:
    async with client.stream(call) as items:
        async for item in items:
            if isinstance(item, ModelDone):
                return item
    raise AssertionError("the answer did not end")


async def wait_until_gone(pid: int) -> None:
    """Wait until no process has this id; it is no child, so it cannot be awaited."""
    await wait_until_async(lambda: not psutil.pid_exists(pid))


def pid_of(client: ModelHostClient) -> int:
    assert client.host_pid is not None
    return client.host_pid


async def test_the_host_is_started_when_it_is_needed(make_client: MakeClient) -> None:
    client = make_client(openai="k")
    assert await client.embedded_model() in {None, "embedded/smollm2-135m"}
    assert client.host_pid is None


async def test_a_running_host_uses_an_account_that_was_added(
    make_client: MakeClient, provider: Provider
) -> None:
    client = make_client(openai="k")
    await finish(client, FAST)
    address = provider.base_url
    async with asyncio.timeout(TIMEOUT):
        await client.use_account({"mistral": address})
    assert client.host_pid is not None


async def test_a_killed_host_is_an_error_and_the_next_call_works(
    make_client: MakeClient,
) -> None:
    client = make_client(openai="k")
    text = ""
    with pytest.raises(ModelError) as caught:  # noqa: PT012 -- the text before the error counts too
        async with client.stream(SLOW) as items:
            async for item in items:
                assert isinstance(item, TextDelta)
                text += item.text
                if len(text) > 30:
                    os.kill(pid_of(client), signal.SIGKILL)
    assert caught.value.reason == "unavailable"
    assert "SIGKILL" in caught.value.message
    assert f"{len(text)} characters" in caught.value.message
    assert (await finish(client, FAST)).finish_reason == "stop"


async def test_a_killed_host_fails_estimates(make_client: MakeClient) -> None:
    client = make_client(openai="k")
    await client.warm_up()
    os.kill(pid_of(client), signal.SIGSTOP)  # it does not answer before it is killed
    asking = asyncio.ensure_future(client.estimate(FAST))
    await asyncio.sleep(0.2)
    os.kill(pid_of(client), signal.SIGKILL)
    with pytest.raises(ModelError, match="SIGKILL"):
        await asking


async def test_a_host_that_keeps_crashing_is_started_after_a_delay(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = ModelHostClient(keys=ScriptedKeys({"openai": key}), command=LEAKING_HOST)
    errors: list[ModelError] = []
    with caplog.at_level(logging.DEBUG, logger="writeit"):
        while not (errors and "retryAfter" in errors[-1].data):
            with pytest.raises(ModelError) as caught:
                await finish(client, FAST)
            errors.append(caught.value)
    await client.close()
    crashes = len(errors) - 1  # more than two if the first delay had passed
    assert crashes >= 2
    assert "status 3" in errors[0].message
    assert 0 < errors[-1].data["retryAfter"] <= 2 ** (crashes - 2)
    assert "the key is [key]" in caplog.text
    assert "sk-in-stderr" not in caplog.text


async def test_a_host_that_cannot_be_started_is_an_error(key: str) -> None:
    client = ModelHostClient(
        keys=ScriptedKeys({"openai": key}), command=["/nowhere/at/all"]
    )
    with pytest.raises(ModelError, match="did not start"):
        await finish(client, FAST)
    await client.close()


async def test_an_idle_host_is_ended_and_started_again(
    provider: Provider, key: str
) -> None:
    client = ModelHostClient(
        keys=ScriptedKeys({"openai": key}),
        environment={"OPENAI_BASE_URL": provider.base_url},
        idle_seconds=0.3,
    )
    async with client.stream(FAST) as items:
        pid = pid_of(client)
        async for _ in items:
            pass
    await wait_until_gone(pid)
    await finish(client, FAST)
    await client.close()


async def test_close_ends_the_host_and_its_calls(make_client: MakeClient) -> None:
    client = make_client(openai="k")
    begun = asyncio.Event()

    async def read() -> None:
        async with client.stream(SLOW) as items:
            async for _ in items:
                begun.set()

    reading = asyncio.ensure_future(read())
    await begun.wait()
    pid = pid_of(client)
    await client.close()
    await wait_until_gone(pid)
    with pytest.raises(ModelError, match="closing"):
        await reading
    with pytest.raises(ModelError, match="closing"):
        await client.estimate(FAST)


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.3, 0.8, 1.5, "ready"])
async def test_the_host_ends_with_its_parent_at_any_moment(moment: float | str) -> None:
    """It ends at once, without importing the rest."""
    process = await asyncio.create_subprocess_exec(
        *HOST_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    stderr = asyncio.create_task(process.stderr.read())
    if isinstance(moment, float):
        await asyncio.sleep(moment)
    else:
        assert b'"ready"' in await process.stdout.readline()
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0
    imported = {
        line.rpartition("|")[2].strip() for line in (await stderr).decode().splitlines()
    }
    if moment in {0.0, "ready"}:  # in between it depends on the machine
        assert ("httpx" in imported) == (moment == "ready")
    assert "litellm" not in imported
    await process.stdout.read()


async def test_a_print_is_no_message() -> None:
    """Text printed in the host goes to stderr."""
    script = (
        "import os; from writeit.llm.host import claim_stdout;"
        "out = claim_stdout(); print('noise', flush=True); os.write(1, b'more');"
        "out.write(b'message')"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, check=True
    )
    assert done.stdout == b"message"
    assert done.stderr == b"noise\nmore"


async def test_the_client_never_imports_litellm() -> None:
    script = (
        "import sys, writeit.llm.client, writeit.llm.keys;"
        "print(sorted({'litellm', 'openai', 'httpx', 'keyring'} & {*sys.modules}))"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"


async def test_modules_in_the_current_folder_are_not_imported(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A workspace's `litellm.py` is not run."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "litellm.py").write_text("open('owned', 'w').close()")
    (folder / ".env").write_text("OPENAI_API_KEY=from-a-workspace")
    process = await asyncio.create_subprocess_exec(
        *HOST_COMMAND,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate(b'{"type":"shutdown"}\n')
    assert process.returncode == 0
    assert not (folder / "owned").exists()
    assert b"Traceback" not in output
