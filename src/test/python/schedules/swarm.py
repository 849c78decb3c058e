"""Swarms in memory: their managers, the majority that elects a leader, and the nodes that it has lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.engine import EngineRefused
from agent.errors import Unavailable

if TYPE_CHECKING:
    from schedules.host import Host
    from schedules.world import World

ELECTION = 12
# a node that cannot be reached is down after so long
NOTICED = 15


@dataclass
class Member:
    """A node of a Swarm."""

    id: str
    host: Host
    created: int
    manager: bool = True
    ready: bool = True
    lost: int | None = None


@dataclass
class Cluster:
    id: str
    members: dict[str, Member] = field(default_factory=dict)
    leader: str = ""
    # from when on the leader leads
    leads: int = 0
    serves: bool = False


class Swarms:
    def __init__(self, world: World) -> None:
        self._world = world
        self.clusters: dict[str, Cluster] = {}

    def found(self, host: Host) -> None:
        if host.swarm is not None:
            raise EngineRefused("This node is already part of a swarm", 503)
        cluster = Cluster(f"cluster-{len(self.clusters) + 1}", leads=self._world.now + 1)
        self.clusters[cluster.id] = cluster
        cluster.leader = self.add(cluster, host).id
        self._world.say(f"{host.instance} makes {cluster.id}")

    def take_in(self, host: Host, address: str, token: str) -> None:
        other = next((one for one in self._world.hosts.values() if one.address == address), None)
        cluster = other.seen_cluster() if other is not None else None
        if cluster is None or not self.quorate(cluster) or token != f"token of {cluster.id}":
            raise EngineRefused("rpc error: The swarm does not have a leader", 503)
        self.add(cluster, host)
        self._world.say(f"{host.instance} joins {cluster.id}")

    def add(self, cluster: Cluster, host: Host) -> Member:
        member = Member(f"n-{self._world.count()}", host, self._world.now)
        cluster.members[member.id] = member
        host.swarm = (cluster.id, member.id)
        return member

    def demote(self, cluster: Cluster, node: Member) -> bool:
        """Whether Swarm makes that manager a worker: never where the majority would go with it."""
        rest = [one for one in self.quorate(cluster) if one is not node]
        managers = [one for one in cluster.members.values() if one.manager and one is not node]
        node.manager = 2 * len(rest) <= len(managers)
        return not node.manager

    def quorate(self, cluster: Cluster) -> list[Member]:
        """The managers that reach each other and are a majority; none where no majority does."""
        managers = [one for one in cluster.members.values() if one.manager]
        live = [one for one in managers if one.host.answers and one.host.swarm == (cluster.id, one.id)]
        for hub in live:
            found = [one for one in live if self._world.reach(hub.host, one.host)]
            if 2 * len(found) > len(managers):
                return found
        return []

    def elect(self) -> None:
        """Elections, and nodes that are lost."""
        for cluster in self.clusters.values():
            found = self.quorate(cluster)
            if not any(one.id == cluster.leader for one in found):
                cluster.leader = found[0].id if found else ""
                cluster.leads = self._world.now + ELECTION
            if not found:
                continue
            hub = cluster.members[cluster.leader].host
            for one in cluster.members.values():
                there = one.host.answers and one.host.swarm == (cluster.id, one.id) and self._world.reach(hub, one.host)
                one.lost = None if there else self._world.now if one.lost is None else one.lost
                one.ready = one.lost is None or self._world.now - one.lost < NOTICED

    def docker(self, host: Host, command: list[str]) -> str:
        """A command of Docker that changes nodes."""
        cluster = host.seen_cluster()
        if cluster is None:
            raise Unavailable("Error response from daemon: rpc error: no leader")
        node = cluster.members.get(command[-1])
        if command[1:3] == ["node", "demote"] and node is not None:
            if not self.demote(cluster, node):
                raise Unavailable("can't remove member from the raft: this would result in a loss of quorum")
            return ""
        if command[1:3] == ["node", "rm"] and node is not None:
            if node.manager:
                raise Unavailable("node is a cluster manager and is a member of the raft cluster")
            self._world.storage.check_lease(host, f"the removal of {node.id}")
            del cluster.members[node.id]
            return ""
        raise Unavailable(f"nobody expects {command}")
