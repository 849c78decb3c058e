"""Which images a release runs, and where they may be had."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

_FROM = re.compile(r"FROM ([^ \n]*)")
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._/:@-]*")
_BY_DIGEST = re.compile(r".*@sha256:[0-9a-f]{64}", re.DOTALL)
_DIGEST = "@sha256:[0-9a-f]{64}"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def named_in(dockerfile: str) -> tuple[str | None, str]:
    """The image that a Dockerfile names in one line "FROM image"; None where it does not, and what was found there."""
    found = "\n".join(match[1] for match in map(_FROM.fullmatch, dockerfile.split("\n")) if match)
    return (found if _IMAGE.fullmatch(found) else None), found


def noted(note: Mapping[str, object], image: str) -> str | None:
    """What this site runs as `image` since a release with it has converged, by its digest; None where that is not
    noted.
    """
    images = note.get("images")
    found = images.get(image) if isinstance(images, dict) else None
    return found if isinstance(found, str) and _BY_DIGEST.fullmatch(found) else None


def to_note(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Of what was named and what ran as it, the pairs that a digest makes worth noting."""
    return {name: ran for name, ran in pairs if "@sha256:" in ran}


def places(image: str) -> list[str]:
    """The references by which an image may be had. Docker's official images have two registries and there the same
    digests; AWS's is the first, because Docker Hub counts the pulls of an address. certbot's image is on Docker Hub
    alone.
    """
    name = image
    for prefix in ("docker.io/", "public.ecr.aws/docker/", "library/"):
        if name.startswith(prefix):
            name = name[len(prefix) :]
    if "/" in name:
        return [image]
    return [f"public.ecr.aws/docker/library/{name}", f"docker.io/library/{name}"]


def with_digest(image: str, digests: Sequence[str]) -> str:
    """`image` with the digest that its registry has told Docker, of all that Docker has for it; as it is where there
    is none: it was built on this machine.
    """
    if "@" in image:
        return image
    library = "docker.io/library/"
    name = image[len(library) :] if image.startswith(library) else image
    name = name.rpartition(":")[0] or name
    wanted = re.compile(f"(?:docker\\.io/library/)?{re.escape(name)}({_DIGEST})")
    for digest in digests:
        match = wanted.fullmatch(digest)
        if match:
            return f"{image}{match[1]}"
    return image


def platform(machine: str) -> str:
    """That of `uname -m`, as images name theirs."""
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def misfit(platforms: Collection[str], own: str) -> str | None:
    """Why an image for these platforms does not run on a machine of the platform `own`; None where it does, and where
    no platform is known.
    """
    if not platforms or own in platforms:
        return None
    names = ", ".join(sorted(platforms))
    return (
        f"it is for {names}, and the machines are {own}: build it for {own},"
        f" or choose an instanceType for which it is, as {_instance_for(names)}"
    )


def _instance_for(platforms: str) -> str:
    if "amd64" in platforms:
        return "t3.small"
    return "t4g.small" if "arm64" in platforms else "EC2 has none"
