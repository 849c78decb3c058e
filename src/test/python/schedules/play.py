"""Schedules of faults that are drawn from a seed, and how they are played: the agent's rooms ask the site in memory."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest import mock

from agent import aws
from agent.context import Context
from agent.lease import Lease
from schedules.cloud import Cloud
from schedules.storage import Broken
from schedules.world import FAULTS, World

# until a person has dead machines replaced, and so long again until all is whole
_PATIENCE = 2500


@contextlib.contextmanager
def played(root: Path, seed: int) -> Iterator[World]:
    """A site of that seed: within it, the agent's rooms ask this world."""
    world = World(root, seed)

    def program(command: list[str], limit: float, **_: object) -> str:
        assert limit > 0
        return docker(world, command)

    def have_replaced(permission: Lease, instance: str) -> None:
        assert world.current is not None and world.current.swarm is not None
        if permission.cluster != world.current.swarm[0]:
            raise Broken(f"a lease of {permission.cluster} on a machine of {world.current.swarm}")
        real(permission, instance)

    def retire(context: Context) -> None:
        host = world.hosts[context.machine.instance or ""]
        others = [other for other in world.hosts.values() if world.cloud.healthy(other) and other is not host]
        if world.cloud.healthy(host) and not others:
            raise Broken(f"{host.instance}, which is the last healthy one, follows")
        host.edge = None

    def main(arguments: list[str]) -> int:
        assert arguments == ["bootstrap"] and world.current is not None
        host, epoch = world.current, world.current.epoch
        host.booting = True
        world.after(1, lambda: host.bootstrap(epoch))
        return 0

    def write(file: Path, content: str, _: int = 0) -> None:
        file.write_text(content)

    real = aws.have_replaced
    with contextlib.ExitStack() as stack:
        for name, stand_in in (
            ("agent.aws._aws", world.cloud.aws),
            ("agent.aws.have_replaced", have_replaced),
            ("agent.swarm.run", program),
            ("agent.verbs.heal.run_program", program),
            ("agent.verbs.heal.retire", retire),
            ("agent.verbs.heal.main", main),
            ("agent.verbs.join._is_reachable", world.listens),
            ("agent.files.write", write),
        ):
            stack.enter_context(mock.patch(name, stand_in))
        yield world


def play(root: Path, seed: int, faults: int, within: int = 1500) -> World:
    """A schedule of that seed: machines that boot at once, so many faults within so many seconds, and then time in
    which all has to be whole again.
    """
    with played(root, seed) as world:
        for role, number in Cloud.ROLES.items():
            for _ in range(number):
                world.cloud.launch(role, world.random.randrange(3))
        draw = random.Random(seed)
        for _ in range(faults):
            fault = partial(world.fault, draw.choice(FAULTS), draw.choice((5, 20, 45, 90, 200, 400)))
            world.after(draw.randrange(within), fault)
        end = world.now + within
        world.advance(end)
        while not world.is_whole():
            world.advance(world.now + 60)
            if world.now > end + _PATIENCE and not world.helped:
                world.help()
            if world.now > end + 2 * _PATIENCE:
                raise Broken("the site is not whole again")
    return world


def docker(world: World, command: list[str]) -> str:
    host = world.current
    assert host is not None
    if command[:2] != ["systemctl", "start"]:
        return world.swarms.docker(host, command)
    if not host.booting:
        host.start(1)
    return ""
