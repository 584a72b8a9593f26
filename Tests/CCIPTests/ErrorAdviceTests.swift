import Ethereum
import Testing

@testable import CCIP

@Suite("Advice on errors")
struct ErrorAdviceTests {
    @Test("every error of the contracts and of tokens has advice", arguments: ErrorCatalogue.all.map(\.name))
    func complete(_ name: String) throws {
        let advice = try #require(ErrorAdvice.of(name), "nobody knows what to do about \(name)")
        #expect(!advice.hint.isEmpty && advice.hint.last != "." && !advice.hint.contains("  "))
    }

    @Test("a name that no contract has gets none")
    func unknown() {
        #expect(ErrorAdvice.of("Nonsense") == nil && ErrorAdvice.of("") == nil)
        #expect(ErrorCatalogue.all.count == 215)
    }

    @Test("advice is about the innermost error that has some")
    func innermost() throws {
        let limit = try ABIFunction("TokenRateLimitReached(uint256,uint256,address)").encodeCall([
            .uint(UInt64(9)), .uint(UInt64(1)), .address(Address(truncating: 7)),
        ])
        let wrapped = try ABIFunction("TokenHandlingError(address,bytes)").encodeCall([
            .address(Address(truncating: 8)), .bytes(limit),
        ])
        #expect(RevertReason(wrapped).advice?.hint.contains("rate limit") == true)
        let strange = try ABIFunction("ReceiverError(bytes)").encodeCall([.bytes([1, 2, 3, 4])])
        #expect(RevertReason(strange).advice?.actor == .receiver)
        #expect(RevertReason([]).advice == nil)
    }
}
