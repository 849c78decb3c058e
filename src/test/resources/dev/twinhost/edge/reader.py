"""reader.py [HEADER: VALUE…] METHOD STREAM NEXT: reads a stream of the site over HTTP/1.1 with Python's http.client. Asks for NEXT when a line has come, and
only then: of a stream that is held back, no second line comes. Prints status, encoding and the lines; fails where one has not come within 10 s.
"""

import http.client
import ssl
import sys
import zlib

*headers, method, stream, following = sys.argv[1:]
tls = ssl.create_default_context(cafile="/mnt/var/lib/twinhost/tls/current/fullchain.pem")


def ask(verb, path, more):
    connection = http.client.HTTPSConnection("www.example.com", context=tls, timeout=10)
    create = connection._create_connection
    connection._create_connection = lambda address, *others: create(("203.0.113.80", 8443), *others)
    connection.request(verb, path, headers=more)
    return connection.getresponse()


answer = ask(method, stream, dict(header.split(": ", 1) for header in headers))
encoding = answer.headers["Content-Encoding"]
decode = zlib.decompressobj(31).decompress if encoding == "gzip" else bytes
print(answer.status, encoding)
text = b""
for number in range(1, 6):
    while text.count(b"\n\n") < number:
        data = answer.read1()
        if not data:
            sys.exit(f"ended after {text}")
        text += decode(data)
    print(f"line {number}")
    ask("GET", following, {}).read()
