"""What the parts of the site are called in Swarm, and how its services and tasks are found."""

from __future__ import annotations

STACK = "twinhost"
NETWORK = f"{STACK}_web"
APPLICATION = f"{STACK}_app"
EDGE = f"{STACK}_edge"
CERTBOT = f"{STACK}_certbot"
SERVICES = (EDGE, APPLICATION, f"{STACK}_challenge", CERTBOT)
# the config that whoever applies a release holds
RELEASE_LOCK = f"{STACK}_release"
# Docker's own label for what belongs to a stack, and how the engine is asked for it
LABEL = "com.docker.stack.namespace"
OF_STACK = f"{LABEL}={STACK}"
