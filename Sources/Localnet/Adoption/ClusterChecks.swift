// Holds what the chains tell against what a cluster takes for granted, a line for each check. Pure: facts in, lines out.
// Lanes and tokens are in ClusterChecks+Lanes.swift.

import CCIP
import Ethereum

package struct ClusterChecks: Sendable {
    let expected: ClusterExpectation
    let facts: [String: ChainFacts]

    package init(_ expected: ClusterExpectation, facts: [ChainFacts]) {
        self.expected = expected
        self.facts = Dictionary(facts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func run() -> [CheckResult] {
        var results: [CheckResult] = []
        for chain in expected.chains {
            guard let found = facts[chain.name] else { continue }
            results += endpoints(chain, found)
            guard found.isReached else { continue }
            results += node(chain, found)
            results += contracts(chain, found)
            results += connections(chain, found)
            if expected.isDestination(chain.name) { results += plugins(chain, found) }
            results += balances(chain, found)
        }
        for lane in expected.lanes { results += self.lane(lane) }
        results += tokens()
        for chain in expected.chains {
            guard let found = facts[chain.name], !found.failures.isEmpty else { continue }
            results.append(.note(chain.name, "reads", "without a sound answer: " + CheckResult.joined(found.failures)))
        }
        return results
    }

    // MARK: The node

    private func endpoints(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        guard !found.endpoints.isEmpty else {
            return [.bad(chain.name, "endpoint", "no endpoint for this chain", hint: "add one under rpc (or endpoints)")]
        }
        return found.endpoints.map { endpoint -> CheckResult in
            if let failure = endpoint.failure {
                return .bad(
                    chain.name, "endpoint", "\(endpoint.label): \(failure)", hint: "does it run, and is it reached from here?")
            }
            if let wanted = chain.chainID, endpoint.chainID != wanted {
                return .bad(
                    chain.name, "endpoint", "\(endpoint.label) serves chain \(endpoint.chainID ?? 0), not \(wanted)",
                    hint: "correct the endpoint or the chain id")
            }
            return .good(chain.name, "endpoint", "\(endpoint.label) serves chain \(endpoint.chainID ?? 0)")
        }
    }

    private func node(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        let node = found.node
        var results: [CheckResult] = [finality(chain, node)]
        let fee = node.baseFee.map { "base fee \($0) wei" } ?? "no base fee, so transactions of type 0"
        let blocks = "head \(node.head), gas limit \(node.gasLimit), \(fee)"
        if let most = chain.transactionGasMaximum, node.gasLimit > 0, most > node.gasLimit {
            results.append(
                .bad(
                    chain.name, "blocks", "\(blocks), below transactionGasMaximum \(most)",
                    hint: "set transactionGasMaximum to at most three quarters of the block gas limit"))
        } else {
            results.append(.good(chain.name, "blocks", blocks))
        }
        var lacks: [String] = []
        if !node.takesBatches { lacks.append("no lists of calls") }
        if !node.hasGasPrice { lacks.append("no eth_gasPrice") }
        if node.isLogRangeKnown, node.logBlocks < Limits.logBlocksProbed {
            lacks.append("at most about \(node.logBlocks) blocks in one eth_getLogs")
        }
        let text = lacks.isEmpty ? "lists of calls, log queries of \(node.logBlocks) blocks" : lacks.joined(separator: ", ")
        results.append(lacks.isEmpty ? .good(chain.name, "node", text) : .note(chain.name, "node", text))
        return results
    }

    private func finality(_ chain: ClusterExpectation.Chain, _ node: ChainFacts.Node) -> CheckResult {
        switch chain.finality {
        case .depth(let depth):
            let text = node.head >= depth
                ? "\(depth) blocks: block \(node.head - depth) of \(node.head) is final"
                : "\(depth) blocks, and the chain has \(node.head): nothing is final yet"
            return node.head >= depth ? .good(chain.name, "finality", text) : .note(chain.name, "finality", text)
        case .tag, nil:
            guard let finalized = node.finalized else {
                return .bad(
                    chain.name, "finality", "the node does not answer eth_getBlockByNumber(\"finalized\")",
                    hint: "write finality: {depth: N} for \(chain.name)")
            }
            let text = "tag finalized: block \(finalized), \(node.head >= finalized ? node.head - finalized : 0) below the head"
            return chain.finality == nil
                ? .note(chain.name, "finality", "not given; \(text)", hint: "write finality to choose it")
                : .good(chain.name, "finality", text)
        }
    }

    // MARK: Contracts

    /// How contracts name themselves; patch versions may differ.
    static let versions: [(role: ContractRole, prefixes: [String])] = [
        (.router, ["Router 1.2."]), (.onRamp, ["OnRamp 1.6."]), (.offRamp, ["OffRamp 1.6."]),
        (.feeQuoter, ["FeeQuoter 1.6."]), (.nonceManager, ["NonceManager 1.6."]),
        (.rmnRemote, ["RMNRemote 1.6.", "RMN 2."]), (.rmnProxy, ["ARMProxy 1.", "RMNRemote 1.6.", "RMN 2."]),
        (.tokenAdminRegistry, ["TokenAdminRegistry 1.5."]),
    ]

    private func contracts(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        var results: [CheckResult] = []
        for (role, prefixes) in Self.versions {
            guard let contract = found.contracts[role] else {
                results.append(
                    .bad(
                        chain.name, role.rawValue, "unknown: neither the file nor another contract names it",
                        hint: "add contracts.\(role.rawValue) of \(chain.name)"))
                continue
            }
            let text = "\(contract.address) \(contract.version ?? "(names no version)")"
            if !contract.hasCode {
                results.append(
                    .bad(chain.name, role.rawValue, "no contract at \(contract.address)", hint: "correct the address"))
            } else if let version = contract.version, prefixes.contains(where: version.hasPrefix) {
                results.append(.good(chain.name, role.rawValue, text))
            } else if let version = contract.version, Self.versions.contains(where: { other in
                other.role != role && role != .rmnProxy && role != .rmnRemote && other.prefixes.contains(where: version.hasPrefix)
            }) {
                results.append(
                    .bad(chain.name, role.rawValue, "\(text) is no \(prefixes[0])x", hint: "correct the address"))
            } else {
                results.append(.note(chain.name, role.rawValue, "\(text), expected \(prefixes[0])x"))
            }
        }
        var wrong: [String] = []
        for (role, address) in chain.contracts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for told in found.told where told.role == role && told.address != address {
                // Behind a proxy stands another address than the one that ramps know.
                if role == .rmnProxy, address == found.rmnImplementation { continue }
                wrong.append("\(role.rawValue) is \(address) in the file, \(told.address) by the \(told.by)")
            }
        }
        results.append(
            .of(
                chain.name, "addresses", wrong, good: "\(chain.contracts.count) given, all as the chain has them",
                hint: "correct the addresses, or leave them out: the chain tells them"))
        return results
    }

    /// Contracts of one chain know each other and the chain they are on.
    private func connections(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        var wrong: [String] = []
        let selector = chain.selector ?? found.selector
        if let config = found.offRampStatic, config.chainSelector != selector {
            wrong.append("the OffRamp is of chain \(config.chainSelector)")
        }
        if let config = found.onRampStatic, config.chainSelector != selector {
            wrong.append("the OnRamp is of chain \(config.chainSelector)")
        }
        if let rmn = found.rmnSelector, rmn != selector { wrong.append("the RMNRemote is of chain \(rmn)") }
        if let on = found.onRampStatic, let off = found.offRampStatic {
            if on.nonceManager != off.nonceManager { wrong.append("OnRamp and OffRamp use two NonceManagers") }
            if on.tokenAdminRegistry != off.tokenAdminRegistry { wrong.append("OnRamp and OffRamp use two token registries") }
        }
        var results: [CheckResult] = [
            .of(
                chain.name, "ramps", wrong, good: "OnRamp and OffRamp of selector \(selector.map { "\($0)" } ?? "?")",
                hint: "correct the addresses or the selector of \(chain.name)")
        ]
        if let callers = found.nonceManagerCallers {
            var missing: [String] = []
            for role in [ContractRole.onRamp, .offRamp] {
                if let ramp = found.address(role), !callers.contains(ramp) { missing.append("the \(role.rawValue) \(ramp)") }
            }
            results.append(
                .of(
                    chain.name, "nonces", missing.map { "\($0) may not call the NonceManager" },
                    good: "both ramps may call the NonceManager", hint: "NonceManager.applyAuthorizedCallerUpdates"))
        }
        results.append(prices(chain, found))
        results.append(curse(chain, found))
        return results
    }

    private func prices(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> CheckResult {
        guard let callers = found.feeQuoterCallers, let offRamp = found.address(.offRamp) else {
            return .note(chain.name, "prices", "the FeeQuoter does not tell who may update it")
        }
        guard callers.contains(offRamp) else {
            let text = "the OffRamp may not update the FeeQuoter"
            return chain.reportsGasPrices
                ? .bad(
                    chain.name, "prices", text,
                    hint: "FeeQuoter.applyAuthorizedCallerUpdates, or prices: {gas: off}: a commit with prices would revert")
                : .note(chain.name, "prices", "\(text), so this cluster writes no prices there")
        }
        return .good(chain.name, "prices", chain.reportsGasPrices ? "the OffRamp may update the FeeQuoter" : "not reported")
    }

    private func curse(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> CheckResult {
        guard let cursed = found.cursed else {
            return .bad(chain.name, "curse", "the RMN contract does not answer getCursedSubjects")
        }
        if cursed.isGlobal { return .note(chain.name, "curse", "everything is cursed", hint: "uncurse it to let messages pass") }
        let names = expected.chains.filter { other in
            expected.selector(of: other.name, facts).map { cursed.subjects.contains($0.curseSubject) } ?? false
        }.map(\.name)
        return names.isEmpty
            ? .good(chain.name, "curse", "none")
            : .note(
                chain.name, "curse", "cursed: \(names.joined(separator: ", "))", hint: "uncurse it to let messages pass")
    }

    // MARK: OCR3

    private func plugins(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        PluginType.allCases.map { plugin -> CheckResult in
            let isCommit = plugin == .commit
            let check = isCommit ? "commit configuration" : "execution configuration"
            guard let details = found.plugins[plugin] else {
                return .bad(chain.name, check, "the OffRamp does not tell it")
            }
            let transmitters = expected.relayers.map { relayer in
                relayer.transmitters[chain.name].map { isCommit ? $0.committing : $0.executing } ?? .zero
            }
            let installed = InstalledPlugin(details)
            let judged = Findings.plugin(
                isCommit: isCommit, digest: isCommit ? chain.commitDigest : chain.executeDigest, faulty: expected.faulty,
                names: expected.relayers.map(\.name), signers: isCommit ? expected.relayers.map(\.signer) : [],
                transmitters: transmitters, found: installed)
            let good = "\(expected.relayers.count) oracles, F \(expected.faulty), digest \(installed.digest.hex.prefix(10))..."
            if !judged.wrong.isEmpty {
                return .bad(
                    chain.name, check, CheckResult.joined(judged.wrong),
                    hint: "setOCR3Configs of the OffRamp and the cluster's keys must belong together")
            }
            guard !judged.notes.isEmpty else { return .good(chain.name, check, good) }
            return .note(chain.name, check, good + "; " + CheckResult.joined(judged.notes))
        }
    }

    private func balances(_ chain: ClusterExpectation.Chain, _ found: ChainFacts) -> [CheckResult] {
        guard expected.isDestination(chain.name) else { return [] }
        return expected.relayers.compactMap { relayer -> CheckResult? in
            guard let pair = relayer.transmitters[chain.name] else { return nil }
            var wrong: [String] = []
            var amounts: [String] = []
            let roles = pair.committing == pair.executing
                ? [("transmitter", pair.committing)] : [("committing", pair.committing), ("executing", pair.executing)]
            for (role, address) in roles {
                guard let balance = found.balances[address] else {
                    wrong.append("the balance of \(address) is not known")
                    continue
                }
                let text = DecimalText.format(balance, decimals: 18)
                amounts.append("\(role) \(text)")
                if balance < expected.balanceMinimum { wrong.append("\(role) \(address) has \(text)") }
            }
            return .of(
                "\(relayer.name) on \(chain.name)", "balance", wrong, good: amounts.joined(separator: ", "),
                hint: "send at least \(DecimalText.format(expected.balanceMinimum, decimals: 18)) of the chain's coin there")
        }
    }
}

/// What `latestConfigDetails` answered, as far as it matters here.
package struct InstalledPlugin: Sendable, Equatable {
    package var digest: Hash32
    package var faulty: Int
    package var isSigned: Bool
    package var signers: [Address]
    package var transmitters: [Address]

    package init(digest: Hash32, faulty: Int, isSigned: Bool, signers: [Address], transmitters: [Address]) {
        self.digest = digest
        self.faulty = faulty
        self.isSigned = isSigned
        self.signers = signers
        self.transmitters = transmitters
    }

    package init(_ details: OCRConfigDetails) {
        self.init(
            digest: details.configurationDigest, faulty: Int(details.faulty),
            isSigned: details.isSignatureVerificationEnabled, signers: details.signers, transmitters: details.transmitters)
    }
}

package enum Findings {
    /// Everything that differs, in words: what breaks the cluster, and what is only worth knowing. The contract looks
    /// signers and transmitters up by address, so their order does not matter (10.1).
    package static func plugin(
        isCommit: Bool, digest: Hash32?, faulty: Int, names: [String], signers: [Address], transmitters: [Address],
        found: InstalledPlugin
    ) -> (wrong: [String], notes: [String]) {
        if found.digest.isZero { return (["nothing is installed"], []) }
        var (wrong, notes): ([String], [String]) = ([], [])
        if let digest, found.digest != digest { wrong.append("digest \(found.digest), the cluster file has \(digest)") }
        if found.faulty != faulty { wrong.append("F is \(found.faulty), the cluster has \(faulty)") }
        if found.isSigned != isCommit { wrong.append("signature verification is \(found.isSigned ? "on" : "off")") }
        // Without verification the contract keeps whatever list of signers it was given.
        if isCommit {
            for (name, signer) in zip(names, signers) where !found.signers.contains(signer) {
                wrong.append("\(name)'s signer \(signer) is not among the \(found.signers.count) signers")
            }
            let unused = found.signers.filter { !signers.contains($0) }
            if wrong.isEmpty, !unused.isEmpty { notes.append("\(unused.count) more signers without a relayer here") }
            if wrong.isEmpty, unused.isEmpty, found.signers != signers { notes.append("signers in another order than the relayers") }
        }
        let strangers = zip(names, transmitters).filter { !found.transmitters.contains($0.1) }
        let texts = strangers.map { "\($0.0)'s transmitter \($0.1) is not among the \(found.transmitters.count) transmitters" }
        // One honest transmitter suffices, and F + 1 hold one.
        if names.count - strangers.count > faulty { notes += texts } else { wrong += texts }
        for signer in signers where isCommit && transmitters.contains(signer) {
            wrong.append("\(signer) signs and transmits, which the OffRamp refuses within one plugin")
        }
        return (wrong, notes)
    }
}
