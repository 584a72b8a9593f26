// Rates, connections, keys at rest, and what one WebSocket is given.

import Ethereum
import Foundation
import JSONRPC
import Logging
import PriceStreams
import Testing

@testable import StreamsNode

@Suite("Gateway API: limits")
struct APILimitsTests {
    @Test("the eleventh request in a second is 429 with Retry-After, for this endpoint and user only")
    func rate() async throws {
        let test = try TestAPI()
        let latest = "/api/v1/reports/latest?feedID=\(APIWorld.ether)"
        for _ in 0..<10 { #expect(await test.api.answer(APIWorld.signed("GET", latest)).status == 200) }
        let refused = await test.api.answer(APIWorld.signed("GET", latest))
        #expect(refused.status == 429)
        #expect(refused.headers["retry-after"] == "1")
        #expect(message(refused) == "more than 10 requests in a second")
        #expect(await test.api.answer(APIWorld.signed("GET", "/api/v1/reports/page?feedID=\(APIWorld.ether)&startTimestamp=1")).status == 200)
        #expect(await test.api.answer(APIWorld.signed("GET", latest, key: "narrow", secret: "other")).status == 200)
        for _ in 0..<30 { #expect(await test.api.answer(APIWorld.signed("GET", "/api/v1/feeds")).status == 200) }
        test.setClock(APIWorld.now + 100)
        #expect(await test.api.answer(APIWorld.signed("GET", latest)).status == 200)
        #expect(await test.api.answer(APIWorld.signed("GET", latest)).status == 429)
        // What is not authenticated counts for nobody.
        for _ in 0..<20 { #expect(await test.api.answer(APIWorld.signed("GET", latest, secret: "wrong")).status == 401) }
        test.setClock(APIWorld.now + 1_100)
        for _ in 0..<10 { #expect(await test.api.answer(APIWorld.signed("GET", latest)).status == 200) }
        #expect(await test.api.answer(APIWorld.signed("GET", latest)).status == 429)
    }

    @Test("buckets fill at their rate, whatever the clock does")
    func buckets() throws {
        var book = RateBook(requestsPerSecond: 10, connectionsPerUser: 2)
        var taken = 0
        for time in stride(from: UInt64(0), to: 10_000, by: 7) where (try? book.take("a", "x", nowMilliseconds: time)) != nil {
            taken += 1
        }
        #expect((109...110).contains(taken), "a second's worth at once, then ten a second")
        #expect(throws: APIRefusal.self) { try book.take("a", "x", nowMilliseconds: 0) }
        try book.take("a", "x", nowMilliseconds: 5_000_000)
        book.forget(before: 6_000_000)
        try book.connect("a")
        try book.connect("a")
        #expect(throws: APIRefusal.limited("more than 2 WebSocket connections", retryAfterSeconds: 5)) { try book.connect("a") }
        try book.connect("b")
        book.disconnect("a")
        try book.connect("a")
        #expect(book.connections(of: "a") == 2)
    }

    @Test("a handshake is refused with the status of its fault, and counted only when it is let in")
    func gate() async throws {
        let test = try TestAPI { $0.connectionsPerUser = 2 }
        func status(_ request: HTTPQuestion) async -> Int {
            switch await test.api.gate(request) {
            case .refused(let answer): answer.status
            case .accepted: 101
            }
        }
        let (a, b) = (APIWorld.ether.text, APIWorld.gold.text)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws")) == 400)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a),")) == 400)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)&feedIDs=\(b)")) == 400)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a),\(APIWorld.unknown)")) == 401)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a),\(b)", key: "narrow", secret: "other")) == 401)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)", secret: "wrong")) == 401)
        #expect(await status(APIWorld.signed("GET", "/api/v1/feeds")) == 404)
        #expect(await status(APIWorld.signed("POST", "/api/v1/ws?feedIDs=\(a)")) == 405)
        #expect(await status(HTTPQuestion(method: "GET", target: "/api/v1/ws?feedIDs=\(a)")) == 400)
        guard case .accepted(let first, let headers) = await test.api.gate(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)%2C\(b),\(a)"))
        else { return #expect(Bool(false), "a good handshake") }
        #expect(headers["x-cll-available-origins"] == "{east,west}")
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a),\(APIWorld.fast)")) == 101)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)")) == 429)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)", key: "narrow", secret: "other")) == 101)
        #expect(test.api.webSockets == 3)
        // The newest report of each feed at once, each feed once.
        let messages = [first.nextMessage(), first.nextMessage()].compactMap { $0 }
        #expect(messages.count == 2 && first.nextMessage() == nil)
        #expect(try messages.map { try ReportJSON(single: $0).feedID } == [APIWorld.ether, APIWorld.gold])
        first.closed(.gone)
        #expect(test.api.webSockets == 2)
        #expect(await status(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(a)")) == 101)
    }

    @Test("a WebSocket gets the first report of each new second, in rising order, newest first when it is slow")
    func seconds() throws {
        var feed = CompatibleFeed([APIWorld.ether, APIWorld.gold])
        func offer(_ id: FeedID, _ second: UInt64, _ text: String) -> Bool {
            feed.offer(id, second: second, message: Bytes(text.utf8))
        }
        #expect(offer(APIWorld.ether, 10, "a10"))
        #expect(!offer(APIWorld.ether, 10, "a10 again"))
        #expect(!offer(APIWorld.ether, 9, "a9"))
        #expect(!offer(APIWorld.fund, 11, "not asked for"))
        #expect(offer(APIWorld.gold, 10, "b10"))
        #expect(offer(APIWorld.ether, 11, "a11 "))
        #expect(feed.waitingBytes == 7)
        #expect(feed.next() == Bytes("a11 ".utf8))
        #expect(feed.next() == Bytes("b10".utf8))
        #expect(feed.next() == nil && feed.waitingBytes == 0)
        #expect(feed.conflated == 1)
        #expect(!offer(APIWorld.ether, 11, "late"))
        #expect(offer(APIWorld.ether, 13, "a13"))
        #expect(feed.next() == Bytes("a13".utf8))
    }

    @Test("what is published reaches the clients of the feed once a second")
    func hub() async throws {
        let test = try TestAPI()
        guard case .accepted(let client, _) = await test.api.gate(
            APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(APIWorld.ether),\(APIWorld.fast)"))
        else { return #expect(Bool(false), "a good handshake") }
        while client.nextMessage() != nil {}
        var sent: [UInt64] = []
        for step: UInt64 in 100..<130 {
            let report = APIWorld.report(APIWorld.fast, milliseconds: APIWorld.second * 1_000 + step * 100)
            test.api.publish(report)
            test.api.publish(APIWorld.report(APIWorld.gold, milliseconds: APIWorld.second * 1_000 + step * 100))
            while let message = client.nextMessage() { sent.append(try ReportJSON(single: message).observationsTimestamp) }
        }
        #expect(sent == [10, 11, 12].map { APIWorld.second + $0 })
        client.closed(.gone)
    }

    // MARK: Keys at rest

    static func folder() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("causeway-keys-\(UUID().uuidString)").path
    }

    @Test("a key is made, found by a running gateway, and dead within a second of its revocation")
    func store() throws {
        let directory = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let password = APIWorld.secret("password")
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let first = APIKeyStore.random(user: "desk", feeds: nil, nowMilliseconds: 5)
        #expect(first.key.utf8.count == 36 && first.secret.bytes.count == 64)
        try APIKeyStore.add(first, directory: directory, password: password, work: .light)
        let store = try APIKeyStore(directory: directory, password: password, logger: quiet)
        #expect(store.current.active(first.key) == first)
        let second = APIKeyStore.random(user: "other", feeds: [APIWorld.gold], nowMilliseconds: 6)
        try APIKeyStore.add(second, directory: directory, password: password)
        #expect(store.current.active(second.key) == nil)
        #expect(try store.refresh())
        #expect(store.current.active(second.key) == second)
        #expect(try !store.refresh())
        try APIKeyStore.revoke(first.key, directory: directory)
        #expect(try store.refresh())
        #expect(store.current.active(first.key) == nil)
        #expect(store.current.active(second.key) == second)
        #expect(try APIKeyStore.list(directory: directory).map(\.isDisabled) == [true, false])
        #expect(throws: StreamsNodeError.self) { try APIKeyStore.add(first, directory: directory, password: password) }
        #expect(throws: StreamsNodeError.self) { try APIKeyStore.revoke("nobody", directory: directory) }
        #expect(throws: StreamsNodeError.self) {
            try APIKeyStore(directory: directory, password: APIWorld.secret("wrong"), logger: quiet)
        }
        let text = try String(contentsOfFile: store.path, encoding: .utf8)
        let secret = String(decoding: second.secret.bytes, as: UTF8.self)
        #expect(!text.contains(secret) && !text.contains(Hex.encodeBare(second.secret.bytes)))
        let mode = try FileManager.default.attributesOfItem(atPath: store.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        // A damaged file keeps the keys that were read; one that is gone has none.
        try Data("{".utf8).write(to: URL(fileURLWithPath: store.path), options: [])
        #expect(throws: StreamsNodeError.self) { _ = try store.refresh() }
        #expect(store.current.active(second.key) == second)
        try FileManager.default.removeItem(atPath: store.path)
        #expect(try store.refresh())
        #expect(store.current.count == 0)
    }

    @Test("a sealed secret opens for its own key alone, and not when one bit is changed")
    func sealed() throws {
        let master = Secret(randomBytes(32))
        for count in [1, 31, 32, 33, 64, 256] {
            let secret = Secret(randomBytes(count))
            let sealed = SealedSecret(secret, owner: "a", master: master)
            #expect(sealed.open(owner: "a", master: master) == secret)
            #expect(sealed.open(owner: "b", master: master) == nil)
            #expect(sealed.open(owner: "a", master: Secret(randomBytes(32))) == nil)
            #expect(SealedSecret(text: sealed.text) == sealed)
            #expect(sealed.cipherText != secret.bytes)
            var bytes = try Hex.decode("0x" + sealed.text)
            let at = Int.random(in: 0..<bytes.count)
            bytes[at] ^= 1
            let changed = try #require(SealedSecret(text: Hex.encodeBare(bytes)))
            #expect(changed.open(owner: "a", master: master) == nil, "byte \(at)")
        }
        #expect(SealedSecret(text: "") == nil && SealedSecret(text: "zz") == nil)
        #expect(SealedSecret(text: String(repeating: "00", count: 48)) == nil)
    }

    @Test("malformed files and users are refused by what is wrong with them")
    func malformed() throws {
        for text in ["", "[]", "{}", #"{"version":1}"#, #"{"version":2,"master":{},"keys":[]}"#, #"{"version":1,"master":{},"keys":[]}"#] {
            #expect(throws: StreamsNodeError.self) { try APIKeyFile(decoding: Bytes(text.utf8)) }
        }
        var file = try APIKeyFile(password: APIWorld.secret("p"), work: .light)
        let master = try file.openMaster(APIWorld.secret("p"))
        for (key, user, secret) in [("", "u", "s"), ("k k", "u", "s"), ("k", "", "s"), ("k", "a b", "s"), ("k", "u", "")] {
            #expect(throws: StreamsNodeError.self) {
                try file.add(APIKey(key: key, user: user, secret: APIWorld.secret(secret)), master: master)
            }
        }
        try file.add(APIKey(key: "k", user: "u", secret: APIWorld.secret("s"), feeds: [APIWorld.gold]), master: master)
        #expect(try APIKeyFile(decoding: file.encoded) == file)
        let twice = String(decoding: file.encoded, as: UTF8.self).replacing("\"keys\": [", with: "\"keys\": [7,")
        #expect(throws: StreamsNodeError.self) { try APIKeyFile(decoding: Bytes(twice.utf8)) }
    }
}
