from __future__ import annotations

import dataclasses
import unittest

from agent.decide.cluster_record import Manager, Record, Seen
from agent.decide.status import Certificate, MachineState, Status, Tag
from agent.decide.swarm_status import (
    Answers,
    application_image,
    application_of,
    nodes_of,
    releases_of,
    services_of,
    swarm_of,
)
from agent.decide.targets import Target
from agent.decide.wrong import notes_of, wrong_of
from agent.status_text import screen

SHOP = "registry.example.org/shop:1"
A = "@sha256:" + "a" * 64
B = "@sha256:" + "b" * 64
BROKEN: tuple[object, ...] = (None, 7, "text", {}, [None], [7], [{}], [[]])
ENGINE = ("nodes", "services", "application")
PARTS = ("site", "maintenance", "machine", "record", *ENGINE, "targets", "certificate", "healed")
CERTIFICATE = Certificate(["www.example.com", "example.com"], [], "CN=Some CA", 59, True, True, "")
RECORD = Record(1, "i-1", "cluster-a", "", 0, (Manager("i-1", 3, True, "10.0.0.10"),))


def changed(whole: dict[str, object], **more: object) -> dict[str, object]:
    return {**whole, **more}


def node(number: str, role: str = "host", state: str = "ready", **manager: object) -> dict[str, object]:
    labels = {"twinhost.instance": f"i-{number}", "twinhost.role": role}
    return {
        "ID": number,
        "Description": {"Hostname": f"ip-{number}.eu-central-1.compute.internal", "Engine": {"Labels": labels}},
        "Spec": {"Availability": "active"},
        "Status": {"State": state},
        "ManagerStatus": manager or {"Reachability": "reachable"},
    }


def service(image: str | None = None, update: str | None = None, name: str = "twinhost_app") -> dict[str, object]:
    return {
        "ID": "s",
        "Spec": {"Name": name, "TaskTemplate": {"ContainerSpec": {"Image": image}}},
        "ServiceStatus": {"DesiredTasks": 2},
        "UpdateStatus": {"State": update} if update else None,
    }


def task(number: str, image: str | None = None, **status: str) -> dict[str, object]:
    return {
        "ServiceID": "s",
        "NodeID": number,
        "DesiredState": "running" if not status else "shutdown",
        "Status": status or {"State": "running"},
        "Spec": {"ContainerSpec": {"Image": image}},
    }


ANSWERS = Answers(
    info={"Swarm": {"LocalNodeState": "active"}},
    nodes=[node("2"), node("3", "witness"), node("1", Leader=True, Reachability="reachable")],
    services=[service()],
    tasks=[task("1"), task("2")],
    configs=[],
)


def status(answers: Answers = ANSWERS, noted: str | None = None, tag: Tag | None = None) -> Status:
    return Status(
        site="https://www.example.com/",
        maintenance=False,
        managers=3,
        machine=MachineState("i-1", "host", "10.0.0.10", "a" * 64, swarm_of(answers), 31, None),
        record=Seen(RECORD, 990),
        now=1000,
        nodes=nodes_of(answers),
        services=services_of(answers),
        application=application_of(answers, noted, tag),
        releases=releases_of(answers),
        targets=[Target("http", "i-1", "healthy"), Target("https", "i-1", "healthy")],
        certificate=CERTIFICATE,
        healed="",
    )


def application(*images: str | None, image: str = SHOP + A, update: str | None = None) -> Answers:
    tasks = [task(str(number), one) for number, one in enumerate(images, 1)]
    return dataclasses.replace(ANSWERS, services=[service(image, update)], tasks=tasks)


class WrongTest(unittest.TestCase):
    def wrong(self, seen: Status | None = None, **changed: object) -> list[str]:
        return wrong_of(dataclasses.replace(seen or status(), **changed))

    def machine(self, **changed: object) -> list[str]:
        return self.wrong(machine=dataclasses.replace(status().machine, **changed))

    def certificate(self, **changed: object) -> list[str]:
        return self.wrong(certificate=dataclasses.replace(CERTIFICATE, **changed))

    def test_is_empty_where_all_is_well(self) -> None:
        self.assertEqual(self.wrong(), [])
        self.assertEqual(notes_of(status()), [])

    def test_names_nodes_that_are_gone(self) -> None:
        nodes = [node("1", Leader=True), node("2", state="down", Reachability="unreachable")]
        self.assertEqual(
            self.wrong(status(dataclasses.replace(ANSWERS, nodes=nodes))),
            [
                "the node ip-2.eu-central-1.compute.internal (i-2) is down",
                "the manager ip-2.eu-central-1.compute.internal (i-2) is unreachable",
                "1 of 3 managers are reachable",
                "fewer than two hosts are ready",
                "the service app runs 1 of 2",
            ],
        )

    def test_counts_no_manager_of_which_nothing_is_known(self) -> None:
        nodes = [node("1", Leader=True), node("2", Reachability="unknown"), node("3", "witness", Addr="x")]
        found = self.wrong(status(dataclasses.replace(ANSWERS, nodes=nodes)))
        self.assertEqual(found, ["1 of 3 managers are reachable"])

    def test_takes_no_broken_list_of_nodes_for_nodes(self) -> None:
        for broken in BROKEN:
            with self.subTest(broken):
                found = self.wrong(status(dataclasses.replace(ANSWERS, nodes=broken)))
                self.assertIn(
                    "this machine sees no leader of the Swarm: nothing is scheduled, what runs goes on", found
                )

    def test_takes_no_broken_list_of_services_for_services_that_run(self) -> None:
        for broken in (*BROKEN, [changed(service(), ServiceStatus=None)], [changed(service(), ID="")]):
            with self.subTest(broken):
                found = self.wrong(status(dataclasses.replace(ANSWERS, services=broken)))
                self.assertEqual(found, ["Swarm does not say which services it runs"])

    def test_takes_no_broken_list_of_tasks_for_tasks_that_run(self) -> None:
        for broken in (*BROKEN, [changed(task("1"), Status=None), task("2")]):
            with self.subTest(broken):
                found = self.wrong(status(dataclasses.replace(ANSWERS, tasks=broken)))
                self.assertEqual(found, ["the service app runs 0 of 2"])

    def test_names_the_last_failure_of_a_service_and_a_rollback(self) -> None:
        tasks = [
            task("1"),
            task("1", State="rejected", Err="No such image", Timestamp="2026-01-01T00:00:02Z"),
            task(
                "1", State="rejected", Err="host-mode port already in use on 1 node", Timestamp="2026-01-01T00:00:03Z"
            ),
            task("1", State="rejected", Err="starting container failed", Timestamp="2026-01-01T00:00:01Z"),
        ]
        answers = dataclasses.replace(ANSWERS, services=[service(update="rollback_completed")], tasks=tasks)
        self.assertEqual(
            self.wrong(status(answers)),
            ["the service app runs 1 of 2: No such image", "the last update of app: rollback completed"],
        )

    def test_names_that_no_release_is_deployed(self) -> None:
        found = self.wrong(status(dataclasses.replace(ANSWERS, services=[])))
        self.assertEqual(found, ["no release is deployed"])

    def test_names_what_the_balancer_says(self) -> None:
        self.assertEqual(self.wrong(targets=[]), ["the balancer names no target, or cannot be asked"])
        targets = [Target("http", "i-1", "unhealthy"), Target("https", "i-1", "draining")]
        self.assertEqual(self.wrong(targets=targets), ["http calls i-1 unhealthy", "https calls i-1 draining"])

    def test_names_what_is_wrong_with_this_machine(self) -> None:
        self.assertEqual(self.machine(disk_percent=89), [])
        self.assertEqual(
            self.machine(disk_percent=90), ["the disk of this machine is 90 % full: Docker may start nothing here"]
        )
        self.assertEqual(
            self.machine(refusal="the cluster record was last read 100 s ago"),
            ["this machine may not act: the cluster record was last read 100 s ago"],
        )
        self.assertEqual(self.wrong(record=None), ["the cluster record was never read"])

    def test_names_another_release_that_converged(self) -> None:
        record = Seen(dataclasses.replace(RECORD, release="d" * 64), 990)
        self.assertEqual(
            self.wrong(record=record), ["this machine runs with release aaaaaaaaaaaa, dddddddddddd converged last"]
        )
        self.assertEqual(self.wrong(record=Seen(dataclasses.replace(RECORD, release="a" * 64), 990)), [])

    def test_names_what_is_wrong_with_the_certificate(self) -> None:
        self.assertEqual(self.wrong(certificate=None), ["there is no certificate"])
        self.assertEqual(self.certificate(days_left=14), [])
        self.assertEqual(self.certificate(days_left=13), ["the certificate ends in 13 days"])
        self.assertEqual(self.certificate(days_left=5, certbot="w"), ["the certificate ends in 5 days; certbot: w"])
        self.assertEqual(
            self.certificate(issuer="CN=placeholder", certbot="waits: no A record yet"),
            ["a placeholder is served; certbot: waits: no A record yet"],
        )
        self.assertEqual(
            self.certificate(served=False, own=False, missing=["example.com", "example.org"]),
            [
                "the edge of this machine shows no certificate",
                "the edge serves another certificate than the one on this machine",
                "the certificate is not for example.com, example.org",
            ],
        )
        witness = dataclasses.replace(status().machine, role="witness")
        self.assertEqual(self.wrong(machine=witness, certificate=None), [])

    def test_names_hosts_that_run_different_images(self) -> None:
        different = (
            f"the hosts run different images of the application: ip-1.eu-central-1.compute.internal {SHOP}"
            f"@sha256:aaaaaaaaaaaa, ip-2.eu-central-1.compute.internal {SHOP}@sha256:bbbbbbbbbbbb"
        )
        for update in (None, "completed"):
            self.assertEqual(self.wrong(status(application(SHOP + A, SHOP + B, update=update))), [different])
        for update in ("updating", "rollback_started"):
            self.assertEqual(self.wrong(status(application(SHOP + A, SHOP + B, update=update))), [])

    def test_names_an_image_that_is_not_the_one_that_is_noted(self) -> None:
        for runs, shown in ((SHOP + A, f"{SHOP}@sha256:aaaaaaaaaaaa"), (SHOP, SHOP)):
            self.assertEqual(
                self.wrong(status(application(runs, runs), noted=SHOP + B)),
                [f"the application runs {shown}, the release that converged last ran {SHOP}@sha256:bbbbbbbbbbbb"],
            )
        self.assertEqual(self.wrong(status(application(SHOP + B, SHOP + B), noted=SHOP + B)), [])
        self.assertEqual(self.wrong(status(application(None, None), noted=SHOP + B)), [])
        config = {"Spec": {"Name": "twinhost_release", "Labels": {"twinhost.instance": "i-0b"}}}
        under_way = dataclasses.replace(application(SHOP + A, SHOP + A), configs=[config])
        self.assertEqual(self.wrong(status(under_way, noted=SHOP + B)), [])
        self.assertEqual(notes_of(status(under_way)), ["i-0b applies a release"])


class NotesTest(unittest.TestCase):
    def test_names_a_tag_that_has_moved(self) -> None:
        answers = application(SHOP + A, SHOP + A)
        self.assertEqual(notes_of(status(answers, tag=Tag(SHOP, A[1:]))), [])
        self.assertEqual(
            notes_of(status(answers, tag=Tag(SHOP, B[1:]))),
            [f"the tag {SHOP} has moved: twinhost release --resolve takes what it means now"],
        )
        self.assertEqual(
            notes_of(status(answers, tag=Tag(SHOP, why="denied"))),
            [f"the registry could not be asked what the tag {SHOP} means now: denied"],
        )

    def test_sees_a_release_by_its_whole_name(self) -> None:
        for configs in ([{"Spec": {"Name": "twinhost_release_other"}}], *BROKEN):
            self.assertEqual(releases_of(dataclasses.replace(ANSWERS, configs=configs)), "")
        self.assertEqual(
            releases_of(dataclasses.replace(ANSWERS, configs=[{"Spec": {"Name": "twinhost_release"}}])), "?"
        )

    def test_knows_the_state_in_the_swarm(self) -> None:
        for info in (*BROKEN, {"Swarm": None}, {"Swarm": {"LocalNodeState": 7}}):
            self.assertEqual(swarm_of(dataclasses.replace(ANSWERS, info=info)), "unknown")

    def test_knows_no_image_where_the_services_are_broken(self) -> None:
        self.assertEqual(application_image(application(SHOP + A)), SHOP + A)
        for services in (*BROKEN, [service(SHOP + A, name="twinhost_edge")], [changed(service(), Spec=None)]):
            answers = dataclasses.replace(ANSWERS, services=services)
            self.assertIsNone(application_image(answers))
            self.assertIsNone(application_of(answers, None, None))


class JsonTest(unittest.TestCase):
    def test_has_the_names_that_programs_read(self) -> None:
        seen = status(application(SHOP + A, SHOP + B), noted=SHOP + A, tag=Tag(SHOP, B[1:]))
        found = seen.json(["a note"], ["a fault"])

        self.assertEqual(
            list(found),
            [
                "site",
                "maintenance",
                "machine",
                "record",
                "nodes",
                "services",
                "application",
                "targets",
                "certificate",
                "healed",
                "notes",
                "wrong",
            ],
        )
        self.assertEqual(
            found["machine"],
            {
                "instance": "i-1",
                "role": "host",
                "address": "10.0.0.10",
                "release": "a" * 64,
                "swarm": "active",
                "diskPercent": 31,
                "mayAct": True,
                "mayNotActBecause": "",
            },
        )
        self.assertEqual(
            found["record"],
            {
                "generation": 1,
                "founder": "i-1",
                "cluster": "cluster-a",
                "converged": "",
                "readSecondsAgo": 10,
                "managers": [{"instance": "i-1", "counter": 3, "leader": True, "address": "10.0.0.10"}],
            },
        )
        self.assertEqual(
            found["application"],
            {
                "image": SHOP + A,
                "noted": SHOP + A,
                "tag": {"tag": SHOP, "digest": B[1:]},
                "running": [
                    {"node": f"ip-{number}.eu-central-1.compute.internal", "image": SHOP + image, "version": version}
                    for number, image, version in (
                        ("1", A, SHOP + "@sha256:aaaaaaaaaaaa"),
                        ("2", B, SHOP + "@sha256:bbbbbbbbbbbb"),
                    )
                ],
            },
        )

    def test_has_null_for_what_could_not_be_read(self) -> None:
        nothing = Answers(None, None, None, None, None)
        found = dataclasses.replace(status(nothing), record=None, certificate=None).json([], [])
        for part in ("record", *ENGINE, "certificate"):
            self.assertIsNone(found[part])
        self.assertEqual(Tag(SHOP, why="no").json(), {"tag": SHOP, "why": "no"})


class ScreenTest(unittest.TestCase):
    def test_is_one_screen(self) -> None:
        seen = dataclasses.replace(
            status(application(SHOP + A, SHOP + A)), healed="2026-01-01T00:00:00Z spread the application"
        )
        self.assertEqual(
            screen(seen, ["a note"], ["a fault", "another"]),
            "site         https://www.example.com/\n"
            "machine      i-1, host, 10.0.0.10, Swarm active, release aaaaaaaaaaaa, disk 31 % full\n"
            "record       generation 1, cluster cluster-a, converged nothing yet, read 10 s ago\n"
            "certificate  www.example.com, example.com; 59 days left; issued by CN=Some CA\n"
            "\n"
            "NODE                        INSTANCE              ROLE     STATE    AVAILABLE  MANAGER\n"
            "ip-1                        i-1                   host     ready    active     leader\n"
            "ip-2                        i-2                   host     ready    active     reachable\n"
            "ip-3                        i-3                   witness  ready    active     reachable\n"
            "\n"
            "SERVICE                     RUNNING               UPDATE              ON\n"
            "app                         2 of 2                none                ip-1, ip-2\n"
            "\n"
            "APPLICATION                 IMAGE\n"
            f"ip-1                        {SHOP}@sha256:aaaaaaaaaaaa\n"
            f"ip-2                        {SHOP}@sha256:aaaaaaaaaaaa\n"
            "\n"
            "TARGET GROUP                INSTANCE              STATE\n"
            "http                        i-1                   healthy\n"
            "https                       i-1                   healthy\n"
            "\n"
            "last heal    2026-01-01T00:00:00Z spread the application\n"
            "\n"
            "note         a note\n"
            "\n"
            "wrong:\n"
            "  a fault\n"
            "  another\n",
        )

    def test_shows_what_it_can(self) -> None:
        seen = dataclasses.replace(
            status(Answers(None, None, None, None, None)), record=None, certificate=None, targets=[], maintenance=True
        )
        self.assertEqual(
            screen(seen, [], []),
            "site         https://www.example.com/  maintenance is on: visitors get its page, with status 503\n"
            "machine      i-1, host, 10.0.0.10, Swarm unknown, release aaaaaaaaaaaa, disk 31 % full\n"
            "record       never read\n"
            "certificate  none\n"
            "\n"
            "NODE                        INSTANCE              ROLE     STATE    AVAILABLE  MANAGER\n"
            "\n"
            "SERVICE                     RUNNING               UPDATE              ON\n"
            "\n"
            "TARGET GROUP                INSTANCE              STATE\n"
            "\n"
            "all is well\n",
        )

    def test_shows_a_certificate_that_is_none_yet(self) -> None:
        placeholder = dataclasses.replace(CERTIFICATE, issuer="CN=placeholder", served=False)
        text = screen(dataclasses.replace(status(), certificate=placeholder), [], [])
        self.assertIn("certificate  www.example.com, example.com; 59 days left; placeholder (not served)\n", text)
        witness = dataclasses.replace(status().machine, role="witness")
        self.assertNotIn("certificate", screen(dataclasses.replace(status(), machine=witness), [], []))

    def test_separates_what_is_wider_than_its_column(self) -> None:
        wide = Target("a" * 40, "i-1", "healthy")
        self.assertIn(f"\n{'a' * 40} i-1   ", screen(dataclasses.replace(status(), targets=[wide]), [], []))
