"""What holds whatever comes, and in whichever order. A generation has one founder; nothing is changed without the lease
of the recorded cluster; the last healthy host is neither replaced nor follows; and in the end the site is whole,
without a person.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from schedules.play import play
from schedules.world import FAULTS

# each fault is in one of them
SEEDS = (9, 20, 23, 28)


class SchedulesTest(unittest.TestCase):
    def test_should_keep_its_promises_whatever_comes(self) -> None:
        seen: set[str] = set()
        for seed in SEEDS:
            said = io.StringIO()
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
                world = play(Path(folder), seed, 4, within=600)
                self.assertFalse(world.helped)
                seen |= {words[2] for words in map(str.split, world.actions) if words[1] == "fault:"}
        self.assertEqual(set(FAULTS), seen)


if __name__ == "__main__":
    unittest.main()
