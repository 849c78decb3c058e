"""The cluster record, as machines read it from a storage that may lose files, or hold damaged ones."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import Callable
from unittest import mock

from agent.decide.cluster_record import Manager, Record, Seen
from agent.errors import Damaged, Unavailable
from agent.record import last_seen
from storage import GENERATIONS, RecordTest

SHA, OTHER_SHA = "a" * 64, "b" * 64


class ShowTest(RecordTest):
    def test_should_show_an_empty_record_before_the_first_claim(self) -> None:
        self.assertEqual(Record(0, "", "", "", 0, ()), self.record.show())

    def test_should_beat_for_its_founder_from_the_claim_on(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")

        self.assertEqual(
            Record(1, "i-1", "", "", 0, (Manager("i-1", 1, False, "10.0.0.1"),)),
            self.record.show(),
        )

    def test_should_show_the_highest_generation_as_current(self) -> None:
        for generation in (1, 2, 9, 10, 11):
            self.record.claim(generation, f"i-{generation}", "10.0.0.1")
        (self.root / GENERATIONS / "99x").mkdir()
        (self.root / GENERATIONS / "100").write_text("")

        shown = self.record.show()
        self.assertEqual((11, "i-11"), (shown.generation, shown.founder))

    def test_should_show_a_generation_of_which_nothing_but_the_claim_is_there(self) -> None:
        self.folder(3).mkdir(parents=True)

        self.assertEqual(Record(3, "", "", "", 0, ()), self.record.show())

    def test_should_take_no_storage_that_is_not_mounted_for_an_empty_record(self) -> None:
        with mock.patch("agent.machine.Machine.mounted", return_value=False):
            reason = self.reason(self.record.show, Unavailable)

        self.assertEqual("the shared storage is not mounted", reason)
        self.assertFalse((self.root / "srv").exists())

    def test_should_take_no_storage_that_cannot_be_read_for_an_empty_record(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        for at in ("os.scandir", "pathlib.Path.iterdir", "pathlib.Path.stat", "pathlib.Path.read_text"):
            with self.subTest(at), mock.patch(at, side_effect=OSError(5, "Input/output error")):
                self.assertEqual("Input/output error", self.reason(self.record.show, Unavailable))
        self.write("srv/twinhost/file", "")
        (self.root / "srv/twinhost/swarm").rename(self.root / "away")
        self.write("srv/twinhost/swarm", "a file where a folder should be")
        self.assertIn("Not a directory", self.reason(self.record.show, Unavailable))

    def test_should_show_nothing_of_a_generation_of_which_a_file_cannot_be_read(self) -> None:
        for file in ("founder", "cluster-id", "release", "managers/i-1"):
            with self.subTest(file):
                generation = self.record.show().generation + 1
                self.record.claim(generation, "i-1", "10.0.0.1")
                (self.folder(generation) / file).unlink(missing_ok=True)
                (self.folder(generation) / file).mkdir()
                self.assertIn("Is a directory", self.reason(self.record.show, Unavailable))
                (self.folder(generation) / file).rmdir()

    def test_should_read_a_heartbeat_that_was_replaced_between_open_and_read(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        read = Path.read_text
        stale: list[Path] = []

        def once(file: Path) -> str:
            if file.name == "i-1" and not stale:
                stale.append(file)
                raise OSError(errno.ESTALE, "Stale file handle")
            return read(file)

        with mock.patch("pathlib.Path.read_text", once):
            self.assertEqual("i-1", self.record.show().managers[0].instance)
        self.assertEqual(1, len(stale))
        with mock.patch("pathlib.Path.read_text", side_effect=OSError(errno.ESTALE, "Stale file handle")):
            self.assertEqual("Stale file handle", self.reason(self.record.show, Unavailable))

    def test_should_name_a_damaged_file_and_show_nothing(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        for file, reason in (
            ("founder", "generations/1/founder in the cluster record is damaged"),
            ("cluster-id", "generations/1/cluster-id in the cluster record is damaged"),
            ("release", "generations/1/release in the cluster record is damaged"),
            ("managers/i-2", "the heartbeat of i-2 in the cluster record is damaged"),
        ):
            for damage in (b"", b"\n", b"cut short", b"two lines\nof it\n", b"\0\0\0\0\n", b"\xff\xfe\n"):
                with self.subTest(file=file, damage=damage):
                    (self.folder(1) / file).write_bytes(damage)
                    said = self.reason(self.record.show)
                    self.assertIn(said, {reason, f"generations/1/{file} in the cluster record is damaged"})
            (self.folder(1) / file).unlink()
        self.assertEqual("i-1", self.record.show().managers[0].instance)

    def test_should_take_no_heartbeat_that_is_not_whole(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        for damage in (
            "7 yes 10.0.0.1",
            "7 yes\n",
            "7 true 10.0.0.1\n",
            "x yes 10.0.0.1\n",
            "-7 yes 10.0.0.1\n",
            "7.5 yes 10.0.0.1\n",
            "7 yes 10.0.0.1 more\n",
            "null\n",
        ):
            with self.subTest(damage):
                (self.folder(1) / "managers/i-1").write_text(damage)
                self.assertEqual("the heartbeat of i-1 in the cluster record is damaged", self.reason(self.record.show))

    def test_should_miss_a_manager_that_leaves_while_it_reads_and_no_other(self) -> None:
        for instance in ("i-1", "i-2", "i-3"):
            self.folder(1).joinpath("managers").mkdir(parents=True, exist_ok=True)
            self.record.beat(1, instance, True, "10.0.0.1")
        read = Path.read_text

        def read_text(file: Path, *arguments: str) -> str:
            if file.name == "i-2":
                file.unlink()
            return read(file, *arguments)

        with mock.patch("pathlib.Path.read_text", read_text):
            self.assertEqual(["i-1", "i-3"], [one.instance for one in self.record.show().managers])

    def test_should_take_no_file_for_a_manager_that_was_removed_while_somebody_reads_it(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        (self.folder(1) / "managers/.nfs000000000000abcd00000001").write_text("")

        self.assertEqual(["i-1"], [one.instance for one in self.record.show().managers])


class FoundTest(RecordTest):
    def test_should_name_the_cluster_only_together_with_its_token(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        self.assertEqual(
            "generations/1/token in the cluster record is damaged", self.reason(lambda: self.record.token(1))
        )

        with mock.patch("agent.files.write", side_effect=self.only("token")):
            with self.assertRaises(Unavailable):
                self.record.found(1, "cluster-a", "SWMTKN-secret")
            self.assertEqual("", self.record.show().cluster)
        self.record.found(1, "cluster-a", "SWMTKN-secret")

        self.assertEqual("SWMTKN-secret", self.record.token(1))
        self.assertEqual("cluster-a", self.record.show().cluster)

    def only(self, name: str) -> Callable[[Path, str], None]:
        def write(file: Path, content: str) -> None:
            if file.name != name:
                raise OSError(28, "No space left on device")
            file.write_text(content)

        return write

    def test_should_name_no_secret_in_a_reason(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        for damage in (b"", b" \n", b"SWMTKN-secret \xff"):
            (self.folder(1) / "token").write_bytes(damage)
            self.assertNotIn("SWMTKN", self.reason(lambda: self.record.token(1)))

    def test_should_be_readable_by_root_alone(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        self.record.found(1, "cluster-a", "secret")
        self.record.rescue(1, 1, "i-1")
        self.record.converged(1, SHA, {"sha256": SHA})

        found = (self.root / "srv/twinhost/swarm").rglob("*")
        self.assertEqual({0o700, 0o600}, {stat.S_IMODE(one.stat().st_mode) for one in found})


class ReleaseTest(RecordTest):
    def test_should_remember_the_last_converged_release_across_generations(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        self.assertIsNone(self.record.release())
        self.record.converged(1, SHA, {"sha256": SHA})
        self.record.converged(1, OTHER_SHA, {"sha256": OTHER_SHA})
        self.record.claim(2, "i-2", "10.0.0.2")

        self.assertEqual({"sha256": OTHER_SHA}, self.record.release())
        self.assertEqual((2, OTHER_SHA), (self.record.show().generation, self.record.show().release))
        self.record.converged(2, SHA, {"sha256": SHA})
        self.assertEqual({"sha256": SHA}, self.record.release())

    def test_should_name_a_note_that_is_damaged_or_missing(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        self.record.converged(1, SHA, {"sha256": SHA})
        note = self.folder(1) / f"releases/{SHA}.json"
        for damage in (b"", b"null", b"[]", b'{"sha2', b"\xff"):
            note.write_bytes(damage)
            self.assertEqual(
                f"generations/1/releases/{SHA}.json in the cluster record is damaged",
                self.reason(self.record.release),
            )
        note.unlink()
        self.assertIn(SHA, self.reason(self.record.release))

    def test_should_keep_three_archives_and_remove_half_copies_after_a_day(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        archives = self.root / "srv/twinhost/swarm/archives"
        names = [digit * 64 for digit in "cdef"]
        for age, sha in enumerate(names):
            self.write(f"opt/twinhost/releases/{sha}.zip", f"archive {sha[0]}")
            self.record.converged(1, sha, {"sha256": sha})
            os.utime(archives / f"{sha}.zip", (age, age))
        for copy, age in (("old", 2 * 86400), ("new", 0)):
            file = self.write(f"srv/twinhost/swarm/archives/{SHA}.zip.{copy}", "half of it")
            os.utime(file, (time.time() - age, time.time() - age))
        self.record.converged(1, names[3], {"sha256": names[3]})

        wanted = [f"{SHA}.zip.new", *(f"{sha}.zip" for sha in names[1:])]
        self.assertEqual(wanted, sorted(one.name for one in archives.iterdir()))
        self.record.fetch_archive(names[3], self.root / "fetched")
        self.assertEqual("archive f", self.read("fetched"))


class LastSeenTest(RecordTest):
    def test_should_keep_what_it_read_and_when(self) -> None:
        self.assertIsNone(last_seen(self.machine.paths))
        self.record.claim(1, "i-1", "10.0.0.1")
        self.record.rescue(1, 1, "i-1")
        self.clock.now = 1234.5

        seen = self.record.refresh()

        self.assertEqual(Seen(self.record.show(), 1234), seen)
        self.assertEqual(seen, last_seen(self.machine.paths))
        self.assertEqual(
            '{"generation":1,"founder":"i-1","cluster":"","release":"","rescues":1,"managers":[{"instance":"i-1",'
            '"counter":1,"leader":false,"address":"10.0.0.1"}],"read":1234}\n',
            self.read("run/twinhost/record"),
        )

    def test_should_keep_what_it_read_before_where_it_cannot_read(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        seen = self.record.refresh()
        (self.folder(1) / "cluster-id").write_text("cut sh")
        self.clock.now += 10

        with self.assertRaises(Damaged):
            self.record.refresh()

        self.assertEqual(seen, last_seen(self.machine.paths))
