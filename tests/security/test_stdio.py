"""Odd bytes on stdin: a server that stays, or ends with a sentence."""

import json
from pathlib import Path

import pytest

from support.attacks import framed, initialize, run_server

PING = b'{"jsonrpc": "2.0", "id": 7, "method": "writeit/ping", "params": null}'
HEADS = {
    "lower case": "content-length: {}\r\n\r\n",
    "upper case": "CONTENT-LENGTH: {}\r\n\r\n",
    "no space": "Content-Length:{}\r\n\r\n",
    "many spaces": "Content-Length \t:   {} \r\n\r\n",
    "line feeds": "Content-Length: {}\n\n",
    "a type first": "Content-Type: a; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
    "unknown headers": "X-Trace: 1\r\nContent-Length: {}\r\nX: y\r\n\r\n",
}
NOISE = {
    "no length": b"Content-Type: a\r\n\r\n{}",
    "a negative length": b"Content-Length: -5\r\n\r\n{}\r\n",
    "no number": b"Content-Length: five\r\n\r\n{}",
    "zero": b"Content-Length: 0\r\n\r\n",
    "a body alone": b'{"jsonrpc": "2.0"}',
    "blank lines": b"\r\n\n\r\n",
    "not JSON": framed(b"{"),
    "deep JSON": framed(b"[" * 100_000),
    "a number": framed(b"7"),
    "an unknown shape": framed(b'{"jsonrpc": "2.0", "id": 1, "result": null}'),
    "a message of another version": framed(b'{"jsonrpc": "1.0", "method": "exit"}'),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_an_odd_header_is_understood(head: str, environment: dict[str, str]) -> None:
    """A client is not met with silence."""
    ended = run_server([], environment, framed(PING, head))
    assert b'"id": 7' in ended.stdout


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_what_is_no_message_is_skipped(
    noise: bytes, environment: dict[str, str]
) -> None:
    """The next message is answered."""
    ended = run_server([], environment, noise + framed(PING))
    assert b'"id": 7' in ended.stdout


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 999999999999\r\n\r\n", b"x" * 100_000 + b"\r\n\r\n"],
    ids=["a long message", "a long line"],
)
def test_what_cannot_be_skipped_ends_the_server_with_a_sentence(
    sent: bytes, environment: dict[str, str]
) -> None:
    """It is not read into memory."""
    ended = run_server([], environment, sent + framed(PING))
    assert ended.returncode == 1
    assert b"The server ends." in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_traceback_is_never_sent(
    workspace: Path, environment: dict[str, str]
) -> None:
    """A request that the library below does not expect is answered without one."""
    broken = json.loads(initialize(None))
    broken["params"]["rootUri"] = workspace.as_uri()
    wrong = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "textDocument/definition",
        "params": {
            "textDocument": {"uri": "http://["},
            "position": {"line": 0, "character": 0},
        },
    }
    sent = [json.dumps(m).encode() for m in (broken, wrong, wrong)]
    ended = run_server([], environment, b"".join(map(framed, sent)))
    assert b"traceback" not in ended.stdout.lower()
    assert b".py" not in ended.stdout
