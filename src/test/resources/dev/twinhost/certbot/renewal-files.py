"""renewal-files.py CONFIG NAME SERVER CHECK: what the check and certbot itself say of a renewal file that is damaged in every way that is listed here.

CONFIG is certbot's folder with a whole lineage NAME of SERVER, CHECK the check. Prints a line for each damage: its name, "known" or "unknown" by the check, and
"taken" where certbot takes the lineage and would renew it, otherwise what it does instead. The file is as it was afterwards.
"""

import argparse
import datetime
import importlib.util
import os
import re
import sys

from certbot import configuration
from certbot._internal import cert_manager, renewal

config, name, server, check_file = sys.argv[1:]
spec = importlib.util.spec_from_file_location("check", check_file)
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

file = f"{config}/renewal/{name}.conf"
with open(file, "rb") as opened:
    before = opened.read()
# as if it were time to ask the CA again
whole = re.sub(rb"(ari_retry_after = )[^\n]*", rb"\g<1>2026-01-01T00:00:00", before)


def replaced(old, new):
    assert whole.count(old) > 0, old
    return whole.replace(old, new, 1)


def damages():
    for length in range(len(whole) + 1):
        yield f"cut at {length}", whole[:length]
    for length in range(len(whole)):
        yield f"zeros from {length}", whole[:length] + bytes(len(whole) - length)
        yield f"not UTF-8 at {length}", whole[:length] + b"\xff" + whole[length + 1 :]
    for line in whole.splitlines(keepends=True):
        text = line.decode().strip()
        yield f"twice: {text}", replaced(line, line + line)
        yield f"without: {text}", replaced(line, b"")
    yield "CRLF", whole.replace(b"\n", b"\r\n")
    yield "BOM", b"\xef\xbb\xbf" + whole
    yield "UTF-16", whole.decode().encode("utf-16")
    yield "twice as a whole", whole + whole
    section = b"[renewalparams]\n"
    for top in (
        "version = 1, 2",
        "version = %(x)s",
        "x = %(y)s",
        "renewalparams = x",
        "acme_renewal_info = x",
        "renew_before_expiry = nonsense",
        "renew_before_expiry = 1, 2",
        "x = '",
        '"""',
    ):
        yield top, replaced(section, top.encode() + b"\n" + section)
        yield top + " (first)", top.encode() + b"\n" + whole
    for inside in ("reuse_key = maybe", "reuse_key = True", "reuse_key = True, False", "autorenew = False", "autorenew = x", "user_agent = %(x)s", "[[x]", "[[[x]]]"):
        yield inside, replaced(section, section + inside.encode() + b"\n")
    yield "server twice over", replaced(b"server = ", b"server = https://ca.example/, ")
    yield "cert a list", replaced(b"cert.pem\n", b"cert.pem, x\n")
    for later in ("x", "2999-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "1, 2"):
        at = whole.index(b"ari_retry_after")
        yield f"ari_retry_after = {later}", whole[:at] + f"ari_retry_after = {later}\n".encode()


class Ari:
    """An ACME client that has each certificate renewed at once."""

    def get(self, _server):
        return self

    def renewal_time(self, _certificate):
        now = datetime.datetime.now()
        return now.astimezone() - datetime.timedelta(hours=1), now


options = configuration.NamespaceConfig(
    argparse.Namespace(
        config_dir=config, work_dir="/tmp", logs_dir="/tmp", server=server, strict_permissions=False, http01_port=80, https_port=443, domains=[]
    )
)


def certbot():
    try:
        lineage = cert_manager.lineage_for_certname(options, name)
        if not lineage:
            return "orders another lineage"
        if lineage.cert != f"{config}/live/{name}/cert.pem" or lineage.archive_dir != f"{config}/archive/{name}":
            return "takes another lineage"
        lineage.ensure_deployed(), lineage.names(), lineage.reuse_key
        if not lineage.server:
            return "asks no CA when to renew"
        return "taken" if renewal.should_autorenew(lineage, Ari()) else "renews later or never"
    except Exception as error:
        return f"ends with {type(error).__name__}"


for damage, content in damages():
    with open(file, "wb") as opened:
        opened.write(content)
    os.chmod(file, 0o644)
    fault = check.renewal_fault(file, f"{config}/live/{name}", f"{config}/archive/{name}", server)
    print(damage, "unknown" if fault else "known", certbot(), sep="\t")
with open(file, "wb") as opened:
    opened.write(before)
