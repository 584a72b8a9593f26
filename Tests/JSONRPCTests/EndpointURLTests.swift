// Reading endpoints, and never showing what they hide.

import Testing

@testable import JSONRPC

struct EndpointURLTests {
    static let good: [(String, String, Int, String, String)] = [
        ("http://localhost:8545", "localhost", 8545, "/", "http://localhost:8545"),
        ("HTTP://LocalHost:8545/", "localhost", 8545, "/", "http://localhost:8545"),
        ("https://node.example", "node.example", 443, "/", "https://node.example"),
        ("https://node.example:443/v3/SECRET", "node.example", 443, "/v3/SECRET", "https://node.example/***"),
        ("wss://node.example?key=SECRET", "node.example", 443, "/?key=SECRET", "wss://node.example/***"),
        ("ws://user:SECRET@10.0.0.1:80/x#frag", "10.0.0.1", 80, "/x", "ws://***@10.0.0.1/***"),
        ("http://[::1]:8545/a", "::1", 8545, "/a", "http://[::1]:8545/***"),
        ("  http://a_b-c.d\n", "a_b-c.d", 80, "/", "http://a_b-c.d"),
    ]

    @Test("endpoints are taken apart, and print without their secrets", arguments: good)
    func parsing(_ row: (String, String, Int, String, String)) throws {
        let endpoint = try EndpointURL.parse(row.0)
        #expect(endpoint.host == row.1)
        #expect(endpoint.port == row.2)
        #expect(endpoint.target == row.3)
        #expect("\(endpoint)" == row.4)
        #expect(!String(reflecting: endpoint).contains("SECRET"))
        var dumped = ""
        dump(endpoint, to: &dumped)
        #expect(!dumped.contains("SECRET"))
    }

    @Test("user and password go into the header, decoded") func userInfo() throws {
        #expect(try EndpointURL.parse("http://a%40b:c@h").userInfo == "a@b:c")
        #expect(Base64.encode(Array("a@b:c".utf8)) == "YUBiOmM=")
        #expect(["", "f", "fo", "foo", "foob"].map { Base64.encode(Array($0.utf8)) } == ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="])
    }

    static let bad: [(String, EndpointURL.Malformed.Code)] = [
        ("", .empty), ("   ", .empty), ("localhost:8545", .missingScheme), ("//host", .missingScheme),
        ("ftp://host", .unsupportedScheme), ("file:///etc", .unsupportedScheme), ("http://", .missingHost),
        ("http:///path", .missingHost), ("http://:80", .missingHost), ("http://h:0", .badPort), ("http://h:65536", .badPort),
        ("http://h:", .badPort), ("http://h:8a", .badPort), ("http://h:+80", .badPort), ("http://ho st", .badCharacter),
        ("http://h\r\nX: y", .badCharacter), ("http://höst", .badCharacter), ("http://h%41", .badHost),
        ("http://[::1", .badHost), ("http://[zz]", .badHost), ("http://[::1]80", .badHost), ("http://a:b:c", .badPort),
        ("http://" + String(repeating: "a", count: 3_000), .tooLong),
    ]

    @Test("what is no endpoint is refused by name, without repeating it", arguments: bad)
    func refusing(_ row: (String, EndpointURL.Malformed.Code)) {
        do {
            _ = try EndpointURL.parse(row.0)
            Issue.record("taken: \(row.0)")
        } catch {
            #expect(error.code == row.1)
            #expect(row.0.count < 7 || !error.description.contains(row.0.dropFirst(7)) || row.0.dropFirst(7).count < 3)
        }
    }
}
