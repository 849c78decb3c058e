"""Which images of this machine nothing needs."""

from __future__ import annotations

from collections.abc import Sequence

from agent import shape


def unneeded(images: Sequence[object], services: Sequence[object], containers: Sequence[object]) -> list[str]:
    """The ids of those that no container here uses and no service would start from, today's or the one that it would
    roll back to. The image of a service that runs elsewhere stays: its container may come here at any time. Damaged
    where an answer of the engine is not whole.
    """
    used = {shape.filled(one, "ImageID") for one in containers}
    needed = {key(image) for one in services for image in _images_of(one)}
    return [
        identity
        for one in images
        for identity in [shape.filled(one, "Id")]
        if identity not in used and needed.isdisjoint(map(key, _references(one)))
    ]


def key(reference: str) -> str:
    """A reference with a digest stands for its digest, any other for its tag."""
    _, at, digest = reference.partition("@")
    return digest if at else reference


def _images_of(service: object) -> list[str]:
    own = shape.filled(service, "Spec", "TaskTemplate", "ContainerSpec", "Image")
    before = shape.maybe(service, "PreviousSpec")
    return [own] if before is None else [own, shape.filled(before, "TaskTemplate", "ContainerSpec", "Image")]


def _references(image: object) -> list[str]:
    return [shape.text(one) for of in ("RepoTags", "RepoDigests") for one in shape.maybe_items(image, of)]
