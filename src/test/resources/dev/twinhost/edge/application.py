"""The application behind the edge: answers each request with what arrived of it, as JSON, numbered; of a body, its length and how it begins.

The query says how: each `header=Name: value` is a header of the answer, `status=404` its status, `size=5000` pads it, `head=5000` its head. `lines=3`: so many lines instead,
half a second apart.
An Upgrade is granted; the next line that comes is sent back in capitals.
"""

import itertools
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

numbers = itertools.count(1)


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "Upgrade" in self.headers:
            self.upgrade()
        else:
            self.answer()

    do_POST = do_GET

    def answer(self):
        query = parse_qs(urlsplit(self.path).query)
        if "lines" in query:
            self.stream(int(query["lines"][0]))
            return
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        seen = {
            "number": next(numbers),
            "path": self.path,
            "headers": headers,
            "received": len(sent),
            "body": sent[:1000],
            "padding": "x" * int(query.get("size", ["0"])[0]),
        }
        body = json.dumps(seen).encode()
        self.send_response(int(query.get("status", ["200"])[0]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if "head" in query:
            self.send_header("X-Padding", "x" * int(query["head"][0]))
        for header in query.get("header", []):
            name, value = header.split(": ", 1)
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, lines):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(lines):
            self.wfile.write(b"8\r\n\"line\"\r\n\r\n")
            time.sleep(0.5)
        self.wfile.write(b"0\r\n\r\n")

    def upgrade(self):
        self.send_response(101)
        for name in "Connection", "Upgrade", "X-Forwarded-For":
            self.send_header(name, self.headers[name])
        self.end_headers()
        self.wfile.write(self.rfile.readline().upper())
        self.close_connection = True

    def log_message(self, *words):
        pass


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Application).serve_forever()
