"""What a host answers when certbot asks whether an order can succeed."""

from __future__ import annotations

import json
import os
from unittest import mock

from agent import preflight
from agent.process import CommandFailed, CommandTimedOut
from fakes import FakePrograms, MachineTest

BALANCER = "198.51.100.80\n198.51.100.81\n"
BALANCER_NAME = "balancer.example.net"
ASK = "aws elbv2 describe-target-health"
NOT_YET = "the balancer has no healthy target yet"


class PreflightTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.record(990)
        self.note({"balancer": BALANCER_NAME, "targetGroups": ["arn:x/one/1"]})
        (self.root / "var/lib/twinhost/preflight").mkdir()
        self.programs = FakePrograms()
        self.programs.fail("getent hosts", "", 2)
        for name in (BALANCER_NAME, "www.example.com"):
            self.addresses(name, BALANCER)
        self.addresses("example.com", "198.51.100.81\n")
        self.targets("healthy")
        for module in ("agent.preflight.run", "agent.aws.run"):
            patch = mock.patch(module, self.programs)
            patch.start()
            self.addCleanup(patch.stop)

    def record(self, read: int) -> None:
        seen = {"generation": 1, "founder": "i-0a", "cluster": "cluster-a", "release": "", "managers": [], "read": read}
        self.write("run/twinhost/record", json.dumps(seen))

    def note(self, value: object) -> None:
        (self.machine.release / "release.json").write_text(json.dumps(value))

    def addresses(self, name: str, addresses: str) -> None:
        lines = "".join(f"{address} STREAM {name}\n{address} DGRAM\n" for address in addresses.split())
        self.programs.answer(f"getent ahostsv4 {name}", lines)

    def targets(self, state: object) -> None:
        one = {"Target": {"Id": "i-0a"}, "TargetHealth": {"State": state}}
        self.programs.answer(ASK, json.dumps({"TargetHealthDescriptions": [one]}))

    def answer(self, request: str = "question\n") -> str:
        file = self.root / "var/lib/twinhost/preflight/answer"
        file.unlink(missing_ok=True)
        self.write("var/lib/twinhost/preflight/request", request)
        preflight.answer(self.context)
        question, _, found = file.read_text().partition(" ")
        self.assertEqual("question", question)
        self.assertTrue(found.endswith("\n"))
        return found[:-1]

    def test_an_order_that_can_succeed(self) -> None:
        self.assertEqual("ok", self.answer())
        self.assertEqual("getent ahostsv4 balancer.example.net", self.programs.calls[0])
        self.assertIn("getent hosts example.com", self.programs.calls)

    def test_every_name_is_asked_for(self) -> None:
        self.write_settings(TWINHOST_EXTRA_DOMAINS="old.example.com example.net")
        self.addresses("old.example.com", BALANCER)
        self.programs.fail("getent ahostsv4 example.net", "", 2)
        self.assertEqual("example.net has no A record yet", self.answer())
        self.addresses("example.net", "192.0.2.7")
        self.assertEqual("example.net points to 192.0.2.7, which is not the balancer", self.answer())
        self.addresses("example.net", BALANCER)
        self.assertEqual("ok", self.answer())

    def test_ipv6_that_leads_elsewhere(self) -> None:
        self.programs.answer("getent hosts example.com", "2001:db8::7 example.com\n")
        self.assertEqual("example.com has an AAAA record, 2001:db8::7, which is not the balancer's", self.answer())
        self.programs.answer("getent hosts example.com", "198.51.100.81 example.com\n")
        self.assertEqual("ok", self.answer())

    def test_a_lookup_that_breaks_is_no_yes(self) -> None:
        for begin, reason in (
            ("getent ahostsv4 balancer", "the balancer's name balancer.example.net has no address yet"),
            ("getent ahostsv4 www", "www.example.com has no A record yet"),
            ("getent hosts www", "www.example.com could not be asked for an AAAA record"),
            (ASK, NOT_YET),
        ):
            for failure in (
                CommandFailed("killed", "", -9),
                CommandFailed("usage", "", 1),
                CommandFailed("there is none", "", 127),
                CommandTimedOut("had no end within 5 s"),
            ):
                with self.subTest((begin, failure.reason)):
                    kept = list(self.programs.answers)
                    self.programs.answer(begin, failure)
                    self.assertEqual(reason, self.answer())
                    self.programs.answers = kept
        for begin in ("getent ahostsv4 balancer", "getent ahostsv4 www"):
            kept = list(self.programs.answers)
            self.programs.answer(begin, "\n \n")
            self.assertTrue(self.answer().endswith(" yet"))
            self.programs.answers = kept

    def test_targets_that_are_not_whole_are_not_healthy(self) -> None:
        for answer in ("", "null", "{}", '{"TargetHealthDescriptions":[]}', '{"TargetHealthDescriptions":null}', "[{"):
            with self.subTest(answer):
                self.programs.answer(ASK, answer)
                self.assertEqual(NOT_YET, self.answer())
        for state in ("unhealthy", "", None, 7):
            with self.subTest(state):
                self.targets(state)
                self.assertEqual(NOT_YET, self.answer())

    def test_a_healthy_target_of_one_group_is_none_while_another_cannot_be_asked(self) -> None:
        self.note({"balancer": BALANCER_NAME, "targetGroups": ["arn:x/one/1", "arn:x/two/2"]})
        self.assertEqual("ok", self.answer())
        self.programs.fail(f"{ASK} --target-group-arn arn:x/two/2", "no")
        self.assertEqual(NOT_YET, self.answer())

    def test_a_release_that_does_not_name_its_balancer(self) -> None:
        notes: list[object] = [None, {}, {"balancer": None}, {"balancer": ""}, [], "x"]
        for note in notes:
            with self.subTest(note):
                self.note(note)
                self.assertEqual("the release does not name the balancer", self.answer())
        (self.machine.release / "release.json").unlink()
        self.assertEqual("the release does not name the balancer", self.answer())

    def test_without_the_lease_nothing_is_asked(self) -> None:
        self.clock.now = 2000
        self.assertEqual("the cluster record was last read 1010 s ago", self.answer())
        for broken in ("", "null", "{", "[]", '{"read":"990"}'):
            with self.subTest(broken):
                self.write("run/twinhost/record", broken)
                self.assertEqual("what was read of the cluster record cannot be understood", self.answer())
        self.assertEqual([], self.programs.calls)

    def test_settings_that_cannot_be_read_are_no_yes(self) -> None:
        (self.machine.release / "settings.env").write_text("")
        self.assertEqual("settings.env: TWINHOST_DOMAIN is missing", self.answer())

    def test_a_defect_is_an_answer_too(self) -> None:
        self.programs.answer("getent ahostsv4 www", ZeroDivisionError("x"))
        self.write("var/lib/twinhost/preflight/request", "question\n")
        with self.assertRaises(ZeroDivisionError):
            preflight.answer(self.context)
        self.assertEqual(
            "question the checks before an order broke off\n", self.read("var/lib/twinhost/preflight/answer")
        )

    def test_the_same_question_is_answered_once(self) -> None:
        self.assertEqual("ok", self.answer())
        self.targets("unhealthy")
        preflight.answer(self.context)
        self.assertEqual("question ok\n", self.read("var/lib/twinhost/preflight/answer"))
        self.write("var/lib/twinhost/preflight/request", "another\n")
        preflight.answer(self.context)
        self.assertEqual(f"another {NOT_YET}\n", self.read("var/lib/twinhost/preflight/answer"))

    def test_without_a_question_there_is_no_answer(self) -> None:
        for request in (None, "", "\n"):
            with self.subTest(request):
                if request is not None:
                    self.write("var/lib/twinhost/preflight/request", request)
                preflight.answer(self.context)
                self.assertFalse((self.root / "var/lib/twinhost/preflight/answer").exists())

    def test_the_container_cannot_have_files_of_this_machine_read(self) -> None:
        request = self.root / "var/lib/twinhost/preflight/request"
        request.symlink_to(self.write("etc/shadow", "root:hash\n"))
        preflight.answer(self.context)
        request.unlink()
        os.mkfifo(request)
        preflight.answer(self.context)
        self.assertFalse((self.root / "var/lib/twinhost/preflight/answer").exists())
