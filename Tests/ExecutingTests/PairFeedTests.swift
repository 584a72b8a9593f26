// What a committing pair feeds is used only when the chain confirms it.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Feed of the committing pair")
struct PairFeedTests {
    let place = LogPlace(blockNumber: 7, blockHash: testDigest, transactionHash: testDigest, logIndex: 1)

    func lane(_ count: Int = 6) throws -> (World, CommittedRoot, [FedMessage]) {
        var world = World(try configuration())
        for _ in 0..<count { world.send(sourceA, tokens: 1) }
        let root = try #require(try world.commit(sourceA, count))
        return (world, root, (world.messages[sourceA] ?? []).map { FedMessage(message: $0, place: place) })
    }

    @Test("messages whose leaves lead to the accepted root are verified, also when they come after it")
    func verified() throws {
        let (world, root, fed) = try lane()
        var shelf = PairFeedShelf(configuration: world.configuration)
        var receipt = shelf.accept(
            PairFeedFrame(number: 1, destination: destination, messages: Array(fed.prefix(4))))
        #expect(receipt.messages == 4 && receipt.refusals.isEmpty)
        let missing = try #require(SequenceRange(first: 5, last: 6))
        #expect(shelf.verify(root.root) == .incomplete([LaneRange(source: sourceA, range: missing)]))
        receipt = shelf.accept(PairFeedFrame(number: 3, destination: destination, messages: Array(fed.suffix(2))))
        #expect(receipt.missedFrames == 1)
        #expect(shelf.verify(root.root) == .verified(fed.map(\.message)))
        shelf.discard(root.root)
        #expect(shelf.messageCount == 0)
    }

    @Test("one changed field of one message, and nothing of the root is used")
    func forged() throws {
        let (world, root, fed) = try lane()
        let changes: [(inout Any2EVMRampMessage) -> Void] = [
            { $0.receiver = .zero }, { $0.data.append(1) }, { $0.gasLimit = U256(1) },
            { $0.tokenAmounts[0].amount = U256(2) }, { $0.sender = sender(9) },
            { $0.header.messageID = MessageID(testDigest) }, { $0.header.nonce = 1 },
        ]
        for change in changes {
            var lies = fed
            change(&lies[2].message)
            var shelf = PairFeedShelf(configuration: world.configuration)
            _ = shelf.accept(PairFeedFrame(number: 1, destination: destination, messages: lies))
            #expect(shelf.verify(root.root) == .contradicts)
            // Even if an edge let it through, the observer does not.
            var snapshot = world.snapshot()
            for lie in lies {
                snapshot.messages[lie.key] = SourceMessage(plain: lie.message, onRamp: onRamp(sourceA))
            }
            let observer = world.observers()[0]
            let observation = observer.observe(previous: .none, snapshot: snapshot, now: 0)
            #expect(observation.leaves.isEmpty && observation.roots.count == 1)
            let needs = observer.needs(previousOutcome: [], snapshot: snapshot, now: 0)
            #expect(needs.suspectMessages.count == 1)
            let standing = observer.standing(of: key(sourceA, 1), previousOutcome: [], snapshot: snapshot, now: 0)
            #expect(standing.standing == .rootMismatch && standing.standing.standingClass == .alarm)
            shelf.discard(root.root, contradicted: true)
            #expect(shelf.contradictions == 1)
        }
    }

    @Test("a fed root is a hint only: no root of the feed reaches an observation")
    func hints() throws {
        let (world, root, _) = try lane()
        var shelf = PairFeedShelf(configuration: world.configuration)
        let hint = FedRoot(committed: root, place: place)
        let receipt = shelf.accept(PairFeedFrame(number: 1, destination: destination, roots: [hint, hint]))
        #expect(receipt.roots == 2)
        #expect(shelf.takeHints() == [hint])
        #expect(shelf.takeHints().isEmpty)
        var bad = hint
        bad.committed.root.root = .zero
        #expect(shelf.accept(PairFeedFrame(number: 2, destination: destination, roots: [bad])).refusals.count == 1)
    }

    @Test("frames and messages of other lanes are refused")
    func others() throws {
        let (world, _, fed) = try lane(1)
        var shelf = PairFeedShelf(configuration: world.configuration)
        #expect(shelf.accept(PairFeedFrame(number: 1, destination: 5, messages: fed)).refusals.count == 1)
        var other = fed
        other[0].message.header.source = 5
        #expect(
            shelf.accept(PairFeedFrame(number: 1, destination: destination, messages: other)).refusals[0].code
                == .unknownSource)
        other = fed
        other[0].message.header.destination = 5
        #expect(
            shelf.accept(PairFeedFrame(number: 1, destination: destination, messages: other)).refusals[0].code
                == .badMessage)
        #expect(shelf.messageCount == 0)
    }

    @Test("a second version of a message replaces the first, is counted, and the root decides")
    func conflict() throws {
        let (world, root, fed) = try lane(1)
        var shelf = PairFeedShelf(configuration: world.configuration)
        var lie = fed[0]
        lie.message.data = [1]
        _ = shelf.accept(PairFeedFrame(number: 1, destination: destination, messages: [lie]))
        #expect(shelf.verify(root.root) == .contradicts)
        let receipt = shelf.accept(PairFeedFrame(number: 2, destination: destination, messages: fed))
        #expect(receipt.refusals.first?.code == .conflicting && shelf.contradictions == 1)
        #expect(shelf.verify(root.root) == .verified([fed[0].message]))
    }

    @Test("the shelf is bounded: the oldest goes first, and nothing grows")
    func bounded() throws {
        let (world, _, fed) = try lane(1)
        var shelf = PairFeedShelf(configuration: world.configuration)
        for start in stride(from: UInt64(0), to: 20_000, by: 250) {
            let batch = (1...250).map { offset in
                var item = fed[0]
                item.message.header.sequenceNumber = SequenceNumber(start + UInt64(offset))
                return item
            }
            _ = shelf.accept(PairFeedFrame(number: start, destination: destination, messages: batch))
        }
        #expect(shelf.messageCount == Executing.Limits.feedMessagesMaximum)
        #expect(shelf.place(of: key(sourceA, 1)) == nil && shelf.place(of: key(sourceA, 20_000)) != nil)
    }

    @Test("many messages are split into frames within the bounds, in order")
    func splitting() throws {
        let (_, root, fed) = try lane(1)
        let many = (0..<700).map { _ in fed[0] }
        let frames = PairFeedFrame.splitting(
            number: 10, destination: destination, messages: many, roots: [FedRoot(committed: root, place: place)])
        #expect(frames.map(\.number) == Array(10..<10 + UInt64(frames.count)))
        #expect(frames.reduce(0) { $0 + $1.messages.count } == 700 && frames.count == 3)
        for frame in frames { #expect(try PairFeedFrame(encoded: frame.encoded) == frame) }
    }

    @Test("a log read again confirms exactly the message that was fed")
    func reread() throws {
        let ramp = Address(truncating: U256(sourceA.rawValue))
        var source = EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: sourceA, destination: destination, sequenceNumber: 4, nonce: 1),
            sender: Address(truncating: U256(3)), data: [1, 2], receiver: Address(truncating: U256(4)).abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: U256(5), allowOutOfOrderExecution: false).encoded,
            feeToken: Address(truncating: U256(6)), feeTokenAmount: U256(7), feeValueJuels: U256(8), tokenAmounts: [])
        source.header.messageID = source.computedID(onRamp: ramp)
        let log = ContractLog(
            address: ramp,
            topics: [MessageSentEvent.event.topic, Hash32(U256(destination.rawValue)), Hash32(U256(4))],
            data: source.encoded)
        var fed = FedMessage(message: try Any2EVMRampMessage(converting: source), place: place)
        #expect(fed.isConfirmed(by: log, onRamp: ramp))
        fed.message.gasLimit = U256(6)
        #expect(!fed.isConfirmed(by: log, onRamp: ramp))
    }
}
