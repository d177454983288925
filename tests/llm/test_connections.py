"""One pool of connections: a call uses the connection of an earlier one."""

import asyncio

from support.replies import Reply, framed, read_request, sse
from support.scripted_models import ScriptedKeys
from writeit.llm.client import ModelHostClient
from writeit.ports.models import ModelCall

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


class KeepAliveProvider:
    """A provider that keeps connections open and counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer request after request on one connection."""
        self.connections += 1
        while True:
            try:
                call = await read_request(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.requests += 1
            reply = Reply(call, writer)
            writer.write(HEAD + framed(reply.event({"content": "word "})))
            writer.write(framed(sse({"choices": [], "object": "x"})))
            await reply.end()
        writer.close()


async def ask(client: ModelHostClient, model: str) -> None:
    """Make one call and read it to its end."""
    async with client.stream(ModelCall(model=model, prompt="x")) as items:
        async for _ in items:
            pass


async def test_calls_reuse_connections() -> None:
    """Five calls in sequence need one; repeated groups of three need three."""
    patient = KeepAliveProvider()
    server = await asyncio.start_server(patient.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    client = ModelHostClient(
        keys=ScriptedKeys({"openai": "k"}), environment={"OPENAI_BASE_URL": url}
    )
    for number in range(5):
        await ask(client, f"openai/model-{number}")
    assert (patient.requests, patient.connections) == (5, 1)
    for _ in range(3):
        await asyncio.gather(*(ask(client, f"openai/model-{n}") for n in range(3)))
    await client.close()
    server.close()
    assert patient.requests == 14
    assert patient.connections <= 3
