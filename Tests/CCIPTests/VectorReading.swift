// How the tests read the project's vectors: JSON members as the types of CCIP, with an error that names the member.

import CCIP
import Ethereum
import TestSupport
import Testing

enum Vector {
    static let file = Result { try Vectors.load("ccip-1.6.json") }

    /// The groups of the file and how many members each has: a group that shrinks fails where it is read.
    static let groups: KeyValuePairs<String, Int> = [
        "constants": 23, "any2EvmMessageHash": 30, "extraArgs": 26, "extraArgsNormalisation": 7, "merkle": 2,
        "commitReports": 24, "executionReports": 24, "onRampMessages": 26, "ocr3CommitSignatures": 25,
        "rmnReports": 22, "endToEnd": 14, "feeQuotes": 40, "homeConfigDigests": 10, "poolDecimals": 39,
        "rateLimiter": 2, "usdc": 3, "offRampReverts": 53,
    ]

    static func counts(_ name: String) throws -> Int {
        try #require(groups.first { $0.key == name }?.value, "group \(name) stands in no list")
    }

    static func group(_ name: String) throws -> JSON {
        let group = try #require(try file.get()[name], "group \(name)")
        #expect(try (group.asArray?.count ?? group.asObject?.names.count) == counts(name), "group \(name)")
        return group
    }

    static func list(_ name: String) throws -> [JSON] { try #require(try group(name).asArray, "group \(name)") }
}

extension JSON {
    func at(_ name: String) throws -> JSON { try #require(self[name], "member \(name)") }
    func text(_ name: String) throws -> String { try #require(try at(name).asString, "text \(name)") }
    func bytes(_ name: String) throws -> Bytes { try Hex.decode(text(name)) }
    func hash(_ name: String) throws -> Hash32 { try Hash32(hex: text(name)) }
    func address(_ name: String) throws -> Address { try Address(hex: text(name)) }
    func word(_ name: String) throws -> U256 { try #require(try at(name).asUInt256, "number \(name)") }
    func u64(_ name: String) throws -> UInt64 { try #require(try word(name).asUInt64, "uint64 \(name)") }
    func u32(_ name: String) throws -> UInt32 { try #require(UInt32(exactly: try u64(name)), "uint32 \(name)") }
    func int(_ name: String) throws -> Int { try #require(try word(name).asInt, "int \(name)") }
    func flag(_ name: String) throws -> Bool { try #require(at(name).asBool as Bool?, "bool \(name)") }
    func selector(_ name: String) throws -> ChainSelector { ChainSelector(try u64(name)) }
    func number(_ name: String) throws -> SequenceNumber { SequenceNumber(try u64(name)) }
    func items(_ name: String) throws -> [JSON] { try #require(try at(name).asArray, "list \(name)") }
    func hashes(_ name: String) throws -> [Hash32] {
        try items(name).map { try Hash32(hex: try #require($0.asString)) }
    }
    func addresses(_ name: String) throws -> [Address] {
        try items(name).map { try Address(hex: try #require($0.asString)) }
    }

    func header() throws -> RampMessageHeader {
        RampMessageHeader(
            messageID: MessageID(try hash("messageId")), source: try selector("sourceChainSelector"),
            destination: try selector("destChainSelector"), sequenceNumber: try number("sequenceNumber"),
            nonce: try u64("nonce"))
    }

    func any2EVM() throws -> Any2EVMRampMessage {
        Any2EVMRampMessage(
            header: try at("header").header(), sender: try bytes("sender"), data: try bytes("data"),
            receiver: try address("receiver"), gasLimit: try word("gasLimit"),
            tokenAmounts: try items("tokenAmounts").map {
                Any2EVMTokenTransfer(
                    sourcePool: try $0.bytes("sourcePoolAddress"), destinationToken: try $0.address("destTokenAddress"),
                    destinationGas: try $0.u32("destGasAmount"), extraData: try $0.bytes("extraData"),
                    amount: try $0.word("amount"))
            })
    }

    func evm2Any() throws -> EVM2AnyRampMessage {
        EVM2AnyRampMessage(
            header: try at("header").header(), sender: try address("sender"), data: try bytes("data"),
            receiver: try bytes("receiver"), extraArgs: try bytes("extraArgs"), feeToken: try address("feeToken"),
            feeTokenAmount: try word("feeTokenAmount"), feeValueJuels: try word("feeValueJuels"),
            tokenAmounts: try items("tokenAmounts").map {
                EVM2AnyTokenTransfer(
                    sourcePool: try $0.address("sourcePoolAddress"),
                    destinationToken: try $0.bytes("destTokenAddress"), extraData: try $0.bytes("extraData"),
                    amount: try $0.word("amount"), destinationExecData: try $0.bytes("destExecData"))
            })
    }

    func merkleRoot() throws -> MerkleRoot {
        MerkleRoot(
            source: try selector("sourceChainSelector"), onRamp: try bytes("onRampAddress"),
            first: try number("minSeqNr"), last: try number("maxSeqNr"), root: try hash("merkleRoot"))
    }

    func commitReport() throws -> CommitReport {
        let prices = try at("priceUpdates")
        return CommitReport(
            prices: PriceUpdates(
                tokens: try prices.items("tokenPriceUpdates").map {
                    TokenPriceUpdate(
                        token: try $0.address("sourceToken"),
                        usdPerToken: try #require(UInt224(try $0.word("usdPerToken"))))
                },
                gas: try prices.items("gasPriceUpdates").map {
                    GasPriceUpdate(
                        destination: try $0.selector("destChainSelector"),
                        usdPerUnitGas: try #require(UInt224(try $0.word("usdPerUnitGas"))))
                }),
            blessed: try items("blessedMerkleRoots").map { try $0.merkleRoot() },
            unblessed: try items("unblessedMerkleRoots").map { try $0.merkleRoot() },
            rmnSignatures: try items("rmnSignatures").map { RMNSignature(r: try $0.hash("r"), s: try $0.hash("s")) })
    }

    func executionReport() throws -> ExecutionReport {
        ExecutionReport(
            source: try selector("sourceChainSelector"), messages: try items("messages").map { try $0.any2EVM() },
            offchainTokenData: try items("offchainTokenData").map {
                try #require($0.asArray).map { try Hex.decode(try #require($0.asString)) }
            }, proofs: try hashes("proofs"), proofFlagBits: try word("proofFlagBits"))
    }

    func log() throws -> ContractLog {
        ContractLog(address: try address("address"), topics: try hashes("topics"), data: try bytes("data"))
    }
}
