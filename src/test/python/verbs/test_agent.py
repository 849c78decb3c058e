"""twinhost agent: what its ticks are, and when it ends."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from agent import cli, notice
from agent.context import Context
from agent.errors import Damaged, Unavailable
from agent.verbs.agent import Contexts, Watch, create_jobs
from fakes import FakePrograms, MachineTest

HOST = Path(__file__).resolve().parents[4] / "docker/host"


class WatchTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.current = self.root / "opt/twinhost/current"
        self.current.symlink_to(self.machine.release)
        release = self.machine.release.resolve()
        self.context = Context(replace(self.machine, release=release), self.engine, self.context.record)
        self.job = create_jobs(0)[0]
        self.watch = Watch(self.context, self.job)

    def test_it_stays_while_its_release_is_the_one_of_the_machine(self) -> None:
        self.assertTrue(self.watch.look())
        self.assertFalse(self.job.asked)

    def test_it_ends_where_another_release_is(self) -> None:
        other = self.root / "opt/twinhost/releases/other"
        other.mkdir()
        self.current.unlink()
        self.assertTrue(self.watch.look(), "no release is not another one")
        self.current.symlink_to(self.root / "nowhere")
        self.assertTrue(self.watch.look())
        self.current.unlink()
        self.current.symlink_to(other)
        self.assertFalse(self.watch.look())
        self.assertEqual("ends: this machine runs with another release", self.watch.why)

    def test_it_ends_where_systemd_wants_it(self) -> None:
        self.watch.stop(signal.SIGTERM, None)
        self.assertFalse(self.watch.look())
        self.assertEqual("ends: systemd wants it", self.watch.why)

    def test_each_question_of_certbot_is_answered_at_once(self) -> None:
        for question in ("first", "second", "second"):
            with self.subTest(question):
                # as certbot does
                new = self.write("var/lib/twinhost/preflight/request.new", f"{question}\n")
                new.replace(self.root / "var/lib/twinhost/preflight/request")
                self.watch.look()
                self.assertTrue(self.job.asked)
                self.job.asked = False
                self.watch.look()
                self.assertFalse(self.job.asked)

    def test_a_link_of_certbots_container_is_followed_nowhere(self) -> None:
        target = self.write("srv/twinhost/request", "first\n")
        request = self.write("var/lib/twinhost/preflight/request", "")
        request.unlink()
        request.symlink_to(target)
        self.watch.look()
        self.job.asked = False
        target.write_text("second, and longer\n")
        self.watch.look()
        self.assertFalse(self.job.asked)


class ContextsTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("etc/twinhost/machine.env", "export TWINHOST_ROLE=host\nexport TWINHOST_STACK=Site\n")
        self.contexts = Contexts(self.context)

    def test_what_has_not_changed_is_not_read_again(self) -> None:
        first = self.contexts()
        self.assertEqual("host", first.machine.role)
        self.assertIsNone(first.machine.instance)
        self.assertEqual("example.com", first.settings().domain)
        with mock.patch("agent.verbs.agent.load_machine", side_effect=AssertionError):
            self.assertIs(first, self.contexts())

    def test_what_the_bootstrap_and_a_person_write_is_read(self) -> None:
        self.contexts()
        self.write("var/lib/twinhost/instance.env", "export TWINHOST_INSTANCE=i-0b\nexport TWINHOST_ADDRESS=10.0.0.9\n")
        self.assertEqual(("i-0b", "10.0.0.9"), self.contexts().machine.identity())
        self.write("etc/twinhost/limits.env", "TWINHOST_LIMIT_DOWN=7\n")
        self.assertEqual(7, self.contexts().machine.limits.down)
        self.write_settings(TWINHOST_DOMAIN="example.org")
        self.assertEqual("example.org", self.contexts().settings().domain)
        self.assertEqual(self.machine.release, self.contexts().machine.release)

    def test_settings_that_are_damaged_hold_up_only_what_needs_them(self) -> None:
        (self.machine.release / "settings.env").write_text("")
        context = self.contexts()
        for _ in range(2):
            with self.assertRaises(Damaged):
                context.settings()
        self.write_settings()
        self.assertEqual("example.com", self.contexts().settings().domain)

    def test_a_machine_that_is_damaged_is_no_machine(self) -> None:
        self.contexts()
        for broken in (b"export TWINHOST_ROLE=guest\n", b"export TWINHOST_ROLE='host\n", b"\xff\xfe", b"\0" * 40):
            self.write("etc/twinhost/machine.env", "").write_bytes(broken)
            for _ in range(2):
                with self.subTest(broken), self.assertRaises(Damaged):
                    self.contexts()


class NoticeTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms().answer("systemctl")
        self.state: object = "Terminated"
        for name, value in (("run", self.programs), ("metadata", self.metadata)):
            patch = mock.patch(f"agent.notice.{name}", value)
            patch.start()
            self.addCleanup(patch.stop)

    def metadata(self, _: object, path: str, attempts: int) -> str:
        self.assertEqual(("autoscaling/target-lifecycle-state", 1), (path, attempts))
        if isinstance(self.state, Exception):
            raise self.state
        return str(self.state)

    def test_a_machine_that_is_ended_begins_its_way_out_without_waiting(self) -> None:
        notice.look(self.context)
        self.assertEqual(["systemctl start --no-block twinhost-notice.service"], self.programs.calls)

    def test_anything_else_is_no_notice(self) -> None:
        for state in ("InService", "", "null", "Terminate", "terminated"):
            self.state = state
            with self.subTest(state):
                notice.look(self.context)
                self.assertEqual([], self.programs.calls)
        self.state = Unavailable("the metadata service does not say it")
        with self.assertRaises(Unavailable):
            notice.look(self.context)
        self.assertEqual([], self.programs.calls)

    def test_what_has_left_stays_away(self) -> None:
        self.write("run/twinhost/left", "")
        notice.look(self.context)
        self.assertEqual([], self.programs.calls)

    def test_before_the_first_bootstrap_nothing_is_asked(self) -> None:
        self.state = AssertionError("asked")
        machine = replace(self.machine, instance=None)
        notice.look(Context(machine, self.engine, self.context.record))


class UnitsTest(unittest.TestCase):
    def test_what_the_agent_does_has_no_unit_of_its_own(self) -> None:
        names = {unit.name for unit in (HOST / "units").iterdir()}
        self.assertLessEqual({"twinhost-agent.service", "twinhost-agent.path", "twinhost-notice.service"}, names)
        self.assertFalse([name for name in names if re.match(r"twinhost-(certificate|heartbeat|notice\.timer)", name)])

    def test_a_release_before_the_first_agent_can_install_the_units(self) -> None:
        """It enables units/*.timer and units/*.path, and ends where nothing has such a name."""
        for kind in ("timer", "path"):
            units = list((HOST / "units").glob(f"*.{kind}"))
            self.assertTrue(units, kind)
            for unit in units:
                self.assertIn("[Install]", unit.read_text(), unit.name)
                self.assertTrue(unit.with_suffix(".service").exists(), unit.name)


class DefectTest(MachineTest):
    def test_the_log_file_has_of_what_the_process_ended(self) -> None:
        self.write("etc/twinhost/machine.env", "export TWINHOST_ROLE=witness\n")
        (self.root / "var/log").mkdir()
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        self.addCleanup(gc.unfreeze)
        said = io.StringIO()
        failure = OSError(11, "Resource temporarily unavailable")
        ticks = mock.patch("agent.verbs.agent.run_ticks", side_effect=failure)
        root = mock.patch.dict(os.environ, {"TWINHOST_ROOT": str(self.root)})
        with contextlib.redirect_stdout(said), ticks, root:
            status = cli.main(["agent"])
        self.assertEqual(1, status)
        logged = self.read("var/log/twinhost.log")
        self.assertEqual(said.getvalue(), logged)
        self.assertIn("agent: broke off: BlockingIOError: [Errno 11] Resource temporarily unavailable\n", logged)


class ProcessTest(MachineTest):
    def test_systemd_hears_that_it_is_there_and_ends_it(self) -> None:
        self.write("etc/twinhost/machine.env", "export TWINHOST_ROLE=witness\nexport TWINHOST_STACK=Site\n")
        self.write("proc/uptime", "1000.00 0.00\n")
        (self.root / "var/log").mkdir()
        address = str(self.root / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address)
            systemd.settimeout(5)
            environment = {**os.environ, "TWINHOST_ROOT": str(self.root), "NOTIFY_SOCKET": address}
            process = subprocess.Popen(
                [sys.executable, "-ISB", str(HOST), "agent"], env=environment, stdout=subprocess.PIPE
            )
            self.assertEqual([b"READY=1", b"WATCHDOG=1"], [systemd.recv(100) for _ in range(2)])
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=10)
            self.assertEqual(b"STOPPING=1", systemd.recv(100))
        self.assertEqual(0, process.returncode)
        lines = [line.split(" ", 1)[1] for line in said.decode().splitlines()]
        self.assertEqual(
            [
                "agent: runs certificate every 5 s, heartbeat every 10 s, notice every 5 s",
                "agent: ends: systemd wants it",
            ],
            lines,
        )
        self.assertEqual(said.decode(), self.read("var/log/twinhost.log"))
