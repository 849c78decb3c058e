"""record.py VERB ARGUMENT…: the cluster record of a machine of the tests, by the agent's own code."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docker/host"))

from agent import shape
from agent.context import create_context
from agent.errors import NotAllowed, Problem
from agent.lease import lease


def main(verb: str, *arguments: str) -> int:
    context = create_context()
    record = context.record
    try:
        if verb == "show":
            print(shape.compact(record.show().json()))
        elif verb == "claim":
            record.claim(int(arguments[0]), *arguments[1:])
        elif verb == "found":
            record.found(int(arguments[0]), arguments[1], "t" if len(arguments) < 3 else arguments[2])
        elif verb == "beat":
            record.beat(int(arguments[0]), arguments[1], arguments[2] == "yes", arguments[3])
        elif verb == "converged":
            note = shape.mapping(shape.parse(arguments[2], "the note"))
            record.converged(int(arguments[0]), arguments[1], note)
        elif verb == "release":
            found = record.release()
            print("" if found is None else shape.compact(found))
        elif verb == "leave":
            record.leave(arguments[0])
        elif verb == "rescue":
            record.rescue(int(arguments[0]), int(arguments[1]), arguments[2])
        elif verb == "lease":
            lease(context.machine)
        elif verb == "answer":
            record.answer(arguments[0])
        else:
            raise ValueError(verb)
    except NotAllowed as refusal:
        print(refusal.reason)
    except Problem as problem:
        print(problem.reason)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
