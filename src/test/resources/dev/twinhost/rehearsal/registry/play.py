"""An application that behaves as its environment says. Any path is answered; /version in the image says which one it is.

PLAY_DELAY        seconds before it listens
PLAY_BIND         where it listens: an address, or "hostname" for that of its own name; default 0.0.0.0. "::" takes IPv4 as well
PLAY_V6ONLY       not empty: "::" takes IPv6 alone
PLAY_PORT         default 8080
PLAY_STATUS       what it answers: a status, "hang" (nothing) or "reset"; after it, for single paths, as in "200 /health=500 /slow=hang"
PLAY_LIFE         seconds after which it dies with status PLAY_EXIT, default 1
PLAY_IGNORE_TERM  not empty: it ignores SIGTERM; else it takes no more requests, answers those that it has and ends
"""
import _thread
import os
import signal
import socket
import struct
import sys
import time

LONGEST_REQUEST = 65536
GRACE = 2.0  # seconds in which requests that have come are answered after SIGTERM

name = socket.gethostname()
pending = 0


def setting(key, default):
    return os.environ.get("PLAY_" + key) or default


def say(text):
    print(f"play {version}: {text}", file=sys.stderr, flush=True)


def die(*_):
    say(f"dies after {setting('LIFE', '')} s, as PLAY_LIFE wants")
    os._exit(int(setting("EXIT", "1")))


def end(*_):
    raise SystemExit(0)


def read(connection):
    """The head of a request; nothing where none comes."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < LONGEST_REQUEST:
        more = connection.recv(4096)
        if not more:
            return b""
        head += more
    return head


def answer(connection):
    global pending
    pending += 1
    try:
        head = read(connection)
        if not head:
            return
        path = head.split(b" ")[1].decode("latin-1").split("?")[0]
        word = statuses.get(path, statuses[""])
        if word == "hang":
            while connection.recv(4096):
                pass
        elif word == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            body = f"version: {version}\nserved-by: {name}\n"
            connection.sendall(
                (
                    f"HTTP/1.1 {word} Played\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
                    f"Connection: close\r\nX-Served-By: {name}\r\n\r\n{'' if head.startswith(b'HEAD ') else body}"
                ).encode()
            )
    except OSError:
        pass  # whoever asked has gone
    finally:
        connection.close()
        pending -= 1


def bound():
    address = setting("BIND", "0.0.0.0")
    if address == "hostname":
        address = socket.gethostbyname(name.encode())
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(setting("V6ONLY", ""))))
    listener.bind((address, int(setting("PORT", "8080"))))
    listener.listen(128)
    return listener


def main():
    # the first process of a container ignores what it has no handler for
    signal.signal(signal.SIGTERM, signal.SIG_IGN if setting("IGNORE_TERM", "") else end)
    signal.signal(signal.SIGALRM, die)
    if setting("LIFE", ""):
        life = float(setting("LIFE", ""))
        die() if life == 0 else signal.setitimer(signal.ITIMER_REAL, life)
    say("starts")
    time.sleep(float(setting("DELAY", "0")))
    listener = bound()
    say("listens on %s port %d" % listener.getsockname()[:2])
    try:
        while True:
            _thread.start_new_thread(answer, (listener.accept()[0],))
    finally:
        listener.close()
        last = time.monotonic() + GRACE
        while pending and time.monotonic() < last:
            time.sleep(0.01)
        say("ends")


if sys.argv[1:] == ["--files"]:
    print(os.path.realpath(sys.executable))
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    print("\n".join(file for file in files if file.startswith("/")))
else:
    with open("/version", encoding="utf-8") as file:
        version = file.read().strip()
    statuses = {}
    for word in setting("STATUS", "200").split():
        where, _, what = word.rpartition("=")
        statuses[where] = what
    main()
