#!/usr/bin/env python3
"""Reads the event stream of a gateway over a bare socket, strictly: the head, chunks, events. Nothing but the standard
library, so that no client library hides what is on the wire.

    streams_events.py --url http://127.0.0.1:9700 --key KEY --secret SECRET --feeds 0x0003...,0x0008... --count 5

Writes one JSON document: status, headers, events (id, event, data), comments, and how the stream ended.
"""

import argparse
import hashlib
import hmac
import json
import socket
import sys
import time
from urllib.parse import urlsplit


class Refused(Exception):
    """The server broke a rule of HTTP/1.1 or of event streams."""


def signed_head(target, host, key, secret, last_event_id):
    timestamp = str(int(time.time() * 1000))
    line = f"GET {target} {hashlib.sha256(b'').hexdigest()} {key} {timestamp}"
    signature = hmac.new(secret.encode(), line.encode(), hashlib.sha256).hexdigest()
    lines = [
        f"GET {target} HTTP/1.1", f"Host: {host}", "Accept: text/event-stream", f"Authorization: {key}",
        f"X-Authorization-Timestamp: {timestamp}", f"X-Authorization-Signature-SHA256: {signature}",
    ]
    if last_event_id is not None:
        lines.append(f"Last-Event-ID: {last_event_id}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Wire:
    """Bytes of a socket with a deadline."""

    def __init__(self, connection, deadline):
        self.connection, self.deadline, self.buffer = connection, deadline, b""

    def more(self):
        self.connection.settimeout(max(0.01, self.deadline - time.monotonic()))
        data = self.connection.recv(65536)
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.more():
                raise EOFError
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.more():
                raise Refused("the connection ended inside a chunk")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data


def chunks(wire):
    """The chunks of a body until the last one, which is empty."""
    while True:
        size = int(wire.line(), 16)
        data = wire.exactly(size)
        if wire.exactly(2) != b"\r\n":
            raise Refused("a chunk does not end with a line")
        if size == 0:
            return
        yield data


class Events:
    """The parser of the HTML standard, but strict: fields that are unknown are refused."""

    def __init__(self):
        self.rest, self.comments, self.fields = b"", 0, {}

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line == b"":
                if self.fields:
                    if "data" not in self.fields:
                        raise Refused("an event without data")
                    yield {
                        "id": self.fields.get("id"), "event": self.fields.get("event", "message"),
                        "data": json.loads(self.fields["data"]),
                    }
                self.fields = {}
            elif line.startswith(b":"):
                self.comments += 1
            else:
                name, mark, value = line.decode().partition(": ")
                if name not in ("id", "event", "data") or not mark or name in self.fields:
                    raise Refused(f"a line that is none: {line[:80]!r}")
                self.fields[name] = value


def run(options):
    url = urlsplit(options.url)
    target = f"/ext/v1/stream?feedIDs={options.feeds}"
    connection = socket.create_connection((url.hostname, url.port), timeout=10)
    if options.receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.receive_buffer)
    wire = Wire(connection, time.monotonic() + options.seconds)
    connection.sendall(signed_head(target, url.netloc, options.key, options.secret, options.last_event_id))
    status = int(wire.line().split()[1])
    headers = {}
    while line := wire.line():
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    result = {"status": status, "headers": headers, "events": [], "comments": 0, "end": None}
    if status != 200:
        result["body"] = json.loads(wire.exactly(int(headers["content-length"])))
        return result
    if headers.get("transfer-encoding") != "chunked" or headers.get("content-type") != "text/event-stream":
        raise Refused(f"no event stream in chunks: {headers}")
    events = Events()
    seen = 0
    try:
        for chunk in chunks(wire):
            for event in events.feed(chunk):
                result["events"].append(event)
                seen += event["event"] == "message"
                if options.flag:
                    open(options.flag, "w").close()
            result["comments"] = events.comments
            if options.count and seen >= options.count and events.comments >= options.comments:
                result["end"] = "enough"
                break
        else:
            result["end"] = "whole" if not events.rest and not events.fields else "torn"
    except TimeoutError:
        result["end"] = "timeout"
    except (EOFError, ConnectionError):
        result["end"] = "cut"
    connection.close()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--feeds", required=True)
    parser.add_argument("--last-event-id")
    parser.add_argument("--count", type=int, default=0, help="end after so many reports; 0 reads on")
    parser.add_argument("--comments", type=int, default=0, help="and so many comments")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--receive-buffer", type=int, default=0)
    parser.add_argument("--flag", help="a file that is made with the first event")
    try:
        print(json.dumps(run(parser.parse_args())))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
