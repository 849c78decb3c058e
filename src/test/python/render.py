"""render.py RELEASE TARGET: the folder nginx/ of a release of a machine of the tests, filled in by the agent's own code
into the folder TARGET of the machine's state.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docker/host"))

from agent.machine import load_machine, load_settings
from agent.release.files import render_nginx


def main(release: str, target: str) -> None:
    # Docker gives the folders of a container's configs to everybody, and the tests show this one to an edge
    os.umask(0o022)
    paths = load_machine().paths
    folder = paths.releases / release
    values = load_settings(paths, folder).values
    render_nginx(folder / "nginx", paths.state / target, frozenset(values), values)


if __name__ == "__main__":
    main(*sys.argv[1:])
