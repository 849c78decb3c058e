"""The launcher `twinhost` and what releases before the agent call, with a program of the tests in place
of the agent.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

HOST = Path(__file__).resolve().parents[3] / "docker/host"
AGENT = """
import fcntl, os, signal, sys

import beside

verb, arguments = sys.argv[1] if sys.argv[1:] else "", sys.argv[2:]
print("the agent ran", verb, *arguments)
print("on standard error", file=sys.stderr)
if "ended" in arguments:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    print("begins", flush=True)
    signal.sigwait({signal.SIGTERM})
    print("has been ended")
if "open" in arguments:
    print("has its caller's descriptor:", os.path.exists("/proc/self/fd/6"))
if "locked" in arguments:
    lock = open(arguments[-1], "w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
sys.exit(3)
"""


def script(name: str) -> Path:
    return HOST / name


class LauncherTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.release = self.root / "releases/a"
        verbs = self.release / "agent/verbs"
        verbs.mkdir(parents=True)
        for file in ("__main__.py", "beside.py", "agent/verbs/status.py", "agent/verbs/prune.py"):
            (self.release / file).write_text(AGENT if file == "__main__.py" else "")
        for name in ("twinhost", "bootstrap.sh", "release.sh"):
            shutil.copy(script(name), self.release / name)
        self.log = self.root / "var/log/twinhost.log"
        self.log.parent.mkdir(parents=True)
        # as on a machine, where the command is a link
        self.command = self.root / "twinhost"
        self.command.symlink_to(self.release / "twinhost")
        # whatever there is of Python in the environment is of no concern
        self.environment = {
            "PATH": os.environ["PATH"],
            "TWINHOST_ROOT": str(self.root),
            "PYTHONPATH": "/nowhere",
            "PYTHONSTARTUP": "/nowhere",
        }

    def run_command(self, *command: object) -> tuple[int, str]:
        words = ["bash", *(str(word) for word in command)]
        ended = subprocess.run(
            words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return ended.returncode, ended.stdout

    def test_keeps_what_a_verb_says_and_its_status(self) -> None:
        status, said = self.run_command(self.command, "prune", "an argument")
        self.assertEqual(status, 3)
        self.assertEqual(sorted(said.splitlines()), ["on standard error", "the agent ran prune an argument"])
        self.assertEqual(self.log.read_text(), said)

    def test_keeps_nothing_that_is_no_news(self) -> None:
        unlogged = ["--unlogged", "prune"]
        verbs: list[list[str]] = [["status", "--json"], ["help"], [], ["nothing"], ["../verbs/prune"], unlogged]
        for verb in verbs:
            with self.subTest(verb):
                status, said = self.run_command(self.command, *verb)
                self.assertEqual(status, 3)
                self.assertIn(" ".join(verb).replace("--unlogged ", ""), said)
        self.assertFalse(self.log.exists())

    def test_begins_another_log_where_it_has_grown(self) -> None:
        self.log.write_text("x" * 10_000_000)
        said = self.run_command(self.command, "prune")[1]
        self.assertEqual(self.log.read_text(), said)
        self.assertEqual(self.log.with_name("twinhost.log.1").stat().st_size, 10_000_000)

    def test_ends_as_the_verb_does_where_the_log_cannot_be_written(self) -> None:
        self.log.parent.rmdir()
        self.log.parent.write_text("")
        status, said = self.run_command(self.command, "prune")
        self.assertEqual(status, 3)
        self.assertIn("the agent ran prune\n", said)

    def test_runs_the_verb_where_another_log_cannot_begin(self) -> None:
        self.log.write_text("x" * 10_000_000)
        (self.log.with_name("twinhost.log.1") / self.log.name / "in the way").mkdir(parents=True)
        status, said = self.run_command(self.command, "prune")
        self.assertEqual(status, 3)
        self.assertIn("the agent ran prune\n", said)

    def test_keeps_nothing_that_is_compiled(self) -> None:
        """Neither in a release, whose files are those of its archive, nor elsewhere: half of such a file ends all."""
        before = {file for file in self.root.rglob("*") if file != self.log}
        self.run_command(self.command, "prune")
        self.assertEqual({file for file in self.root.rglob("*") if file != self.log}, before)

    def test_is_what_releases_before_hand_over_to(self) -> None:
        for name, argument in (("bootstrap", ""), ("release", "--resolve"), ("release", "--back")):
            with self.subTest(name, argument=argument):
                arguments = [argument] if argument else []
                status, said = self.run_command(self.release / f"{name}.sh", *arguments)
                self.assertEqual(status, 3)
                self.assertIn(" ".join(["the agent ran", name, *arguments]) + "\n", said)
        self.assertFalse(self.log.exists(), "who calls them keeps the log")

    def test_the_lock_of_a_release_that_goes_back_lives_on(self) -> None:
        for argument, lives_on in (("--back", "True"), ("--resolve", "False")):
            with self.subTest(argument):
                back = f"exec 6>'{self.root}/release.lock' && exec bash '{self.release}/release.sh' {argument} open"
                self.assertIn(f"has its caller's descriptor: {lives_on}\n", self.run_command("-c", back)[1])

    def test_the_log_outlives_who_reads(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        command = ["bash", str(self.command), "prune"]
        ended = subprocess.run(command, env=self.environment, stdout=writer, stderr=subprocess.DEVNULL, check=False)
        os.close(writer)
        self.assertEqual(ended.returncode, 3)
        self.assertEqual(sorted(self.log.read_text().splitlines()), ["on standard error", "the agent ran prune"])

    def test_the_log_has_the_end_of_what_is_ended_from_outside(self) -> None:
        command = ["bash", str(self.command), "prune", "ended"]
        # as the limit of a deploy does: everything that has begun with the command
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, start_new_session=True) as process:
            said = iter(process.stdout or ())
            self.assertIn(b"begins\n", said)
            os.killpg(process.pid, signal.SIGTERM)
            self.assertIn(b"has been ended\n", list(said))
        self.assertIn("has been ended\n", self.log.read_text())

    def test_takes_a_lock_that_the_one_before_has_left_to_it(self) -> None:
        for name, descriptor in (("bootstrap", 8), ("release", 6)):
            with self.subTest(name):
                lock = self.root / f"{name}.lock"
                # as releases before the agent do it
                handing_over = (
                    f"exec {descriptor}>'{lock}' && flock -n {descriptor} &&"
                    f" exec bash '{self.release}/{name}.sh' locked '{lock}'"
                )
                self.assertEqual(self.run_command("-c", handing_over)[0], 3)
