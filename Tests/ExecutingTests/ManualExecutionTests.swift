// The call data of a manual execution, and every way to ask for it wrongly.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Manual execution")
struct ManualExecutionTests {
    func lane(_ count: Int = 5) throws -> (World, MerkleRoot, [Any2EVMRampMessage]) {
        var world = World(try configuration())
        for index in 0..<count { world.send(sourceA, ordered: index % 2 == 0, tokens: index % 2) }
        let root = try #require(try world.commit(sourceA, count)).root
        return (world, root, try #require(world.messages[sourceA]))
    }

    @Test("one message with a proof that leads to the root, for each message of the root")
    func each() throws {
        let (_, root, messages) = try lane()
        for message in messages {
            let plan = try ManualExecutionPlan(
                root: root, messages: messages.reversed(), messageID: message.header.messageID,
                tokenData: message.tokenAmounts.map { _ in [] })
            #expect(plan.report.messages == [message])
            #expect(try plan.report.root(onRamp: root.onRamp) == root.root)
            #expect(plan.override == .none(for: message))
            #expect(plan.callData.starts(with: OffRampInterface.manuallyExecute.selector))
            let types = OffRampInterface.manuallyExecute.inputs
            let arguments = try ABI.decode(Bytes(plan.callData.dropFirst(4)), as: types)
            #expect(arguments.count == 2)
        }
    }

    @Test("raised gas enters the call and the gas of the transaction")
    func raised() throws {
        let (_, root, messages) = try lane()
        let chosen = messages[1]
        let id = chosen.header.messageID
        let plain = try ManualExecutionPlan(root: root, messages: messages, messageID: id, tokenData: [[]])
        let raised = try ManualExecutionPlan(
            root: root, messages: messages, messageID: id, tokenData: [[]],
            gas: ManualGas(receiverGasLimit: U256(1_500_000), tokenGas: [300_000]))
        #expect(raised.override.receiverExecutionGasLimit == U256(1_500_000))
        #expect(raised.override.tokenGasOverrides == [300_000])
        #expect(raised.transactionGasLimit >= plain.transactionGasLimit + 1_300_000 + 210_000)
        // The leaf stays that of the message: the override is not part of it.
        #expect(try raised.report.root(onRamp: root.onRamp) == root.root)
    }

    @Test("what the contract would refuse is refused here, by name")
    func refused() throws {
        let (_, root, messages) = try lane()
        let id = messages[1].header.messageID
        func code(
            _ list: [Any2EVMRampMessage]? = nil, _ wanted: MessageID? = nil, _ data: [Bytes] = [[]],
            _ gas: ManualGas = .unchanged, root other: MerkleRoot? = nil
        ) -> ExecutingError.Code? {
            do {
                _ = try ManualExecutionPlan(
                    root: other ?? root, messages: list ?? messages, messageID: wanted ?? id, tokenData: data, gas: gas)
                return nil
            } catch { return error.code }
        }
        #expect(code() == nil)
        #expect(code(Array(messages.dropLast())) == .incompleteRange)
        #expect(code(messages + [messages[0]]) == .incompleteRange)
        #expect(code(nil, MessageID(testDigest)) == .unknownMessage)
        #expect(code(nil, nil, []) == .tokenDataMismatch)
        #expect(code(nil, nil, [[]], ManualGas(receiverGasLimit: U256(199_999))) == .gasOverrideTooLow)
        #expect(code(nil, nil, [[]], ManualGas(tokenGas: [89_999])) == .gasOverrideTooLow)
        #expect(code(nil, nil, [[]], ManualGas(tokenGas: [0])) == nil)
        #expect(code(nil, nil, [[]], ManualGas(tokenGas: [0, 0])) == .tokenDataMismatch)
        var forged = messages
        forged[3].receiver = .zero
        #expect(code(forged) == .rootMismatch)
        var inverted = root
        inverted.last = 0
        #expect(code(root: inverted) == .rootMismatch)
    }

    @Test("it is allowed after a failure at once, else strictly after the threshold")
    func allowed() throws {
        func check(_ state: MessageExecutionState, _ now: UInt64) -> Bool {
            (try? ManualExecutionPlan.checkAllowed(
                state: state, committedAt: 1_000, destinationTimestamp: now, threshold: 3_600)) != nil
        }
        #expect(check(.failure, 1_000))
        #expect(!check(.success, 9_999_999))
        #expect(!check(.untouched, 4_600))
        #expect(check(.untouched, 4_601))
        #expect(!check(.untouched, 500))
    }
}
