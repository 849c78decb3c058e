from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from unittest import mock

from agent import releases, shape
from agent.errors import Damaged, Problem, Unavailable
from fakes import SHA, FakePrograms, MachineTest, directly

BALANCER = "balancer.example.net"


def archive(*entries: tuple[str, str], mode: int | None = None) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in entries:
            entry = zipfile.ZipInfo(name)
            if mode is not None:
                entry.external_attr = mode << 16
            made.writestr(entry, text)
    return content.getvalue()


ARCHIVE = archive(("docker/host/twinhost", "#!/bin/bash\n"), ("settings.env", "x"))
NEW = hashlib.sha256(ARCHIVE).hexdigest()
NOTE: dict[str, object] = {"bucket": "bucket", "key": "key.zip", "sha256": NEW, "balancer": BALANCER}


class ReleasesTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms()
        replaced = {
            "agent.aws.run": self.programs,
            "agent.releases.run": self.programs,
            "agent.record.contained": directly,
        }
        for name, stand_in in replaced.items():
            patch = mock.patch(name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)
        self.folder = self.machine.paths.releases

    def bucket(self, content: bytes) -> None:
        def give() -> str:
            (self.folder / f"{NEW}.zip.new").write_bytes(content)
            return "{}"

        self.programs.answer("aws s3api get-object", give)

    def storage(self, content: bytes) -> None:
        kept = self.machine.paths.shared / "swarm/archives"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{NEW}.zip").write_bytes(content)

    def note_converged(self, note: dict[str, object]) -> None:
        self.context.record.claim(1, "i-old", "10.0.0.99")
        self.context.record.converged(1, NEW, note)


class Obtain(ReleasesTest):
    def test_brings_it_from_the_bucket(self) -> None:
        self.bucket(ARCHIVE)

        found = releases.obtain(self.context, NOTE)

        self.assertEqual(found, self.folder / NEW)
        self.assertEqual((found / "settings.env").read_text(), "x")
        self.assertEqual(shape.parse((found / "release.json").read_text(), "it"), NOTE)
        self.assertEqual((self.folder / f"{NEW}.zip").read_bytes(), ARCHIVE)
        self.assertEqual(
            self.programs.calls,
            [f"aws s3api get-object --bucket bucket --key key.zip {self.folder / NEW}.zip.new"],
        )

    def test_takes_what_is_on_the_disk(self) -> None:
        (self.folder / NEW).mkdir()

        self.assertEqual(releases.obtain(self.context, NOTE), self.folder / NEW)
        self.assertEqual(self.programs.calls, [])
        self.assertTrue((self.folder / NEW / "release.json").exists())

    def test_begins_anew_where_an_attempt_was_cut_short(self) -> None:
        self.write(f"opt/twinhost/releases/{NEW}.new/half", "of a file")
        self.bucket(ARCHIVE)

        self.assertFalse((releases.obtain(self.context, NOTE) / "half").exists())

    def test_takes_the_copy_on_the_storage_where_the_bucket_fails(self) -> None:
        for broken in (b"", ARCHIVE[:50], b"another"):
            with self.subTest(broken):
                self.bucket(broken)
                self.storage(ARCHIVE)
                found = releases.obtain(self.context, NOTE)
                self.assertEqual((found / "settings.env").read_text(), "x")
                releases._remove(found)
        self.programs.fail("aws s3api get-object", "An error occurred (NoSuchKey)")
        self.assertTrue(releases.obtain(self.context, NOTE).is_dir())

    def test_refuses_what_neither_has_whole(self) -> None:
        self.programs.fail("aws s3api get-object", "An error occurred (NoSuchKey)")
        with self.assertRaises(Unavailable):
            releases.obtain(self.context, NOTE)
        self.storage(b"another")
        with self.assertRaisesRegex(Damaged, "its checksum is another"):
            releases.obtain(self.context, NOTE)
        self.assertFalse((self.folder / NEW).exists())
        self.assertFalse((self.folder / f"{NEW}.zip").exists())

    def test_refuses_a_note_that_names_no_release(self) -> None:
        for sha in (None, 7, "", "../../etc", "A" * 64, "a" * 63, "a" * 64 + "\n"):
            with self.subTest(sha), self.assertRaises(Damaged):
                releases.obtain(self.context, {**NOTE, "sha256": sha})
        self.assertEqual(self.programs.calls, [])

    def test_refuses_a_full_disk_by_name(self) -> None:
        with mock.patch("agent.files.write", side_effect=OSError(28, "No space left on device", "/opt/x")):
            (self.folder / NEW).mkdir()
            with self.assertRaisesRegex(Unavailable, "No space left on device: /opt/x"):
                releases.obtain(self.context, NOTE)


class Extract(ReleasesTest):
    def test_lets_no_file_leave_the_folder(self) -> None:
        for name in ("../x", "a/../../x", "/etc/x", "a//b", "./x"):
            with self.subTest(name):
                self.assert_refused(archive((name, "x")))

    def test_takes_files_alone(self) -> None:
        self.assert_refused(archive(("link", "/etc/passwd"), mode=stat.S_IFLNK | 0o777))

    def test_refuses_what_is_no_archive(self) -> None:
        for content in (b"", b"no archive", ARCHIVE[:-30]):
            with self.subTest(content):
                self.assert_refused(content)

    def assert_refused(self, content: bytes) -> None:
        file = self.root / "archive.zip"
        file.write_bytes(content)
        with self.assertRaises(Damaged):
            releases.extract(file, self.root / "new")
        self.assertFalse((self.root / "new").exists())


class Converged(ReleasesTest):
    def setUp(self) -> None:
        super().setUp()
        self.own = self.write(f"opt/twinhost/releases/{SHA}/release.json", f'{{"balancer": "{BALANCER}"}}')

    def test_is_the_one_of_the_record(self) -> None:
        self.assertIsNone(releases.converged(self.context))
        self.note_converged(NOTE)
        self.assertEqual(releases.converged(self.context), NOTE)

    def test_is_none_of_another_stack(self) -> None:
        self.note_converged({**NOTE, "balancer": "another.example.net"})
        self.assertIsNone(releases.converged(self.context))

    def test_refuses_a_damaged_note(self) -> None:
        self.note_converged(NOTE)
        file = self.machine.paths.shared / f"swarm/generations/1/releases/{NEW}.json"
        whole = file.read_text()
        for broken in ("", "null", "7", "{}", "[null]", whole[:40], whole.replace(f'"{BALANCER}"', "null")):
            with self.subTest(broken):
                file.write_text(broken)
                with self.assertRaises(Damaged):
                    releases.converged(self.context)
        file.unlink()
        with self.assertRaises(Problem):
            releases.converged(self.context)

    def test_refuses_where_its_own_release_does_not_say_the_balancer(self) -> None:
        self.note_converged(NOTE)
        for broken in ("", "{}", '{"balancer": null}', "{"):
            with self.subTest(broken):
                self.own.write_text(broken)
                with self.assertRaises(Damaged):
                    releases.converged(self.context)
        self.own.unlink()
        with self.assertRaises(Unavailable):
            releases.converged(self.context)


class Named(ReleasesTest):
    def test_is_what_the_parameter_holds(self) -> None:
        self.programs.answer("aws ssm get-parameter --name /site/release", shape.compact(NOTE) + "\n")
        self.assertEqual(releases.named(self.context), NOTE)

    def test_refuses_what_is_no_release(self) -> None:
        for said in ("", "null\n", "None\n", "[]", '{"a":'):
            with self.subTest(said), self.assertRaises(Damaged):
                self.programs.answer("aws ssm", said)
                releases.named(self.context)


class Install(ReleasesTest):
    UNITS = ("twinhost-bootstrap.service", "twinhost-heal.timer", "twinhost-a.timer", "twinhost-b.path")

    def setUp(self) -> None:
        super().setUp()
        self.release = self.machine.release
        self.write(f"opt/twinhost/releases/{SHA}/docker/host/twinhost", "#!/bin/bash\n")
        for unit in self.UNITS:
            self.write(f"opt/twinhost/releases/{SHA}/docker/host/units/{unit}", f"[{unit}]\n")
        self.programs.answer("systemctl")
        self.system = self.root / "etc/systemd/system"

    def test_makes_it_the_one_of_this_machine(self) -> None:
        releases.install(self.context, self.release)

        for command in ("usr/local/bin/twinhost", "usr/bin/twinhost"):
            self.assertEqual((self.root / command).resolve(), (self.release / "docker/host/twinhost").resolve())
            self.assertTrue(os.access(self.root / command, os.X_OK))
        self.assertEqual((self.system / "twinhost-heal.timer").read_text(), "[twinhost-heal.timer]\n")
        self.assertEqual((self.system / "twinhost-heal.timer").stat().st_mode & 0o777, 0o644)
        self.assertEqual(
            self.programs.calls,
            [
                "systemctl daemon-reload",
                "systemctl -q enable twinhost-bootstrap.service twinhost-drain.service",
                "systemctl -q start --no-block twinhost-drain.service",
                "systemctl -q enable --now twinhost-a.timer",
                "systemctl -q enable --now twinhost-heal.timer",
                "systemctl -q enable --now twinhost-b.path",
            ],
        )

    def test_reloads_systemd_only_where_a_unit_has_changed(self) -> None:
        releases.install(self.context, self.release)
        self.programs.calls.clear()

        self.write("etc/systemd/system/twinhost-launcher.service", "[Unit]\n")
        releases.install(self.context, self.release)
        self.assertNotIn("systemctl daemon-reload", self.programs.calls)

        self.write("etc/systemd/system/twinhost-heal.timer", "another")
        releases.install(self.context, self.release)
        self.assertEqual(self.programs.calls.count("systemctl daemon-reload"), 1)

    def test_drops_what_only_a_release_before_had(self) -> None:
        for name in ("twinhost-old.timer", "twinhost-old.service", "twinhost-launcher.service", "other.service"):
            self.write(f"etc/systemd/system/{name}", "[Unit]\n")
        self.programs.fail("systemctl -q disable twinhost-old.service", "no such unit")

        releases.install(self.context, self.release)

        self.assertEqual(
            self.programs.calls[-5:],
            [
                "systemctl -q enable --now twinhost-b.path",
                "systemctl -q disable twinhost-old.service",
                "systemctl -q disable twinhost-old.timer",
                "systemctl -q stop twinhost-old.timer",
                "systemctl daemon-reload",
            ],
        )
        left = {file.name for file in self.system.iterdir()}
        self.assertEqual(left, {*self.UNITS, "twinhost-launcher.service", "other.service"})

    def test_drops_nothing_before_the_new_units_work(self) -> None:
        old = ("twinhost-heartbeat.timer", "twinhost-certificate.timer")
        for name in old:
            self.write(f"etc/systemd/system/{name}", "[Timer]\n")
        self.programs.fail("systemctl -q enable --now twinhost-b.path", "Failed to start")

        with self.assertRaises(Unavailable):
            releases.install(self.context, self.release)
        self.assertFalse([call for call in self.programs.calls if "disable" in call or "stop" in call])
        self.assertLessEqual(set(old), {file.name for file in self.system.iterdir()})

        self.programs.answer("systemctl -q enable --now twinhost-b.path")
        releases.install(self.context, self.release)
        self.assertFalse(set(old) & {file.name for file in self.system.iterdir()})

    def test_keeps_the_three_youngest(self) -> None:
        for age, name in enumerate("abcd"):
            folder = self.folder / (name * 64)
            folder.mkdir()
            self.write(f"opt/twinhost/releases/{name * 64}.zip", "")
            os.utime(folder, (1000 - age, 1000 - age))
        os.utime(self.release, (1, 1))

        releases.install(self.context, self.release)

        left = sorted(file.name[:1] + file.suffix for file in self.folder.iterdir())
        self.assertEqual(left, [SHA[:1], "a", "a.zip", "b", "b.zip"])

    def test_raises_where_systemd_refuses(self) -> None:
        self.programs.fail("systemctl -q enable --now twinhost-heal.timer", "Failed to enable unit")
        with self.assertRaisesRegex(Unavailable, "Failed to enable unit"):
            releases.install(self.context, self.release)

    def test_leads_to_another_release(self) -> None:
        releases.install(self.context, self.release)
        other = self.folder / NEW
        (self.release / "docker").rename(self.root / "kept")
        other.mkdir()
        (self.root / "kept").rename(other / "docker")

        releases.install(self.context, other)

        self.assertEqual(self.machine.paths.current.resolve(), other.resolve())
