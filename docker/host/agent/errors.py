"""How the agent fails.

Each failure that is expected has a reason of one line, for the log and for a person. Whatever else is raised is a
defect of the agent: nothing catches it on the way to an action, and the verb ends with it.
"""

from __future__ import annotations


class Problem(Exception):
    """Something expected is not as it has to be. `str()` is the reason, the first argument of each subclass and the
    only one without a default: agent.contained hands a problem from one process to another.
    """

    @property
    def reason(self) -> str:
        return str(self)


class Unavailable(Problem):
    """A service, a tool or the shared storage could not be asked: nothing is known."""


class Damaged(Problem):
    """What was read is not what it has to be: nothing is known."""


class NotAllowed(Problem):
    """This machine does not hold the lease, without which nothing may be changed."""


class NotYet(Problem):
    """What is waited for is not there yet."""


class Hopeless(Problem):
    """What is waited for will not come; waiting is of no use."""


class TimedOut(Problem):
    """What was waited for did not come in time."""


class Refused(Problem):
    """The end of a verb; the reason is the last line of its log."""
