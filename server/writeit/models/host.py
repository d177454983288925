"""The model host: the child process that speaks to models (`writeit model-host`).

LiteLLM is slow to import, large, and prints to stdout; so it lives here. A thread
watches stdin before anything heavy is imported: whatever the host is doing when its
server goes away, it goes too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from typing import TYPE_CHECKING, BinaryIO

from writeit.models.wire import Lines, Message, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.models.desk import Desk

_LOCAL = "127.0.0.1,localhost,::1"


def main() -> None:
    """Serve the parent process until its end of stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    out = claim_stdout()
    inbox = Inbox()
    threading.Thread(target=inbox.watch, args=(0,), daemon=True).start()
    prepare_environment()
    from writeit.models.desk import Desk  # noqa: PLC0415 -- imports LiteLLM: 2.5 s

    asyncio.run(serve(inbox, out, Desk))


def claim_stdout() -> BinaryIO:
    """Keep stdout for messages; what anybody prints goes to stderr from now on."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def prepare_environment() -> None:
    """Set what LiteLLM reads when it is imported."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no request for prices
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # no .env file of a workspace
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    # A proxy must not see what is asked of this machine's own models. Readers of the
    # two names disagree which counts, so both say the same.
    names = ("no_proxy", "NO_PROXY")
    others = next((value for name in names if (value := os.environ.get(name))), "")
    for name in names:
        os.environ[name] = f"{others},{_LOCAL}" if others else _LOCAL


class Inbox:
    """Requests from stdin; keeps those that come before anybody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._early: list[Message] = []
        self._listener: Callable[[Message], object] | None = None

    def watch(self, descriptor: int) -> None:
        """Read until the end, then end the process: the parent is gone.

        Without this thread nobody would see that, so its own failure ends all too.
        """
        try:
            self._read(descriptor)
        except Exception:  # noqa: BLE001 -- whatever it was, it is said, and then it ends
            traceback.print_exc()
        finally:
            os._exit(0)

    def _read(self, descriptor: int) -> None:
        lines = Lines()
        while data := os.read(descriptor, 1 << 16):
            for line in lines.feed(data):
                self._deliver(decode(line))

    def _deliver(self, message: Message) -> None:
        if message["type"] == "shutdown":
            os._exit(0)
        with self._lock:
            if self._listener is None:
                self._early.append(message)
            else:
                self._listener(message)

    def listen(self, listener: Callable[[Message], object]) -> None:
        """Hand what came to `listener`, and all that comes, from the reading thread."""
        with self._lock:
            for message in self._early:
                listener(message)
            self._early.clear()
            self._listener = listener


async def serve(inbox: Inbox, out: BinaryIO, make_desk: type[Desk]) -> None:
    """Answer requests for ever."""
    from writeit.models.outbox import Outbox  # noqa: PLC0415 -- after the watch began

    outbox = Outbox(on_lost=lambda: os._exit(0))
    await outbox.open(out)
    desk = make_desk(outbox.say)
    outbox.say({"type": "ready"})
    loop = asyncio.get_running_loop()
    inbox.listen(lambda message: loop.call_soon_threadsafe(desk.take, message))
    await desk.rehearse()
    await loop.create_future()


if __name__ == "__main__":
    main()
