// The wire format against JSON-RPC 2.0: a table of what comes in and what goes out.

import Ethereum
import TestSupport
import Testing

@testable import JSONRPC

struct EnvelopeTests {
    private static func answer(_ message: String, batchAnswerBytesMaximum: Int = 1 << 20) async -> (String?, TestService) {
        let service = TestService()
        let answering = Answering(
            service: service, batchAnswerBytesMaximum: batchAnswerBytesMaximum,
            counters: ServerCounters(registry: MetricsRegistry(), label: "test"))
        let incoming = IncomingMessage.read(Array(message.utf8), batchCallsMaximum: 4)
        return (await answering.answer(incoming, on: nil).map(text), service)
    }

    private static func ok(_ id: String, _ result: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"# }
    private static func refused(_ id: String, _ code: Int, _ message: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":"\#(message)"}}"#
    }

    static let table: [(String, String?)] = [
        // Ids come back exactly as they were.
        (#"{"jsonrpc":"2.0","id":1,"method":"echo","params":[1,"a",null]}"#, ok("1", #"[1,"a",null]"#)),
        (#"{"jsonrpc":"2.0","id":"a\"b","method":"echo","params":[]}"#, ok(#""a\"b""#, "[]")),
        (#"{"jsonrpc":"2.0","id":1.50,"method":"echo","params":[]}"#, ok("1.50", "[]")),
        (#"{"jsonrpc":"2.0","id":1e3,"method":"echo","params":[]}"#, ok("1e3", "[]")),
        (#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"echo"}"#, ok("123456789012345678901234567890", "[]")),
        (#"{"jsonrpc":"2.0","id":-0,"method":"echo"}"#, ok("-0", "[]")),
        (#"{"jsonrpc":"2.0","id":null,"method":"echo"}"#, ok("null", "[]")),
        (#"{"jsonrpc":"2.0","id":true,"method":"echo"}"#, ok("true", "[]")),
        (#"{"jsonrpc":"2.0","id":"","method":"echo"}"#, ok(#""""#, "[]")),
        // Parameters: array, object, none, null; nothing else.
        (#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"b":1,"a":2}}"#, ok("1", #"{"b":1,"a":2}"#)),
        (#"{"jsonrpc":"2.0","id":1,"method":"echo","params":null}"#, ok("1", "[]")),
        (#"{"jsonrpc":"2.0","id":1,"method":"echo","params":"bar"}"#,
            refused("1", -32600, #"invalid request: \"params\" must be an array or an object"#)),
        (#"{"jsonrpc":"2.0","id":1,"method":"echo","params":7}"#,
            refused("1", -32600, #"invalid request: \"params\" must be an array or an object"#)),
        // Unknown members are let be; order does not matter.
        (#"{"params":[2],"x":{},"method":"echo","id":7,"jsonrpc":"2.0"}"#, ok("7", "[2]")),
        // Methods that refuse.
        (#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#, refused("1", -32601, "the method nope does not exist")),
        (#"{"jsonrpc":"2.0","id":1,"method":"fail"}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x08c379a0"}}"#),
        // Notifications are never answered, not even with an error.
        (#"{"jsonrpc":"2.0","method":"echo"}"#, nil),
        (#"{"jsonrpc":"2.0","method":"nope"}"#, nil),
        // Malformed calls.
        (#"{"jsonrpc":"1.0","id":1,"method":"echo"}"#, refused("1", -32600, #"invalid request: \"jsonrpc\" must be \"2.0\""#)),
        (#"{"id":1,"method":"echo"}"#, refused("1", -32600, #"invalid request: \"jsonrpc\" must be \"2.0\""#)),
        (#"{"jsonrpc":"2.0","id":1}"#, refused("1", -32600, #"invalid request: \"method\" must be text"#)),
        (#"{"jsonrpc":"2.0","id":1,"method":1}"#, refused("1", -32600, #"invalid request: \"method\" must be text"#)),
        (#"{"jsonrpc":"2.0","id":1,"method":""}"#, refused("1", -32600, #"invalid request: \"method\" must be text"#)),
        (#"{"jsonrpc":"2.0","id":[1],"method":"echo"}"#,
            refused("null", -32600, "invalid request: the id must be a number, text or null")),
        (#"{"jsonrpc":"2.0","id":{},"method":"echo"}"#,
            refused("null", -32600, "invalid request: the id must be a number, text or null")),
        (#"{"jsonrpc":"2.0","id":1,"result":5}"#, refused("1", -32600, #"invalid request: \"method\" must be text"#)),
        ("1", refused("null", -32600, "invalid request: a call must be an object")),
        (#""text""#, refused("null", -32600, "invalid request: a call must be an object")),
        ("null", refused("null", -32600, "invalid request: a call must be an object")),
        // Batches: in order, without the notifications; each element stands for itself.
        ("[]", refused("null", -32600, "invalid request: an empty batch")),
        ("[1]", "[" + refused("null", -32600, "invalid request: a call must be an object") + "]"),
        (#"[1,2]"#, "[" + refused("null", -32600, "invalid request: a call must be an object") + ","
            + refused("null", -32600, "invalid request: a call must be an object") + "]"),
        (#"[{"jsonrpc":"2.0","id":2,"method":"echo"},{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","id":1,"method":"nope"}]"#,
            "[" + ok("2", "[]") + "," + refused("1", -32601, "the method nope does not exist") + "]"),
        (#"[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","id":1,"method":"echo"}]"#, "[" + ok("1", "[]") + "]"),
        (#"[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","method":"echo"}]"#, nil),
        (#"[{"jsonrpc":"2.0","id":1,"method":"echo"},[]]"#,
            "[" + ok("1", "[]") + "," + refused("null", -32600, "invalid request: a call must be an object") + "]"),
        ("[1,2,3,4,5]", refused("null", -32005, "limit exceeded: a batch of 5 calls; at most 4")),
    ]

    @Test("every row of the conformance table is answered as the standard says", arguments: table)
    func conformance(_ row: (String, String?)) async {
        #expect(await Self.answer(row.0).0 == row.1)
    }

    @Test("the table has as many rows as it should") func count() { #expect(Self.table.count == 37) }

    @Test(
        "what is no JSON is a parse error with id null",
        arguments: ["", " ", "{", #"{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]"#, "[1,", "nul", "{}{}", "01",
            #"{"a":1,"a":2}"#, "\u{1}", String(repeating: "[", count: 100_000)])
    func parseErrors(_ message: String) async throws {
        let (answer, service) = await Self.answer(message)
        let value = try JSON.parse(#require(answer))
        #expect(value["error"]?["code"]?.asInt == -32700)
        #expect(value["id"]?.isNull == true)
        #expect(service.calls.isEmpty)
    }

    @Test("bytes that are no UTF-8 are a parse error") func invalidUTF8() {
        let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8)
        guard case .refused(let error) = IncomingMessage.read(bytes, batchCallsMaximum: 1) else {
            Issue.record("taken")
            return
        }
        #expect(error.code == -32700)
    }

    @Test("calls of a batch run one after the other, in order") func batchOrder() async {
        let batch = #"[{"jsonrpc":"2.0","id":1,"method":"yield"},{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","id":2,"method":"big"}]"#
        #expect(await Self.answer(batch).1.calls == ["yield", "echo", "big"])
    }

    @Test("a batch whose answers grow too large is cut short, and the rest is not run") func batchAnswerLimit() async throws {
        let call = #"{"jsonrpc":"2.0","id":1,"method":"big","params":[1000]}"#
        let (answer, service) = await Self.answer("[\(call),\(call),\(call)]", batchAnswerBytesMaximum: 1_500)
        let codes = try JSON.parse(#require(answer)).asArray?.map { $0["error"]?["code"]?.asInt }
        #expect(codes == [nil, nil, -32005])
        #expect(service.calls.count == 2)
    }

    @Test("random damage to a request is always answered and never traps") func damage() async {
        var generator = SplitMix64.forTest()
        let seed = generator.seed
        let original = Array(#"[{"jsonrpc":"2.0","id":12,"method":"echo","params":["0x1",{"a":[true,null]}]},{"jsonrpc":"2.0","id":"x","method":"echo"}]"#.utf8)
        for _ in 0..<3_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            let answering = Answering(
                service: TestService(), batchAnswerBytesMaximum: 1 << 20,
                counters: ServerCounters(registry: MetricsRegistry(), label: "test"))
            if let answer = await answering.answer(.read(bytes, batchCallsMaximum: 4), on: nil) {
                #expect((try? JSON.parse(answer)) != nil, "seed \(seed): \(text(answer))")
            }
        }
    }
}
