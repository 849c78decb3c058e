from __future__ import annotations

import contextlib
import io
import json
from unittest import mock

from agent import shape
from agent.decide.targets import Target
from agent.errors import Damaged, Hopeless, Unavailable
from agent.registry import Distribution
from agent.verbs import status
from fakes import SHA, FakePrograms, MachineTest, directly

SHOP = "registry.example.org/shop:1"
A = "@sha256:" + "a" * 64
B = "@sha256:" + "b" * 64
PEM = "-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----\n"
OTHER = PEM.replace("own", "other")


def node(number: int, role: str) -> dict[str, object]:
    labels = {"twinhost.instance": f"i-{number}", "twinhost.role": role}
    return {
        "ID": str(number),
        "Description": {"Hostname": f"ip-{number}", "Engine": {"Labels": labels}},
        "Spec": {"Availability": "active"},
        "Status": {"State": "ready"},
        "ManagerStatus": {"Leader": number == 1, "Reachability": "reachable"},
    }


def replica(node: str, image: str) -> dict[str, object]:
    return {
        "ServiceID": "s",
        "NodeID": node,
        "DesiredState": "running",
        "Status": {"State": "running"},
        "Spec": {"ContainerSpec": {"Image": image}},
    }


class StatusTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.replace("agent.record.contained", directly)
        self.replace("agent.verbs.status.contained", directly)
        self.settings("")
        self.write(f"opt/twinhost/releases/{SHA}/release.json", '{"targetGroups": ["arn"]}')
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.context.record.claim(1, "i-0a", "10.0.0.10")
        self.context.record.found(1, "cluster-a", "token")
        nodes = [node(1, "host"), node(2, "host"), node(3, "witness")]
        self.engine.swarm("active", "cluster-a").answer("GET /nodes", nodes).answer("GET /configs", [])
        self.application(SHOP + A)
        self.disk = FakePrograms().answer("df --output=pcent", "Use%\n 31%\n")
        self.replace("agent.verbs.status.call", self.disk)
        self.targets: list[Target] | Exception = [Target("http", "i-0a", "healthy")]
        self.replace("agent.aws.target_health", self.target_health)
        self.certificate(PEM, PEM)
        self.means: list[str | Exception] = [A[1:]]
        self.asked = 0
        self.replace("agent.verbs.status.distribution", self.distribution)
        self.login = mock.Mock()
        self.replace("agent.verbs.status.login_for", lambda *_: self.login)

    def replace(self, name: str, stand_in: object) -> None:
        patch = mock.patch(name, stand_in)
        patch.start()
        self.addCleanup(patch.stop)

    def settings(self, image: str) -> None:
        self.write_settings(TWINHOST_APP_IMAGE=image, TWINHOST_MAINTENANCE="false", TWINHOST_MANAGERS="3")

    def converge(self, note: dict[str, object]) -> None:
        self.context.record.converged(1, SHA, note)

    def application(self, image: str) -> None:
        spec = {"Name": "twinhost_app", "TaskTemplate": {"ContainerSpec": {"Image": image}}}
        self.engine.answer("GET /services", [{"ID": "s", "Spec": spec, "ServiceStatus": {"DesiredTasks": 2}}])
        self.engine.answer("GET /tasks", [replica(node, image) for node in ("1", "2")])

    def certificate(self, own: str | None, shown: str | None, names: str = "www.example.com example.com") -> None:
        file = self.root / "var/lib/twinhost/tls/current/fullchain.pem"
        if own is not None:
            self.write("var/lib/twinhost/tls/current/fullchain.pem", own)
        else:
            file.unlink()
        self.replace("agent.verbs.status.served", lambda *_: shown)
        for name, found in (("names_of", names.split()), ("issuer_of", "CN=Some CA"), ("days_left", 59)):
            self.replace(f"agent.verbs.status.{name}", mock.Mock(return_value=found))
        self.replace("agent.verbs.status.leaf_of", self.leaf)

    def leaf(self, pem: str) -> str:
        if "BEGIN" not in pem:
            raise Unavailable("unable to load certificate")
        return pem

    def target_health(self, _: object) -> list[Target]:
        if isinstance(self.targets, Exception):
            raise self.targets
        return self.targets

    def distribution(self, _: object, image: str, limit: float) -> Distribution:
        self.assertEqual((image, limit), (SHOP, 5))
        self.asked += 1
        said = self.means.pop(0) if len(self.means) > 1 else self.means[0]
        if isinstance(said, Exception):
            raise said
        return Distribution(said, ())

    def show(self, *arguments: str) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            found = status.run(self.context, list(arguments))
        return found, output.getvalue()

    def json(self) -> dict[str, object]:
        return shape.mapping(shape.parse(self.show("--json")[1], "the status"))

    def notes(self) -> list[object]:
        return shape.items(self.json(), "notes")

    def wrong(self) -> list[object]:
        return shape.items(self.json(), "wrong")


class ShowTest(StatusTest):
    def test_says_that_all_is_well(self) -> None:
        found, shown = self.show()
        self.assertTrue(shown.startswith("site         https://www.example.com/\n"), shown)
        self.assertTrue(shown.endswith("\nall is well\n"), shown)
        self.assertEqual(found, 0)

    def test_says_the_same_as_json(self) -> None:
        found = self.json()
        self.assertEqual(found["wrong"], [])
        self.assertEqual(shape.number(found, "record", "readSecondsAgo"), 0)
        self.assertEqual(shape.text(found, "machine", "release"), SHA)
        self.assertEqual(self.show("--json")[1], json.dumps(found, indent=2) + "\n")

    def test_ends_with_1_when_something_is_wrong(self) -> None:
        self.targets = []
        found, shown = self.show()
        self.assertEqual(found, 1)
        self.assertTrue(shown.endswith("\nwrong:\n  the balancer names no target, or cannot be asked\n"), shown)

    def test_shows_no_target_where_a_group_cannot_be_asked(self) -> None:
        for problem in (Unavailable("no"), Damaged("the target group https names no target")):
            self.targets = problem
            self.assertEqual(self.wrong(), ["the balancer names no target, or cannot be asked"])

    def test_shows_what_it_read_of_the_record_before(self) -> None:
        self.show()
        self.clock.now += 100
        (self.root / "srv").rename(self.root / "away")
        (self.root / "srv").write_text("")
        self.assertEqual(self.wrong(), ["this machine may not act: the cluster record was last read 100 s ago"])

    def test_shows_the_rest_where_the_record_is_broken(self) -> None:
        (self.root / "srv").rename(self.root / "away")
        (self.root / "srv").write_text("")
        for broken in ("", "null", "{}", '{"gener'):
            with self.subTest(broken):
                self.write("run/twinhost/record", broken)
                self.assertEqual(self.wrong(), ["the cluster record was never read"])

    def test_shows_the_rest_where_an_answer_is_broken(self) -> None:
        for path in ("info", "nodes", "services", "tasks", "configs"):
            whole = self.engine.answers_by_path[f"GET /{path}"]
            for broken in ("", "7", "{}", "[null]", "[{", Unavailable("no answer")):
                with self.subTest(path, broken=broken):
                    self.engine.answer(f"GET /{path}", broken)
                    self.assertEqual(shape.text(self.json(), "certificate", "names", 0), "www.example.com")
            self.engine.answer(f"GET /{path}", whole)

    def test_does_not_guess_how_full_the_disk_is(self) -> None:
        for said in ("", "Use%\n", "Use%\n -\n"):
            self.disk.answer("df", said)
            with self.subTest(said), self.assertRaises(Damaged):
                self.show()

    def test_reads_its_settings_strictly(self) -> None:
        self.write_settings(TWINHOST_MAINTENANCE="yes", TWINHOST_MANAGERS="3")
        with self.assertRaises(Damaged):
            self.show()


class CertificateTest(StatusTest):
    def described(self) -> object:
        return self.json()["certificate"]

    def test_is_what_the_edge_shows(self) -> None:
        self.certificate(PEM, OTHER, "www.example.com")
        found = shape.mapping(self.described())
        self.assertEqual((found["served"], found["own"], found["missing"]), (True, False, ["example.com"]))

    def test_is_what_it_would_show_where_it_shows_none(self) -> None:
        for shown in (None, "CONNECTED\n"):
            self.certificate(PEM, shown)
            found = shape.mapping(self.described())
            self.assertEqual((found["served"], found["own"]), (False, True))

    def test_is_what_the_edge_shows_where_the_disk_is_damaged(self) -> None:
        self.certificate("half", PEM)
        found = shape.mapping(self.described())
        self.assertEqual((found["served"], found["own"]), (True, False))

    def test_is_none_where_none_can_be_read(self) -> None:
        self.certificate("half", None)
        self.assertIsNone(self.described())
        self.replace("agent.verbs.status.days_left", mock.Mock(side_effect=Damaged("no end")))
        self.certificate(None, PEM)
        self.assertIsNone(self.described())

    def test_has_what_certbot_waits_for(self) -> None:
        self.write("srv/twinhost/letsencrypt/production.status", "waits: example.com has no A record yet\n")
        found = shape.mapping(self.described())
        self.assertEqual(found["certbot"], "waits: example.com has no A record yet")


class TagTest(StatusTest):
    def setUp(self) -> None:
        super().setUp()
        self.settings(SHOP)

    def test_asks_what_the_tag_means(self) -> None:
        self.assertEqual(self.notes(), [])
        self.assertEqual(shape.at(self.json(), "application", "tag"), {"tag": SHOP, "digest": A[1:]})
        self.assertEqual(self.asked, 1)

    def test_says_that_it_has_moved(self) -> None:
        self.means = [B[1:]]
        moved = f"the tag {SHOP} has moved: twinhost release --resolve takes what it means now"
        self.assertEqual(self.notes(), [moved])

    def test_asks_no_more_than_every_ten_minutes(self) -> None:
        for uptime, asked in ((1000, 1), (1599, 1), (1600, 2), (1601, 2), (1000, 3)):
            self.clock.now = uptime
            self.show()
            self.assertEqual(self.asked, asked, uptime)
        self.application(SHOP + B)
        self.show()
        self.assertEqual(self.asked, 4)
        for broken in ("", "null", "{}", '{"refer', '{"reference":7}'):
            self.write("run/twinhost/meant", broken)
            self.show()
        self.assertEqual(self.asked, 9)

    def test_takes_what_a_release_before_has_kept(self) -> None:
        kept = {"reference": SHOP + A, "asked": 990, "tag": SHOP, "digest": B[1:]}
        self.write("run/twinhost/meant", json.dumps(kept))
        self.assertEqual(len(self.notes()), 1)
        self.assertEqual(self.asked, 0)

    def test_logs_in_where_the_registry_refuses_the_login_of_before(self) -> None:
        self.means = [Unavailable("no basic auth credentials"), B[1:]]
        self.assertEqual(len(self.notes()), 1)
        self.login.log_in.assert_called_once_with(5)

    def test_says_why_the_registry_could_not_be_asked(self) -> None:
        begin = f"the registry could not be asked what the tag {SHOP} means now: "
        self.means = [Unavailable("no answer within 5 s")]
        self.assertEqual(self.notes(), [begin + "no answer within 5 s"])
        self.login.log_in.assert_not_called()
        self.means = [Unavailable("denied: no")]
        self.login.log_in.side_effect = Hopeless("the registry refuses the login")
        self.assertEqual(self.notes(), [begin + "the registry refuses the login"])
        self.login.log_in.side_effect = None
        self.assertEqual(self.notes(), [begin + "denied: no"])
        self.replace("agent.verbs.status.login_for", lambda *_: None)
        self.assertEqual(self.notes(), [begin + "denied: no"])

    def test_asks_nobody_where_there_is_no_tag_that_could_move(self) -> None:
        for setting, image in (
            ("", f"nginx:1.30.8{A}"),
            ("registry.example.org/shop", f"registry.example.org/shop{A}"),
            ("localhost:5000/shop", f"localhost:5000/shop{A}"),
            (SHOP, SHOP),
            (SHOP + A, SHOP + A),
            ("asset:0123", f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/assets:0123{A}"),
        ):
            with self.subTest(setting):
                self.settings(setting)
                self.application(image)
                self.assertEqual(self.notes(), [])
        self.assertEqual(self.asked, 0)


class NotedTest(StatusTest):
    def noted(self) -> object:
        return shape.maybe(self.json(), "application", "noted")

    def test_is_what_the_record_has_of_the_image(self) -> None:
        self.settings(SHOP)
        self.assertIsNone(self.noted())
        self.converge({"images": {SHOP: SHOP + B}})
        self.assertEqual(self.noted(), SHOP + B)
        self.assertEqual(
            self.wrong(),
            [
                f"the application runs {SHOP}@sha256:aaaaaaaaaaaa, the release that converged last ran"
                f" {SHOP}@sha256:bbbbbbbbbbbb"
            ],
        )

    def test_is_found_by_the_name_of_a_folders_image(self) -> None:
        self.settings("asset:0123")
        self.converge({"appImage": SHOP, "images": {SHOP: SHOP + B}})
        self.assertEqual(self.noted(), SHOP + B)

    def test_is_none_where_the_note_is_broken(self) -> None:
        self.settings(SHOP)
        notes: tuple[dict[str, object], ...] = (
            {},
            {"images": None},
            {"images": 7},
            {"images": {SHOP: 7}},
            {"images": {SHOP: SHOP}},
        )
        for note in notes:
            with self.subTest(note):
                self.converge(note)
                self.assertIsNone(self.noted())
