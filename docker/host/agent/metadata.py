"""The instance's metadata service, IMDSv2.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from agent import budgets
from agent.clock import Clock
from agent.errors import Unavailable

# the variable by which AWS's own tools let the address be set:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-client.html
_ADDRESS = "AWS_EC2_METADATA_SERVICE_ENDPOINT"


def metadata(clock: Clock, path: str, attempts: int = 6) -> str:
    """What the metadata service says of `path`; Unavailable where it says nothing."""
    for attempt in range(attempts):
        try:
            token = _ask("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            return _ask("GET", f"meta-data/{path}", {"X-aws-ec2-metadata-token": token})
        except urllib.error.HTTPError as error:
            reason = f"status {error.code}"
            if error.code < 500:
                break
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            # also an answer that was cut short, or is none
            reason = str(error) or type(error).__name__
        if attempt + 1 < attempts:
            clock.sleep(min(2**attempt, 16))
    raise Unavailable(f"the metadata service does not say {path}: {reason}")


def _ask(method: str, path: str, headers: Mapping[str, str]) -> str:
    base = os.environ.get(_ADDRESS) or "http://169.254.169.254"
    request = urllib.request.Request(f"{base.rstrip('/')}/latest/{path}", method=method, headers=dict(headers))
    # no proxy of the environment: the address is the machine's own
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=budgets.METADATA) as answer:
        return str(answer.read().decode())
