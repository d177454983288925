"""The drill of a store that other programs replace, overwrite or delete.

    python -m drills.replace --rounds 50

One or two real servers start runs and skip steps, while the files of their store are
treated as sync tools, copies and `git clean` treat them: during commits in every other
round, between them in the rest. Each decision that was acknowledged must be shown after
that, and be in the store at the end; each request must be answered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import lmdb

from drills.scene import Witness, environment, witnessing
from support.editor import Json, Refused
from support.provider import Provider
from support.workspace import new_workspace
from writeit.domain.run_bundle import RunBundle
from writeit.export.bundle_reader import read_export
from writeit.storage import keys, migrations
from writeit.storage.known_runs import KEPT_FOLDER
from writeit.storage.location import LOCK_FILE, STORE_SUBFOLDER
from writeit.storage.snapshot import DATA_FILE
from writeit.storage.verify import check_store

ANSWERED_WITHIN = 30.0
"""Seconds within which every request must be answered, also on a busy machine."""
STEPS = ("angles", "outline", "draft")


def rename_over(store: Path, copy: Path) -> None:
    """Replace the data file as sync tools do."""
    shutil.copyfile(copy, store / "arriving")
    (store / "arriving").replace(store / DATA_FILE)


def copy_over(store: Path, copy: Path) -> None:
    """Truncate the data file and write another into it, as `cp` does."""
    shutil.copyfile(copy, store / DATA_FILE)


def write_over(store: Path, copy: Path) -> None:
    """Write another file into the data file, then cut it, as `rsync --inplace` does."""
    content = copy.read_bytes()
    with (store / DATA_FILE).open("r+b") as file:
        file.write(content)
        file.truncate()


def delete_data(store: Path, _copy: Path) -> None:
    """Delete the data file."""
    (store / DATA_FILE).unlink(missing_ok=True)


def delete_lock(store: Path, _copy: Path) -> None:
    """Delete the lock file."""
    (store / LOCK_FILE).unlink(missing_ok=True)


def clean(store: Path, _copy: Path) -> None:
    """Delete everything, as `git clean -fdx` does."""
    shutil.rmtree(store.parent, ignore_errors=True)


def restore_all(store: Path, copy: Path) -> None:
    """Replace the folder by one that was copied with its lock file."""
    shutil.rmtree(store, ignore_errors=True)
    shutil.copytree(copy.parent, store, dirs_exist_ok=True)


def put_damaged(store: Path, copy: Path) -> None:
    """Replace the data file by one of which a part is missing."""
    content = copy.read_bytes()
    (store / "arriving").write_bytes(content[: len(content) // 2])
    (store / "arriving").replace(store / DATA_FILE)


def put_newer(store: Path, copy: Path) -> None:
    """Replace the data file by one of a newer WriteIt."""
    with tempfile.TemporaryDirectory() as scratch:
        newer = Path(scratch)
        shutil.copyfile(copy, newer / DATA_FILE)
        with lmdb.Environment(scratch) as env, env.begin(write=True) as txn:
            version = migrations.SCHEMA_VERSION + 1
            txn.put(keys.SCHEMA, migrations.schema_value(version))
        rename_over(store, newer / DATA_FILE)


Act = Callable[[Path, Path], None]
USABLE: tuple[Act, ...] = (
    *(rename_over, copy_over, write_over, delete_data, delete_lock),
    *(clean, restore_all),
)
"""After these the servers go on."""
UNUSABLE: dict[Act, str] = {put_damaged: "corrupt", put_newer: "too_new"}
"""After these the servers refuse to write, with this reason, until it is put right."""


@dataclass(slots=True)
class Report:
    """The results of the drill."""

    rounds: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    kept: int = 0
    died: Counter[str] = field(default_factory=Counter)
    """Servers that the system ended, because a file that they read was cut."""
    problems: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return the counts, one per line."""
        lines = [f"{name:28}{count}" for name, count in sorted(self.rounds.items())]
        lines += [
            f"decisions acknowledged      {self.acknowledged}",
            f"runs kept in files          {self.kept}",
            f"servers that died           {dict(self.died)}",
            f"problems                    {len(self.problems)}",
            *(f"  {problem[:3000]}" for problem in self.problems[:20]),
        ]
        return "\n".join(lines)


class ServerDied(Exception):
    """The server ended before it answered."""


class Seat:
    """One server, its acknowledged decisions, and a user who decides."""

    def __init__(self, report: Report, name: str) -> None:
        self.editor: Witness
        self.decided: dict[str, int] = {}
        """How many steps of each run are acknowledged as skipped."""
        self.refused: list[Refused] = []
        self._report = report
        self._name = name
        self._count = 0

    async def decide(self) -> bool:
        """Make one decision; return whether it was acknowledged."""
        open_runs = [run for run, n in self.decided.items() if n < len(STEPS)]
        try:
            if len(open_runs) < 2:
                self._count += 1
                marker = f"{self._name} {self._count}"
                inputs = {"source_material": marker}
                run = await self._ask(
                    "writeit.run.start", pipeline="tech-article", inputs=inputs
                )
                self.decided[str(run["pipelineRunId"])] = 0
            else:
                run_id = open_runs[0]
                step = STEPS[self.decided[run_id]]
                await self._ask("writeit.step.skip", runId=run_id, step=step)
                self.decided[run_id] += 1
        except Refused as refused:
            self.refused.append(refused)
            return False
        self._report.acknowledged += 1
        return True

    async def _ask(self, command: str, **params: object) -> Json:
        reply = asyncio.ensure_future(self.editor.command(command, **params))
        died = asyncio.ensure_future(self.editor.process.wait())
        await asyncio.wait(
            {reply, died},
            timeout=ANSWERED_WITHIN,
            return_when=asyncio.FIRST_COMPLETED,
        )
        died.cancel()
        if reply.done():
            answer: Json = reply.result()
            return answer
        reply.cancel()
        if self.editor.process.returncode is not None:
            raise ServerDied
        raise TimeoutError

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """Decide one after the other while the context is open."""
        ending = False

        async def work() -> None:
            with suppress(ServerDied):
                while not ending:
                    await self.decide()

        task = asyncio.create_task(work())
        try:
            yield
        finally:
            ending = True
            await task

    def lacks(self, shown: Json, run_id: str) -> bool:
        """Return whether a run is not shown as it was acknowledged."""
        skipped = [shown["steps"][step]["status"] for step in STEPS]
        return skipped.count("SKIPPED") < self.decided[run_id]

    async def lost(self) -> dict[str, str]:
        """Return the runs that this server does not show as acknowledged, and how."""
        wrong = {}
        for run_id in self.decided:
            try:
                shown = await self._ask("writeit.run.show", runId=run_id)
            except Refused as refused:
                wrong[run_id] = f"{run_id}: {refused}"
                continue
            if self.lacks(shown, run_id):
                wrong[run_id] = f"{run_id} lacks a decision"
        return wrong


class Drill:
    """Rounds on one workspace."""

    def __init__(self, scratch: Path, servers: int, rng: random.Random) -> None:
        self.report = Report()
        self._scratch = scratch
        self._servers = servers
        self._rng = rng
        self._store = new_workspace(scratch / "workspace") / STORE_SUBFOLDER
        self._copies = scratch / "copy"
        self._seats: list[Seat] = []
        self._logs = 0

    async def run(self, acts: list[Act]) -> None:
        """Do each act to the store in one round."""
        async with AsyncExitStack() as stack:
            self._seats = [
                Seat(self.report, name) for name in ("one", "two")[: self._servers]
            ]
            for seat in self._seats:
                await self._start(seat, stack)
                await seat.decide()
            for number, act in enumerate(acts):
                where = f"round {number}, {act.__name__}"
                try:
                    await self._round(number, act, where)
                except TimeoutError:
                    self.report.problems.append(f"{where}: a request was not answered")
                except ServerDied:
                    await self._start_again(act, stack)
                self.report.rounds[act.__name__] += 1
                if self.report.problems:
                    break
            for seat in self._seats:
                if self.report.problems:
                    seat.editor.process.send_signal(signal.SIGABRT)  # logs its stacks
                else:
                    await seat.editor.quit()
        self._look_at_the_store()
        self._restore()
        for log in self._scratch.glob("*.log"):
            logged = log.read_text(encoding="utf-8")
            if "Traceback" in logged or ("Fatal" in logged and "Bus" not in logged):
                self.report.problems.append(f"a server logged: {logged[-3000:]}")

    async def _start(self, seat: Seat, stack: AsyncExitStack) -> None:
        variables = environment(Provider(), self._scratch / "home")
        variables["PYTHONFAULTHANDLER"] = "1"
        self._logs += 1
        log = self._scratch / f"{self._logs}.log"
        server = witnessing(self._store.parents[1], variables, log)
        seat.editor = await stack.enter_async_context(server)

    async def _start_again(self, act: Act, stack: AsyncExitStack) -> None:
        """Start servers that died, as editors do, and forget what they lost."""
        dead = [s for s in self._seats if s.editor.process.returncode is not None]
        for seat in dead:
            self.report.died[act.__name__] += 1
            rename_over(self._store, self._copies / DATA_FILE)
            await self._start(seat, stack)
        for seat in dead:  # the first has the runs of all, and stores them again
            lost = await seat.lost()
            self.report.problems += [f"died, {each}" for each in lost.values()]
            seat.decided.clear()  # they are no longer known to this server alone

    async def _round(self, number: int, act: Act, where: str) -> None:
        self._copy_sometimes(number)
        for seat in self._seats:
            seat.refused.clear()
        if number % 2:
            async with AsyncExitStack() as stack:
                for seat in self._seats:
                    await stack.enter_async_context(seat.deciding())
                await asyncio.sleep(self._rng.uniform(0.01, 0.1))
                act(self._store, self._copies / DATA_FILE)
                await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        else:
            act(self._store, self._copies / DATA_FILE)
        for seat in self._seats:
            await seat.decide()
        if act in UNUSABLE:
            await self._put_right(where, UNUSABLE[act])
        else:
            await self._settle(where, act)
        for seat in self._seats:
            wrong = await seat.lost()
            self.report.problems += [f"{where}: {each}" for each in wrong.values()]

    async def _settle(self, where: str, act: Act) -> None:
        """Check refusals; a copy that met a commit must be copied again."""
        refused = [each for seat in self._seats for each in seat.refused]
        for each in refused:
            if (
                act not in {copy_over, write_over}
                or each.data.get("reason") != "corrupt"
            ):
                self.report.problems.append(f"{where}: refused: {each}")
        if refused:
            act(self._store, self._copies / DATA_FILE)
        await self._until_accepted()

    async def _put_right(self, where: str, reason: str) -> None:
        """Check that all is refused for a reason, then put a usable file there."""
        for seat in self._seats:
            seat.refused.clear()
            if await seat.decide():
                self.report.problems.append(f"{where}: written into an unusable store")
            elif seat.refused[0].data.get("reason") != reason:
                self.report.problems.append(f"{where}: {seat.refused[0]}")
            self._look_at_kept(where, seat)
        rename_over(self._store, self._copies / DATA_FILE)
        await self._until_accepted()

    def _look_at_kept(self, where: str, seat: Seat) -> None:
        """Check that each acknowledged run is in a file that can be imported."""
        kept: dict[str, RunBundle] = {}
        for path in (self._store.parent / KEPT_FOLDER).glob("*.yaml"):
            exported = read_export(path.read_text(encoding="utf-8"))
            kept[str(exported.run.pipeline_run_id)] = exported
        self.report.kept = len(kept)
        for run_id, count in seat.decided.items():
            bundle = kept.get(run_id)
            done = 0
            if bundle is not None:
                steps = bundle.run.steps.values()
                done = sum(step.status == "SKIPPED" for step in steps)
            if done < count:
                self.report.problems.append(f"{where}: {run_id} is kept with {done}")

    async def _until_accepted(self) -> None:
        for seat in self._seats:
            for _ in range(int(ANSWERED_WITHIN / 0.05)):
                if await seat.decide():
                    break
                await asyncio.sleep(0.05)
            else:
                raise TimeoutError

    def _copy_sometimes(self, number: int) -> None:
        """Copy the store between commits, at first and then sometimes."""
        if number % 8 == 0 and (self._store / DATA_FILE).exists():
            shutil.rmtree(self._copies, ignore_errors=True)
            shutil.copytree(self._store, self._copies)

    def _restore(self) -> None:
        """Restore the copy, and check that it is there, and that the rest is kept."""
        shutil.rmtree(self._copies)
        shutil.copytree(self._store, self._copies)
        expected = check_store(self._copies)
        clean(self._store, self._copies)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "writeit", "store", "restore"),
                *(str(self._copies), "--yes", "--json"),
            ],
            cwd=self._store.parents[1],
            env=os.environ | environment(Provider(), self._scratch / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
        restored = check_store(self._store) if done.returncode == 0 else None
        if restored != expected:
            self.report.problems.append(f"restored {restored}: {done.stderr}")

    def _look_at_the_store(self) -> None:
        problems = check_store(self._store).problems
        self.report.problems += [f"verify: {each}" for each in problems]


def replace_drill(rounds: int, servers: int, seed: int) -> Report:
    """Do each act `rounds` times, in random order."""
    rng = random.Random(seed)  # noqa: S311 -- not a secret
    acts = [*USABLE, *UNUSABLE] * rounds
    rng.shuffle(acts)
    with tempfile.TemporaryDirectory(prefix="writeit-drill-") as scratch:
        drill = Drill(Path(scratch), servers, rng)
        asyncio.run(drill.run(acts))
    return drill.report


def main() -> None:
    """Run the drill with one server, then with two, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- not a secret
    options = parser.parse_args()
    failed = False
    for servers in (1, 2):
        report = replace_drill(options.rounds, servers, options.seed)
        failed |= bool(report.problems)
        sys.stdout.write(f"servers {servers}, seed {options.seed}\n{report.report()}\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
