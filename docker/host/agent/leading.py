"""The work of the leader of the Swarm, or of the manager that stands in for it: removes nodes whose machine is gone,
has a machine replaced that is lost though it runs, has Swarm begin again with a service that it has forgotten, and
spreads the application over the hosts again. Each step asks for the lease anew: the one before may have taken long.
"""

from __future__ import annotations

from agent import files, shape
from agent.context import Context
from agent.decide.healing import NOTHING_SINCE, Plan, Postponed, Removal, Replace, Since, all_there, plan
from agent.decide.nodes import Node, parse_tasks
from agent.decide.pending import pending_service
from agent.decide.stack import OF_STACK
from agent.errors import Damaged, Problem, TimedOut, Unavailable
from agent.journal import forget, lasted, log_once, record_action
from agent.lease import lease
from agent.log import log, quote
from agent.machine import Settings
from agent.replacing import have_replaced, known_groups, known_targets
from agent.swarm import begin_again, nodes, release_runs, remove_node, spread

# for so long, every task of a service is pending before Swarm begins again with it
_PENDING = 120


def lead(context: Context, settings: Settings) -> None:
    """Does what is to be done now. NotAllowed where this machine has lost the lease on the way."""
    machine = context.machine
    managers = settings.number("TWINHOST_MANAGERS")
    try:
        seen = nodes(context)
    except (Unavailable, Damaged) as problem:
        quote("docker", problem.reason)
        return  # of nodes that are not known nothing follows; the next look is near
    planned = _plan(context, seen, managers)
    for removal in planned.removals:
        _remove(context, removal)
    log_once(machine, planned.replacement.reason if isinstance(planned.replacement, Postponed) else "")
    if isinstance(planned.replacement, Replace):
        have_replaced(context, lease(machine), planned.replacement.instance, planned.replacement.why)
    _unstick(context, seen)
    lease(machine)
    try:
        done = spread(context, settings)
    except Problem as problem:
        log(f"the application could not be spread: {problem.reason}")
    else:
        if done is not None:
            record_action(machine, done)


def _plan(context: Context, seen: list[Node], managers: int) -> Plan:
    machine = context.machine
    instance, _ = machine.identity()
    file = machine.paths.volatile / "heal-since"
    since, now = _since(files.read(file)), context.clock.uptime()
    groups = None if all_there(seen, managers) else known_groups(context)
    planned = plan(seen, groups, (), instance, since, now, machine.limits)
    if planned.replacement is not None:
        # who may go is the balancer's to say; it is asked only where one should
        planned = plan(seen, groups, known_targets(context), instance, since, now, machine.limits)
    files.write(file, shape.compact(planned.since.json()) + "\n")
    return planned


def _since(content: str | None) -> Since:
    """What was kept and is not whole is as if nothing had been: each time begins again."""
    if content is None:
        return NOTHING_SINCE
    try:
        return Since.parse(shape.parse(content, "what was kept of the last look"))
    except Damaged:
        return NOTHING_SINCE


def _remove(context: Context, removal: Removal) -> None:
    node = removal.node
    try:
        remove_node(context, lease(context.machine), node)
    except TimedOut as problem:
        log(f"the node {node.name} could not be removed: {problem.reason}")
        return
    if removal.ended is not None:
        try:
            context.record.leave(removal.ended)
        except (Unavailable, Damaged) as problem:
            # a counter that stands still does no harm
            quote("the record", problem.reason)
    record_action(context.machine, f"removed the node {node.name}: {removal.why}")


def _unstick(context: Context, seen: list[Node]) -> None:
    """An update that changes a service but none of its tasks may leave a task pending that Swarm never looks at again
    (https://github.com/moby/moby/issues/53722). Swarm begins again with such a service, once: what does not start for
    another reason is not helped by more.
    """
    machine = context.machine
    once = machine.paths.volatile / "unstuck"
    try:
        service = pending_service(seen, parse_tasks(context.engine.tasks(label=OF_STACK)))
    except (Unavailable, Damaged):
        return  # nothing is known of the tasks
    if service is None:
        forget(machine, "pending", "unstuck")
        return
    if lasted(machine, "pending", service) < _PENDING or once.exists():
        return
    try:
        if release_runs(context):
            return
    except (Unavailable, Damaged):
        return  # a release may be under way
    permission = lease(machine)
    once.touch()
    try:
        begin_again(permission, service)
    except Unavailable as problem:
        quote("docker", problem.reason)
        return
    record_action(machine, f"had Swarm begin again with the service {service}, of which every task was pending")
