import Ethereum
import Testing

@testable import CCIP

@Suite("The catalogue of events and transactions")
struct ContractCatalogueTests {
    @Test("it has every event and transaction of the published interfaces, none twice")
    func counts() {
        #expect(ContractCatalogue.eventCount == 107 && ContractCatalogue.transactionCount == 104)
    }

    @Test("a log is told by the names of its arguments, indexed or not")
    func event() throws {
        let log = try #require(
            ContractCatalogue.event(
                topics: [
                    OffRampEvents.executionStateChanged.topic, Hash32(U256(5)), Hash32(U256(6)), Hash32(U256(7)),
                ],
                data: try ABI.encode(
                    [.hash(Hash32(U256(8))), .uint(UInt64(3)), .bytes([9]), .uint(UInt64(10))],
                    as: [ABIType("bytes32"), ABIType("uint8"), ABIType("bytes"), ABIType("uint256")])))
        #expect(log.name == "ExecutionStateChanged")
        #expect(
            log.arguments.map(\.name) == [
                "sourceChainSelector", "sequenceNumber", "messageId", "messageHash", "state", "returnData", "gasUsed",
            ])
        #expect(log.arguments[1].value == .uint(U256(6)) && log.arguments[5].value == .bytes([9]))
    }

    @Test("call data is told by the names of its arguments; strange or cut data is nothing")
    func call() throws {
        let data = TokenCalls.approve(Address(truncating: 3), U256(4))
        let call = try #require(ContractCatalogue.call(data))
        #expect(call.name == "approve" && call.arguments.map(\.name) == ["spender", "amount"])
        #expect(ContractCatalogue.call(Bytes(data.dropLast())) == nil)
        #expect(ContractCatalogue.call([1, 2, 3, 4]) == nil && ContractCatalogue.call([]) == nil)
        #expect(ContractCatalogue.event(topics: [], data: []) == nil)
        #expect(ContractCatalogue.event(topics: [OffRampEvents.executionStateChanged.topic], data: []) == nil)
    }
}
