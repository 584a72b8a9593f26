// Which roots of a deployment need signatures of guards, and whose. Values and their check; the calls are ChainPlanBuilder's.

import CCIP
import Ethereum

/// Lanes by the names of their chains: all of them, or some.
package enum LaneSelection: Sendable, Equatable {
    case all
    case some([AdoptionFile.Lane])

    package func contains(from: String, to: String) -> Bool {
        switch self {
        case .all: true
        case .some(let lanes): lanes.contains(AdoptionFile.Lane(from: from, to: to))
        }
    }

    /// `all`, or lanes as `FROM:TO`. Throws `invalidRequest` with the entry that is neither.
    package init(_ texts: [String]) throws(LocalnetError) {
        if texts == ["all"] {
            self = .all
            return
        }
        var lanes: [AdoptionFile.Lane] = []
        for text in texts {
            let ends = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard ends.count == 2, ends.allSatisfy({ !$0.isEmpty }), ends[0] != ends[1] else {
                throw LocalnetError(
                    .invalidRequest, "'\(text.prefix(80))' is no lane",
                    hint: "expected: all, or lanes as ethereum:jovay,jovay:ethereum")
            }
            let lane = AdoptionFile.Lane(from: ends[0], to: ends[1])
            guard !lanes.contains(lane) else {
                throw LocalnetError(.invalidRequest, "the lane \(text) stands twice", hint: "each one must differ")
            }
            lanes.append(lane)
        }
        guard !lanes.isEmpty else {
            throw LocalnetError(.invalidRequest, "no lane is named", hint: "expected: all, or lanes as ethereum:jovay")
        }
        self = .some(lanes)
    }

    /// The selected ones of all lanes between these chains, in their order.
    package func lanes(of chains: [String]) -> [AdoptionFile.Lane] {
        chains.flatMap { from in chains.filter { $0 != from }.map { AdoptionFile.Lane(from: from, to: $0) } }
            .filter { contains(from: $0.from, to: $0.to) }
    }

    /// Throws `invalidRequest` when a lane has an end that is no chain of these.
    package func validate(chains: [String]) throws(LocalnetError) {
        guard case .some(let lanes) = self else { return }
        for lane in lanes {
            for end in [lane.from, lane.to] where !chains.contains(end) {
                throw LocalnetError(
                    .invalidRequest, "the lane \(lane.from):\(lane.to) ends at '\(end)', which is no chain here",
                    hint: "the chains are \(chains.joined(separator: ", "))")
            }
        }
    }
}

extension DeploymentRequest {
    /// The RMNRemote's configuration on every chain, and the lanes whose OffRamp asks for blessed roots.
    package struct Blessing: Sendable, Equatable {
        package struct Signer: Sendable, Equatable {
            package var account: Address
            /// Of the node in an RMNHome; ascending.
            package var nodeIndex: UInt64

            package init(account: Address, nodeIndex: UInt64) {
                self.account = account
                self.nodeIndex = nodeIndex
            }
        }

        package var signers: [Signer]
        /// fSign: fSign + 1 signatures are needed.
        package var faulty: Int
        package var lanes: LaneSelection

        package init(signers: [Signer], faulty: Int? = nil, lanes: LaneSelection = .all) {
            self.signers = signers
            self.faulty = faulty ?? Self.faulty(of: signers.count)
            self.lanes = lanes
        }

        /// The most that `signers >= 2 fSign + 1` allows (17.2 of the on-chain specification).
        package static func faulty(of signers: Int) -> Int { max(0, (signers - 1) / 2) }
    }

    /// Whether the OffRamp of `to` takes roots of `from` without signatures of guards.
    func isUnblessed(from: String, to: String) -> Bool { blessing.map { !$0.lanes.contains(from: from, to: to) } ?? true }

    func validateBlessing() throws(LocalnetError) {
        guard let blessing else { return }
        let count = blessing.signers.count
        guard (1...Limits.guardsMaximum).contains(count) else {
            throw LocalnetError(
                .invalidRequest, "\(count) RMN signers", hint: "expected: 1 to \(Limits.guardsMaximum)")
        }
        guard blessing.faulty >= 0, count >= 2 * blessing.faulty + 1 else {
            throw LocalnetError(
                .invalidRequest, "\(count) RMN signers with fSign = \(blessing.faulty)",
                hint: "expected: at least 2 fSign + 1 signers, or RMNRemote refuses them as NotEnoughSigners")
        }
        for (one, next) in zip(blessing.signers, blessing.signers.dropFirst()) where one.nodeIndex >= next.nodeIndex {
            throw LocalnetError(
                .invalidRequest, "RMN node index \(next.nodeIndex) follows \(one.nodeIndex)",
                hint: "expected: ascending, or RMNRemote refuses them as InvalidSignerOrder")
        }
        var seen: Set<Address> = []
        for signer in blessing.signers {
            guard !signer.account.isZero, seen.insert(signer.account).inserted else {
                throw LocalnetError(
                    .invalidRequest, "the RMN signer \(signer.account) stands twice or is zero", hint: "each one must differ")
            }
        }
        try blessing.lanes.validate(chains: chains.map(\.name))
    }
}

extension DeploymentRequest.Blessing {
    private static let staticType = "((bytes32,bytes32)[],bytes)"

    /// In place of an RMNHome stand the first chain and its deployer, as for the oracles; in place of peer ids and
    /// off-chain keys, which our guards do not have, their accounts and node indices.
    func homeDigest(_ home: OCRConfiguration.Home) throws(EthereumError) -> Hash32 {
        let nodes = signers.map { signer in
            ABIValue.tuple([.bytes(signer.account.abiWord), .bytes(U256(signer.nodeIndex).bytes)])
        }
        let encoded = try ABI.encode([.tuple([.array(nodes), .bytes([])])], as: [ABIType(Self.staticType)])
        return HomeConfigurationDigest.rmnHome(
            chainID: U256(home.chainID), home: home.contract, version: home.version, encodedStaticConfiguration: encoded)
    }

    /// The argument of RMNRemote.setConfig.
    func argument(digest: Hash32) -> ABIValue {
        .tuple([
            .hash(digest), .array(signers.map { .tuple([.address($0.account), .uint($0.nodeIndex)]) }),
            .uint(UInt64(faulty)),
        ])
    }
}
