"""Keys of session tickets: two hosts and what they share, with the clock of the shared storage at a time of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest import mock

from agent.context import Context
from agent.decide.tickets import SLOT
from agent.machine import Paths
from agent.record import RecordStore
from agent.tickets import _make
from agent.verbs import tickets
from fakes import MachineTest

BEGIN = 40_000 * SLOT
GIVEN = "gives the edge other keys of session tickets"
STAYS = "the keys of session tickets cannot be had; those that are there stay: "
NAMES = ("previous", "now", "next")


class TicketsTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.keys_folder = self.root / "srv/twinhost/tickets"
        self.keys_folder.parent.mkdir(parents=True)
        (self.root / "dev/shm").mkdir(parents=True)
        (self.root / "other/dev/shm").mkdir(parents=True)
        (self.root / "other/srv").symlink_to(self.root / "srv")
        paths = Paths(self.root / "other")
        other = replace(self.machine, paths=paths)
        self.other = Context(other, self.engine, RecordStore(other))
        self.now = BEGIN
        patch = mock.patch("agent.tickets.run", self.touch)
        patch.start()
        self.addCleanup(patch.stop)

    def touch(self, command: list[str], _: float) -> str:
        self.assertEqual("touch", command[0])
        Path(command[1]).touch()
        os.utime(command[1], (self.now, self.now))
        return ""

    def verb(self, context: Context | None = None) -> str:
        """What it says, without the time and the name."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            tickets.run(context or self.context, [])
        return "".join(f"{line.split(': ', 1)[1]}\n" for line in said.getvalue().splitlines())

    def keys(self, context: Context | None = None) -> list[bytes]:
        folder = (context or self.context).machine.paths.root / "dev/shm/twinhost/current"
        return [(folder / name).read_bytes() for name in NAMES]

    def shared(self) -> list[str]:
        return sorted(file.name for file in self.keys_folder.iterdir())

    def test_both_hosts_have_the_same_three_keys(self) -> None:
        self.assertEqual(f"{GIVEN}\n", self.verb())
        self.assertEqual(f"{GIVEN}\n", self.verb(self.other))
        self.assertEqual(self.keys(), self.keys(self.other))
        self.assertEqual([80, 80, 80], [len(key) for key in set(self.keys())])
        self.assertEqual(["39999", "40000", "40001", "clock"], self.shared())
        self.assertEqual("", self.verb())

    def test_they_move_on_with_the_clock_of_the_storage(self) -> None:
        self.verb()
        first = self.keys()
        self.now = BEGIN + SLOT - 1
        self.assertEqual("", self.verb())
        self.now = BEGIN + SLOT
        self.assertEqual(f"{GIVEN}\n", self.verb())
        second = self.keys()
        self.assertEqual(first[1:], second[:2])
        self.assertNotIn(second[2], first)
        self.now = BEGIN + SLOT + 600
        self.assertEqual("", self.verb())
        self.assertEqual(["40000", "40001", "40002", "clock"], self.shared())

    def test_the_key_of_the_host_that_was_first_counts(self) -> None:
        self.keys_folder.mkdir()
        file = self.keys_folder / "40000"
        file.write_bytes(b"f" * 80)
        _make(self.keys_folder, file)
        self.assertEqual(b"f" * 80, file.read_bytes())
        self.assertEqual(["40000"], self.shared())

    def test_a_key_that_is_damaged_is_made_anew(self) -> None:
        for content in (b"", b"k" * 79, bytes(80)):
            with self.subTest(content):
                self.verb()
                keys = self.keys()
                (self.keys_folder / "40001").write_bytes(content)
                reason = "tickets/40001 on the shared storage is no key; the next look makes it anew"
                self.assertEqual(f"{STAYS}{reason}\n", self.verb())
                self.assertEqual(keys, self.keys())
                self.assertEqual(f"the keys of session tickets can be had again\n{GIVEN}\n", self.verb())
                self.assertEqual(keys[:2], self.keys()[:2])
                self.assertNotEqual(keys[2], self.keys()[2])

    def test_while_the_storage_is_away_its_keys_stay(self) -> None:
        self.verb()
        keys = self.keys()
        away = self.root / "away"
        self.keys_folder.parent.rename(away)
        self.keys_folder.parent.write_text("no folder")
        self.assertTrue(self.verb().startswith(STAYS))
        self.assertEqual("", self.verb())
        self.assertEqual(keys, self.keys())
        self.keys_folder.parent.unlink()
        away.rename(self.keys_folder.parent)
        self.assertEqual("the keys of session tickets can be had again\n", self.verb())
        self.assertEqual(keys, self.keys())

    def test_no_key_without_a_clock(self) -> None:
        self.now = 0
        self.assertEqual(f"{STAYS}the clock of the shared storage says '0'\n", self.verb())
        self.assertEqual(["clock"], self.shared())

    def test_a_storage_that_hangs_is_left(self) -> None:
        self.verb()
        keys = self.keys()

        def hangs(*_: object) -> str:
            return str(os.read(os.pipe()[0], 1))

        with mock.patch("agent.tickets.run", hangs), mock.patch("agent.tickets.budgets.STORAGE", 0.1):
            self.assertEqual(f"{STAYS}the shared storage did not answer within 0.1 s\n", self.verb())
        self.assertEqual(keys, self.keys())

    def test_root_alone_reads_them(self) -> None:
        self.keys_folder.mkdir(mode=0o755)
        self.verb()
        memory = self.root / "dev/shm/twinhost"
        for folder in (self.keys_folder, memory, (memory / "current").resolve()):
            self.assertEqual(0o700, folder.stat().st_mode & 0o777, folder)
        files = [self.keys_folder / "40000", *(memory / "current" / name for name in NAMES)]
        self.assertEqual([0o600] * 4, [file.stat().st_mode & 0o777 for file in files])

    def test_they_are_nowhere_else(self) -> None:
        self.verb()
        self.now = BEGIN + SLOT
        self.verb()
        memory = self.root / "dev/shm/twinhost"
        self.assertEqual({"current", (memory / "current").resolve().name}, {one.name for one in memory.iterdir()})
        for file in self.root.rglob("*"):
            if file.is_file() and not {self.keys_folder, memory} & set(file.resolve().parents):
                self.assertFalse([key for key in self.keys() if key in file.read_bytes()], file)

    def test_a_folder_in_memory_that_somebody_else_has_made_is_not_used(self) -> None:
        trap = self.root / "trap"
        trap.mkdir()
        memory = self.root / "dev/shm/twinhost"
        for link in (True, False):
            if link:
                memory.symlink_to(trap)
            else:
                memory.write_text("")
            self.verb()
            self.assertTrue(memory.is_dir() and not memory.is_symlink())
            self.assertEqual([], list(trap.iterdir()))
            self.assertEqual(3, len(self.keys()))
            shutil.rmtree(memory)

    def test_what_was_left_half_made_goes(self) -> None:
        self.verb()
        for name, age in (("new.abcdef", 601), ("new.ghijkl", 599), ("note", 100_000)):
            file = self.write(f"srv/twinhost/tickets/{name}", "k" * 80)
            os.utime(file, (BEGIN - age, BEGIN - age))
        self.verb()
        self.assertEqual(["39999", "40000", "40001", "clock", "new.ghijkl", "note"], self.shared())


class WitnessTest(MachineTest):
    role = "witness"

    def test_a_witness_has_none(self) -> None:
        tickets.run(self.context, [])
        self.assertFalse((self.root / "dev").exists())
