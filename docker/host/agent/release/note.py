"""Notes in the cluster record what has converged: boots and rebuilds apply that from then on."""

from __future__ import annotations

from agent import budgets, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide import images
from agent.decide.convergence import Converged
from agent.decide.stack import CERTBOT
from agent.errors import Damaged, NotYet, Refused, Unavailable
from agent.lease import Lease
from agent.record import last_seen
from agent.release.plan import DELAY, Plan

_DAMAGED = "what this machine has read of the record, or of the release, is damaged"


def note_converged(context: Context, lease: Lease, plan: Plan, _: Converged) -> None:
    """Notes this release with the very images that it runs: those by digest. TimedOut where the storage does not take
    it; Refused where this machine's cluster is not the recorded one any more.
    """
    wait_for(
        context.clock,
        budgets.NOTE,
        "the shared storage to take the release down",
        lambda: _note(context, lease, plan),
    )


def _note(context: Context, lease: Lease, plan: Plan) -> None:
    try:
        seen = last_seen(context.machine.paths)
        note = shape.mapping(context.release_note())
        whole = seen is not None and shape.text(note, "sha256") == context.machine.sha
    except (Damaged, OSError):
        raise NotYet(_DAMAGED) from None
    if seen is None or not whole:
        raise NotYet(_DAMAGED)
    # another generation may have been founded during this release, in which it does not run
    if seen.record.generation != lease.generation:
        raise Refused("the cluster record names another cluster than the one of this machine")
    pairs = [(plan.edge, plan.edge_runs), (plan.certbot, _certbot_runs(context))]
    if plan.application:
        pairs.append((plan.application, plan.application_runs))
    noted = images.to_note(pairs)
    if noted:
        note["images"] = noted
    if plan.delay != DELAY:
        note["appDelay"] = plan.delay
    context.record.converged(lease.generation, context.machine.sha, note)


def _certbot_runs(context: Context) -> str:
    """The image of certbot's service; empty where Swarm does not say: then its digest is not noted."""
    try:
        for service in context.engine.services(name=CERTBOT):
            if shape.maybe_text(service, "Spec", "Name") == CERTBOT:
                return shape.maybe_text(service, "Spec", "TaskTemplate", "ContainerSpec", "Image") or ""
    except (Unavailable, Damaged):
        return ""
    return ""
