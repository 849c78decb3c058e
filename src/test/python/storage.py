"""A test with the cluster record of a storage of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, ClassVar
from unittest import mock

from agent.errors import Damaged, Problem
from fakes import MachineTest, directly

GENERATIONS = "srv/twinhost/swarm/generations"


class RecordTest(MachineTest):
    # what is not about the child of its own that touches the storage is quicker without one
    contained: ClassVar[object] = staticmethod(directly)

    def setUp(self) -> None:
        super().setUp()
        touch = mock.patch("agent.record.contained", self.contained)
        touch.start()
        self.addCleanup(touch.stop)
        self.record = self.context.record
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)

    def folder(self, generation: int) -> Path:
        return self.root / GENERATIONS / str(generation)

    def reason(self, call: Callable[[], object], kind: type[Problem] = Damaged) -> str:
        with self.assertRaises(kind) as caught:
            call()
        return caught.exception.reason
