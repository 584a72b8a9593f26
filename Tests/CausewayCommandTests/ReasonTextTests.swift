import Ethereum
import Testing

@testable import causeway

@Suite("revert data in words")
struct ReasonTextTests {
    private func error(_ signature: String, _ arguments: [ABIValue]) throws -> Bytes {
        try ABIFunction(signature).encodeCall(arguments)
    }

    @Test("errors are named from the outermost to the innermost, the innermost with its arguments")
    func nested() throws {
        let id = Hash32(U256(7 as UInt64))
        let inner = try error("ReceiverOutOfOrder(bytes32)", [.hash(id)])
        let receiver = try error("ReceiverError(bytes)", [.bytes(inner)])
        #expect(ReasonText.text(receiver) == "ReceiverError: ReceiverOutOfOrder(\(id.hex))")
        let outer = try error("ExecutionError(bytes32,bytes)", [.hash(id), .bytes(receiver)])
        #expect(ReasonText.text(outer) == "ExecutionError: ReceiverError: ReceiverOutOfOrder(\(id.hex))")
        let known = try error("ReceiverError(bytes)", [.bytes(try error("Error(string)", [.string("no")]))])
        #expect(ReasonText.text(known) == "ReceiverError: Error(\"no\")")
    }

    @Test("what nobody can name is shown as it is")
    func unnamed() throws {
        #expect(ReasonText.text([]) == "no revert data")
        #expect(ReasonText.text([0xde, 0xad, 0xbe, 0xef, 0x01]) == "0xdeadbeef01")
        let empty = try error("ReceiverError(bytes)", [.bytes([])])
        #expect(ReasonText.text(empty) == "ReceiverError: no revert data")
        let odd = try error("ReceiverError(bytes)", [.bytes([1, 2, 3])])
        #expect(ReasonText.text(odd) == "ReceiverError: 0x010203")
    }
}
