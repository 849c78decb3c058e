"""The application's environment and secrets as a compose file, app.json, and what tells one application from another
one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from agent import shape
from agent.context import Context
from agent.decide.stack import APPLICATION
from agent.errors import Damaged, Unavailable
from agent.release.plan import Plan, work_folder

# everybody in the container may read the secrets: nobody knows as which user the application runs
_MODE = 0o444


def write_application(context: Context, plan: Plan, secrets: Mapping[str, str]) -> Plan:
    """Writes app.json; `secrets` are the application's names of them with those in Swarm. Returns the plan with the
    sum of this application.
    """
    environment = shape.mapping(shape.parse(plan.settings["TWINHOST_APP_ENVIRONMENT"], "TWINHOST_APP_ENVIRONMENT"))
    content = _pretty(compose({name: shape.text(environment, name) for name in environment}, secrets))
    (work_folder(context) / "app.json").write_text(content, "utf-8")
    return replace(plan, sum=_sum(plan, content))


def compose(environment: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, object]:
    """Compose reads a dollar that is written twice as one, and Swarm a template: what would begin one of Swarm's is
    one that gives it.
    """
    return {
        "version": "3.9",
        "secrets": {name: {"external": True, "name": in_swarm} for name, in_swarm in secrets.items()},
        "services": {
            "app": {
                "environment": {
                    name: value.replace("$", "$$").replace("{{", '{{"{{"}}') for name, value in environment.items()
                },
                "secrets": [{"source": name, "target": name, "mode": _MODE} for name in secrets],
            }
        },
    }


def write_trial(context: Context) -> None:
    """The same for the trial, trial.json, whose service has another name."""
    work = work_folder(context)
    value = shape.mapping(shape.parse((work / "app.json").read_text("utf-8"), "app.json"))
    value["services"] = {"trial": shape.mapping(value, "services", "app")}
    (work / "trial.json").write_text(_pretty(value), "utf-8")


def runs_already(context: Context, plan: Plan) -> bool:
    """Whether the service runs this very application; where Swarm does not say so, it has its trial."""
    try:
        service = context.engine.service(APPLICATION)
        return shape.maybe_text(service, "Spec", "Labels", "twinhost.application") == plan.sum
    except (Unavailable, Damaged):
        return False


def _sum(plan: Plan, content: str) -> str:
    """Of its image, settings and secrets."""
    parts = [plan.application_runs, plan.port, plan.health_path, plan.settings["TWINHOST_APP_START_SECONDS"]]
    text = "".join(f"{part}\n" for part in parts) + content
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pretty(value: object) -> str:
    """As jq writes it: a release from before this agent has made the sums of its text."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
