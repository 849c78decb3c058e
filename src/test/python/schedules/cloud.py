"""The auto scaling groups and the balancer in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from agent.errors import Unavailable
from schedules.host import Host
from schedules.storage import Broken

if TYPE_CHECKING:
    from schedules.world import World

# what a launched machine takes until its bootstrap, and how long one that is replaced has to leave
LAUNCH = 40
GRACE = 120
EDGE_STARTS = 20
# the balancer calls an edge ill after so long
NOTICED = 15


@dataclass
class Listed:
    """An instance, as its group lists it."""

    host: Host
    state: str = "InService"
    health: str = "Healthy"


class Cloud:
    ROLES: ClassVar[Mapping[str, int]] = {"host": 2, "witness": 1}

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = 0
        self.listed: dict[str, Listed] = {}
        # since when AWS answers again
        self.back = 0

    def launch(self, role: str, after: int = LAUNCH) -> Host:
        self._numbers += 1
        host = Host(self._world, role, self._numbers)
        self._world.hosts[host.instance] = host
        self.listed[host.instance] = Listed(host)
        host.start(after)
        return host

    def end(self, host: Host) -> None:
        """The instance is gone; its group launches another one where one lacks."""
        if host.instance not in self._world.hosts:
            return
        self._world.say(f"{host.instance} ends")
        host.cut_power()
        self._world.hosts.pop(host.instance, None)
        self.listed.pop(host.instance, None)
        self.fill(host.role)

    def retire(self, host: Host) -> None:
        """Its group ends it: it demotes itself and leaves, where it can."""
        if host.instance not in self._world.hosts:
            return
        found = host.member()
        if host.on and found is not None and host.seen_cluster() is not None:
            self._world.swarms.demote(*found)
        if host.answers:
            host.leave()
            if self._world.storage.answers(host):
                self._world.storage.forget(host.instance)
        self.end(host)

    def fill(self, role: str) -> None:
        there = [one for one in self.listed.values() if one.host.role == role and one.health == "Healthy"]
        if len(there) < self.ROLES[role]:
            self.launch(role)

    def see(self, host: Host) -> None:
        """Whether its edge serves, and what the balancer makes of that."""
        if not host.answers:
            host.edge = None
        elif host.edge is None and host.role == "host":
            cluster = host.seen_cluster()
            if cluster is not None and cluster.serves:
                host.edge = self._world.now + EDGE_STARTS
        serves = host.edge is not None and host.edge <= self._world.now
        host.ill = None if serves else self._world.now if host.ill is None else host.ill

    def healthy(self, host: Host) -> bool:
        """Whether the balancer calls it so."""
        return host.role == "host" and (host.ill is None or (host.ill > 0 and self._world.now - host.ill < NOTICED))

    def aws(self, _: float, *arguments: str) -> str:
        if self._world.now < self.back:
            raise Unavailable("Throttling")
        if arguments[1] == "describe-auto-scaling-groups":
            return json.dumps({"AutoScalingGroups": [self._group(role) for role in self.ROLES]})
        if arguments[1] == "describe-target-health":
            states = {
                one.host.instance: "healthy" if self.healthy(one.host) else "unhealthy"
                for one in self.listed.values()
                if one.host.role == "host"
            }
            found = [{"Target": {"Id": one}, "TargetHealth": {"State": state}} for one, state in states.items()]
            return json.dumps({"TargetHealthDescriptions": found})
        assert arguments[1] == "set-instance-health"
        self.replace(arguments[arguments.index("--instance-id") + 1])
        return ""

    def _group(self, role: str) -> dict[str, object]:
        return {
            "AutoScalingGroupName": role,
            "DesiredCapacity": self.ROLES[role],
            "SuspendedProcesses": [],
            "Tags": [{"Key": "twinhost:role", "Value": role}],
            "Instances": [
                {"InstanceId": one.host.instance, "LifecycleState": one.state, "HealthStatus": one.health}
                for one in self.listed.values()
                if one.host.role == role
            ],
        }

    def replace(self, instance: str) -> None:
        """Launches the next one, and ends that one some time later."""
        one = self.listed.get(instance)
        if one is None:
            raise Unavailable("ValidationError: Instance Id not found")
        self._world.say(f"{self._world.current.instance if self._world.current else 'EC2'} has {instance} replaced")
        others = [other for other in self._world.hosts.values() if self.healthy(other) and other is not one.host]
        if self._world.current is not None:
            self._world.storage.check_lease(self._world.current, f"the replacement of {instance}")
            if self.healthy(one.host) and not others:
                raise Broken(f"{instance}, which is the last healthy one, is replaced")
        one.health = "Unhealthy"
        self.fill(one.host.role)
        self._world.after(GRACE, partial(self.retire, one.host))
