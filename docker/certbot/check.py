"""What certbot would make of its own files, asked of the libraries that it reads them with.

check.py renewal FILE LIVE ARCHIVE SERVER   succeeds where certbot takes the lineage that FILE describes for the one in LIVE and ARCHIVE, of SERVER,
                                            and renews it when it is due; otherwise prints why not
check.py accounts FOLDER                    prints the accounts there, the newest first: "ID yes", or "ID no" where certbot cannot read it

certbot catches little of what is wrong with a renewal file: the rest ends each of its runs, or has it order a lineage beside this one.
https://github.com/certbot/certbot/blob/v5.6.0/certbot/src/certbot/_internal/storage.py (RenewableCert, atomic_rewrite)
https://github.com/certbot/certbot/blob/v5.6.0/certbot/src/certbot/_internal/renewal.py (should_autorenew)
"""

import datetime
import json
import os
import sys

PARTS = ("cert", "privkey", "chain", "fullchain")


def renewal_fault(file, live, archive, server):
    """What is wrong with a renewal file; None where nothing is."""
    import configobj

    try:
        read = configobj.ConfigObj(file, encoding="utf-8", default_encoding="utf-8", file_error=True)
        values = read.dict()  # every value, so that each interpolation is made
    except Exception as error:  # certbot itself expects but one kind
        return f"it cannot be read: {error}"

    wanted = {part: os.path.join(live, part + ".pem") for part in PARTS}
    for name, value in wanted.items():
        if values.get(name) != value:
            return f"{name} is not {value}"
    if values.get("archive_dir", archive) != archive:
        return f"archive_dir is not {archive}"
    if not isinstance(values.get("version", ""), str):
        return "version is not one"
    if "renew_before_expiry" in values:
        return "renew_before_expiry is another host's"

    params = values.get("renewalparams")
    if not isinstance(params, dict):
        return "renewalparams is not a section"
    if params.get("server") != server:
        return f"server is not {server}"
    for name, unwanted in (("reuse_key", None), ("autorenew", False)):
        try:
            if name in params and read["renewalparams"].as_bool(name) is unwanted:
                return f"{name} is {params[name]}"
        except Exception:
            return f"{name} is neither True nor False"

    try:
        later = values.get("acme_renewal_info", {}).get("ari_retry_after")
        # what is further away comes from another clock: https://www.rfc-editor.org/rfc/rfc9773#section-4.3
        if later and datetime.datetime.fromisoformat(later) > datetime.datetime.now() + datetime.timedelta(days=1):
            return "ari_retry_after is more than a day ahead"
    except Exception:
        return "ari_retry_after is not a time"
    return None


def accounts(folder):
    """Pairs of an account's id and whether certbot can read it, the newest first."""
    import josepy
    from acme import messages
    from certbot._internal.account import Account

    def read(account, name):
        with open(os.path.join(folder, account, name), encoding="utf-8") as file:
            return file.read()

    found = []
    for account in os.listdir(folder):
        if not os.path.isdir(os.path.join(folder, account)):
            continue
        try:
            messages.RegistrationResource.json_loads(read(account, "regr.json"))
            josepy.JWK.json_loads(read(account, "private_key.json"))
            meta = read(account, "meta.json")
            Account.Meta.json_loads(meta)
            found.append((json.loads(meta)["creation_dt"], account, True))
        except Exception:
            found.append(("", account, False))
    return [(account, usable) for _, account, usable in sorted(found, reverse=True)]


def main(verb, *arguments):
    if verb == "accounts":
        for account, usable in accounts(*arguments):
            print(account, "yes" if usable else "no")
        return 0
    fault = renewal_fault(*arguments)
    if fault:
        print(fault.replace("\n", " "))
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
