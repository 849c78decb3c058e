"""Reports to the deploy that waits for a release how it ended, in one line.

The release parameter names another one, of the release's hash and the URL of the deploy's wait condition. A client
that has this URL can answer, so it stays out of arguments, files, logs and the environment. Once for each deploy,
whichever machine comes first: what is answered is noted in the cluster record. Where that cannot be read, it is
answered all the same. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from agent import aws, budgets, shape
from agent.context import Context
from agent.errors import Damaged, Problem, Unavailable
from agent.log import log, speaking_as
from agent.process import CommandFailed, CommandTimedOut, run
from agent.record import AlreadyClaimed
from agent.release.outcome import Outcome
from agent.words import last_line

# That page names no limit for a reason; a custom resource's whole answer has 4096 bytes. This much still reads as one
# line.
_LONGEST = 500
# within REPORT_TELL
_OPTIONS = ("-sS", "-f", "-m", "10", "--retry", "3", "--retry-delay", "1", "--retry-max-time", "20", "-o", "/dev/null")


@dataclass(frozen=True)
class Deploy:
    """A deploy that may wait: which release it is about, and the parameter that says who waits."""

    sha: str
    parameter: str


class Report:
    """Who waits for this release, as far as it is known, and whether it has been reported to."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reported = False
        self.deploy = Deploy("", "")

    def learn(self, note: Mapping[str, object]) -> None:
        """`note` is the release parameter's value of the release that this is about; of before there was a parameter
        for the answer, none is named.
        """
        self.deploy = Deploy(shape.maybe_text(note, "sha256") or "", shape.maybe_text(note, "answer") or "")

    def send(self, outcome: Outcome) -> None:
        """Reports the end to the deploy, if there is one. What keeps it from it is in the log, and changes no end."""
        if self._reported or not self.deploy.parameter:
            return
        self._reported = True
        with speaking_as("answer"):
            try:
                answer(self._context, self.deploy, outcome)
            except Problem as problem:
                log(problem.reason)


def answer(context: Context, deploy: Deploy, outcome: Outcome) -> None:
    """Answers the deploy that waits for this release. Nothing where another one waits, or it has its answer already.
    Raises where the deploy cannot be told.
    """
    try:
        value = aws.parameter(deploy.parameter, budgets.REPORT_ASK)
    except Unavailable:
        raise Unavailable(f"the deploy cannot be told: the parameter {deploy.parameter} could not be read") from None
    sha, url = _read(value, deploy.parameter)
    if sha != deploy.sha:
        return
    claimed = _claim(context, name_of(url))
    if claimed is None:
        return
    failure = _put(context, url, outcome)
    if failure is not None:
        if claimed:
            _give_back(context, name_of(url))
        raise Unavailable(f"the deploy could not be told: {failure}")
    log(f"told the deploy: {outcome.status}")


def in_one_line(reason: str) -> str:
    """A reason without control characters, and shortened where it is no line any more."""
    line = re.sub(r"[\x00-\x20\x7f]+", " ", reason)
    line = line[:-1] if line.endswith(" ") else line
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def name_of(url: str) -> str:
    """That of a deploy in the record: it says nothing about the URL."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _read(value: str, parameter: str) -> tuple[str, str]:
    try:
        answer = shape.parse(value, "the parameter")
        sha, url = shape.text(answer, "sha256"), shape.text(answer, "url")
        if not url.startswith("http"):
            raise Damaged("this is no URL")
    except Damaged:
        raise Damaged(
            f"the deploy cannot be told: the parameter {parameter} does not hold a release and a URL"
        ) from None
    return sha, url


def _claim(context: Context, deploy: str) -> bool | None:
    """True where this machine answers, None where another one has; False where nobody can say: then it is answered
    once more rather than not at all.
    """
    try:
        context.record.answer(deploy)
    except AlreadyClaimed:
        return None
    except (Unavailable, Damaged):
        return False
    return True


def _give_back(context: Context, deploy: str) -> None:
    try:
        context.record.unanswered(deploy)
    except (Unavailable, Damaged) as problem:
        log(problem.reason)


def _put(context: Context, url: str, outcome: Outcome) -> str | None:
    """Why the deploy could not be told; None where it was."""
    try:
        return _call(context, url, outcome)
    except OSError as error:
        # the memory that the file is in is full
        return error.strerror or str(error)


def _call(context: Context, url: str, outcome: Outcome) -> str | None:
    body = {
        "Status": outcome.status,
        "Reason": in_one_line(outcome.reason),
        "UniqueId": context.machine.identity()[0],
        "Data": "",
    }
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    with tempfile.NamedTemporaryFile("w", dir=context.machine.paths.volatile, encoding="utf-8") as file:
        json.dump(body, file)
        file.flush()
        command = ["curl", *_OPTIONS, "-X", "PUT", "-H", "Content-Type:", "-K", "-", "--data-binary", f"@{file.name}"]
        try:
            run(command, budgets.REPORT_TELL, stdin=f'url = "{quoted}"\n', merge=True)
        except CommandFailed as failure:
            return last_line(failure.said) or failure.reason
        except CommandTimedOut as late:
            return late.reason
    return None
