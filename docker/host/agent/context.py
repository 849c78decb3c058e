"""What a verb works with: this machine, its engine and the record."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent import aws, shape
from agent.clock import Clock
from agent.decide.targets import Target
from agent.engine import Engine
from agent.machine import Machine, Settings, load_machine, load_settings
from agent.record import RecordStore


@dataclass(frozen=True)
class Context:
    machine: Machine
    engine: Engine
    record: RecordStore

    @property
    def clock(self) -> Clock:
        return self.machine.clock

    def settings(self) -> Settings:
        """The site's settings of the release whose code this is."""
        return load_settings(self.machine.paths, self.machine.release)

    def release_note(self) -> object:
        """The release parameter's value with which this machine got the release whose code this is."""
        return shape.parse((self.machine.release / "release.json").read_bytes(), "release.json")

    def targets(self) -> list[Target]:
        """What the balancer says of its targets; raises where it does not say the whole."""
        return aws.target_health([shape.filled(arn) for arn in shape.items(self.release_note(), "targetGroups")])


def create_context() -> Context:
    machine = load_machine()
    if machine.region:
        # for the command line of AWS
        os.environ["AWS_REGION"] = machine.region
    return Context(machine, Engine(machine.paths.engine), RecordStore(machine))
