"""Docker's command line, which may fail, say nothing, or have no end."""

from __future__ import annotations

import unittest
from unittest import mock

from agent.decide.containers import Said
from agent.errors import Hopeless, NotYet, Problem
from agent.process import CommandFailed, CommandTimedOut
from agent.release.docker import Docker
from fakes import FakePrograms

NO_END = "docker stack deploy had no end within 120 s, last: "


class DockerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.programs = FakePrograms().answer("docker", "")
        patcher = mock.patch("agent.release.docker.run", self.programs)
        self.addCleanup(patcher.stop)
        patcher.start()
        self.docker = Docker({"DOCKER_CONFIG": "/run/docker"})

    def test_how_a_deploy_ends(self) -> None:
        cases: tuple[tuple[Exception, type[Problem], str], ...] = (
            (CommandFailed("x", "a\nmust be unique", 1), Hopeless, "must be unique"),
            (CommandFailed("docker ended with status 1", "", 1), Hopeless, "docker ended with status 1"),
            (CommandFailed("x", "update out of sequence", 1), NotYet, "update out of sequence"),
            (CommandFailed("x", "rpc error: AlreadyExists\nend", 1), NotYet, "end"),
            (CommandFailed("x", "Updating service x\n", 124), Hopeless, f"{NO_END}Updating service x"),
            (CommandFailed("x", "", -9), Hopeless, NO_END),
            (CommandTimedOut("x", "Updating service y\n"), Hopeless, f"{NO_END}Updating service y"),
        )
        for failure, kind, reason in cases:
            with self.subTest(reason):
                self.programs.answer("docker stack deploy", failure)
                with self.assertRaises(kind) as end:
                    self.docker.deploy_stack("twinhost", ["-c", "stack.yml"], {"TWINHOST_DOMAIN": "example.com"})
                self.assertEqual(reason, str(end.exception))
        self.assertEqual(
            {"DOCKER_CONFIG": "/run/docker", "TWINHOST_DOMAIN": "example.com"}, self.programs.environments[-1]
        )

    def test_swarm_is_given_the_login_unless_the_registry_is_away(self) -> None:
        Docker().deploy_stack("s", ["-c", "f"], {})
        Docker({}, send_login=False).deploy_stack("s", ["-c", "f"], {})
        self.assertEqual(
            [
                "docker stack deploy -c f --prune --with-registry-auth --resolve-image never s",
                "docker stack deploy -c f --prune --resolve-image never s",
            ],
            self.programs.calls,
        )

    def test_what_a_container_says_and_how_it_ends(self) -> None:
        cases: tuple[tuple[str | Exception, Said], ...] = (
            ("fine\x1b[2K\n", Said(0, "fine[2K\n")),
            (CommandFailed("x", "bad\n", 1), Said(1, "bad")),
            (CommandFailed("x", "the last word\n", 137), Said(137, "the last word\nno answer within 60 s")),
            (CommandTimedOut("x", "the last word\n"), Said(124, "the last word\nno answer within 60 s")),
        )
        for answer, said in cases:
            with self.subTest(said):
                self.programs.answer("docker run", answer)
                self.assertEqual(said, self.docker.ask_container(["--entrypoint", "sh", "image"]))
                self.assertRegex(self.programs.calls[-1], r"\Adocker rm --force twinhost-release-\d+\Z")

    def test_an_image_of_which_docker_does_not_say_that_it_is_here_is_pulled(self) -> None:
        self.assertTrue(self.docker.has("image"))
        for failure in (CommandFailed("No such image", "No such image", 1), CommandTimedOut("no end")):
            self.programs.answer("docker image inspect", failure)
            self.assertFalse(self.docker.has("image"))

    def test_why_a_pull_fails(self) -> None:
        self.assertIsNone(self.docker.pull("image", 450))
        for failure, why in (
            (CommandFailed("x", "pulling\nError: manifest unknown\n", 1), "Error: manifest unknown"),
            (CommandFailed("x", "", 124), "no end within 450 s"),
            (CommandTimedOut("x", "pulling\n"), "no end within 450 s"),
        ):
            self.programs.answer("docker pull", failure)
            self.assertEqual(why, self.docker.pull("image", 450))


if __name__ == "__main__":
    unittest.main()
