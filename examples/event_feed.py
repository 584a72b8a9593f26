#!/usr/bin/env python3
"""Prints the lifecycle events of a relayer, one JSON object a line. Needs pyzmq and nothing else.

    python3 examples/event_feed.py tcp://127.0.0.1:5570
    python3 examples/event_feed.py ENDPOINT --topic message/16015286601757825753/ --count 4 --timeout 30

The frames are defined in docs/reference/event-feed.md. Gaps and restarts of the publisher go to standard error.
"""

import argparse
import json
import struct
import sys
import time

import zmq

STAGES = {1: "sent", 2: "committed", 3: "executed", 4: "failed", 5: "ready"}
NAMES = {
    1: "stage", 2: "messageId", 3: "source", 4: "destination", 5: "sequenceNumber", 6: "transactionHash",
    7: "blockNumber", 8: "blockTimestamp", 9: "observedAtMilliseconds", 10: "relayer", 11: "sender", 12: "receiver",
    13: "merkleRoot", 14: "returnData", 15: "reason",
}
TEXT = {10, 15}


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number runs past the end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def decode(data):
    """The fields of a LifecycleEvent; unknown ones are skipped, as Protocol Buffers wants."""
    event, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            (value,), at = struct.unpack_from("<Q", data, at), at + 8
        elif kind == 2:
            length, at = varint(data, at)
            if at + length > len(data):
                raise ValueError("a field runs past the end")
            raw, at = data[at:at + length], at + length
            value = raw.decode() if number in TEXT else "0x" + raw.hex()
        elif kind == 5:
            (value,), at = struct.unpack_from("<I", data, at), at + 4
        else:
            raise ValueError(f"wire type {kind}")
        if number in NAMES:
            event[NAMES[number]] = STAGES.get(value, "unknown") if number == 1 else value
    # Selectors pass 2^53: text keeps them whole in every JSON reader.
    for name in ("source", "destination"):
        if name in event:
            event[name] = str(event[name])
    return event


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    parser.add_argument("--topic", default="message/", help="prefix of the topics wanted (default: all messages)")
    parser.add_argument("--count", type=int, default=0, help="end after so many events (default: never)")
    parser.add_argument("--timeout", type=float, default=0, help="give up after so many seconds, exit 3")
    options = parser.parse_args()

    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 100_000)
    socket.setsockopt_string(zmq.SUBSCRIBE, options.topic)
    socket.setsockopt_string(zmq.SUBSCRIBE, "heartbeat")
    socket.connect(options.endpoint)

    sees_everything = "message/".startswith(options.topic)
    deadline = time.monotonic() + options.timeout if options.timeout else None
    last = life = None
    seen = 0
    while not options.count or seen < options.count:
        wait = 1000 if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
        if not socket.poll(wait):
            if deadline is not None and time.monotonic() >= deadline:
                sys.exit(3)
            continue
        frames = socket.recv_multipart()
        if len(frames) != 3 or len(frames[1]) != 8:
            print(f"not a feed message: {len(frames)} frames", file=sys.stderr)
            continue
        topic, sequence = frames[0].decode(), struct.unpack(">Q", frames[1])[0]
        if topic == "heartbeat":
            if life not in (None, frames[2]):
                print("the publisher was restarted", file=sys.stderr)
                last = None
            life = frames[2]
            continue
        if sees_everything and last is not None and sequence > last + 1:
            print(f"lost {sequence - last - 1} events", file=sys.stderr)
        last = sequence
        print(json.dumps({"topic": topic, "sequence": sequence, **decode(frames[2])}), flush=True)
        seen += 1


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
