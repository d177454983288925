"""A whole client: answers of one step of a run, as they come, then the first chosen.

`python examples/bare_client.py notes.md openai/gpt-4o`; docs/protocol.md explains it.
"""

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

notes, model = Path(sys.argv[1]).resolve(), sys.argv[2]
command = [sys.executable, "-m", "writeit", "serve"]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert server.stdin is not None
assert server.stdout is not None
to_server, from_server, ids = server.stdin, server.stdout, count(1)


def send(**message: Any) -> None:
    """Send a request, a notification or a reply."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    to_server.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    to_server.flush()


def receive() -> dict[str, Any]:
    """Return the server's next message."""
    length = 0
    while header := from_server.readline().strip():
        name, _, value = header.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    message: dict[str, Any] = json.loads(from_server.read(length))
    return message


def request(method: str, params: Any) -> Any:
    """Send a request; serve the server until the reply is there."""
    sent = next(ids)
    send(id=sent, method=method, params=params)
    while True:
        message = receive()
        if message.get("method") == "$/progress":
            event = message["params"]["value"]
            print(event.get("text", ""), end="")
        elif message.get("method") == "workspace/configuration":
            settings = {"models": {"default": model}}
            send(
                id=message["id"], result=[settings for _ in message["params"]["items"]]
            )
        elif "method" in message and "id" in message:
            send(id=message["id"], result=None)
        elif message.get("id") == sent and "error" in message:
            raise SystemExit(message["error"]["message"])
        elif message.get("id") == sent:
            return message["result"]


def execute(name: str, **params: Any) -> Any:
    """Return the result of one of WriteIt's commands."""
    call = {"command": f"writeit.{name}", "arguments": [params]}
    return request("workspace/executeCommand", call)


client = {
    "processId": None,
    "rootUri": notes.parent.as_uri(),
    "capabilities": {"workspace": {"configuration": True}},
    "initializationOptions": {"writeit": {"views": "uri"}},
}
request("initialize", client)
send(method="initialized", params={})
run = execute("run.start", pipeline="tech-article", uri=notes.as_uri())
step = execute("step.run", runId=run["pipelineRunId"], streamToken="stream")
if step["can"]["select"]:
    run = execute("step.select", runId=run["pipelineRunId"], response=0)
print(f"\n{run['statusText']}")
request("shutdown", None)
send(method="exit")
raise SystemExit(server.wait())
