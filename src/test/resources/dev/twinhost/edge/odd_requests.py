"""Requests that no browser makes, to the edge at 203.0.113.80: one line for each, its name and how the answer begins.

odd_requests.py NAME…: only those whose name begins so.
"""

import socket
import ssl
import struct
import sys

EDGE = "203.0.113.80"
WWW = b"Host: www.example.com\r\n"
LIMIT = 5


def raw():
    """A connection with port 80."""
    return socket.create_connection((EDGE, 80), LIMIT)


def tls(name="www.example.com"):
    """A TLS connection that was opened for this name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((EDGE, 443), LIMIT), server_hostname=name)


def reset(connection):
    """Ends it at once, as a program that is killed does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def whole(connection, request):
    connection.sendall(request)
    connection.settimeout(LIMIT)
    answer = b""
    try:
        while b"\r\n\r\n" not in answer and (more := connection.recv(65536)):
            answer += more
    except ConnectionResetError:
        pass
    reset(connection)
    return answer.split(b"\r\n")[0].strip()


def gone(connection, request):
    connection.sendall(request)
    reset(connection)
    return b"gone"


REQUESTS = {
    "name https host": (whole, tls, b"GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"),
    "name https absolute": (whole, tls, b"GET https://evil.example.org/ HTTP/1.1\r\n" + WWW + b"\r\n"),
    "name https none": (whole, tls, b"GET / HTTP/1.0\r\n\r\n"),
    "name https address": (whole, tls, b"GET / HTTP/1.1\r\nHost: 203.0.113.80\r\n\r\n"),
    "name https below": (whole, tls, b"GET / HTTP/1.1\r\nHost: deep.www.example.com\r\n\r\n"),
    "name https apex": (whole, lambda: tls("example.com"), b"GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"),
    "name https head": (whole, tls, b"HEAD / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"),
    "name https old": (whole, tls, b"GET /\r\n"),
    "name http host": (whole, raw, b"GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"),
    "name http none": (whole, raw, b"GET / HTTP/1.0\r\n\r\n"),
    "path latin": (whole, tls, b"GET /odd/caf\xe9/men\xfc?na\xefve HTTP/1.1\r\n" + WWW + b"\r\n"),
    "path utf": (whole, tls, "GET /odd/caf\u00e9/\u20ac/\U0001f600 HTTP/1.1\r\n".encode() + WWW + b"\r\n"),
    "path every": (whole, tls, b"GET /odd/" + bytes(range(0x80, 0x100)) + b" HTTP/1.1\r\n" + WWW + b"\r\n"),
    "path surrogate": (whole, tls, b"GET /odd/\xed\xa0\x80/\xc0\xaf/\xf4\x90\x80\x80 HTTP/1.1\r\n" + WWW + b"\r\n"),
    "path cut": (whole, tls, b"GET /odd/\xe2\x82 HTTP/1.1\r\n" + WWW + b"\r\n"),
    "path redirected": (whole, raw, b"GET /odd/\xff HTTP/1.1\r\n" + WWW + b"\r\n"),
    "path long": (whole, tls, b"GET /odd/" + b"\xc3\xa9" * 3000 + b"\xff HTTP/1.1\r\n" + WWW + b"\r\n"),
    "header bytes": (
        whole,
        tls,
        b"GET /odd/agent HTTP/1.1\r\n" + WWW + b"User-Agent: a\x80\xff\xc3\xa9 b\x01\x1f\x7f\xc3\xa9\"\\\r\n"
        b"Referer: \xfe\r\nReferer: \xc3\xbc\r\n\r\n",
    ),
    "header host": (whole, tls, b"GET / HTTP/1.1\r\nHost: \xffx.example.com\r\n\r\n"),
    "header large": (whole, tls, b"GET /odd/large HTTP/1.1\r\n" + WWW + b"Cookie: " + b"c" * 9000 + b"\r\n\r\n"),
    "line method": (whole, tls, b"\xff\xfe / HTTP/1.1\r\n" + WWW + b"\r\n"),
    "line large": (whole, tls, b"GET /" + b"\xff" * 9000 + b" HTTP/1.1\r\n" + WWW + b"\r\n"),
    "line tls": (whole, raw, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"),
    "line http": (whole, lambda: socket.create_connection((EDGE, 443), LIMIT), b"GET / HTTP/1.1\r\n" + WWW + b"\r\n"),
    "gone head": (gone, tls, b"GET /odd/\xff HTTP/1.1\r\nHost: www"),
    "gone body": (gone, tls, b"POST /odd/\xff HTTP/1.1\r\n" + WWW + b"Content-Length: 100\r\n\r\nhalf"),
    "gone handshake": (gone, raw, b""),
}

for name, (way, connect, request) in REQUESTS.items():
    if name.startswith(tuple(sys.argv[1:]) or ""):
        print(f"{name}: {way(connect(), request).decode('latin-1')!a}")
