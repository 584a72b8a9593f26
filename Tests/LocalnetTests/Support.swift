// What the tests of this room share: a request, the project's artifacts, and a chain in memory that checks what it is sent.

import CCIP
import Ethereum
import Foundation
@testable import Localnet
import Synchronization
import TestSupport

enum Samples {
    static let artifacts: ContractArtifacts = {
        do {
            return try ContractArtifacts(directory: PackageRoot.url.appendingPathComponent("chains/artifacts").path)
        } catch { fatalError("artifacts: \(error)") }
    }()

    static func key(_ text: String) -> PrivateKey {
        do { return try PrivateKey(bytes: keccak256(text: text).bytes) } catch { fatalError("\(error)") }
    }

    static let deployer = key("deployer")
    static let unit = U256(1_000_000_000_000_000_000)

    static func oracles(_ count: Int, _ chains: [String]) -> [DeploymentRequest.Oracle] {
        (0..<count).map { index in
            DeploymentRequest.Oracle(
                peerID: keccak256(text: "peer \(index)").bytes, signer: key("signer \(index)").address,
                committing: Dictionary(uniqueKeysWithValues: chains.map { ($0, key("c \(index) \($0)").address) }),
                executing: Dictionary(uniqueKeysWithValues: chains.map { ($0, key("e \(index) \($0)").address) }))
        }
    }

    static func request() -> DeploymentRequest {
        let chains = [("ethereum", 11_155_111, 16_015_286_601_757_825_753), ("jovay", 2_019_775, 945_045_181_441_419_236)]
            as [(String, UInt64, UInt64)]
        return DeploymentRequest(
            chains: chains.map {
                .init(
                    name: $0.0, chainID: $0.1, selector: ChainSelector($0.2), deployer: deployer.address,
                    nativePriceUSD18: U256(3000) * unit, gasPriceUSD18: U256(3_000_000_000_000))
            },
            tokens: [
                .init(
                    name: "Link", symbol: "LINK", priceUSD18: U256(15) * unit, isLink: true,
                    minted: ["ethereum": U256(5), "jovay": U256(5)]),
                .init(
                    name: "Test", symbol: "CWT", priceUSD18: unit, lockedOn: ["ethereum"],
                    rateLimit: .init(capacity: U256(1000), rate: U256(10)), minted: ["ethereum": U256(7)]),
            ],
            oracles: oracles(4, chains.map(\.0)), faulty: 1, holders: [key("holder").address],
            transmitterFunding: U256(1000))
    }

    /// Three guards; roots from ethereum to jovay need two signatures.
    static func guarded(_ lanes: LaneSelection = .some([.init(from: "ethereum", to: "jovay")])) -> DeploymentRequest {
        var request = request()
        request.blessing = .init(
            signers: (0..<3).map { .init(account: key("guard \($0)").address, nodeIndex: UInt64($0)) }, lanes: lanes)
        return request
    }

    static func plan(_ request: DeploymentRequest = request()) throws -> DeploymentPlan {
        try DeploymentPlan(request: request, artifacts: artifacts, firstNonces: ["ethereum": 0, "jovay": 3])
    }

    static func folder() throws -> String { try Files.makeTemporaryDirectory(prefix: "causeway-test-") }
}

/// A chain that takes transactions in the order of their nonces and executes nothing.
final class FakeChain: DeploymentEndpoint {
    struct State: Sendable {
        var nonce: UInt64 = 0
        var sent: [SignedTransaction] = []
        var receipts: [Hash32: JSON] = [:]
        var code: Set<Address> = []
        /// After so many transactions the chain answers no more; nil for never.
        var diesAfter: Int?
        /// Positions (by nonce) whose transactions fail.
        var failing: Set<UInt64> = []
        var balance = U256(1_000_000) * U256(1_000_000_000_000_000_000)
        var chainID: UInt64
    }

    let label: String
    let state: Mutex<State>

    init(_ name: String, chainID: UInt64, nonce: UInt64 = 0) {
        label = name
        state = Mutex(State(nonce: nonce, chainID: chainID))
    }

    func send(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [DeploymentAnswer] {
        var answers: [DeploymentAnswer] = []
        for call in calls { answers.append(try answer(call)) }
        return answers
    }

    private func answer(_ call: DeploymentCall) throws(LocalnetError) -> DeploymentAnswer {
        let result = state.withLock { state -> DeploymentAnswer? in
            switch call.method {
            case "eth_chainId": return .result(.quantity(state.chainID))
            case "eth_getTransactionCount": return .result(.quantity(state.nonce))
            case "eth_getBalance": return .result(.quantity(state.balance))
            case "eth_gasPrice": return .result(.quantity(U256(2_000_000_000)))
            case "eth_getBlockByNumber": return .result(["baseFeePerGas": .quantity(U256(1_000_000_000))])
            case "eth_getCode":
                let address = call.parameters[0].asString.flatMap { try? Address(hex: $0) } ?? .zero
                return .result(.string(state.code.contains(address) ? "0x60" : "0x"))
            case "eth_getTransactionReceipt":
                let hash = call.parameters[0].asString.flatMap { try? Hash32(hex: $0) } ?? .zero
                return .result(state.receipts[hash] ?? .null)
            case "eth_call":
                return .error(code: 3, message: "execution reverted", data: .data(Bytes([0x20, 0x5d, 0xb5, 0x5b])))
            case "eth_sendRawTransaction": return Self.take(call, &state)
            default: return .error(code: -32601, message: "no such method", data: nil)
            }
        }
        guard let result else { throw LocalnetError(.chainUnreachable, "no answer from \(label)") }
        return result
    }

    private static func take(_ call: DeploymentCall, _ state: inout State) -> DeploymentAnswer? {
        if let limit = state.diesAfter, state.sent.count >= limit { return nil }
        guard let raw = call.parameters[0].asString.flatMap({ try? Hex.decode($0) }),
            let signed = try? SignedTransaction.decode(raw), let sender = try? signed.sender()
        else { return .error(code: -32602, message: "malformed transaction", data: nil) }
        let transaction = signed.transaction
        guard transaction.nonce == state.nonce else {
            return .error(code: -32000, message: "nonce \(transaction.nonce) is not \(state.nonce)", data: nil)
        }
        guard transaction.chainID == state.chainID else { return .error(code: -32000, message: "wrong chain", data: nil) }
        let isFailing = state.failing.contains(transaction.nonce)
        if transaction.to == nil, !isFailing { state.code.insert(.created(by: sender, nonce: transaction.nonce)) }
        state.nonce += 1
        state.sent.append(signed)
        state.receipts[signed.hash] = [
            "status": .quantity(U256(isFailing ? 0 : 1)), "transactionHash": .hash(signed.hash), "gasUsed": "0x5208",
        ]
        return .result(.hash(signed.hash))
    }
}
