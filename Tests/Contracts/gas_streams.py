"""What verifying reports of the price streams costs: rows of docs/reference/gas.md.

What lives here: the transactions that are measured. The table itself is gas_table.py.
"""

from chain import artifact
from streams import SECRETS, Streams, feed_id, full_report, words

PRICE = 3_123 * 10**18


def blob(observed=100):
    return words(feed_id(3), observed, observed, 1, 2, observed + 86_400, PRICE, PRICE - 1, PRICE + 1)


def verifications():
    """Name and gas of each, in the order of the page."""
    for f in (1, 5, 10):
        streams = Streams()
        digest = streams.own(f"f = {f}", f)
        report = full_report(digest, blob(), SECRETS[:f + 1])
        yield f"verify, v3, F = {f}: {f + 1} signatures", streams.verify(report).total
        if f == 1:
            for count in (2, 10):
                yield f"verifyBulk, {count} times v3, F = 1", streams.bulk([report] * count).total
    yield from updates()
    for f in (1, 5):
        streams = Streams()
        name = f"setConfig, {3 * f + 1} signers"
        yield name, streams.configure(b"\x00\x09" + bytes(29) + b"\x01", signers(3 * f + 1), f).total


def signers(count):
    return [f"0x{i + 1:040x}" for i in range(count)]


def updates():
    """Of a price feed: the first, one that writes a place of the ring anew, and one that writes over an old round."""
    streams = Streams()
    digest = streams.own("feed")
    settings = (streams.proxy.address, feed_id(3), 18, "ETH / USD", 3_600, 0, 1, 2**191 - 1)
    feed = streams.chain.deploy(artifact("stream_price_feed"), settings)
    start = streams.chain.timestamp
    totals = []
    for i in range(33):
        streams.chain.timestamp = start + i
        totals.append(feed.send("update", full_report(digest, blob(start + i), SECRETS[:2])).total)
    yield "StreamPriceFeed.update, F = 1, the first", totals[0]
    yield "StreamPriceFeed.update, F = 1, the second to the 32nd", totals[1]
    yield "StreamPriceFeed.update, F = 1, later", totals[32]
