"""How a machine reports to the deploy that waits for it how a release ended."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import unittest
import unittest.mock
from pathlib import Path

from agent.errors import Damaged, Problem, Unavailable
from agent.process import CommandFailed, CommandTimedOut
from agent.release.outcome import Outcome, of_defect
from agent.release.report import Deploy, Report, answer, in_one_line, name_of
from fakes import SHA, FakePrograms, MachineTest
from release.things import at_once

FIRST, SECOND = ("https://cloudformation.example/stack?deploy=first", "https://cloudformation.example/stack?deploy=2")
SERVES = Outcome(True, "it serves")
FAILS = Outcome(False, "it does not serve")


class ReportTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.given: list[dict[str, object]] = []
        self.programs = FakePrograms().answer("curl", self._put)
        self.awaited_for(SHA, FIRST)
        for module, stand_in in (
            ("agent.release.report.run", self.programs),
            ("agent.aws.run", self.programs),
            ("agent.record.contained", at_once),
        ):
            patcher = unittest.mock.patch(module, stand_in)
            self.addCleanup(patcher.stop)
            patcher.start()

    def test_the_reason_is_one_line(self) -> None:
        said = self.answer(Outcome(False, " 'a' \"b\"\n\tc\\d  e "))
        self.assertEqual(
            [{"Status": "FAILURE", "Reason": " 'a' \"b\" c\\d e", "UniqueId": "i-0a", "Data": ""}], self.given
        )
        self.assertTrue(said.endswith(": told the deploy: FAILURE\n"), said)

    def test_a_reason_that_is_no_line_any_more_is_shortened(self) -> None:
        self.assertEqual("x" * 497 + "...", in_one_line("x" * 501))
        self.assertEqual("y" * 500, in_one_line("y" * 500))
        self.assertEqual("", in_one_line(""))
        self.assertEqual("a b", in_one_line("a\x00\x1b\x7f\r\n b\n"))

    def test_each_deploy_is_answered_once(self) -> None:
        self.answer(SERVES)
        self.assertEqual("", self.answer(FAILS))
        self.assertEqual(1, len(self.given))
        self.awaited_for(SHA, SECOND)
        self.answer(SERVES)
        self.assertEqual([f'url = "{FIRST}"\n', f'url = "{SECOND}"\n'], [said for said in self.programs.inputs if said])

    def test_the_deploy_of_another_release_is_left_alone(self) -> None:
        self.awaited_for("b" * 64, FIRST)
        self.assertEqual("", self.answer(SERVES))
        self.assertEqual([], self.given)

    def test_a_parameter_that_cannot_be_read_is_not_the_one_of_another_deploy(self) -> None:
        for value in (
            "",
            "null",
            "{}",
            '{"sha256":',
            '"text"',
            "[]",
            '{"sha256":1,"url":"https://x"}',
            '{"sha256":"x"}',
            '{"sha256":"x","url":null}',
            '{"sha256":"x","url":"file:///etc/passwd"}',
        ):
            self.programs.answer("aws ssm get-parameter --name /site/answer ", value)
            with (
                self.subTest(value),
                self.assertRaisesRegex(
                    Damaged, "the deploy cannot be told: the parameter /site/answer does not hold a release and a URL"
                ),
            ):
                self.answer(SERVES)
        self.programs.fail("aws ssm", "An error occurred (ThrottlingException)", 254)
        with self.assertRaisesRegex(
            Unavailable, "the deploy cannot be told: the parameter /site/answer could not be read"
        ):
            self.answer(SERVES)

    def test_a_later_one_answers_where_the_first_did_not_get_through(self) -> None:
        for failure, reason in (
            (CommandFailed("x", "curl: (22) The requested URL returned error: 403\n", 22), "error: 403"),
            (CommandTimedOut("curl had no end within 30 s"), "curl had no end within 30 s"),
        ):
            self.programs.answer("curl", failure)
            with self.assertRaisesRegex(Unavailable, f"the deploy could not be told: .*{reason}"):
                self.answer(SERVES)
        self.programs.answer("curl", self._put)
        self.answer(SERVES)
        self.assertEqual(1, len(self.given))

    def test_it_is_answered_where_the_record_cannot_be_read(self) -> None:
        self.write("srv", "")
        self.answer(FAILS)
        self.assertEqual(1, len(self.given))
        self.programs.fail("curl", "curl: (22) 403", 22)
        with self.assertRaises(Unavailable):
            self.answer(FAILS)

    def test_the_url_stays_out_of_everything_but_standard_input(self) -> None:
        said = self.answer(FAILS)
        self.assertNotIn(FIRST, said + "".join(self.programs.calls))
        self.assertEqual(
            "curl -sS -f -m 10 --retry 3 --retry-delay 1 --retry-max-time 20 -o /dev/null -X PUT -H Content-Type: -K -"
            " --data-binary @",
            self.programs.calls[-1].split(f"{self.root}")[0],
        )
        self.assertEqual([], [file.name for file in self.machine.paths.volatile.iterdir()])
        for file in self.root.rglob("*"):
            if file.is_file():
                self.assertNotIn(FIRST, file.read_text(), str(file))
        self.assertRegex(name_of(FIRST), r"\A[0-9a-f]{16}\Z")

    def test_a_quote_in_the_url_ends_nothing(self) -> None:
        self.awaited_for(SHA, 'https://x/"\\')
        self.answer(SERVES)
        self.assertEqual('url = "https://x/\\"\\\\"\n', self.programs.inputs[-1])

    def test_what_keeps_it_from_reporting_is_in_the_log_and_changes_no_end(self) -> None:
        report = Report(self.context)
        report.learn({"sha256": SHA, "answer": "/site/answer"})
        self.programs.fail("aws ssm", "no", 254)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            report.send(FAILS)
        self.assertIn(" answer: the deploy cannot be told: ", output.getvalue())

    def test_a_memory_that_is_full_changes_no_end_either(self) -> None:
        report = Report(self.context)
        report.learn({"sha256": SHA, "answer": "/site/answer"})
        full = OSError(errno.ENOSPC, "No space left on device")
        output = io.StringIO()
        with contextlib.redirect_stdout(output), unittest.mock.patch("tempfile.NamedTemporaryFile", side_effect=full):
            report.send(SERVES)
        self.assertIn(" answer: the deploy could not be told: No space left on device\n", output.getvalue())
        # and whoever tries next may tell it
        self.answer(SERVES)
        self.assertEqual(1, len(self.given))

    def test_a_release_of_before_names_no_parameter(self) -> None:
        report = Report(self.context)
        report.learn({"sha256": SHA, "answer": None})
        self.assertEqual(Deploy(SHA, ""), report.deploy)
        report.send(FAILS)
        self.assertEqual([], self.programs.calls)
        with self.assertRaises(Problem):
            report.learn({"sha256": 7})

    def test_a_defect_names_its_place_and_no_value(self) -> None:
        try:
            raise KeyError("hunter2")
        except KeyError as error:
            reason = of_defect(error).reason
        self.assertRegex(reason, r"\Aended with status 1: line \d+ of test_report\.py failed: KeyError\Z")
        self.assertEqual("ended with status 1: KeyError", of_defect(KeyError("hunter2")).reason)
        full = OSError(errno.ENOSPC, "No space left on device", "/hunter2")
        self.assertEqual("ended with status 1: OSError: No space left on device", of_defect(full).reason)

    def awaited_for(self, sha: str, url: str) -> None:
        value = json.dumps({"sha256": sha, "url": url})
        self.programs.answer("aws ssm get-parameter --name /site/answer ", value)

    def answer(self, outcome: Outcome) -> str:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            answer(self.context, Deploy(SHA, "/site/answer"), outcome)
        return output.getvalue()

    def _put(self) -> str:
        body = json.loads(Path(self.programs.calls[-1].rsplit("@", 1)[1]).read_text())
        self.given.append(body)
        return ""


if __name__ == "__main__":
    unittest.main()
