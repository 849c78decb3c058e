"""Every time limit of the agent on which another part of the site depends, in seconds. Java's own (ReleaseTime,
MachineGroup, EdgeLoadBalancer), the units', the compose files' and the services' stand where they are used; a test
reads all of them and states what has to fit into what. A limit that matters to nobody else stands in its own room.
"""

from __future__ import annotations

from dataclasses import dataclass

# A heartbeat counts as fresh for so long, on the reader's clock; three ticks and a stall of the storage fit in.
FRESH = 60
# so old may the last look at the cluster record be where something is changed: the lease
LEASE = 30
# one touch of the shared storage
STORAGE = 5

# The agent's ticks: so long after the end of a run the next one begins, and so long may one take. certbot waits 60 s
# for the answer to a pre-flight, which a run of `certificate` gives.
HEARTBEAT_PERIOD = 10
HEARTBEAT_LIMIT = 30
CERTIFICATE_PERIOD = 5
CERTIFICATE_LIMIT = 120
NOTICE_PERIOD = 5
NOTICE_LIMIT = 30
# it reports to systemd's watchdog as often; and when it ends, its ticks have so long for it
REPORT_ALIVE = 5
TICKS_END = 15
# one question to the name servers before an order of a certificate
RESOLVER = 5

# A boot, step by step: who this machine is; one mount of the storage, and until it is mounted; Docker's start, and its
# restart, for which it first drains this machine; a member of the Swarm, and until one sees its leader and serves; the
# first founding in the record; and until all that a host waits for is there.
IDENTITY = 120
MOUNT = 70
MOUNTED = 300
DOCKER_START = 120
DOCKER_RESTART = 400
JOIN = 900
LEADER = 120
NEW_LEADER = 60
FOUNDED = 120
ACTIVE = 60
COMPLETE = 900
# another run of the same verb is waited for
CERTIFICATE_LOCK = 60
TICKETS_LOCK = 30

# a node that Swarm calls down is replaced
DOWN = 300
# so is an instance that is no node; longer than any boot (BOOT in MachineGroup)
MISSING = 1800
# without a leader, a lost manager is replaced
LEADERLESS = 600
# hosts may found before the witness
HEAD_START = 30

# one call of the Engine API, and a short look
ENGINE = 10
ENGINE_LOOK = 5
# what changes the Swarm's membership
ENGINE_SWARM = 60
# one of the two calls that a question to the metadata service takes
METADATA = 5
# one call of AWS that lists, one that fetches a release, and any other
AWS = 20
AWS_FETCH = 300
AWS_OTHER = 30
# Docker logs in to a registry, with a password that comes first; both again where one is away, or is asked; and the
# application's service takes a fresh password
LOGIN = 60
REGISTRY_AWAY = 60
FRESH_PASSWORD = 60

# The parts of the way out, in their order: whether the group ends this machine, the engine's state, one more replica
# elsewhere, the drain, the edge; and where the machine leaves permanently, the demotion, and the Swarm and the
# record. A shutdown has TimeoutStopSec of twinhost-drain.service for its part of them; a termination has what the
# balancer takes to let go, and then the hook.
OUT_ASK = 22
OUT_ENGINE = 15
OUT_SPREAD = 32
OUT_DRAIN = 12
OUT_EDGE = 95
OUT_DEMOTE = 37
OUT_LEAVE = 20
# within them: what a program has after TERM; to list containers; to demote this machine, and to see that; how long an
# edge drains that nobody but its own engine ends, and how long any other container has to end
TERM_GRACE = 2
LIST = 5
DEMOTE = 10
STOP_EDGE = 85
STOP_OTHERS = 25
# another way out is waited for; and until the group lets this machine go, whose hook begins when the balancer has
DRAIN_LOCK = 300
LET_GO = 300

# until an image has to be pulled, and for how long a release waits for certbot's, which Swarm pulls
PULL = 900
PULL_PATIENCE = 60
# the application has to answer a request
ANSWER = 10
# a new application has to continue to run once it has answered
STEADY = 30

# A release, beside what TWINHOST_TURN_SECONDS, _CONVERGE_SECONDS and _BACK_SECONDS say (ReleaseTime.java).
# at boot, until the registry says what the application's image is
RESOLVE = 300
# until Swarm takes a stack, and one call of `docker stack deploy`
DEPLOY = 60
DEPLOY_CALL = 120
# until Swarm says what it runs, and another host waits for the founder to deploy
SAYS_WHAT_RUNS = 60
FOUNDER_FIRST = 120
# a secret, whose permission may have come with this very deploy
SECRET = 60
# the shared storage takes the release down
NOTE = 60
# what a container says that is asked about files or an image
CONTAINER = 60
# a trial beyond appStartSeconds: three checks that fail, each with its own limit, and a container's start
TRIAL = 30
# what was tried answers already: until the containers have been the same for long enough, and until every edge passes
# an answer on
SETTLE = 10
EDGES = 20
# a release waits for the lock for so long beyond the time for which another one can have it
LOCK = 120
# who waits for the end of a release is looked up, and told; between a release's TERM and KILL there is time for both
REPORT_ASK = 15
REPORT_TELL = 30
# of TWINHOST_BACK_SECONDS, what a way back has until Swarm takes it; and what it has at its end to end by itself
BACK_DEPLOY = 210
BACK_END = 30

# The edge: how long one gives an application that is new to the cluster. A request that is under way when it has
# drained has EDGE_LAST more; where no other edge serves, a host that is lost has EDGE_PATIENCE to be replaced. With
# another 60 s for the drain and the next edge's start, that is less than any release waits.
EDGE_FIRST = 120
EDGE_LAST = 60
EDGE_PATIENCE = 420


@dataclass(frozen=True)
class Limits:
    """Seconds after which `heal` acts; a file limits.env on the machine may set others."""

    down: int
    missing: int
    leaderless: int
