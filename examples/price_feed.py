#!/usr/bin/env python3
"""Follows price streams over ZeroMQ, one JSON object a report. Needs pyzmq and nothing else.

    python3 examples/price_feed.py tcp://127.0.0.1:9600 tcp://127.0.0.1:9601 --server-key 'Z85...'
    python3 examples/price_feed.py FEED REQUESTS --server-key KEY --feed 0x0f03... --count 10

docs/reference/price-feed.md defines the frames. Subscribe first, then ask for the snapshot: what comes twice is dropped,
what is missing is asked for, and what is gone is told on standard error. Signatures are not checked here: hand fullReport
to a VerifierProxy, or to `causeway streams verify`.
"""

import argparse
import json
import struct
import sys
import time

import zmq

HEADER = struct.Struct(">B32sBHQQQQQI")
REPORT, HEARTBEAT = 0x52, 0x48
FLAGS = {1: "snapshot", 2: "backfill", 4: "marketClosed", 8: "subSecond"}
WITHHELD = 16


def parse(frame):
    """The fields of a frame, or None for bytes that are none."""
    if len(frame) < HEADER.size:
        return None
    kind, feed, version, flags, boot, seq, total, observed, published, length = HEADER.unpack_from(frame)
    if version != 1 or kind not in (REPORT, HEARTBEAT) or length != len(frame) - HEADER.size:
        return None
    return {
        "kind": kind, "feed": feed, "flags": flags, "boot": boot, "seq": seq, "total": total, "observed": observed,
        "published": published, "payload": frame[HEADER.size:],
    }


def decode(full):
    """The words of a full report that every schema has, and the first value."""
    offset = int.from_bytes(full[96:128], "big")
    length = int.from_bytes(full[offset:offset + 32], "big")
    blob = full[offset + 32:offset + 32 + length]
    words = [blob[at:at + 32] for at in range(0, len(blob), 32)]
    version = int.from_bytes(words[0][:2], "big")
    # v8 and v10 say first when the price was made.
    value = words[7] if version & 0xFF in (8, 10) else words[6]
    return {
        "feedID": "0x" + words[0].hex(), "validFromTimestamp": int.from_bytes(words[1], "big"),
        "observationsTimestamp": int.from_bytes(words[2], "big"),
        "value": str(int.from_bytes(value, "big", signed=True)),
    }


class Subscriber:
    def __init__(self, feed, requests, topics, server_key):
        context = zmq.Context.instance()
        self.frames, self.questions = context.socket(zmq.SUB), context.socket(zmq.DEALER)
        public, secret = zmq.curve_keypair()
        for socket in (self.frames, self.questions):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVHWM, 10_000)
            if server_key:
                socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = server_key.encode(), public, secret
        for topic in [*topics, bytes([HEARTBEAT])]:
            self.frames.setsockopt(zmq.SUBSCRIBE, topic)
        self.frames.connect(feed)
        self.questions.connect(requests)
        self.topics, self.last, self.boot, self.heard = topics, {}, None, time.monotonic()
        self.withheld = set()
        self.snapshot()

    def snapshot(self):
        self.questions.send(b"SNAP" + b"".join(bytes([len(topic)]) + topic for topic in self.topics))

    def notice(self, frame):
        """A heartbeat that names a feed tells whether the gateway's operator withholds it."""
        feed, is_withheld = frame["feed"], bool(frame["flags"] & WITHHELD)
        if not any((bytes([REPORT]) + feed).startswith(topic) for topic in self.topics):
            return
        if is_withheld != (feed in self.withheld):
            (self.withheld.add if is_withheld else self.withheld.discard)(feed)
            print(f"0x{feed.hex()} is {'withheld' if is_withheld else 'published again'}", file=sys.stderr)

    def reports(self, deadline):
        """Frames of reports, each once; gaps are asked for as they show."""
        poller = zmq.Poller()
        poller.register(self.frames, zmq.POLLIN)
        poller.register(self.questions, zmq.POLLIN)
        while time.monotonic() < deadline:
            ready = dict(poller.poll(250))
            if not ready and time.monotonic() - self.heard > 1:
                print("silent for a second", file=sys.stderr)
                self.heard = time.monotonic()
            for socket in ready:
                data = socket.recv()
                self.heard = time.monotonic()
                if data[:4] in (b"DONE", b"ERR ") or data[:4] == b"GONE":
                    if not data.startswith(b"DONE"):
                        print("gateway:", data[:64], file=sys.stderr)
                    continue
                frame = parse(data)
                if frame is None:
                    print("malformed frame", file=sys.stderr)
                    continue
                if self.boot is not None and frame["boot"] != self.boot:
                    print("the gateway started anew", file=sys.stderr)
                    self.last, self.withheld = {}, set()
                    self.snapshot()
                self.boot = frame["boot"]
                if frame["kind"] == HEARTBEAT:
                    self.notice(frame)
                    continue
                if frame["flags"] & 2:
                    yield frame
                    continue
                last = self.last.get(frame["feed"])
                if last is not None and frame["seq"] <= last:
                    continue
                if last is not None and frame["seq"] > last + 1:
                    print(f"gap {last + 1} to {frame['seq'] - 1} of 0x{frame['feed'].hex()}", file=sys.stderr)
                    self.questions.send(
                        b"GAP" + frame["feed"] + struct.pack(">QQQ", frame["boot"], last + 1, frame["seq"] - 1))
                self.last[frame["feed"]] = frame["seq"]
                yield frame


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("feed_endpoint")
    parser.add_argument("request_endpoint")
    parser.add_argument("--server-key", help="the gateway's CURVE key, 40 letters of Z85; none for plain text")
    parser.add_argument("--feed", action="append", default=[], help="feed id; all feeds when none is given")
    parser.add_argument("--count", type=int, default=0, help="end after so many reports")
    parser.add_argument("--timeout", type=float, default=1e9, help="end after so many seconds")
    options = parser.parse_args()
    topics = [bytes([REPORT]) + bytes.fromhex(feed.removeprefix("0x")) for feed in options.feed] or [bytes([REPORT])]
    subscriber = Subscriber(options.feed_endpoint, options.request_endpoint, topics, options.server_key)
    seen = 0
    for frame in subscriber.reports(time.monotonic() + options.timeout):
        report = decode(frame["payload"])
        if report["feedID"] != "0x" + frame["feed"].hex():
            print("a frame carries the report of another feed", file=sys.stderr)
            continue
        report |= {
            "sequence": frame["seq"], "observationsTimestampNs": str(frame["observed"]),
            "publishTimestampNs": str(frame["published"]),
            "flags": [name for bit, name in FLAGS.items() if frame["flags"] & bit],
            "fullReport": "0x" + frame["payload"].hex(),
        }
        print(json.dumps(report), flush=True)
        seen += 1
        if options.count and seen >= options.count:
            return 0
    return 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main())
