"""The notice that this machine's auto scaling group ends it, from the metadata service.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
"""

from __future__ import annotations

from agent.context import Context
from agent.metadata import metadata
from agent.process import run

_SYSTEMD = 10
_DRAIN = "twinhost-notice.service"


def look(context: Context) -> None:
    """Has systemd begin the way out where the group ends this machine: a unit of its own, so that nothing waits for
    it. One that runs already is not started again. Unavailable where the metadata service does not answer.
    """
    machine = context.machine
    # before the first bootstrap there is nothing to leave, and what has left stays away
    if not machine.instance or (machine.paths.volatile / "left").exists():
        return
    if metadata(context.clock, "autoscaling/target-lifecycle-state", attempts=1).strip() == "Terminated":
        run(["systemctl", "start", "--no-block", _DRAIN], _SYSTEMD)
