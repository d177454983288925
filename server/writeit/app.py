"""The composition root: the one place where ports meet their adapters.

Nothing imports this. `writeit serve` does not import the command line, so that the
server starts faster.
"""

from __future__ import annotations

import atexit
import gc
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from subprocess import Popen
    from uuid import UUID

    from writeit.domain.run_bundle import RunBundle
    from writeit.ports.store import Maintenance, MoveResult, RestoreResult, Store
    from writeit.ports.system import Ports


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the `writeit` command."""
    leave_out_current_folder()
    # Imports make many objects that stay: searching them for garbage takes a fifth
    # of the start, and searching them again at the end is as useless.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    match arguments:
        case ["serve"] | ["serve", "--stdio"]:
            serve()
        case ["serve", "--tcp", address]:
            from writeit.lsp.transports import TcpTransport, serve_clients

            sys.exit(serve_clients(TcpTransport, create_ports, address))
        case ["serve", "--ws", address]:
            from writeit.lsp.transports import WebSocketTransport, serve_clients

            sys.exit(serve_clients(WebSocketTransport, create_ports, address))
        case ["model-host"]:
            from writeit.llm.host import main as host

            host()
        case ["worker"]:
            from writeit.worker import main as work

            work()
        case ["embedded-server"]:
            from writeit.llm.providers.embedded import serve_embedded_model

            serve_embedded_model()
        case ["protocol"] | ["protocol", "--json"]:
            from writeit.lsp.schema import schema_text

            sys.stdout.write(schema_text())
        case _:
            started: dict[str, Popen[bytes] | None] = {}
            if arguments[:1] == ["run"] and "--help" not in arguments:
                from writeit.llm import HOST_COMMAND, start_early

                started["host"] = start_early(HOST_COMMAND)  # beside the imports
                if Path(".writeit/pipelines").is_dir():
                    from writeit.worker import start_worker

                    started["worker"] = start_worker()
            from writeit.cli import run_command_line

            run_command_line(list(arguments), partial(create_ports, **started))


def leave_out_current_folder() -> None:
    """Do not import modules from the user's folder, as with `python -P`."""
    package = Path(__file__).resolve().parents[1]
    with suppress(OSError):  # the folder was deleted
        here = Path.cwd().resolve()
        if here != package:
            sys.path[:] = [path for path in sys.path if Path(path).resolve() != here]


def serve() -> None:
    """Serve one editor over stdin and stdout: `writeit-server`, `writeit serve`."""
    leave_out_current_folder()
    from writeit.lsp.server import serve_stdio

    sys.exit(serve_stdio(create_ports))


def create_ports(user: object = None, **started: Popen[bytes] | None) -> Ports:
    """Return the real ports; their modules are imported when first needed.

    `user` is what an editor sent as `initializationOptions.writeit.user`; `started`
    are the processes `host` and `worker` that were started early.
    """
    from writeit.library.user_config import (
        config_file,
        read_default_models,
        read_user_config,
    )
    from writeit.llm.client import ModelHostClient
    from writeit.llm.keys import SystemKeys
    from writeit.llm.providers.ollama import OLLAMA_URL_VARIABLE
    from writeit.llm.providers.registry import endpoint_variables
    from writeit.ports.system import Ports
    from writeit.storage.location import store_folder, user_data_folder
    from writeit.worker import LimitedWorker

    config, problems = read_user_config(user)
    keys = SystemKeys()
    # Set even if empty: the value of the environment may have been rejected.
    environment = {
        **endpoint_variables(config.base_urls),
        OLLAMA_URL_VARIABLE: config.ollama_url or "",
    }
    return Ports(
        models=ModelHostClient(
            keys=keys, environment=environment, started=started.get("host")
        ),
        keys=keys,
        clock=SystemClock(),
        processes=SystemProcesses(),
        worker=LimitedWorker(started=started.get("worker")),
        open_store=partial(open_store, location=config.store_location),
        locate_store=partial(store_folder, location=config.store_location),
        move_store=partial(move_store, location=config.store_location),
        restore_store=partial(restore_store, location=config.store_location),
        maintenance_for=maintenance_for,
        user_config_file=config_file(),
        save_user_config=save_user_config,
        default_models=partial(read_default_models, user),
        trust_file=user_data_folder() / "trust.json",
        config_problems=problems,
    )


def open_store(workspace: Path | None, location: str) -> tuple[Store, str | None]:
    """Open the store of a workspace folder; `location` is as in the configuration.

    A store that does not exist is created at the first write.

    Raises:
        StoreError: it exists and cannot be opened.
    """
    from writeit.storage.location import store_exists, store_folder, user_data_folder
    from writeit.storage.provenance import is_own_store
    from writeit.storage.store import LmdbStore
    from writeit.trust import FolderTrust

    folder, message = store_folder(workspace, location)
    store = LmdbStore(folder, render=render_kept_run)
    is_foreign = store_exists(folder) and not is_own_store(folder)
    store.open_existing()
    if workspace is not None and is_foreign:
        trust_file = user_data_folder() / "trust.json"
        FolderTrust(trust_file, workspace, override=None).note_foreign_history()
    return store, message


def render_kept_run(bundle: RunBundle) -> str:
    """Return a run that could not be stored as text that `writeit import` reads."""
    from dataclasses import replace

    from writeit.export.render import export_run

    primer = bundle.primer and bundle.primer.evolve(created_at=None, last_used=None)
    return export_run(
        replace(bundle, primer=primer), "yaml", ""
    )  # only markdown has a version


def move_store(workspace: Path | None, location: str) -> MoveResult:
    """Move the store of a workspace folder to where the configuration says.

    Raises:
        Busy, InvalidParams: it cannot be moved now; nothing was changed.
        StoreError: it could not be copied; the old one is unchanged.
    """
    from writeit.domain.errors import StoreError
    from writeit.ports.store import MoveResult
    from writeit.storage import location as locations
    from writeit.storage import move

    wanted, problem = locations.preferred_folder(workspace, location)
    others = locations.other_store_folders(workspace, wanted)
    if not others:
        return MoveResult(source=None, target=wanted)
    if problem:
        raise StoreError(
            f"{problem}, so the run history was not moved. It is still in {others[0]}.",
            reason="read_only",
            hint="Allow writing there, or choose another store_location.",
        )
    move.relocate_store(others[0], wanted)
    return MoveResult(source=others[0], target=wanted)


def restore_store(
    workspace: Path | None,
    backup: Path,
    confirmed: bool,
    *,
    location: str,
) -> RestoreResult:
    """Replace the store of a workspace folder by a backup, or show what that replaces.

    Raises:
        Busy: another process has the store open.
        NotFound: there is no backup.
        StoreError: the backup is damaged or too new, or could not be copied.
    """
    from writeit.storage import backup as backups
    from writeit.storage.location import store_folder

    folder, _ = store_folder(workspace, location)
    return backups.restore_store(folder, backup, confirmed=confirmed)


def maintenance_for(store: Store) -> Maintenance:
    """Return the maintenance of a store that `open_store` opened."""
    from writeit.storage.maintenance import LmdbMaintenance
    from writeit.storage.store import LmdbStore

    if not isinstance(store, LmdbStore):
        raise TypeError(f"{type(store).__name__} has no maintenance")
    return LmdbMaintenance(store)


def save_user_config(changes: Mapping[str, object]) -> None:
    """Change values in the user's own configuration, which only the user can read.

    Raises:
        StoreError: it cannot be read or written; it is unchanged.
    """
    from writeit.files import write_error, write_whole_file
    from writeit.library.user_config import changed_config_text, config_file

    path, text = config_file().resolve(), changed_config_text(changes)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole_file(path, text.encode())
        path.chmod(0o600)
    except OSError as error:
        raise write_error(path, error, "Make it writable and try again.") from error


class SystemProcesses:
    """The machine's processes."""

    def current_process(self) -> tuple[int, float]:
        """Return this process: its pid, and when it started (epoch seconds)."""
        import psutil

        process = psutil.Process()
        return process.pid, process.create_time()

    def is_alive(self, pid: int, started: float) -> bool:
        """Return whether this process, not a later one with its pid, still runs."""
        import psutil

        try:
            process = psutil.Process(pid)
            zombie = process.status() == psutil.STATUS_ZOMBIE
            return not zombie and abs(process.create_time() - started) < 1.0
        except psutil.NoSuchProcess:
            return False


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def new_id(self) -> UUID:
        """Return a UUIDv7: later ids sort later."""
        from uuid_utils.compat import uuid7

        return uuid7()
