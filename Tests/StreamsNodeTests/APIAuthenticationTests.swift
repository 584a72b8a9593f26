// Who gets in: the vectors of the authentication through the real handler, each header missing, twice, wrong.

import Ethereum
import JSONRPC
import PriceStreams
import TestSupport
import Testing

@testable import StreamsNode

@Suite("Gateway API: authentication")
struct APIAuthenticationTests {
    static func vectors(_ name: String) throws -> [JSON] {
        try #require(try Vectors.load("data-streams.json")["auth"]?[name]?.asArray)
    }

    static func request(_ vector: JSON, signature: String? = nil) throws -> HTTPQuestion {
        func text(_ name: String) throws -> String { try #require(vector[name]?.asString, "\(name)") }
        return HTTPQuestion(
            method: try text("method"), target: try text("pathWithQuery"),
            headers: [
                .init("authorization", try text("apiKey")),
                .init("x-authorization-timestamp", String(try #require(vector["timestampMs"]?.asUInt256?.asUInt64))),
                .init("x-authorization-signature-sha256", try signature ?? text("signature")),
            ], body: Bytes(try text("bodyUtf8").utf8))
    }

    @Test("29 signed requests are let in at their time, and none with one digit changed")
    func vectors() throws {
        let vectors = try Self.vectors("vectors")
        #expect(vectors.count == 29)
        var tried = 0
        for vector in vectors {
            let secret = try #require(vector["secret"]?.asString)
            let key = try #require(vector["apiKey"]?.asString)
            let time = try #require(vector["timestampMs"]?.asUInt256?.asUInt64)
            let keys = APIKeys([APIKey(key: key, user: "u", secret: APIWorld.secret(secret))])
            // One vector has more digits than a timestamp may have (7.4 step 1).
            guard String(time).utf8.count <= 16 else {
                #expect(throws: APIRefusal.malformed("X-Authorization-Timestamp is not 1 to 16 decimal digits")) {
                    _ = try keys.authenticate(Self.request(vector), nowMilliseconds: time)
                }
                continue
            }
            let found = try keys.authenticate(Self.request(vector), nowMilliseconds: time)
            #expect(found.key == key)
            var digits = Array(try #require(vector["signature"]?.asString))
            digits[tried % 64] = digits[tried % 64] == "0" ? "1" : "0"
            #expect(throws: APIRefusal.unauthenticated) {
                _ = try keys.authenticate(Self.request(vector, signature: String(digits)), nowMilliseconds: time)
            }
            tried += 1
        }
        #expect(tried == 28)
    }

    @Test("GET requests of the vectors pass the whole handler; with another secret they are 401")
    func wholeHandler() async throws {
        var passed = 0
        for vector in try Self.vectors("vectors") where vector["method"]?.asString == "GET" {
            guard vector["secret"]?.asString == APIWorld.secret, vector["apiKey"]?.asString == APIWorld.key,
                vector["timestampMs"]?.asUInt256?.asUInt64 == APIWorld.now
            else { continue }
            let test = try TestAPI()
            let request = try Self.request(vector)
            let answer = await test.api.answer(request)
            // The feeds of the vectors are none of this catalogue: who is let in learns just that.
            #expect(message(answer) != "authentication failed", "\(request.target)")
            test.setKeys(APIKeys([APIKey(key: APIWorld.key, user: "u", secret: APIWorld.secret("another"))]))
            let refused = await test.api.answer(request)
            if answer.status != 404 || message(answer) != "not found" {
                #expect(refused.status == 401 && message(refused) == "authentication failed")
            }
            passed += 1
        }
        #expect(passed >= 14)
    }

    @Test("5 wrong constructions of a signature are 401")
    func wrongSignatures() async throws {
        let vectors = try Self.vectors("vectors")
        for wrong in try Self.vectors("wrongSignatures") {
            let good = try #require(wrong["goodSignature"]?.asString)
            let source = try #require(vectors.first { $0["signature"]?.asString == good })
            let test = try TestAPI()
            let answer = await test.api.answer(
                try Self.request(source, signature: try #require(wrong["badSignature"]?.asString)))
            #expect(answer.status == 401 && message(answer) == "authentication failed")
        }
    }

    @Test("12 timestamps decide as the vectors say, and what is refused is 400")
    func skew() async throws {
        for vector in try Self.vectors("timestampSkew") {
            let header = try #require(vector["headerTimestamp"]?.asString)
            let signed = SignedRequest(method: "GET", target: "/api/v1/feeds", key: APIWorld.key, timestamp: header)
            let test = try TestAPI()
            let answer = await test.api.answer(
                HTTPQuestion(
                    method: "GET", target: "/api/v1/feeds",
                    headers: [
                        .init("Authorization", APIWorld.key), .init("X-Authorization-Timestamp", header),
                        .init(
                            "X-Authorization-Signature-SHA256",
                            signed.signature(secret: APIWorld.secret(APIWorld.secret))),
                    ]))
            #expect(answer.status == (vector["accept"]?.asBool == true ? 200 : 400), "\(vector.text)")
        }
    }

    @Test("each of the three headers must be there exactly once", arguments: [0, 1, 2])
    func headers(_ index: Int) async throws {
        let test = try TestAPI()
        let good = APIWorld.signed("GET", "/api/v1/feeds")
        let name = good.headers[index].name
        var missing = good.headers
        missing.remove(at: index)
        let without = await test.api.answer(HTTPQuestion(method: "GET", target: good.target, headers: missing))
        #expect(without.status == 400 && message(without) == "header \(name) is missing")
        let twice = await test.api.answer(
            HTTPQuestion(method: "GET", target: good.target, headers: good.headers + [good.headers[index]]))
        #expect(twice.status == 400 && message(twice) == "header \(name) is there 2 times")
        #expect(await test.api.answer(good).status == 200)
    }

    @Test("an unknown key, a disabled one and a wrong secret are told alike")
    func alike() async throws {
        let test = try TestAPI()
        for (key, secret) in [("nobody", APIWorld.secret), ("off", APIWorld.secret), (APIWorld.key, "wrong"), ("x", String(repeating: "x", count: 64))] {
            let answer = await test.api.answer(APIWorld.signed("GET", "/api/v1/feeds", key: key, secret: secret))
            #expect(answer.status == 401 && message(answer) == "authentication failed", "\(key)")
        }
    }

    @Test("a target is signed as it was sent: a rewritten comma is another request")
    func raw() async throws {
        let test = try TestAPI()
        let (a, b) = (APIWorld.ether.text, APIWorld.gold.text)
        let sent = "/api/v1/reports/bulk?feedIDs=\(a)%2C\(b)&timestamp=\(APIWorld.second)"
        let good = APIWorld.signed("GET", sent)
        #expect(await test.api.answer(good).status == 200)
        let rewritten = HTTPQuestion(
            method: "GET", target: sent.replacing("%2C", with: ","), headers: good.headers)
        #expect(await test.api.answer(rewritten).status == 401)
        #expect(await test.api.answer(HTTPQuestion(method: "GET", target: sent, headers: good.headers, body: [0x20])).status == 401)
    }
}
