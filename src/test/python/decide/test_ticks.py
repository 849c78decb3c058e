"""When a tick begins, when it is ended, and whether all are well."""

from __future__ import annotations

import unittest

from agent.decide.ticks import GRACE, SLACK, Progress, Step, Tick, begun, over, step, well

TICK = Tick("tick", 10, 30)


class StepTest(unittest.TestCase):
    def test_it_begins_when_it_is_due_or_asked_for(self) -> None:
        waiting = Progress(due=100, ended=90)
        for now, asked, expected in (
            (99.9, False, Step.WAIT),
            (100, False, Step.BEGIN),
            (150, False, Step.BEGIN),
            (95, True, Step.BEGIN),
        ):
            with self.subTest((now, asked)):
                self.assertIs(expected, step(TICK, waiting, now, asked))

    def test_a_run_is_ended_at_its_limit_and_killed_after_that(self) -> None:
        running = begun(Progress(due=100, ended=90), 100)
        for now, expected in (
            (100, Step.WAIT),
            (129.9, Step.WAIT),
            (130, Step.END),
            (130 + GRACE - 0.1, Step.END),
            (130 + GRACE, Step.KILL),
            (10_000, Step.KILL),
        ):
            for asked in (False, True):
                with self.subTest((now, asked)):
                    self.assertIs(expected, step(TICK, running, now, asked))

    def test_the_next_run_is_due_a_period_after_the_end(self) -> None:
        running = begun(Progress(due=100, ended=90), 100)
        self.assertEqual(Progress(due=117, ended=107), over(TICK, running, 107, True))
        self.assertEqual(Progress(due=145, ended=90), over(TICK, running, 135, False))


class WellTest(unittest.TestCase):
    def test_every_tick_has_to_come_to_its_end_in_time(self) -> None:
        late = 90 + TICK.period + TICK.limit + SLACK
        fine = (Tick("other", 5, 120), Progress(due=0, ended=90))
        self.assertTrue(well([(TICK, Progress(0, 90)), fine], late))
        self.assertFalse(well([(TICK, Progress(0, 90)), fine], late + 0.1))
        self.assertFalse(well([fine, (TICK, Progress(0, 90, 100))], late + 0.1))

    def test_a_run_that_had_to_be_ended_does_not_count(self) -> None:
        killed = over(TICK, begun(Progress(100, 90), 100), 130 + GRACE, False)
        self.assertFalse(well([(TICK, killed)], 90 + TICK.period + TICK.limit + SLACK + 1))
