"""What a container that a release asks says about its files or its image."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.words import last_line

# what Nginx puts before its reason: the time, and the numbers of the process
_BEFORE_REASON = re.compile(r".*\[emerg\] (?:[0-9]*#[0-9]*: )?")


@dataclass(frozen=True)
class Said:
    """How a container ended, and all that it said."""

    status: int
    words: str

    def line_of_docker(self) -> str | None:
        """Docker's own line where it could not run the container."""
        return next((line for line in self.words.splitlines() if line.startswith("docker: ")), None)


def why_files_refused(said: Said) -> str:
    """Why docker/edge/check.sh, which ended with another status than 0, does not take the files."""
    docker = said.line_of_docker()
    if docker is not None:
        return f"Nginx could not be asked about the files of this release: {docker}"
    for line in said.words.splitlines():
        if "[emerg]" in line:
            return f"Nginx refuses the files of this release: {_BEFORE_REASON.sub('', line, count=1)}"
    return f"the files of this release are refused: {last_line(said.words) or 'without a word'}"


def why_health_unknown(said: Said, image: str) -> str | None:
    """Why a container of `image` that was asked for curl or wget cannot be asked for appHealthPath; None where it
    can.
    """
    if said.status == 0:
        return None
    # the shell has looked and found neither, or there is no shell
    if said.status in (1, 127):
        return (
            f"the image {image} has no shell with curl or wget, which ask for appHealthPath: put one of them into it,"
            " or leave appHealthPath away and give the image a HEALTHCHECK of its own"
        )
    return (
        f"the application's image could not be asked for curl or wget: {said.line_of_docker() or last_line(said.words)}"
    )
