"""The edge's image: from whichever registry has it, and everywhere by the digest that it had when it converged."""

from __future__ import annotations

import unittest

from agent.process import CommandFailed
from release.things import CHECKOUT, SETTINGS, HostTest

EDGE = (CHECKOUT / "docker/edge/Dockerfile").read_text().split()[1]
AWS, HUB = f"public.ecr.aws/docker/library/{EDGE}", f"docker.io/library/{EDGE}"
DIGEST, MOVED = "@sha256:" + "d" * 64, "@sha256:" + "e" * 64


class EdgeImageTest(HostTest):
    def test_the_first_registry_is_asked_first(self) -> None:
        self.only_in(AWS)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual([f"docker pull -q {AWS}"], self.docker("pull"))
        self.assertEqual(f"{AWS}{DIGEST}", self.environment("docker stack deploy")["TWINHOST_EDGE_IMAGE"])

    def test_the_second_one_is_where_the_first_does_not_have_it(self) -> None:
        self.only_in(HUB)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual(f"{HUB}{DIGEST}", self.environment("docker stack deploy")["TWINHOST_EDGE_IMAGE"])
        check = self.docker("run")[0]
        self.assertTrue(check.endswith(" /twinhost/check.sh example.com"), check)
        self.assertTrue(any(f" {HUB}{DIGEST} /twinhost/check.sh" in call for call in self.programs.calls))

    def test_what_is_here_is_not_pulled(self) -> None:
        self.only_in(AWS)
        self.programs.answer(f"docker image inspect {HUB}", "")
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual([], self.docker("pull"))

    def test_why_no_registry_has_it(self) -> None:
        self.programs.fail("docker image inspect", "No such image")
        for failure, why in (
            (CommandFailed("x", "Error: manifest unknown\n", 1), "Error: manifest unknown"),
            (CommandFailed("x", "", 124), "no end within 450 s"),
        ):
            self.programs.answer("docker pull", failure)
            self.assertEqual(1, self.release())
            self.assertEqual(
                f"the image {EDGE} could not be pulled: public.ecr.aws: {why}; docker.io: {why}", self.last_line()
            )
        self.assertEqual([], self.docker("stack deploy"))

    def test_what_converged_once_runs_whatever_the_tag_means_later(self) -> None:
        self.only_in(AWS)
        self.release()
        noted = self.context.record.release() or {}
        self.assertEqual({EDGE: f"{AWS}{DIGEST}"}, noted["images"])

        # another machine, later: the first registry is away, and the tag means something else
        self.only_in(HUB, MOVED)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual(f"{HUB}{DIGEST}", self.environment("docker stack deploy")["TWINHOST_EDGE_IMAGE"])

    def test_an_image_of_this_machine_has_no_digest(self) -> None:
        self.write("etc/twinhost/images.env", "export TWINHOST_EDGE_IMAGE='local/nginx:1'\n")
        self.programs.answer("docker image inspect --format", "\n")
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual("local/nginx:1", self.environment("docker stack deploy")["TWINHOST_EDGE_IMAGE"])
        self.assertNotIn("images", self.context.record.release() or {})

    def test_an_image_that_is_named_by_its_digest_is_that_one(self) -> None:
        self.write_settings(**SETTINGS, TWINHOST_EDGE_IMAGE=f"nginx:9{DIGEST}")
        self.release()
        self.assertEqual(
            f"public.ecr.aws/docker/library/nginx:9{DIGEST}",
            self.environment("docker stack deploy")["TWINHOST_EDGE_IMAGE"],
        )

    def test_a_login_that_the_registry_needs_is_used_by_every_call(self) -> None:
        registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        self.write_settings(**SETTINGS, TWINHOST_EDGE_IMAGE=f"{registry}/nginx:9")
        self.programs.answer("aws ecr get-login-password", "password\n")
        self.assertEqual(0, self.release(), self.said)
        for begin in ("docker run", "docker stack deploy", "docker image inspect"):
            self.assertEqual(str(self.root / "run/twinhost/docker"), self.environment(begin)["DOCKER_CONFIG"])

    def only_in(self, place: str, digest: str = DIGEST) -> None:
        """Docker has what it has pulled, and only this place has the image, or what has its digest."""
        self.programs.fail("docker pull", "Error: manifest unknown")
        for one in (AWS, HUB):
            for image in (one, f"{one}{DIGEST}"):
                self.programs.fail(f"docker image inspect {image}", "No such image")
        name = place.rsplit(":", 1)[0].replace("docker.io/library/", "")
        self.programs.answer("docker image inspect --format {{range", f"{name}{digest}\n")
        for image in (place, f"{place}{DIGEST}"):
            self.programs.answer(f"docker pull -q {image}", self._pulls(image))

    def _pulls(self, image: str) -> object:
        def pull() -> str:
            self.programs.answer(f"docker image inspect {image}", "")
            return ""

        return pull


class NotedTest(HostTest):
    def test_a_note_of_another_release_says_nothing_of_the_application(self) -> None:
        self.with_application()
        self.converged_before("c" * 64, images={"example/shop:1": f"example/shop:1{MOVED}"})
        self.release()
        self.assertNotIn(MOVED, self.environment("docker stack deploy")["TWINHOST_APP_IMAGE"])


if __name__ == "__main__":
    unittest.main()
