"""Registries: the login that this machine has for one, and what an image means there now. Passwords are in memory
alone: on standard input of Docker's command line, and in the folder that it keeps them in, which is gone with a
restart.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent import aws, budgets, files, shape
from agent.clock import wait_for
from agent.context import Context
from agent.engine import EngineTimedOut
from agent.errors import Damaged, Hopeless, Refused, TimedOut, Unavailable
from agent.machine import Settings
from agent.process import CommandFailed, CommandTimedOut, run
from agent.words import last_line, plain

_DOCKER_HUB = "https://index.docker.io/v1/"
_ECR = re.compile(r"[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.(?:com(?:\.cn)?|eu)")
_REFERENCE = re.compile(r"[A-Za-z0-9._:/@-]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REFUSAL = re.compile(r"unauthorized|denied|forbidden|no basic auth credentials", re.IGNORECASE)
_WANTED = '{"username": "…", "password": "…"}'

_DISTRIBUTION = 30


@dataclass(frozen=True)
class Login:
    """How this machine logs in to a registry by itself: to Amazon ECR as its role, or with what a secret holds."""

    registry: str
    # of Amazon ECR
    region: str | None
    # in Secrets Manager: its ARN
    secret: str | None
    # where Docker's command line keeps what it has logged in with
    folder: Path

    def log_in(self, limit: float | None = None) -> None:
        """Has Docker's command line know a password; each step within `limit` seconds. Unavailable says in one line
        why it could not, Hopeless why another attempt would be of no use.
        """
        if self.secret is None:
            password = aws.registry_password(self.region or "", limit or budgets.AWS_OTHER)
            said = self._login("AWS", password, limit)
        else:
            user, password = self._read_secret(self.secret, limit)
            said = self._login(user, password, limit)
            if said is not None and refused(said):
                raise Hopeless(f"the registry {self.registry} refuses the login of the secret {self.secret}: {said}")
        if said is not None:
            raise Unavailable(said)

    def _read_secret(self, arn: str, limit: float | None) -> tuple[str, str]:
        try:
            answer = aws.secret(arn, limit=limit or budgets.AWS_OTHER)
        except CommandTimedOut:
            raise Unavailable("Secrets Manager did not answer in time") from None
        except Damaged:
            raise _unfit(arn, "could not be read") from None
        return _parse_secret(arn, answer)

    def _login(self, user: str, password: str, limit: float | None) -> str | None:
        """Docker's own words where it could not log in."""
        command = ["docker", "login", "--username", user, "--password-stdin", self.registry]
        try:
            run(command, limit or budgets.LOGIN, f"{password}\n", {"DOCKER_CONFIG": str(self.folder)})
        except CommandTimedOut:
            return "no answer in time"
        except CommandFailed as failure:
            return _reason(failure.said) or f"docker login ended with status {failure.status}"
        return None


@dataclass(frozen=True)
class Distribution:
    """What a reference to an image means to its registry now."""

    digest: str
    # os/architecture, each once; the engine does not read them of every kind of image
    platforms: tuple[str, ...]


def registry_of(image: str) -> str:
    """The registry of an image, by the name under which Docker keeps the login to it.
    https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain
    """
    first, slash, _ = image.partition("/")
    if not slash or first in ("docker.io", "index.docker.io"):
        return _DOCKER_HUB
    if first == "localhost" or re.search(r"[.:]", first) or first != first.lower():
        return first
    return _DOCKER_HUB


def login_for(context: Context, settings: Settings, image: str) -> Login | None:
    """How to log in to the registry of that image: where it is Amazon ECR, or where it is the application's and a
    secret holds the login (appRegistrySecret). None where it is neither: of that one Docker's command line has what a
    person has typed.
    """
    registry = registry_of(image)
    folder = _memory(context)
    ecr = _ECR.fullmatch(registry)
    if ecr:
        return Login(registry, ecr[1], None, folder)
    application = settings.values.get("TWINHOST_APP_IMAGE")
    secret = settings.values.get("TWINHOST_APP_REGISTRY_SECRET")
    if secret and application and registry_of(application) == registry:
        return Login(registry, None, secret, folder)
    return None


def know_registry(context: Context, settings: Settings, image: str) -> bool:
    """Logs in to the registry of that image, within 60 s; False where there is nothing to log in with. Refused where
    it could not.
    """
    login = login_for(context, settings, image)
    if login is None:
        return False
    try:
        wait_for(context.clock, budgets.REGISTRY_AWAY, f"the registry {login.registry}", login.log_in)
    except (TimedOut, Hopeless) as problem:
        raise Refused(problem.reason) from None
    return True


def docker_environment(context: Context, login: Login | None) -> Mapping[str, str]:
    """What Docker's command line needs in its environment to use that login."""
    return {} if login is None else {"DOCKER_CONFIG": str(_memory(context))}


def distribution(context: Context, image: str, limit: float = _DISTRIBUTION) -> Distribution:
    """What the registry says that `image` is now, asked with the login that Docker's command line has. Unavailable
    with the registry's own words as one line where that cannot be had.
    https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Distribution/operation/DistributionInspect
    """
    if not _REFERENCE.fullmatch(image):
        raise Unavailable(f"'{plain(image)}' is no reference to an image")
    login = login_for(context, context.settings(), image)
    token = registry_auth(login.folder if login else _own_folder(context), image)
    try:
        answer = context.engine.get(
            f"/distribution/{image}/json", limit, {"X-Registry-Auth": token} if token is not None else None
        )
    except EngineTimedOut:
        raise Unavailable(f"no answer within {limit:g} s") from None
    except Damaged:
        raise Unavailable("the answer names no digest") from None
    return _parse_distribution(answer)


def registry_auth(folder: Path, image: str) -> str | None:
    """The login to the registry of that image that Docker's command line keeps in `folder`, as the header
    X-Registry-Auth of the Engine API takes it: a secret. None where it keeps none, or what it keeps cannot be read: a
    registry that wants one refuses then.
    https://docs.docker.com/reference/api/engine/version/v1.44/#section/Authentication
    """
    registry = registry_of(image)
    try:
        kept = files.read(folder / "config.json")
        if kept is None:
            return None
        entry = shape.maybe_mapping(shape.parse(kept, "config.json"), "auths", registry)
        auth = base64.b64decode(shape.maybe_text(entry, "auth") or "", validate=True).decode()
        token = shape.maybe_text(entry, "identitytoken")
    except (Damaged, OSError, UnicodeDecodeError, binascii.Error):
        return None
    user, _, password = auth.partition(":")
    if not user:
        return None
    # a login that the registry has exchanged for a token has no password
    login = {"username": user, "password": password, "serveraddress": registry, "identitytoken": token}
    text = shape.compact({name: value for name, value in login.items() if value})
    return base64.urlsafe_b64encode(text.encode()).decode()


def refused(words: str) -> bool:
    """Whether these are the words of a registry that wants another login."""
    return _REFUSAL.search(words) is not None


def _memory(context: Context) -> Path:
    """Where Docker's command line keeps what this machine logs in with by itself."""
    return context.machine.paths.volatile / "docker"


def _own_folder(context: Context) -> Path:
    """Where Docker's command line keeps what a person has typed."""
    if os.environ.get("DOCKER_CONFIG"):
        return Path(os.environ["DOCKER_CONFIG"])
    return Path(os.environ.get("HOME") or context.machine.paths.root / "root") / ".docker"


def _parse_secret(arn: str, answer: object) -> tuple[str, str]:
    """User and password. The reasons name what is missing, and show nothing of what is there."""
    try:
        login = shape.mapping(shape.parse(shape.text(answer, "SecretString"), "the secret"))
    except Damaged:
        raise _unfit(arn, "holds no JSON object") from None
    user, password = (_filled(login.get(name)) for name in ("username", "password"))
    if user is None or password is None:
        missing = [f"no {name}" for name, found in (("username", user), ("password", password)) if found is None]
        raise _unfit(arn, f"holds {' and '.join(missing)}")
    if re.search(r"[\x00-\x1f\x7f-\x9f:]", user):
        raise _unfit(arn, "has a colon or a control character in its username")
    return user, password


def _filled(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _unfit(arn: str, why: str) -> Hopeless:
    return Hopeless(f"the secret {arn}, which has to hold {_WANTED}, {why}")


def _parse_distribution(answer: object) -> Distribution:
    try:
        digest = shape.text(answer, "Descriptor", "digest")
    except Damaged:
        digest = ""
    if not _DIGEST.fullmatch(digest):
        raise Unavailable("the answer names no digest")
    try:
        platforms = {
            f"{shape.text(one, 'os')}/{shape.text(one, 'architecture')}"
            for one in shape.maybe_items(answer, "Platforms")
            # what is no image of a machine (an attestation, say) is of no known platform
            if shape.maybe_text(one, "os") not in (None, "", "unknown")
        }
    except Damaged as problem:
        raise Unavailable(f"the platforms of the image cannot be read: {problem.reason}") from None
    return Distribution(digest, tuple(sorted(platforms)))


def _reason(said: str) -> str:
    """Of what a program said, the line that names the error, or the last one."""
    for line in plain(said).splitlines():
        if line.startswith(("An error occurred", "Error")):
            return line
    return last_line(said)
