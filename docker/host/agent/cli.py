"""twinhost VERB: verbs and help from one table."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Callable, NamedTuple, Optional, cast

from agent.context import Context, create_context
from agent.errors import Problem
from agent.log import log, speaking_as
from agent.words import last_line


class Verb(NamedTuple):
    """A room of agent.verbs with a function run(context, arguments), whose answer is the exit status; None is 0."""

    name: str
    help: str


VERBS = (
    Verb("status", "[--json]  what is, and what is wrong: nodes, services, targets, the certificate and the release"),
    Verb(
        "release",
        "[--resolve]  brings the release that the parameter names to the cluster, and waits until it serves;\n"
        "--resolve: with the image that the tag of appImage means now",
    ),
    Verb("bootstrap", "everything that makes this machine a part of the cluster; runs on every boot, and at any time"),
    Verb("join", "joins the recorded cluster, or founds one where the record allows it"),
    Verb("agent", "the short ticks in one process that stays: certificate, notice of termination, heartbeat (service)"),
    Verb("certificate", "takes the certificate over from the shared storage, answers certbot (agent, 5 s)"),
    Verb("tickets", "shares the keys of TLS session tickets with the other host (timer, 30 s)"),
    Verb("metrics", "publishes the days left of the certificate that is served, and if it is trusted (timer, 5 min)"),
    Verb("prune", "removes images that nothing needs (timer, daily)"),
    Verb("credentials", "gives the application a fresh password for its registry, if machines log in (timer, hourly)"),
    Verb("heartbeat", "says in the cluster record that this manager lives (agent, 10 s)"),
    Verb("heal", "keeps the cluster whole: removes, spreads, replaces, follows (timer, 30 s)"),
    Verb("drain", "leaves without a failed request (on shutdown, and when the auto scaling group ends this machine)"),
)

Run = Callable[[Context, list[str]], Optional[int]]


def main(arguments: list[str]) -> int:
    """Runs a verb. 0: it did what it is for; 1: it did not, and the last line of its log says why; 2: there is no
    such verb.
    """
    os.umask(0o077)
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        print(usage(), end="")
        return 0
    if name not in {verb.name for verb in VERBS}:
        print(usage(), end="", file=sys.stderr)
        return 2
    with speaking_as(name):
        try:
            run = cast(Run, importlib.import_module(f"agent.verbs.{name}").run)
            return run(create_context(), arguments[1:]) or 0
        except Problem as problem:
            log(problem.reason)
        except Exception:
            # a defect, or a disk that is full: where it happened, then what
            trace = traceback.format_exc()
            sys.stdout.write("".join(f"  {line}\n" for line in trace.splitlines()[:-1]))
            log(f"broke off: {last_line(trace)}")
        return 1


def usage() -> str:
    lines = ["twinhost VERB"]
    for verb in VERBS:
        first, *others = verb.help.split("\n")
        lines.append(f"  {verb.name} {first}" if first.startswith("[") else f"  {verb.name:<17}{first}")
        lines += [f"{'':19}{other}" for other in others]
    return "\n".join(lines) + "\n"
