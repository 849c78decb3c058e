"""What a release deploys, by its settings, its files and the record."""

from __future__ import annotations

import unittest

from agent.errors import Damaged, Refused
from agent.release.plan import create_plan, make_folders
from release.things import CHECKOUT, DIGEST, IMAGE, SETTINGS, HostTest

CERTBOT = (CHECKOUT / "docker/certbot/Dockerfile").read_text().split()[1]
EDGE = (CHECKOUT / "docker/edge/Dockerfile").read_text().split()[1]


class PlanTest(HostTest):
    def test_the_images_that_the_release_names(self) -> None:
        plan = create_plan(self.context)
        self.assertEqual((EDGE, CERTBOT, ""), (plan.edge, plan.certbot, plan.application))
        self.assertTrue(plan.default_page)
        self.assertEqual(("/", EDGE), (plan.health_path, plan.application_runs))

    def test_the_images_that_the_settings_or_the_machine_name(self) -> None:
        self.write_settings(**SETTINGS, TWINHOST_EDGE_IMAGE="nginx:9", TWINHOST_CERTBOT_IMAGE="certbot/certbot:v9")
        plan = create_plan(self.context)
        self.assertEqual(("nginx:9", "certbot/certbot:v9"), (plan.edge, plan.certbot))
        self.write("etc/twinhost/images.env", "export TWINHOST_EDGE_IMAGE='local/nginx:1'\n")
        self.assertEqual("local/nginx:1", create_plan(self.context).edge)

    def test_a_dockerfile_that_names_no_image_is_refused(self) -> None:
        docker = self.machine.release / "docker"
        docker.unlink()
        self.write(f"{docker.relative_to(self.root)}/edge/Dockerfile", "FROM a:1\nFROM b:1\n")
        with self.assertRaises(Refused) as refused:
            create_plan(self.context)
        self.assertEqual(
            "docker/edge/Dockerfile does not hold one line \"FROM image\", got 'a:1\\nb:1'", refused.exception.reason
        )

    def test_the_image_of_a_folder_is_in_the_release_parameter(self) -> None:
        self.with_application(TWINHOST_APP_IMAGE="asset:" + "c" * 64)
        with self.assertRaisesRegex(Refused, "the release parameter does not say where the image of appImage is"):
            create_plan(self.context)
        file = self.machine.release / "release.json"
        file.write_text(file.read_text().replace("{", '{"appImage":"example/made:cc",', 1))
        plan = create_plan(self.context)
        self.assertEqual("example/made:cc", plan.application)
        self.assertEqual("example/made:cc", plan.settings["TWINHOST_APP_IMAGE"])

    def test_what_was_noted_of_certbot_and_of_a_trial(self) -> None:
        self.converged_before(images={CERTBOT: f"certbot/certbot{DIGEST}"}, appDelay=42)
        plan = create_plan(self.context)
        self.assertEqual((f"certbot/certbot{DIGEST}", 42), (plan.certbot_runs, plan.delay))

    def test_a_note_that_cannot_be_read_is_none(self) -> None:
        damaged: tuple[dict[str, object], ...] = (
            {"images": {CERTBOT: "certbot/certbot:v9"}},
            {"images": 7},
            {"appDelay": "42"},
            {"appDelay": True},
        )
        for note in damaged:
            with self.subTest(note):
                self.converged_before(**note)
                plan = create_plan(self.context)
                self.assertEqual((CERTBOT, 2), (plan.certbot_runs, plan.delay))
        self.write("srv/twinhost/swarm/generations/1/release", "no hash\n")
        self.assertEqual(2, create_plan(self.context).delay)

    def test_settings_that_are_not_whole_change_nothing(self) -> None:
        """Each that a release needs, once away and once of another kind: the services are not touched."""
        self.with_application()
        needed = [name for name in SETTINGS if name not in _NOT_READ]
        for name in needed:
            for value in (None, "soon"):
                if value and name in _TEXTS:
                    continue
                values = {**SETTINGS, "TWINHOST_APP_IMAGE": IMAGE, name: value or ""}
                if value is None:
                    del values[name]
                with self.subTest(name=name, value=value):
                    self.write_settings(**values)
                    try:
                        self.assertEqual(1, self.release())
                    except Damaged:
                        self.fail("it is an end as any other")
        self.assertEqual([], self.docker("stack deploy"))
        self.write_settings(**{**SETTINGS, "TWINHOST_APP_IMAGE": IMAGE})
        self.assertEqual(0, self.release(), self.said)

    def test_the_folders_of_the_shared_storage(self) -> None:
        for _ in range(2):
            make_folders(self.context)
            shared = self.root / "srv/twinhost"
            self.assertEqual(0o755, (shared / "acme").stat().st_mode & 0o777)
            self.assertEqual(0o700, (shared / "letsencrypt").stat().st_mode & 0o777)
        (self.root / "srv").rename(self.root / "away")
        self.write("srv", "")
        with self.assertRaisesRegex(Refused, "the shared storage cannot be written"):
            make_folders(self.context)


# the files of the stack ask for these, and Docker refuses what is missing
_NOT_READ = (
    "TWINHOST_EMAIL",
    "TWINHOST_ACME_DIRECTORY",
    "TWINHOST_ACME_PROFILE",
    "TWINHOST_APP_PARALLELISM",
    "TWINHOST_CACHE_MAX_SIZE",
    "TWINHOST_REQUESTS_PER_ADDRESS",
    "TWINHOST_HSTS_PRELOAD",
    "TWINHOST_MANAGERS",
    "TWINHOST_EDGE_UPDATE_DELAY",
)
_TEXTS = ("TWINHOST_APP_PORT", "TWINHOST_APP_HEALTH_PATH")


if __name__ == "__main__":
    unittest.main()
