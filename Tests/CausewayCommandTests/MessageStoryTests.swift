import CCIP
import Ethereum
import JSONRPC
import Localnet
import Testing

@testable import causeway

@Suite("the story of a message")
struct MessageStoryTests {
    private let source: BridgeChain
    private let destination: BridgeChain

    init() throws {
        func chain(_ name: String, _ id: UInt64, _ selector: ChainSelector, _ tokens: [BridgeToken]) throws -> BridgeChain {
            var contracts = ChainContracts()
            contracts.onRamp = Address(truncating: 100)
            contracts.wrappedNative = Address(truncating: 101)
            return try BridgeChain(
                name: name, displayName: name, chainID: id, selector: selector,
                urls: [try EndpointURL.parse("http://127.0.0.1:1")], contracts: contracts, tokens: tokens, startBlock: 0)
        }
        let link = BridgeToken(
            symbol: "LINK", decimals: 18, address: Address(truncating: 7), pool: Address(truncating: 8))
        source = try chain("ethereum", 11_155_111, 16_015_286_601_757_825_753, [link])
        destination = try chain("jovay", 2_019_775, 945_045_181_441_419_236, [])
    }

    private let place = ChainPlace(transaction: Hash32(U256(9 as UInt64)), block: 50)

    private func story(
        state: MessageExecutionState = .untouched, finalized: UInt64 = 60, nextCommit: SequenceNumber = 1,
        committedAt: UInt64? = nil, attempts: [MessageStory.Attempt] = [], now: UInt64 = 1_000, cursed: Bool = false,
        enabled: Bool = true, relayers: [MessageStory.Testimony] = []
    ) -> MessageStory {
        let header = RampMessageHeader(
            messageID: MessageID(Hash32(U256(77 as UInt64))), source: source.selector, destination: destination.selector,
            sequenceNumber: 3, nonce: 0)
        let transfer = EVM2AnyTokenTransfer(
            sourcePool: Address(truncating: 8), destinationToken: Address(truncating: 12).abiWord, extraData: [],
            amount: 1_500_000_000_000_000_000, destinationExecData: U256(90_000 as UInt64).bytes)
        let message = EVM2AnyRampMessage(
            header: header, sender: Address(truncating: 1), data: Bytes("hello".utf8),
            receiver: Address(truncating: 2).abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: 200_000, allowOutOfOrderExecution: true).encoded,
            feeToken: source.contracts.wrappedNative, feeTokenAmount: 5, feeValueJuels: 6, tokenAmounts: [transfer])
        let root = MerkleRoot(
            source: source.selector, onRamp: source.contracts.onRamp.abiWord, first: 1, last: 3, root: .zero)
        return MessageStory(
            source: source, destination: destination, sent: .init(message: message, place: place, timestamp: 900),
            commit: committedAt.map { .init(root: root, isBlessed: false, place: place, timestamp: $0) }, attempts: attempts,
            lane: .init(
                sourceFinalized: finalized, sourceLatest: 70, destinationTimestamp: now, isCursed: cursed,
                isEnabled: enabled, nextCommit: nextCommit, threshold: 3_600, state: state),
            relayers: relayers)
    }

    private func attempt(_ isSuccess: Bool, _ data: Bytes = []) -> MessageStory.Attempt {
        .init(isSuccess: isSuccess, place: place, timestamp: 950, gasUsed: 40_000, returnData: data)
    }

    @Test("it waits for finality, and tells for how many blocks")
    func sent() {
        let story = story(finalized: 47)
        #expect(story.stage == .sent && story.waitsFor?.contains("3 more blocks") == true && story.since == 900)
        #expect(self.story(finalized: 49).waitsFor?.contains("1 more block of ethereum") == true)
        #expect(self.story(finalized: 50).stage == .finalized)
    }

    @Test("it waits for a commit report, a curse or the lane")
    func finalized() {
        #expect(story(nextCommit: 3).waitsFor?.contains("up to 2") == true)
        #expect(story(cursed: true).waitsFor?.contains("curse") == true)
        #expect(story(enabled: false).waitsFor?.contains("enabled") == true)
        // The committing side is asked now, whatever executing nodes say of a message that is not committed.
        let told = story(
            nextCommit: 3,
            relayers: [
                .init(
                    relayer: "a", role: "executing", standing: "not_committed", waitsFor: "a commit report", advice: "",
                    sinceMilliseconds: 4),
                .init(
                    relayer: "a", role: "committing", standing: "rmn_required", waitsFor: "guard signatures: 1 of 2",
                    advice: "look at the guards", sinceMilliseconds: 4),
            ])
        #expect(told.waitsFor == "guard signatures: 1 of 2" && told.advice == "look at the guards")
        #expect(told.text.contains("rmn_required") && !told.text.contains("not_committed"))
    }

    @Test("a committed message is what its relayers say, and anybody's after the threshold")
    func committed() {
        let early = story(nextCommit: 4, committedAt: 940)
        #expect(early.stage == .committed && early.since == 940 && early.manualExecutionFrom == 4_541)
        #expect(!early.isManualExecutionAllowed)
        #expect(!story(nextCommit: 4, committedAt: 940, now: 4_540).isManualExecutionAllowed)
        let late = story(nextCommit: 4, committedAt: 940, now: 4_541)
        #expect(late.isManualExecutionAllowed && late.advice?.hasPrefix("causeway exec 0x") == true)
        let told = story(
            nextCommit: 4, committedAt: 940,
            relayers: [
                .init(
                    relayer: "a", role: "committing", standing: nil, waitsFor: nil, advice: nil, sinceMilliseconds: nil),
                .init(
                    relayer: "a", role: "executing", standing: "source_cursed", waitsFor: "the curse", advice: "ask",
                    sinceMilliseconds: 4),
            ])
        #expect(told.waitsFor == "the curse" && told.advice == "ask")
    }

    @Test("a message below the next commit is committed, even when its report is not found")
    func commitNotFound() {
        let story = story(nextCommit: 4)
        #expect(story.stage == .committed && story.commit == nil && story.since == nil)
        #expect(!story.isManualExecutionAllowed && story.json["committed"] == .null)
        #expect(story.text.contains("not found"))
    }

    @Test("a failure tells its reason and how to go on, with more gas where gas was lacking")
    func failed() throws {
        let receiver = try ABIFunction("ReceiverError(bytes)").encodeCall([.bytes([1, 2, 3, 4])])
        let mended = story(state: .failure, nextCommit: 4, committedAt: 940, attempts: [attempt(false, receiver)])
        #expect(mended.stage == .failed && mended.isManualExecutionAllowed)
        #expect(mended.advice?.contains("mend it") == true && mended.advice?.contains("causeway exec 0x") == true)
        #expect(mended.json["executed"]?["reason"] == "ReceiverError: 0x01020304")
        let silent = try ABIFunction("ReceiverError(bytes)").encodeCall([.bytes([])])
        let starved = story(state: .failure, nextCommit: 4, committedAt: 940, attempts: [attempt(false, silent)])
        #expect(starved.advice?.contains("--gas-limit") == true)
    }

    @Test("an executed message waits for nothing, and keeps its failed attempts")
    func executed() {
        let story = story(
            state: .success, nextCommit: 4, committedAt: 940, attempts: [attempt(false), attempt(true)])
        #expect(story.stage == .executed && story.waitsFor == nil && story.advice == nil)
        #expect(!story.isManualExecutionAllowed && story.json["attempts"]?.asArray?.count == 2)
        #expect(story.json["executed"]?["state"] == "success")
    }

    @Test("JSON has big numbers as strings, and amounts in whole units beside")
    func json() {
        let json = story().json
        #expect(json["source"]?["selector"] == "16015286601757825753" && json["gasLimit"] == "200000")
        #expect(json["tokens"]?[0]?["text"] == "1.5 LINK" && json["tokens"]?[0]?["amount"] == "1500000000000000000")
        #expect(json["fee"]?["token"] == "WETH" && json["sequenceNumber"] == 3 && json["sent"]?["finalized"] == true)
        #expect(story().text.contains("1.5 LINK") && story().text.contains("\"hello\""))
    }

    @Test("data is text where it is printable, and cut where it is long")
    func data() {
        #expect(MessageStory.describe([0xc0, 0xff]) == "0xc0ff")
        #expect(MessageStory.describe(Bytes(repeating: 0x61, count: 65)).hasSuffix("... (65 bytes)"))
        #expect(MessageStory.time(0) == "1970-01-01T00:00:00Z")
    }
}
