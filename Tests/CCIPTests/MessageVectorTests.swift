// Hashes, conversion and events of messages against the vectors of the real contracts.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP

@Suite("Messages against the real contracts")
struct MessageVectorTests {
    @Test("constants are those of the contracts")
    func constants() throws {
        let constants = try Vector.group("constants")
        let expected: [(String, Bytes)] = [
            ("ANY_2_EVM_MESSAGE_HASH", HashDomain.any2EVM.bytes), ("EVM_2_ANY_MESSAGE_HASH", HashDomain.evm2Any.bytes),
            ("RMN_V1_6_ANY2EVM_REPORT", HashDomain.rmnReport.bytes), ("LEAF_DOMAIN_SEPARATOR", HashDomain.leaf.bytes),
            ("INTERNAL_DOMAIN_SEPARATOR", HashDomain.node.bytes), ("MERKLE_PAD_LEAF", HashDomain.padding.bytes),
            ("CHAIN_FAMILY_EVM", ChainFamily.evm), ("CHAIN_FAMILY_SVM", ChainFamily.svm),
            ("CHAIN_FAMILY_APTOS", ChainFamily.aptos), ("CHAIN_FAMILY_SUI", ChainFamily.sui),
            ("CHAIN_FAMILY_TVM", ChainFamily.tvm), ("CCTP_V1_TAG", USDC.tagV1), ("CCTP_V2_TAG", USDC.tagV2),
            ("LOCK_RELEASE_FLAG", USDC.lockReleaseFlag), ("EVM_EXTRA_ARGS_V1_TAG", ExtraArgs.Tag.evmV1),
            ("GENERIC_EXTRA_ARGS_V2_TAG", ExtraArgs.Tag.evmV2), ("SVM_EXTRA_ARGS_V1_TAG", ExtraArgs.Tag.svmV1),
            ("SUI_EXTRA_ARGS_V1_TAG", ExtraArgs.Tag.suiV1), ("GLOBAL_CURSE_SUBJECT", CurseSubject.global),
            ("keccak_empty_bytes", keccak256([]).bytes),
            ("keccak_abi_encode_zero_address", keccak256(Address.zero.abiWord).bytes),
            ("keccak_empty_token_array", keccak256(U256(32 as UInt64).bytes + U256.zero.bytes).bytes),
            ("CCIP_POOL_V1", Bytes(keccak256(text: "CCIP_POOL_V1").bytes.prefix(4))),
        ]
        for (name, bytes) in expected { #expect(try constants.bytes(name) == bytes, "\(name)") }
        for (family, bytes) in [("EVM", ChainFamily.evm), ("SVM", ChainFamily.svm), ("TVM", ChainFamily.tvm)] {
            #expect(keccak256(text: "CCIP ChainFamilySelector " + family).bytes.prefix(4) == bytes[...])
        }
        #expect(try expected.count == Vector.counts("constants"))
    }

    @Test("every preimage and leaf of 30 messages is the contract's")
    func leaves() throws {
        let vectors = try Vector.list("any2EvmMessageHash")
        #expect(vectors.count == 30)
        for vector in vectors {
            let message = try vector.at("message").any2EVM()
            let onRamp = try vector.bytes("onRamp")
            let metadata = Any2EVMRampMessage.metadataPreimage(
                source: message.header.source, destination: message.header.destination, onRamp: onRamp)
            #expect(try metadata == vector.bytes("metadataHashPreimage"))
            #expect(try keccak256(metadata) == vector.hash("metadataHash"))
            #expect(try message.fixedSizeFieldsPreimage == vector.bytes("fixedSizeFieldsPreimage"))
            #expect(try message.tokenAmountsPreimage == vector.bytes("tokenAmountsPreimage"))
            #expect(
                try message.leafPreimage(metadataHash: keccak256(metadata)) == vector.bytes("finalPreimage"))
            #expect(try message.leafHash(onRamp: onRamp) == vector.hash("leaf"))
            #expect(try Any2EVMRampMessage(encoded: message.encoded) == message)
        }
    }

    @Test("26 sends: call data, log, id, conversion and leaf")
    func sends() throws {
        let vectors = try Vector.list("onRampMessages")
        #expect(vectors.count == 26)
        for vector in vectors {
            let onRamp = try vector.address("onRamp")
            let expected = try vector.at("message").evm2Any()
            let message = try MessageSentEvent.decode(
                vector.at("log").log(), source: expected.header.source, destination: expected.header.destination,
                onRamp: onRamp)
            #expect(message == expected)
            #expect(try message.encoded == vector.at("log").bytes("data"))
            #expect(try message.computedID(onRamp: onRamp) == MessageID(vector.hash("messageId")))
            #expect(
                try EVM2AnyRampMessage.metadataHash(
                    source: message.header.source, destination: message.header.destination, onRamp: onRamp)
                    == vector.hash("metadataHash"))
            #expect(try message.fixedSizeFieldsHash == vector.hash("fixedSizeFieldsHash"))
            let converted = try Any2EVMRampMessage(converting: message)
            #expect(try converted == vector.at("any2EvmMessage").any2EVM())
            #expect(try converted.leafHash(onRamp: onRamp.abiWord) == vector.hash("leaf"))

            let call = try vector.bytes("ccipSendCalldata")
            let (destination, sent) = try RouterCalls.decodeSend(call)
            let router = try vector.at("routerMessage")
            #expect(try sent.receiver == router.bytes("receiver") && sent.data == router.bytes("data"))
            #expect(try sent.feeToken == router.address("feeToken") && sent.extraArgs == router.bytes("extraArgs"))
            #expect(try sent.tokenAmounts.count == router.items("tokenAmounts").count)
            #expect(RouterCalls.send(destination, sent) == call)
        }
    }

    @Test("26 extraArgs encode and decode to the same bytes")
    func extraArgs() throws {
        let vectors = try Vector.list("extraArgs")
        #expect(vectors.count == 26)
        for vector in vectors {
            let expected: ExtraArgs
            switch try vector.text("kind") {
            case "EVMExtraArgsV1": expected = .evmV1(gasLimit: try vector.word("gasLimit"))
            case "SVMExtraArgsV1":
                expected = .svmV1(
                    ExtraArgs.SVM(
                        computeUnits: try vector.u32("computeUnits"),
                        accountIsWritableBitmap: try vector.u64("accountIsWritableBitmap"),
                        allowOutOfOrderExecution: try vector.flag("allowOutOfOrderExecution"),
                        tokenReceiver: try vector.hash("tokenReceiver"), accounts: try vector.hashes("accounts")))
            case "SuiExtraArgsV1":
                expected = .suiV1(
                    ExtraArgs.Sui(
                        gasLimit: try vector.word("gasLimit"),
                        allowOutOfOrderExecution: try vector.flag("allowOutOfOrderExecution"),
                        tokenReceiver: try vector.hash("tokenReceiver"),
                        receiverObjectIDs: try vector.hashes("receiverObjectIds")))
            default:
                expected = .evmV2(
                    gasLimit: try vector.word("gasLimit"),
                    allowOutOfOrderExecution: try vector.flag("allowOutOfOrderExecution"))
            }
            #expect(try expected.encoded == vector.bytes("encoded"))
            #expect(try ExtraArgs(decoding: vector.bytes("encoded")) == expected)
        }
    }

    @Test("7 user inputs are normalised as the FeeQuoter does")
    func normalisation() throws {
        let vectors = try Vector.list("extraArgsNormalisation")
        #expect(vectors.count == 7)
        for vector in vectors {
            let normalised = try ExtraArgs.normalised(vector.bytes("input"), defaultGasLimit: 200_000)
            #expect(try normalised.encoded == vector.bytes("convertedExtraArgs"))
            guard case .evmV2(_, let flag) = normalised else {
                Issue.record("not V2")
                continue
            }
            #expect(try flag == vector.flag("isOutOfOrderExecution"))
            #expect(try vector.text("tokenReceiver") == vector.text("messageReceiver"))
        }
    }
}

@Suite("A message that is not right is refused by name")
struct MessageRefusalTests {
    struct Sent {
        let log: ContractLog
        let message: EVM2AnyRampMessage
        let onRamp: Address
    }

    static func sent() throws -> Sent {
        let vector = try #require(try Vector.list("onRampMessages").first)
        let log = try vector.at("log").log()
        return Sent(log: log, message: try MessageSentEvent.decodeData(log.data), onRamp: log.address)
    }

    func code(_ log: ContractLog, _ sent: Sent, source: ChainSelector? = nil) -> CCIPError.Code? {
        do throws(CCIPError) {
            _ = try MessageSentEvent.decode(
                log, source: source ?? sent.message.header.source, destination: sent.message.header.destination,
                onRamp: sent.onRamp)
            return nil
        } catch { return error.code }
    }

    /// The log of a changed message under its own topics.
    func relogged(_ sent: Sent, _ change: (inout EVM2AnyRampMessage) -> Void) -> ContractLog {
        var message = sent.message
        change(&message)
        return ContractLog(
            address: sent.onRamp,
            topics: [
                MessageSentEvent.event.topic, Hash32(U256(message.header.destination.rawValue)),
                Hash32(U256(message.header.sequenceNumber.rawValue)),
            ], data: message.encoded)
    }

    @Test("the untouched log passes")
    func control() throws {
        let sent = try Self.sent()
        #expect(code(sent.log, sent) == nil)
        #expect(code(relogged(sent) { _ in }, sent) == nil)
    }

    @Test("another emitter, other topics, other lanes, trailing bytes")
    func frame() throws {
        let sent = try Self.sent()
        var log = sent.log
        log.address = .zero
        #expect(code(log, sent) == .malformedEvent)
        log = sent.log
        log.topics.removeLast()
        #expect(code(log, sent) == .malformedEvent)
        log = sent.log
        log.topics[0] = .zero
        #expect(code(log, sent) == .malformedEvent)
        log = sent.log
        log.topics[1] = .zero
        #expect(code(log, sent) == .malformedEvent)
        log = sent.log
        log.topics[2] = Hash32(U256(99 as UInt64))
        #expect(code(log, sent) == .malformedEvent)
        #expect(code(sent.log, sent, source: 7) == .malformedEvent)
        log = sent.log
        log.data += Bytes(repeating: 0, count: 32)
        #expect(code(log, sent) == .malformedEvent)
        log.data.removeLast(64)
        #expect(code(log, sent) == .malformedEvent)
    }

    @Test("a changed field is found by the recomputed id")
    func fields() throws {
        let sent = try Self.sent()
        let changes: [(inout EVM2AnyRampMessage) -> Void] = [
            { $0.data.append(1) }, { $0.sender = Address(truncating: U256(5 as UInt64)) },
            { $0.receiver[31] ^= 1 }, { $0.extraArgs[35] ^= 1 }, { $0.feeTokenAmount = .one },
            { $0.header.nonce += 1 }, { $0.feeToken = Address(truncating: U256(6 as UInt64)) },
            { $0.header.sequenceNumber = 77 }, { $0.header.messageID = MessageID(Hash32(.one)) },
            {
                $0.tokenAmounts.append(
                    EVM2AnyTokenTransfer(
                        sourcePool: .zero, destinationToken: [], extraData: [], amount: .one, destinationExecData: []))
            },
        ]
        for change in changes { #expect(code(relogged(sent, change), sent) == .messageIDMismatch) }
        #expect(code(relogged(sent) { $0.header.messageID = MessageID(.zero) }, sent) == .malformedEvent)
        #expect(code(relogged(sent) { $0.header.sequenceNumber = 0 }, sent) == .malformedEvent)
        #expect(code(relogged(sent) { $0.sender = .zero }, sent) == .malformedEvent)
        #expect(code(relogged(sent) { $0.receiver = [] }, sent) == .malformedEvent)
        #expect(code(relogged(sent) { $0.feeToken = .zero }, sent) == .malformedEvent)
    }

    @Test("what no EVM chain can take does not convert")
    func conversion() throws {
        let sent = try Self.sent()
        func code(_ change: (inout EVM2AnyRampMessage) -> Void) -> CCIPError.Code? {
            var message = sent.message
            change(&message)
            do throws(CCIPError) {
                _ = try Any2EVMRampMessage(converting: message)
                return nil
            } catch { return error.code }
        }
        let token = EVM2AnyTokenTransfer(
            sourcePool: .zero, destinationToken: Address.zero.abiWord, extraData: [], amount: .one,
            destinationExecData: U256(90_000 as UInt64).bytes)
        #expect(code { $0.tokenAmounts = [token] } == nil)
        #expect(code { $0.receiver.removeFirst() } == .malformedMessage)
        #expect(code { $0.receiver[0] = 1 } == .malformedMessage)
        #expect(code { $0.extraArgs = [] } == .unsupportedExtraArgs)
        #expect(code { $0.extraArgs.append(0) } == .malformedExtraArgs)
        #expect(code { $0.extraArgs.removeLast() } == .malformedExtraArgs)
        #expect(code { $0.extraArgs = ExtraArgs.Tag.svmV1 } == .malformedExtraArgs)
        let changes: [(inout EVM2AnyTokenTransfer) -> Void] = [
            { $0.destinationToken = [1] }, { $0.destinationExecData = [] },
            { $0.destinationExecData = U256(UInt64(1) << 32).bytes },
        ]
        for change in changes {
            var changed = token
            change(&changed)
            #expect(code { $0.tokenAmounts = [changed] } == .malformedMessage)
        }
    }

    @Test("extraArgs that revert in the FeeQuoter are refused", arguments: [
        "0x00", "0x97a657", "0x97a657c9", "0x181dcf10" + String(repeating: "00", count: 32),
        "0x181dcf10" + String(repeating: "00", count: 63) + "02", "0x1f3b3aba" + String(repeating: "00", count: 64),
    ])
    func badExtraArgs(hex: String) throws {
        let bytes = try Hex.decode(hex)
        #expect(throws: CCIPError.self) { try ExtraArgs.normalised(bytes, defaultGasLimit: 1) }
    }
}
