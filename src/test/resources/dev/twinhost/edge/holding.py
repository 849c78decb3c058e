"""A client at one address that holds what it can of the edge at 203.0.113.80, until the file /mnt/release is there.

holding.py heads ADDRESS NUMBER: so many connections over HTTP, each with the beginning of a request. Prints how many are open, and at the end after how
many seconds the edge had closed them all.
holding.py bodies ADDRESS NUMBER LENGTH: so many requests over HTTPS, each with a body of that length, or `chunked`, of which the last byte is held back.
Prints how many the edge waits for, and how many it has answered with which status.
"""

import collections
import os
import resource
import socket
import ssl
import sys
import time

EDGE = "203.0.113.80"
LIMIT = 10
way, address, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def connect(port):
    return socket.create_connection((EDGE, port), LIMIT, source_address=(address, 0))


def wait_for_release():
    while not os.path.exists("/mnt/release"):
        time.sleep(0.1)


def hold_heads():
    begin = time.monotonic()
    connections = []
    for _ in range(number):
        connection = connect(80)
        connection.sendall(b"GET / HT")
        connections.append(connection)
    print(len(connections), "open", flush=True)
    for connection in connections:
        connection.settimeout(120)
        try:
            connection.recv(1)
        except ConnectionResetError:
            pass
    print("closed after", round(time.monotonic() - begin), flush=True)
    wait_for_release()


def hold_bodies(length):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    chunked = length == "chunked"
    head = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    connections = []
    for _ in range(number):
        connection = context.wrap_socket(connect(443), server_hostname="www.example.com")
        connection.sendall(
            f"POST /held HTTP/1.1\r\nHost: www.example.com\r\n{head}\r\n\r\n{'1' if chunked else ''}".encode()
        )
        connections.append(connection)
    time.sleep(1)
    answers = collections.Counter()
    for connection in connections:
        connection.setblocking(False)
        try:
            answers[connection.recv(1000).split(b" ")[1].decode()] += 1
        except ssl.SSLWantReadError:
            answers["held"] += 1
    print(" ".join(f"{answers[name]} {name}" for name in sorted(answers, reverse=True)), flush=True)
    wait_for_release()


if way == "heads":
    hold_heads()
else:
    hold_bodies(sys.argv[4])
