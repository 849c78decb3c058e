"""twinhost certificate: takes the certificate over from the shared storage, and answers certbot's pre-flight."""

from __future__ import annotations

from agent import budgets, certificates, preflight
from agent.context import Context
from agent.locks import held


def run(context: Context, _: list[str]) -> None:
    """A witness serves nothing, and needs no key."""
    if not context.machine.is_host:
        return
    paths = context.machine.paths
    for folder in (paths.state / "tls", paths.state / "preflight", paths.volatile):
        folder.mkdir(parents=True, exist_ok=True)
    settings = context.settings()
    with held(paths.volatile / "certificate.lock", budgets.CERTIFICATE_LOCK):
        certificates.take_over(context, settings)
        certificates.make_placeholder(context, settings)
        preflight.answer(context)
