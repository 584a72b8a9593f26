// Signed requests and JSON bodies against the vectors.

import Ethereum
import PriceStreams
import Testing

@Suite("Clients against the vectors")
struct ClientVectorTests {
    static func request(_ vector: JSON) throws -> SignedRequest {
        SignedRequest(
            method: try vector.text("method"), target: try vector.text("pathWithQuery"),
            body: Bytes(try vector.text("bodyUtf8").utf8), key: try vector.text("apiKey"),
            timestamp: String(try vector.u64("timestampMs")))
    }

    @Test("29 requests give the string to sign and the signature; any changed part gives another")
    func auth() throws {
        let vectors = try StreamsVector.group("auth").items("vectors")
        #expect(vectors.count == 29)
        for vector in vectors {
            let request = try Self.request(vector)
            let secret = Secret(Bytes(try vector.text("secret").utf8))
            let signature = try vector.text("signature")
            #expect(try request.stringToSign == vector.text("stringToSign"))
            #expect(request.signature(secret: secret) == signature)
            #expect(request.isSigned(signature, secret: secret))
            #expect(request.isSigned(signature.uppercased(), secret: secret))
            #expect(!request.isSigned("0x" + signature, secret: secret))
            #expect(!request.isSigned(String(signature.dropLast()), secret: secret))
            #expect(!request.isSigned(signature, secret: Secret(secret.bytes + [0x20])))
            for change in [\SignedRequest.method, \.target, \.key, \.timestamp] {
                var other = request
                other[keyPath: change] += "0"
                #expect(!other.isSigned(signature, secret: secret))
            }
            var other = request
            other.body.append(0)
            #expect(!other.isSigned(signature, secret: secret))
        }
    }

    @Test("5 wrong constructions are refused, and the right one beside them accepted")
    func wrongSignatures() throws {
        let group = try StreamsVector.group("auth")
        let requests = try group.items("vectors")
        let wrong = try group.items("wrongSignatures")
        #expect(wrong.count == 5)
        for vector in wrong {
            let good = try vector.text("goodSignature")
            let source = try #require(requests.first { $0["signature"]?.asString == good })
            let request = try Self.request(source)
            let secret = Secret(Bytes(try source.text("secret").utf8))
            #expect(request.isSigned(good, secret: secret))
            #expect(try !request.isSigned(vector.text("badSignature"), secret: secret))
        }
    }

    @Test("12 timestamps of requests are accepted or refused, five seconds being the limit")
    func timestampSkew() throws {
        let vectors = try StreamsVector.group("auth").items("timestampSkew")
        #expect(vectors.count == 12)
        for vector in vectors {
            let time = RequestTime(
                header: try vector.text("headerTimestamp"), nowMilliseconds: try vector.u64("serverNowMs"))
            let isFresh = if case .fresh = time { true } else { false }
            #expect(try isFresh == vector.at("accept").asBool, "\(vector)")
            if try vector.text("note") == "not a decimal integer" { #expect(time == .malformed) }
        }
        #expect(RequestTime(header: "12345678901234567", nowMilliseconds: 0) == .malformed)
        #expect(RequestTime(header: "0", nowMilliseconds: .max) == .skewed(milliseconds: 0))
    }

    @Test("6 bodies of REST and WebSocket come out byte for byte")
    func json() throws {
        let vectors = try StreamsVector.list("json")
        #expect(vectors.count == 6)
        var kinds: [String] = []
        for vector in vectors {
            let body = try vector.text("body")
            let json = try JSON.parse(body)
            let bytes: Bytes
            if let report = json["report"] {
                bytes = try object(report).single
                #expect(try ReportJSON(single: Bytes(body.utf8)).single == bytes)
                kinds.append("report")
            } else if let reports = json["reports"]?.asArray {
                bytes = ReportJSON.list(try reports.map(object))
                kinds.append("reports")
            } else {
                bytes = ReportJSON.feeds(try json.items("feeds").map { try FeedID(text: $0.text("feedID")) })
                kinds.append("feeds")
            }
            #expect(bytes == Bytes(body.utf8))
        }
        #expect(kinds == ["report", "reports", "reports", "feeds", "report", "reports"])
    }

    /// Made from the full report alone.
    private func object(_ json: JSON) throws -> ReportJSON {
        let bytes = try json.bytes("fullReport")
        return ReportJSON(report: try PriceReport(blob: FullReport(encoded: bytes).blob), fullReport: bytes)
    }
}
