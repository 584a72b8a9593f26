import CCIP
import Ethereum
import Executing
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

    @Test("an explanation has every error by its signature, and the advice on the innermost that has some")
    func explained() throws {
        let inner = try error("SenderNotMinter(address)", [.address(Address(truncating: 7))])
        let handling = try error("TokenHandlingError(address,bytes)", [.address(Address(truncating: 8)), .bytes(inner)])
        let explanation = RevertExplanation(handling)
        #expect(explanation.errors == ["TokenHandlingError(address,bytes)", "SenderNotMinter(address)"])
        #expect(explanation.advice?.hint.contains("minter") == true)
        let fields = Dictionary(uniqueKeysWithValues: explanation.fields.map { ($0.name, $0.value) })
        #expect(fields["error"]?.asString == "TokenHandlingError" && fields["who"]?.asString == "tokenOwner")
        #expect(RevertExplanation([]).errors.isEmpty && RevertExplanation([]).advice == nil)
    }

    @Test("what is refused before a contract is asked has the name of its error, advice, and a hint of its own where it has one")
    func beforehand() {
        let zero = Refusal.beforehand("malformedAmount", "0 LINK", wouldBe: "CannotSendZeroTokens()", status: .usage)
        #expect(zero.message == "0 LINK: CannotSendZeroTokens" && zero.names("CannotSendZeroTokens"))
        #expect(zero.hint?.contains("leave the token out") == true && zero.status == .usage)
        let early = CommandFailure(
            ExecutingError(
                .manualExecutionNotAllowed, "too early", hint: "wait", contractError: "ManualExecutionNotYetEnabled(uint64)"))
        #expect(early.names("ManualExecutionNotYetEnabled") && early.hint == "wait")
        #expect(!CommandFailure(ExecutingError(.rootMismatch, "another root", hint: "read again")).names("InvalidRoot"))
    }
}
