"""Waiting for what the engine, a registry or AWS has to say."""

from __future__ import annotations

from typing import Callable, TypeVar

from agent.errors import Damaged, NotYet

T = TypeVar("T")


def whole(attempt: Callable[[], T], words: str = "Docker's answers cannot be read") -> Callable[[], T]:
    """`attempt` for wait_for: an answer that cannot be read is no answer yet, and is asked for again."""

    def again() -> T:
        try:
            return attempt()
        except Damaged as problem:
            raise NotYet(f"{words}: {problem.reason}") from None

    return again
