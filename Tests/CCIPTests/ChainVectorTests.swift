// Fees, pools, USDC formats and reverts against the vectors of the real contracts.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP

@Suite("Fees, pools and reverts against the real contracts")
struct ChainVectorTests {
    @Test("40 fee quotes of both FeeQuoter versions")
    func feeQuotes() throws {
        let vectors = try Vector.list("feeQuotes")
        #expect(vectors.count == 40)
        for vector in vectors {
            let quote = try self.quote(vector)
            let amounts = try vector.items("tokenAmounts").map {
                EVMTokenAmount(token: try $0.address("token"), amount: try $0.word("amount"))
            }
            let fee = try quote.fee(
                dataLength: vector.int("dataLength"), tokenAmounts: amounts, feeToken: vector.address("feeToken"),
                extraArgs: vector.bytes("extraArgs"))
            let name = try vector.text("name")
            #expect(try fee == vector.word("fee"), "\(name)")
        }
    }

    private func quote(_ vector: JSON) throws -> FeeQuote {
        FeeQuote(
            configuration: try configuration(vector.at("destChainConfig")),
            gasPrice: PackedGasPrice(try #require(UInt224(try vector.word("usdPerUnitGasPacked")))),
            tokenPrices: try table(vector, "usdPerToken") {
                let word = try #require($0.asUInt256)
                return try #require(UInt224(word))
            },
            premiumMultipliers: try table(vector, "premiumMultiplierWeiPerEth") { try #require($0.asUInt64) },
            tokenTransferFees: try table(vector, "tokenTransferFeeConfig") {
                TokenTransferFeeConfig(
                    minFeeUSDCents: try $0.u32("minFeeUSDCents"), maxFeeUSDCents: try $0.u32("maxFeeUSDCents"),
                    deciBps: UInt16(try $0.int("deciBps")), destinationGasOverhead: try $0.u32("destGasOverhead"),
                    destinationBytesOverhead: try $0.u32("destBytesOverhead"), isEnabled: try $0.flag("isEnabled"))
            })
    }

    private func table<Value>(_ vector: JSON, _ name: String, _ read: (JSON) throws -> Value) throws -> [Address: Value]
    {
        let object = try #require(try vector.at(name).asObject)
        var result: [Address: Value] = [:]
        for member in object.members { result[try Address(hex: member.name)] = try read(member.value) }
        return result
    }

    private func configuration(_ json: JSON) throws -> DestinationChainConfig {
        var config = DestinationChainConfig()
        config.isEnabled = try json.flag("isEnabled")
        config.maxNumberOfTokensPerMessage = UInt16(try json.int("maxNumberOfTokensPerMsg"))
        config.maxDataBytes = try json.u32("maxDataBytes")
        config.maxPerMessageGasLimit = try json.u32("maxPerMsgGasLimit")
        config.destinationGasOverhead = try json.u32("destGasOverhead")
        config.destinationGasPerPayloadByteBase = UInt8(try json.int("destGasPerPayloadByteBase"))
        config.destinationGasPerPayloadByteHigh = UInt8(try json.int("destGasPerPayloadByteHigh"))
        config.destinationGasPerPayloadByteThreshold = UInt16(try json.int("destGasPerPayloadByteThreshold"))
        config.dataAvailabilityOverheadGas = try json.u32("destDataAvailabilityOverheadGas")
        config.gasPerDataAvailabilityByte = UInt16(try json.int("destGasPerDataAvailabilityByte"))
        config.dataAvailabilityMultiplierBps = UInt16(try json.int("destDataAvailabilityMultiplierBps"))
        config.chainFamilySelector = try json.bytes("chainFamilySelector")
        config.enforceOutOfOrder = try json.flag("enforceOutOfOrder")
        config.defaultTokenFeeUSDCents = UInt16(try json.int("defaultTokenFeeUSDCents"))
        config.defaultTokenDestinationGasOverhead = try json.u32("defaultTokenDestGasOverhead")
        config.defaultTransactionGasLimit = try json.u32("defaultTxGasLimit")
        config.gasMultiplierWeiPerEth = try json.u64("gasMultiplierWeiPerEth")
        config.gasPriceStalenessThreshold = try json.u32("gasPriceStalenessThreshold")
        config.networkFeeUSDCents = try json.u32("networkFeeUSDCents")
        return config
    }

    @Test("39 amounts between decimals, with the revert data where the pool reverts")
    func poolDecimals() throws {
        let vectors = try Vector.list("poolDecimals")
        #expect(vectors.count == 39)
        for vector in vectors {
            do throws(PoolDecimals.Refusal) {
                let amount = try PoolDecimals.localAmount(
                    sourceAmount: (try? vector.word("sourceAmount")) ?? .zero,
                    sourcePoolData: (try? vector.bytes("sourcePoolData")) ?? [1],
                    localDecimals: UInt8((try? vector.int("localDecimals")) ?? 0))
                #expect(amount == (try? vector.word("localAmount")))
            } catch {
                #expect(error.revertData == (try? vector.bytes("revertData")))
                #expect(RevertReason(error.revertData).name == (try? vector.text("revert")))
            }
        }
    }

    @Test("2 rate limiter timelines of 14 steps")
    func rateLimiter() throws {
        let vectors = try Vector.list("rateLimiter")
        #expect(vectors.count == 2)
        var steps = 0
        for vector in vectors {
            var now: UInt64 = 1_000
            var bucket = TokenBucket(
                tokens: try vector.word("initialTokens"), lastUpdated: now, isEnabled: true,
                capacity: try vector.word("capacity"), rate: try vector.word("rate"))
            for step in try vector.items("timeline") {
                now += try step.u64("advanceSeconds")
                let amount = try step.word("amount")
                var refused: TokenBucket.Refusal?
                do throws(TokenBucket.Refusal) { try bucket.consume(amount, at: now) } catch { refused = error }
                #expect(try (refused == nil) == step.flag("ok"))
                #expect(try bucket.available(at: now) == step.word("tokensAfter"))
                if let refused {
                    let data = try step.bytes("revertData")
                    let reason = RevertReason(data)
                    let token = try #require(reason.errors.first?.arguments?.last?.asAddress)
                    #expect(refused.revertData(token: token) == data)
                    #expect(try reason.name == step.text("revert"))
                }
                steps += 1
            }
        }
        #expect(steps == 28)
    }

    @Test("11 USDC blobs")
    func usdc() throws {
        let vector = try Vector.group("usdc")
        let pools = try vector.items("sourcePoolDataV1")
        let attestations = try vector.items("offchainTokenDataV1")
        let deposits = try vector.items("sourcePoolDataV2")
        #expect(pools.count == 4 && attestations.count == 3 && deposits.count == 4)
        for item in pools {
            let data = USDC.SourcePoolDataV1(nonce: try item.u64("nonce"), sourceDomain: try item.u32("sourceDomain"))
            #expect(try data.encoded == item.bytes("encoded"))
            #expect(try USDC.SourcePoolDataV1(encoded: data.encoded) == data)
        }
        for item in attestations {
            let data = USDC.OffchainTokenData(
                message: try item.bytes("message"), attestation: try item.bytes("attestation"))
            #expect(try data.encoded == item.bytes("encoded"))
            #expect(try USDC.OffchainTokenData(encoded: data.encoded) == data)
        }
        for item in deposits {
            let deposit = USDC.DepositV2(
                sourceDomain: try item.u32("sourceDomain"), amount: try item.word("amount"),
                destinationDomain: try item.u32("destinationDomain"), mintRecipient: try item.hash("mintRecipient"),
                burnToken: try item.hash("burnToken"), destinationCaller: try item.hash("destinationCaller"),
                maxFee: try item.word("maxFee"), minFinalityThreshold: try item.u32("minFinalityThreshold"))
            #expect(try deposit.hash == item.hash("depositHash"))
            #expect(try deposit.sourcePoolData == item.bytes("encoded"))
        }
    }

    @Test("53 OffRamp scenarios: the revert data is the named error")
    func offRampReverts() throws {
        let vectors = try Vector.list("offRampReverts")
        #expect(vectors.count == 53)
        var named = 0
        for vector in vectors {
            guard let expected = try vector.at("revert").asString else { continue }
            let reason = RevertReason(try vector.bytes("revertData"))
            if expected.hasPrefix("(") {
                #expect(reason.name == nil && reason.rest.isEmpty)
                continue
            }
            #expect(reason.name == expected)
            #expect(reason.errors.first?.arguments != nil, "the arguments decode")
            named += 1
        }
        #expect(named == 48)
    }

    @Test("what a relayer does about an error follows from its name", arguments: [
        ("0x93df584c", RevertClass.configuration), ("0xda0f08e8", .configuration), ("0xca31867a", .configuration),
        ("0xf67bc7c4", .bug), ("0x71253a25", .bug), ("0xa75d88af", .bug), ("0x8e1192e1", .bug), ("0x0f01ce85", .fatal),
        ("0x22611167", .benign), ("0xd5e0f0d6", .benign), ("0x32cf0cbf", .benign), ("0x504570e3", .bug),
        ("0xb80d8fa9", .configuration), ("0x91c57266", .configuration), ("0xfdbd6a72", .wait),
        ("0xed053c59", .configuration), ("0x7dd17a7e", .reorganisation), ("0x09bde339", .bug), ("0x11a6b264", .bug),
        ("0xced9e496", .bug), ("0xc2e5347d", .bug), ("0x57e0e083", .bug), ("0x1cfe6d8b", .bug), ("0x38432a22", .bug),
        ("0x6c95f1eb", .bug), ("0x2882569d", .simulation), ("0xa9cfc862", .manual), ("0x83e3f564", .manual),
        ("0x7531a8c6", .manual), ("0x48e617b3", .manual), ("0x70a193fd", .manual), ("0x2b11b8d9", .manual),
        ("0x0a8d6e8c", .inner), ("0x9fe2f95a", .inner), ("0xa966e21f", .inner), ("0xae9b4ce9", .inner),
        ("0x78ef8024", .inner), ("0x37c3be29", .underGassed), ("0xafa32a2c", .underGassed),
        ("0x0c3b563c", .underGassed), ("0xea7f4b12", .underGassed), ("0x59fa4a93", .rmn), ("0xbbe15e7f", .rmn),
        ("0xaaaa9141", .rmn), ("0x8baa579f", .rmn), ("0x12345678", .unknown),
    ])
    func reactions(selector: String, expected: RevertClass) throws {
        #expect(RevertReason(try Hex.decode(selector)).reaction == expected)
    }

    @Test("wrapped errors are named from the outside in")
    func nested() throws {
        let text = ABIFunction(constant: "Error(string)")
        let inner = text.selector + ABICodec.encode([.string("not today")], as: text.inputs)
        let pool = ABIFunction(constant: "TokenHandlingError(address,bytes)")
        let middle = pool.selector + ABICodec.encode([.address(.zero), .bytes(inner)], as: pool.inputs)
        let outer = ABIFunction(constant: "ExecutionError(bytes32,bytes)")
        let data = outer.selector + ABICodec.encode([.hash(.zero), .bytes(middle)], as: outer.inputs)
        let reason = RevertReason(data)
        #expect(reason.errors.map(\.name) == ["ExecutionError", "TokenHandlingError", "Error"])
        #expect(reason.description.contains("\"not today\""))
        #expect(!reason.isUnderGassed)
        let receiver = ABIFunction(constant: "ReceiverError(bytes)")
        let starved = receiver.selector + ABICodec.encode([.bytes([0x37, 0xc3, 0xbe, 0x29])], as: receiver.inputs)
        #expect(RevertReason(starved).isUnderGassed)
        // Data that the OffRamp cut at 132 bytes still gives the name.
        let cut = receiver.selector + ABICodec.encode([.bytes(Bytes(inner.prefix(40)))], as: receiver.inputs)
        let cutReason = RevertReason(cut)
        #expect(cutReason.errors.map(\.name) == ["ReceiverError", "Error"])
        #expect(cutReason.errors.last?.arguments == nil)
    }
}
