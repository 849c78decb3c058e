"""The application's image on every host before Swarm hears of the release."""

from __future__ import annotations

import hashlib
import unittest
from unittest import mock

from release.things import DIGEST, IMAGE, HostTest, but, node, service, task


class PullTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.with_application()
        self.converged_before()

    def test_every_host_pulls_the_image_before_it_is_tried(self) -> None:
        self.engine.answer("GET /nodes", [node(), node("node-2")])
        pulls = "GET /tasks?filters=%7B%22service%22%3A%5B%22" + self._service() + "%22%5D%7D"
        self.engine.answer(pulls, [but(task("failed"), NodeID="node-1")])

        def pulled(seconds: float) -> None:
            self.clock.now += seconds
            self.engine.answer(pulls, [but(task("failed"), NodeID=one) for one in ("node-1", "node-2")])

        with mock.patch.object(self.clock, "sleep", pulled):
            self.assertEqual(0, self.release(), self.said)
        self.assertIn(f"waits for the image {IMAGE} on every host: it is not yet on node-2", self.said)
        self.assertIn(
            f"docker service create --quiet --detach --name {self._service()} --label twinhost.pull=yes --mode global"
            " --constraint engine.labels.twinhost.role == host --restart-condition none --no-healthcheck"
            f" --no-resolve-image --with-registry-auth --entrypoint /only-pulled {IMAGE}{DIGEST}",
            self.programs.calls,
        )

    def test_a_host_that_cannot_pull_it_ends_the_release(self) -> None:
        self.engine.answer("GET /tasks", [task("rejected", "No such image")])
        self.assertEqual(1, self.release())
        self.assertEqual(f"the image {IMAGE} could not be pulled: rejected by node-1: No such image", self.last_line())
        # once to try again what an earlier release has left, once at the end
        self.assertEqual(2, len(self.docker(f"service rm {self._service()}")))

    def test_a_pull_that_takes_too_long_is_left_to_its_end(self) -> None:
        self.paced.pace = 30
        self.engine.answer("GET /tasks", [task("preparing")])
        self.assertEqual(1, self.release())
        self.assertEqual(
            f"the image {IMAGE} was not pulled within 900 s on every host; that goes on: deploy again when it has"
            " ended",
            self.last_line(),
        )
        self.assertEqual([], self.docker(f"service rm {self._service()}"))

    def test_a_pull_here_has_a_unit_of_its_own(self) -> None:
        self.paced.pace = 30
        active: list[bool] = []
        self.programs.fail(f"docker image inspect {IMAGE}", "No such image")
        self.programs.fail("systemctl -q is-active", "")

        def begin() -> str:
            active.append(True)
            self.programs.answer("systemctl -q is-active", "")
            return ""

        self.programs.answer("systemd-run", begin)
        self.assertEqual(1, self.release())
        self.assertEqual(
            f"the image {IMAGE} was not pulled within 900 s on this host; that goes on: deploy again when it has ended",
            self.last_line(),
        )
        self.assertEqual([True], active)

    def test_why_it_was_not_pulled(self) -> None:
        for said, reason in (
            ("Error: no space left on device\n", "Error: no space left on device"),
            ("", "Docker does not say why"),
        ):
            with self.subTest(reason):
                self.programs.fail(f"docker image inspect {IMAGE}", "No such image")
                self.programs.fail("systemctl -q is-active", "")
                self.write(f"run/twinhost/{self._service()}", said)
                self.assertEqual(1, self.release())
                self.assertEqual(f"the image {IMAGE} could not be pulled: {reason}", self.last_line())

    def test_the_words_of_a_registry_may_be_no_text(self) -> None:
        self.programs.fail(f"docker image inspect {IMAGE}", "No such image")
        self.programs.fail("systemctl -q is-active", "")
        (self.root / "run/twinhost" / self._service()).write_bytes(b"denied: \xff\xfe\n")
        self.assertEqual(1, self.release())
        self.assertEqual(f"the image {IMAGE} could not be pulled: denied: \ufffd\ufffd", self.last_line())

    def test_what_the_service_runs_nobody_pulls(self) -> None:
        runs = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": f"{IMAGE}{DIGEST}"}}}}
        self.engine.answer("GET /services/twinhost_app", runs)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual([], self.docker("service create"))

    def test_the_pulls_that_another_release_has_left_end(self) -> None:
        labelled = but(service("left"), Spec={"Name": "x", "Labels": {"twinhost.pull": "yes"}})
        self.engine.answer("GET /services?filters=%7B%22label%22%3A%5B%22twinhost.pull%3Dyes%22%5D%7D", [labelled])
        self.release()
        self.assertEqual(["docker service rm left"], self.docker("service rm left"))

    def _service(self) -> str:
        return "twinhost-pull-" + hashlib.sha256(f"{IMAGE}{DIGEST}\n".encode()).hexdigest()[:16]


if __name__ == "__main__":
    unittest.main()
