"""What is kept between two runs of heal, and what is asked of the Swarm on the way."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from unittest import mock

from agent import files
from agent.decide.cluster_record import Manager, Record
from agent.errors import Unavailable
from agent.founding import founding, is_founding, started
from agent.journal import forget, lasted, log_once, record_action
from agent.swarm import activate, release_runs, watch_record
from fakes import FakePrograms, MachineTest, spoken

RECORD = Record(1, "i-1", "cluster-a", "", 0, (Manager("i-1", 5, True, "10.0.0.1"),))


class WriteTest(MachineTest):
    def test_should_have_a_file_on_the_disk_before_its_name(self) -> None:
        file = self.write("var/lib/twinhost/note", "old")
        seen: list[str] = []

        def look(descriptor: int) -> None:
            seen.append(file.read_text() + " " + Path(f"/proc/self/fd/{descriptor}").read_text())

        with mock.patch("agent.files.os.fsync", look):
            files.write(file, "new")

        self.assertEqual((["old new"], "new"), (seen, file.read_text()))


class WatchRecordTest(MachineTest):
    def test_should_keep_what_it_saw_for_the_next_look(self) -> None:
        self.assertIsNone(watch_record(self.context, RECORD).managers[0].still)
        self.assertEqual(
            '{"generation":1,"since":1000,"managers":{"i-1":{"counter":5,"moved":null,"led":null}}}\n',
            self.read("run/twinhost/watch"),
        )
        self.clock.now = 1010
        moved = Record(1, "i-1", "cluster-a", "", 0, (Manager("i-1", 6, True, "10.0.0.1"),))
        watch_record(self.context, moved)
        self.clock.now = 1015

        watched = watch_record(self.context, moved)
        self.assertEqual((15, 5, 5), (watched.watched, watched.managers[0].still, watched.managers[0].led))

    def test_should_begin_again_where_what_it_kept_is_broken(self) -> None:
        for broken in (
            "",
            "null",
            "{}",
            '{"generation":1,"since":0,"managers":{"i-1":{"moved":990,"led":990}}}',
            '{"generation":1,"since":0,"managers":{"i-1":{"counter":4,"mov',
            '{"generation":1,"since":9999,"managers":{}}',
        ):
            with self.subTest(broken):
                self.write("run/twinhost/watch", broken)
                watched = watch_record(self.context, RECORD)
                self.assertEqual((0, None, None), (watched.watched, watched.managers[0].still, watched.managers[0].led))


class JournalTest(MachineTest):
    def test_should_log_once_what_it_waits_for_until_it_changes(self) -> None:
        for text, logged in (("", []), ("a", ["a"]), ("a", []), ("", []), ("", []), ("a", ["a"]), ("b", ["b"])):
            self.assertEqual(logged, spoken(partial(log_once, self.machine, text)))

    def test_should_keep_the_last_action(self) -> None:
        for text in ("removed n-b", "had i-0c replaced"):
            self.assertEqual([text], spoken(partial(record_action, self.machine, text)))
        self.assertRegex(
            self.read("var/lib/twinhost/healed"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ had i-0c replaced\n$"
        )

    def test_should_continue_on_a_disk_that_is_full(self) -> None:
        with mock.patch("agent.journal.files.write", side_effect=OSError(28, "No space left on device")):
            self.assertEqual(
                ["removed n-b", "  the disk: [Errno 28] No space left on device"],
                spoken(partial(record_action, self.machine, "removed n-b")),
            )

    def test_should_measure_for_how_long_something_is_the_same(self) -> None:
        self.assertEqual(0, lasted(self.machine, "behind", "x"))
        self.clock.now = 1030
        self.assertEqual(30, lasted(self.machine, "behind", "x"))
        self.assertEqual(0, lasted(self.machine, "behind", "y"))
        self.clock.now = 1040
        self.assertEqual(10, lasted(self.machine, "behind", "y"))
        forget(self.machine, "behind", "never")
        self.assertEqual(0, lasted(self.machine, "behind", "y"))

    def test_should_begin_again_where_the_note_is_broken(self) -> None:
        for broken in ("", "x", "900", "9999 x", "-5 x", "null x", "900 x y"):
            self.write("run/twinhost/behind", broken)
            self.assertEqual(0, lasted(self.machine, "behind", "x"), broken)


class FoundingTest(MachineTest):
    def test_should_be_marked_within_alone(self) -> None:
        with founding(self.machine.paths):
            self.assertTrue(is_founding(self.machine.paths))
            self.assertEqual(f"{os.getpid()} {started(os.getpid())}\n", self.read("run/twinhost/founding"))
        self.assertFalse(is_founding(self.machine.paths))
        with self.assertRaises(RuntimeError), founding(self.machine.paths):
            raise RuntimeError
        self.assertFalse(is_founding(self.machine.paths))

    def test_should_tell_a_process_from_the_one_that_takes_its_number_over(self) -> None:
        self.assertRegex(started(os.getpid()) or "", "^[0-9]+$")
        self.assertIsNone(started(999999999))


class SwarmTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms().answer("docker")
        patch = mock.patch("agent.swarm.run", self.programs)
        patch.start()
        self.addCleanup(patch.stop)
        self.engine.swarm("active", "cluster-a")

    def test_should_ask_swarm_for_nothing_where_this_machine_is_not_drained(self) -> None:
        activate(self.context)

        self.assertEqual(([], []), (self.programs.calls, self.engine.calls))

    def test_should_keep_the_mark_of_a_machine_that_could_not_be_made_active(self) -> None:
        self.write("var/lib/twinhost/drained", "")
        self.programs.fail("docker node update", "no leader")
        with self.assertRaises(Unavailable):
            activate(self.context)
        self.engine.answer("GET /info", EOFError())
        with self.assertRaises(EOFError):
            activate(self.context)

        self.assertTrue((self.root / "var/lib/twinhost/drained").exists())

    def test_should_see_a_release_on_another_machine(self) -> None:
        self.engine.answer("GET /configs", [])
        self.assertFalse(release_runs(self.context))
        self.assertEqual("GET /configs?filters=%7B%22name%22%3A%5B%22twinhost_release%22%5D%7D", self.engine.calls[-1])
        self.engine.answer("GET /configs", [{"ID": "turn"}])
        self.assertTrue(release_runs(self.context))
