"""Which images nothing needs."""

from __future__ import annotations

import unittest

from agent.decide.pruning import unneeded
from agent.errors import Damaged


def service(image: str, before: str | None = None) -> dict[str, object]:
    found: dict[str, object] = {"Spec": spec(image)}
    return found if before is None else {**found, "PreviousSpec": spec(before)}


def spec(image: object) -> dict[str, object]:
    return {"TaskTemplate": {"ContainerSpec": {"Image": image}}}


SERVICES: list[object] = [service("site/app:3", "site/app:2"), service("certbot/certbot:v5@sha256:c5")]
CONTAINERS: list[object] = [{"ImageID": "used"}]
IMAGES: list[object] = [
    {"Id": "app-3", "RepoTags": ["site/app:3"], "RepoDigests": ["site/app@sha256:a3"]},
    {"Id": "app-2", "RepoTags": ["site/app:2"]},
    {"Id": "app-1", "RepoTags": ["site/app:1"], "RepoDigests": None},
    {"Id": "certbot-5", "RepoTags": None, "RepoDigests": ["certbot/certbot@sha256:c5"]},
    {"Id": "certbot-4", "RepoTags": [], "RepoDigests": ["certbot/certbot@sha256:c4"]},
    {"Id": "nameless", "RepoTags": [], "RepoDigests": []},
    {"Id": "used", "RepoTags": ["by/hand:1"]},
]


class PruningTest(unittest.TestCase):
    def test_what_neither_a_container_nor_a_service_needs(self) -> None:
        self.assertEqual(["app-1", "certbot-4", "nameless"], unneeded(IMAGES, SERVICES, CONTAINERS))

    def test_an_image_of_a_service_stays_by_any_of_its_names(self) -> None:
        image = {"Id": "i", "RepoTags": ["a:1", "b:1"], "RepoDigests": ["a@sha256:0"]}
        for reference, needed in (("b:1", True), ("c:9@sha256:0", True), ("c:1", False), ("a:1@sha256:9", False)):
            with self.subTest(reference):
                self.assertEqual([] if needed else ["i"], unneeded([image], [service(reference)], []))

    def test_nothing_goes_where_an_answer_is_not_whole(self) -> None:
        broken: list[tuple[list[object], list[object], list[object]]] = [
            (IMAGES, [None], CONTAINERS),
            (IMAGES, [{}], CONTAINERS),
            (IMAGES, [{"Spec": spec(None)}], CONTAINERS),
            (IMAGES, [{"Spec": spec("")}], CONTAINERS),
            (IMAGES, [{"Spec": spec("a:1"), "PreviousSpec": {}}], CONTAINERS),
            (IMAGES, [{"Spec": spec("a:1"), "PreviousSpec": []}], CONTAINERS),
            (IMAGES, SERVICES, [{}]),
            (IMAGES, SERVICES, [{"ImageID": None}]),
            (IMAGES, SERVICES, ["used"]),
            ([{"RepoTags": []}], SERVICES, CONTAINERS),
            ([{"Id": "i", "RepoTags": "site/app:3"}], SERVICES, CONTAINERS),
            ([{"Id": "i", "RepoTags": [7]}], SERVICES, CONTAINERS),
        ]
        for images, services, containers in broken:
            with self.subTest((images[0], services[0], containers[0])), self.assertRaises(Damaged):
                unneeded(images, services, containers)
