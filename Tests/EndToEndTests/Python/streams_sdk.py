"""Emulates what the Go, Rust and TypeScript clients of Data Streams send, and refuses what each of them would refuse.

Takes --url (REST), --ws (WebSocket), --key, --secret; prints one JSON object {"checked": [...]}; exits 1 at the first
check that fails. What lives here: the clients' habits. What a report says is checked elsewhere.
"""

import argparse
import asyncio
import hashlib
import hmac
import http.client
import json
import re
import sys
import time
from urllib.parse import quote, urlencode, urlsplit

import websockets
from websockets.asyncio.client import connect

ID = re.compile(r"^0x[0-9a-f]{64}$")
FOUR = {"feedID", "validFromTimestamp", "observationsTimestamp", "fullReport"}
GO_READ_LIMIT = 32_768


class Refused(AssertionError):
    """A client would have refused this."""


def need(condition, what):
    if not condition:
        raise Refused(what)


class Service:
    def __init__(self, url, ws, key, secret):
        self.url, self.ws, self.key, self.secret = url, ws, key, secret

    def headers(self, method, target, body=b"", at=None, key=None, secret=None):
        at = str(int(time.time() * 1000) if at is None else at)
        key, secret = key or self.key, secret or self.secret
        text = f"{method} {target} {hashlib.sha256(body).hexdigest()} {key} {at}"
        return {
            "Authorization": key,
            "X-Authorization-Timestamp": at,
            "X-Authorization-Signature-SHA256": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }

    def ask(self, target, method="GET", headers=None, base=None, more=None, body=b""):
        """Status, headers, body; the target goes out byte for byte."""
        place = urlsplit(base or self.url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.hostname, place.port, timeout=30)
        connection.putrequest(method, target, skip_accept_encoding=True)
        sent = self.headers(method, target, body) if headers is None else headers
        for name, value in {**sent, **(more or {})}.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        need(answer.getheader("X-Cll-Available-Origins"), f"{method} {target}: no origins on the answer")
        return answer.status, answer.headers, content

    def http_of_ws(self):
        return self.ws.replace("ws", "http", 1)


def refusal(status, content, wanted):
    need(status == wanted, f"status {status}, not {wanted}: {content[:200]!r}")
    body = json.loads(content)
    need(list(body) == ["message"] and isinstance(body["message"], str), f"no error body: {content[:200]!r}")


# MARK: What each client reads


def go_report(raw):
    """Go: the id's length with quotes, numbers without sign or fraction, all of fullReport's digits."""
    report = json.loads(raw)
    need(isinstance(report, dict), "a report that is no object")
    need(re.search(rb'"feedID"\s*:\s*"[^"\\]{66}"', raw), "feedID is not 68 bytes with its quotes")
    check_report(report)
    return report


def check_report(report):
    """Rust: all four fields, of exactly their types."""
    need(set(report) == FOUR, f"members {sorted(report)}")
    need(ID.match(report["feedID"]), f"feedID {report['feedID']}")
    for name in ("validFromTimestamp", "observationsTimestamp"):
        need(type(report[name]) is int and 0 < report[name] < 2**63, f"{name} {report[name]!r}")
    need(report["validFromTimestamp"] <= report["observationsTimestamp"], "times out of order")
    need(re.match(r"^0x([0-9a-f]{2}){320,}$", report["fullReport"]), "fullReport is no hexadecimal text")
    need(report["feedID"][2:] in report["fullReport"], "the full report is of another feed")


def typescript_version(feed):
    need(feed[2:6] in {f"{n:04x}" for n in range(2, 14)}, f"version {feed[2:6]}")


def reports_of(content):
    body = json.loads(content)
    need(list(body) == ["reports"] and isinstance(body["reports"], list), "reports is no list (Go refuses null)")
    for report in body["reports"]:
        check_report(report)
    return body["reports"]


def no_exponents(content):
    need(not re.search(rb'Timestamp"\s*:\s*[0-9]*[.eE"]', content), "a timestamp that is no plain integer")


# MARK: REST


def go(service, feeds, done):
    """Sorted queries, %2C."""
    status, _, content = service.ask("/api/v1/feeds")
    need(status == 200, f"feeds: {status}")
    need({f["feedID"] for f in json.loads(content)["feeds"]} >= set(feeds), "feeds left out")
    status, _, content = service.ask("/api/v1/reports/latest?" + urlencode({"feedID": feeds[0]}))
    need(status == 200, f"latest: {status} {content[:200]!r}")
    no_exponents(content)
    latest = json.loads(content)
    need(list(latest) == ["report"], "latest without report")
    at = go_report(content[len(b'{"report":') : -1])["observationsTimestamp"]
    query = urlencode(sorted({"timestamp": str(at), "feedIDs": ",".join(feeds)}.items()))
    need("%2C" in query or len(feeds) == 1, "the comma is escaped")
    status, _, content = service.ask("/api/v1/reports/bulk?" + query)
    need(status in (200, 206), f"bulk: {status}")
    found = reports_of(content)
    need((status == 200) == (len(found) == len(feeds)), "206 is for what is missing")
    need([r["feedID"] for r in found] == [f for f in feeds if f in {r["feedID"] for r in found}], "bulk order")
    status, _, content = service.ask("/api/v1/reports/page?" + urlencode({"feedID": feeds[0], "startTimestamp": str(at)}))
    need(status == 200, f"page: {status}")
    page = reports_of(content)
    need(1 <= len(page) <= 10 and page[0]["observationsTimestamp"] >= at, "a page begins at its start")
    status, _, content = service.ask(
        "/api/v1/reports/page?" + urlencode({"feedID": feeds[0], "startTimestamp": str(page[-1]["observationsTimestamp"] + 86_400)}))
    need(status == 200 and content == b'{"reports":[]}', f"an empty page is []: {content[:80]!r}")
    done.append("go rest")
    return at


def rust(service, feeds, at, done):
    """feedIDs before timestamp, %2C; the exact shape; any status but 2xx is an error."""
    status, _, content = service.ask(f"/api/v1/reports?feedID={feeds[0]}&timestamp={at}")
    need(200 <= status < 300, f"report: {status} {content[:200]!r}")
    check_report(json.loads(content)["report"])
    status, _, content = service.ask(f"/api/v1/reports/bulk?feedIDs={quote(','.join(feeds), safe='')}&timestamp={at}")
    need(200 <= status < 300, f"bulk: {status}")
    reports_of(content)
    done.append("rust rest")


def typescript(service, feeds, at, done):
    """Raw commas, a content type on GET, limit=10."""
    more = {"Content-Type": "application/json"}
    for feed in feeds:
        typescript_version(feed)
    status, _, content = service.ask(f"/api/v1/reports/bulk?feedIDs={','.join(feeds)}&timestamp={at}", more=more)
    need(status in (200, 206), f"bulk: {status} {content[:200]!r}")
    reports_of(content)
    status, _, content = service.ask(f"/api/v1/reports/page?feedID={feeds[0]}&startTimestamp={at}&limit=10", more=more)
    need(status == 200 and len(reports_of(content)) <= 10, f"page: {status}")
    status, headers, content = service.ask("/", method="HEAD", base=service.http_of_ws(), more=more)
    need(200 <= status < 300 and content == b"", f"HEAD /: {status}")
    origins = headers["X-Cll-Available-Origins"].strip("{}").split(",")
    for origin in origins:
        need(re.match(r"^[a-z0-9-]{1,32}$", origin) and not origin.startswith("ws"), f"origin {origin!r}")
    for origin in origins:
        status, _, _ = service.ask(f"/api/v1/reports/latest?feedID={feeds[0]}", more={"X-Cll-Origin": origin})
        need(status == 200, f"steered to {origin}: {status}")
    done.append("typescript rest, discovery")
    return origins


def refusals(service, feed, done):
    target = "/api/v1/feeds"
    good = service.headers("GET", target)
    unknown = "0x0003" + "ee" * 30
    for name in good:
        rest = {k: v for k, v in good.items() if k != name}
        status, _, content = service.ask(target, headers=rest)
        refusal(status, content, 400)
    now = int(time.time() * 1000)
    cases = [
        (target, service.headers("GET", target, at=now - 7_000), 400),
        (target, service.headers("GET", target, at=now + 7_000), 400),
        (target, service.headers("GET", target, at=now // 1000), 400),
        (target, {**good, "X-Authorization-Signature-SHA256": "0" * 64}, 401),
        (target, service.headers("GET", target, secret="wrong"), 401),
        (target, service.headers("GET", target, key="00000000-0000-4000-8000-000000000000"), 401),
        (target + "?", good, 401),
        (f"/api/v1/reports/latest?feedID={unknown}", None, 401),
        ("/api/v1/reports/latest", None, 400),
        (f"/api/v1/reports?feedID={feed}&timestamp=x", None, 400),
        (f"/api/v1/reports?feedID={feed}&timestamp=1", None, 404),
        (f"/api/v1/reports/bulk?feedIDs={','.join([feed] * 101)}&timestamp=1", None, 400),
        (f"/api/v1/reports/bulk?feedIDs={','.join([feed] * 900)}&timestamp=1", None, 400),
        ("/api/v1/nothing", None, 404),
    ]
    for asked, headers, wanted in cases:
        status, _, content = service.ask(asked, headers=headers)
        try:
            refusal(status, content, wanted)
        except Refused as error:
            raise Refused(f"{asked[:120]}: {error}") from None
    status, headers, content = service.ask("/api/v1/reports/bulk", method="POST", body=b"{}")
    refusal(status, content, 405)
    done.append("refusals")


def rate(service, feed, done):
    statuses = [service.ask(f"/api/v1/reports/latest?feedID={feed}") for _ in range(40)]
    limited = [answer for answer in statuses if answer[0] == 429]
    need(limited, "40 requests at once are more than 10 in a second")
    refusal(limited[0][0], limited[0][2], 429)
    need(int(limited[0][1]["Retry-After"]) >= 1, "429 without Retry-After")
    done.append("rate limit")


# MARK: WebSocket


class Watermarks:
    """What every client does with a report: at or below the last one it is dropped."""

    def __init__(self):
        self.last, self.count = {}, 0

    def take(self, message):
        need(isinstance(message, bytes), "a text frame (Rust drops it)")
        need(len(message) <= GO_READ_LIMIT, f"{len(message)} bytes (Go reads {GO_READ_LIMIT})")
        body = json.loads(message)
        need(list(body) == ["report"], f"a message that is not a report (ends Go): {message[:80]!r}")
        report = body["report"]
        check_report(report)
        feed, at = report["feedID"], report["observationsTimestamp"]
        need(at > self.last.get(feed, 0), f"{feed[:10]}: {at} after {self.last.get(feed)} would be dropped")
        self.last[feed] = at
        self.count += 1
        return feed


async def listen(service, feeds, comma, seconds, pings=None, more=None, compression=None):
    target = "/api/v1/ws?feedIDs=" + comma.join(feeds)
    marks, begun = Watermarks(), time.time()
    headers = {**service.headers("GET", target), **(more or {})}
    async with connect(
        service.ws + target, additional_headers=headers, compression=compression, ping_interval=None, open_timeout=5
    ) as socket:
        need(not socket.response.headers.get("Sec-WebSocket-Extensions"), "compression was taken up")
        first = None

        async def read():
            nonlocal first
            async for message in socket:
                marks.take(message)
                if set(marks.last) == set(feeds) and first is None:
                    first = time.time() - begun

        reader = asyncio.create_task(read())
        while time.time() - begun < seconds and not reader.done():
            if pings:
                # Go: two seconds to the pong, or the connection is dropped.
                await asyncio.wait_for(await socket.ping(), 2)
            await asyncio.sleep(min(pings or 0.1, max(0.01, seconds - (time.time() - begun))))
        if reader.done():
            reader.result()
            raise Refused(f"the server closed: {socket.close_code} {socket.close_reason}")
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    need(first is not None, f"nothing of {sorted(set(feeds) - set(marks.last))} in {seconds} s")
    return marks, first


async def handshake_refused(service, target, wanted, headers=None):
    headers = service.headers("GET", target) if headers is None else headers
    try:
        async with connect(service.ws + target, additional_headers=headers):
            raise Refused(f"{target[:80]} was let in")
    except websockets.InvalidStatus as error:
        answer = error.response
        refusal(answer.status_code, bytes(answer.body or b""), wanted)
        need(answer.headers.get("X-Cll-Available-Origins"), "a refused handshake without origins")


async def sockets(service, feeds, origins, seconds, live, done):
    unknown = "0x0003" + "ee" * 30
    await handshake_refused(service, "/api/v1/ws", 400)
    await handshake_refused(service, f"/api/v1/ws?feedIDs={feeds[0]},{unknown}", 401)
    target = f"/api/v1/ws?feedIDs={feeds[0]}"
    await handshake_refused(service, target, 401, service.headers("GET", target, secret="wrong"))
    await handshake_refused(service, target, 400, {})
    done.append("handshakes refused")
    runs = await asyncio.gather(
        listen(service, feeds, "%2C", seconds, pings=2, compression="deflate"),
        listen(service, feeds, ",", seconds),
        listen(service, feeds[:1], ",", seconds, compression="deflate"),
        *[listen(service, feeds, "%2C", seconds, pings=2, more={"X-Cll-Origin": origin}) for origin in origins[:2]],
    )
    for marks, first in runs:
        need(first < 2, f"the newest report of each feed came after {first:.1f} s")
        if live:
            need(marks.count >= len(marks.last) * max(1, seconds - 2), f"{marks.count} reports in {seconds} s")
    done.append("go, rust, typescript and two origins over WebSocket")
    return max(marks.count for marks, _ in runs)


async def too_many(service, feed, maximum, done):
    target = f"/api/v1/ws?feedIDs={feed}"
    open_sockets = []
    # The connections of before are gone when the server has seen their end.
    await asyncio.sleep(0.5)
    try:
        for _ in range(maximum):
            open_sockets.append(await connect(service.ws + target, additional_headers=service.headers("GET", target)))
        await handshake_refused(service, target, 429)
    finally:
        await asyncio.gather(*[socket.close() for socket in open_sockets])
    done.append(f"{maximum} connections, and not one more")


async def revocation(service, feed, command, done):
    """The key's connections are closed with 4401 within two seconds; then it is nobody's."""
    target = f"/api/v1/ws?feedIDs={feed}"
    await asyncio.sleep(0.5)
    async with connect(service.ws + target, additional_headers=service.headers("GET", target)) as socket:
        await socket.recv()
        process = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.DEVNULL)
        need(await process.wait() == 0, f"{command}: exit {process.returncode}")
        begun = time.time()
        try:
            while True:
                await asyncio.wait_for(socket.recv(), 3)
        except websockets.ConnectionClosed:
            need((socket.close_code, socket.close_reason) == (4401, "key revoked"), f"closed with {socket.close_code}")
            need(time.time() - begun < 2, "a revoked key lives for more than two seconds")
    status, _, content = service.ask("/api/v1/feeds")
    refusal(status, content, 401)
    done.append("revocation")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="http://HOST:PORT of the REST interface")
    parser.add_argument("--ws", help="ws://HOST:PORT; the same host as --url when it is left out")
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--feeds", help="feed ids with commas; the first public feeds that have a report otherwise")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--connections", type=int, default=20, help="WebSockets that one user may have")
    parser.add_argument("--revoke", help="a shell command that revokes the key; run last")
    parser.add_argument("--no-live", action="store_true", help="nothing new is being published")
    options = parser.parse_args()
    service = Service(options.url, options.ws or options.url.replace("http", "ws", 1), options.key, options.secret)
    done = []
    if options.feeds:
        feeds = options.feeds.split(",")
    else:
        status, _, content = service.ask("/api/v1/feeds")
        need(status == 200, f"feeds: {status} {content[:200]!r}")
        known = [feed["feedID"] for feed in json.loads(content)["feeds"]]
        feeds = [f for f in known[:10] if service.ask(f"/api/v1/reports/latest?feedID={f}")[0] == 200][:4]
        time.sleep(1.1)
    need(feeds, "no feed has a report")
    at = go(service, feeds, done)
    rust(service, feeds, at, done)
    origins = typescript(service, feeds, at, done)
    refusals(service, feeds[0], done)
    received = asyncio.run(sockets(service, feeds, origins, options.seconds, not options.no_live, done))
    asyncio.run(too_many(service, feeds[0], options.connections, done))
    rate(service, feeds[0], done)
    if options.revoke:
        asyncio.run(revocation(service, feeds[0], options.revoke, done))
    print(json.dumps({"checked": done, "feeds": len(feeds), "received": received}))


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        sys.exit(1)
