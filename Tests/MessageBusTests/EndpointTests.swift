// Endpoints: what is taken, and what is refused with a hint.

import Testing

@testable import MessageBus

@Suite struct EndpointTests {
    @Test("an endpoint reads and prints the same", arguments: [
        ("tcp://127.0.0.1:4401", "127.0.0.1", 4401), ("tcp://relayer-1.example.net:65535", "relayer-1.example.net", 65535),
        ("tcp://[::1]:1", "::1", 1), ("tcp://*:0", "*", 0), ("tcp://localhost:80", "localhost", 80),
    ] as [(String, String, UInt16)])
    func accepted(text: String, host: String, port: UInt16) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(endpoint.description == text)
        #expect(try Endpoint(endpoint.description) == endpoint)
    }

    @Test("a star for the port is any free port")
    func star() throws {
        #expect(try Endpoint("tcp://127.0.0.1:*") == Endpoint("tcp://127.0.0.1:0"))
        #expect(try Endpoint("tcp://127.0.0.1:0").bindText == "tcp://127.0.0.1:*")
    }

    @Test("a bad endpoint is refused with a hint", arguments: [
        "", "127.0.0.1:1", "tcp:/127.0.0.1:1", "ipc:///run/x", "inproc://x", "tcp://127.0.0.1", "tcp://:1", "tcp://a:",
        "tcp://a:65536", "tcp://a:-1", "tcp://a:+1", "tcp://a:01", "tcp://a:1 ", "tcp://a b:1", "tcp://a;b:1",
        "tcp://[::1:1", "tcp://[zz]:1", "tcp://::1:1", "tcp://-a:1", "tcp://.a:1", "tcp://a:123456",
        "tcp://" + String(repeating: "a", count: 300) + ":1", "tcp://eth0;tcp://b:1", "tcp://a\u{0}:1",
    ])
    func refused(text: String) {
        let error = #expect(throws: MessageBusError.self) { try Endpoint(text) }
        #expect(error?.code == .malformedEndpoint)
        #expect(error?.hint != nil)
        #expect(error?.fault == .user)
    }
}
