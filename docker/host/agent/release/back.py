"""The way back: said by a release that failed, of the one before, which is this folder's: deploys it again. The one
that failed has the locks, and reports.
"""

from __future__ import annotations

from agent import budgets
from agent.context import Context
from agent.log import log
from agent.release.application import write_application
from agent.release.images import noted_application
from agent.release.secrets import bring_secrets, noted_secrets
from agent.release.stack import Watch, deploy, last_updates
from agent.release.steps import prepare, take_lease


def back(context: Context) -> None:
    """Raises the reason where what has served before does not serve again."""
    if not context.machine.is_host:
        log(f"this witness has release {context.machine.sha}")
        return
    take_lease(context)
    prepared = prepare(context, patiently=False)
    docker, plan = noted_application(context, prepared.docker, prepared.plan)
    prepared.check_files(context, docker, plan)
    lease = take_lease(context)
    # the application gets the secrets that it had
    plan = write_application(context, plan, bring_secrets(lease, context, plan.settings, noted_secrets(context)))
    before = last_updates(context)
    deploy(lease, context, docker, plan)
    seconds = plan.settings.number("TWINHOST_BACK_SECONDS") - budgets.BACK_DEPLOY
    Watch(context, before, new=False, boot=False).wait_until_converged(seconds, "every service to go back")
    log(f"release {context.machine.sha} serves again")
