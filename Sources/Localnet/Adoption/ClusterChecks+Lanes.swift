// The checks of lanes and of the tokens that cross them.

import CCIP
import Ethereum

extension ClusterChecks {
    func lane(_ lane: AdoptionFile.Lane) -> [CheckResult] {
        guard let from = facts[lane.from], let to = facts[lane.to], from.isReached, to.isReached else { return [] }
        let subject = "\(lane.from) -> \(lane.to)"
        guard let source = expected.selector(of: lane.from, facts), let destination = expected.selector(of: lane.to, facts)
        else { return [.bad(subject, "lane", "the selector of one end is not known")] }
        var results = [departure(subject, from, destination), arrival(subject, from, to, source)]
        results.append(fees(subject, from, destination))
        results += blessing(subject, to, source)
        if let sent = from.remotes[destination]?.expectedNext?.rawValue,
            let next = to.remotes[source]?.source?.minSequenceNumber.rawValue
        {
            results.append(
                next <= sent
                    ? .good(subject, "numbers", sent == next ? "all \(sent - 1) messages are committed" : "\(sent - next) messages wait for a commit")
                    : .bad(subject, "numbers", "\(next - 1) messages are committed and \(sent - 1) were sent: not the same contracts"))
        }
        return results
    }

    private func departure(_ subject: String, _ from: ChainFacts, _ destination: ChainSelector) -> CheckResult {
        let remote = from.remotes[destination]
        var wrong: [String] = []
        if let onRamp = remote?.onRamp {
            if onRamp.isZero {
                wrong.append("the Router has no OnRamp for it")
            } else if onRamp != from.address(.onRamp) {
                wrong.append("the Router sends to OnRamp \(onRamp)")
            }
        } else {
            wrong.append("the Router does not answer")
        }
        if let router = remote?.destination?.router {
            if router.isZero { wrong.append("the OnRamp does not serve it") }
            if !router.isZero, router != from.address(.router) { wrong.append("the OnRamp obeys Router \(router)") }
        } else {
            wrong.append("the OnRamp does not answer")
        }
        let result = CheckResult.of(
            subject, "departure", wrong, good: "Router and OnRamp belong together",
            hint: "Router.applyRampUpdates and OnRamp.applyDestChainConfigUpdates")
        guard result.isGood, remote?.destination?.allowlistEnabled == true else { return result }
        return .note(subject, "departure", "Router and OnRamp belong together; only senders of the allowlist may send")
    }

    private func arrival(_ subject: String, _ from: ChainFacts, _ to: ChainFacts, _ source: ChainSelector) -> CheckResult {
        guard let config = to.remotes[source]?.source else { return .bad(subject, "arrival", "the OffRamp does not answer") }
        var wrong = Findings.source(
            config, onRamp: from.address(.onRamp) ?? .zero, router: to.address(.router) ?? .zero)
        if to.remotes[source]?.routerKnowsOffRamp == false {
            wrong.append("the Router of \(to.name) takes no messages of this source from the OffRamp")
        }
        return .of(
            subject, "arrival", wrong, good: "the OffRamp takes this OnRamp, next number \(config.minSequenceNumber)",
            hint: "OffRamp.applySourceChainConfigUpdates and Router.applyRampUpdates")
    }

    private func fees(_ subject: String, _ from: ChainFacts, _ destination: ChainSelector) -> CheckResult {
        guard let remote = from.remotes[destination], let config = remote.feeConfig else {
            return .note(subject, "fees", "the FeeQuoter does not answer")
        }
        guard config.isEnabled else {
            return .bad(
                subject, "fees", "the FeeQuoter has this destination off", hint: "FeeQuoter.applyDestChainConfigUpdates")
        }
        guard config.chainFamilySelector == [0x28, 0x12, 0xd5, 0x2c] else {
            return .bad(
                subject, "fees", "chain family \(Hex.encode(config.chainFamilySelector)) instead of 0x2812d52c (EVM)",
                hint: "FeeQuoter.applyDestChainConfigUpdates")
        }
        guard let price = remote.gasPrice, price.timestamp > 0 else {
            return .note(subject, "fees", "no gas price yet: messages are refused until one is written")
        }
        let age = from.node.time > UInt64(price.timestamp) ? from.node.time - UInt64(price.timestamp) : 0
        if config.gasPriceStalenessThreshold > 0, age > UInt64(config.gasPriceStalenessThreshold) {
            return .note(subject, "fees", "the gas price is \(age) s old: messages are refused until a new one is written")
        }
        return .good(subject, "fees", "on, gas price \(age) s old")
    }

    private func blessing(_ subject: String, _ to: ChainFacts, _ source: ChainSelector) -> [CheckResult] {
        guard let config = to.remotes[source]?.source, config.isEnabled else { return [] }
        guard !config.isRMNVerificationDisabled else { return [.good(subject, "blessing", "not asked for")] }
        guard let rmn = to.rmn else {
            return [
                .bad(
                    subject, "blessing", "the OffRamp wants RMN signatures, and the RMN contract has no configuration to tell",
                    hint: "only RMNRemote 1.6 verifies signatures; switch verification off for this source otherwise")
            ]
        }
        var wrong: [String] = []
        if rmn.version == 0 || rmn.homeDigest.isZero { wrong.append("RMNRemote.setConfig was never called") }
        let known = expected.guards.filter { node in rmn.signers.contains { $0.address == node.signer } }
        for node in expected.guards where !known.contains(where: { $0.signer == node.signer }) {
            wrong.append("guard \(node.name) (\(node.signer)) is no signer of the RMNRemote")
        }
        if UInt64(known.count) <= rmn.faulty {
            wrong.append("\(known.count) guards of \(rmn.signers.count) signers, \(rmn.faulty + 1) are needed")
        }
        return [
            .of(
                subject, "blessing", wrong,
                good: "\(known.count) guards, \(rmn.faulty + 1) signatures needed, configuration \(rmn.version)",
                hint: "list the keys of fSign + 1 RMN signers under guards")
        ]
    }

    // MARK: Tokens

    /// Both ends of each token on each lane. Tokens are no condition of a cluster: what is wrong here is a note.
    func tokens() -> [CheckResult] {
        var results: [CheckResult] = []
        for lane in expected.lanes {
            guard let from = facts[lane.from], let to = facts[lane.to],
                let source = expected.selector(of: lane.from, facts), let destination = expected.selector(of: lane.to, facts)
            else { continue }
            for token in from.tokens {
                guard let remote = token.remotes[destination], remote.isSupported else { continue }
                let wrong = differences(token, remote, from, to, source)
                let subject = "\(lane.from) -> \(lane.to)"
                let limits = remote.outbound.map { $0.isEnabled ? "limit \(DecimalText.format($0.capacity, decimals: Int(token.decimals ?? 0)))" : "no limit" }
                let pool = token.poolVersion ?? "pool \(token.pool)"
                results.append(
                    wrong.isEmpty
                        ? .good(subject, "token \(token.symbol)", [pool, limits].compactMap { $0 }.joined(separator: ", "))
                        : .note(
                            subject, "token \(token.symbol)", CheckResult.joined(wrong),
                            hint: "applyChainUpdates of the pool, setPool of the registry"))
            }
        }
        return results
    }

    private func differences(
        _ token: ChainFacts.Token, _ remote: ChainFacts.Token.Remote, _ from: ChainFacts, _ to: ChainFacts,
        _ source: ChainSelector
    ) -> [String] {
        var wrong: [String] = []
        if token.poolToken != token.address { wrong.append("the pool \(token.pool) is of another token") }
        if let router = token.poolRouter, router != from.address(.router) { wrong.append("the pool obeys Router \(router)") }
        guard let far = Address(word: remote.token) else {
            return wrong + ["the pool knows the remote token as \(Hex.encode(remote.token)), not as 32 bytes of an address"]
        }
        guard let other = to.token(far) else { return wrong + ["\(to.name) has no token \(far) in its registry"] }
        if other.pool.isZero { wrong.append("\(to.name) has no pool for \(far)") }
        let pools = remote.pools.compactMap { Address(word: $0) }
        if !other.pool.isZero, !pools.contains(other.pool) {
            wrong.append("the pool does not know the pool \(other.pool) of \(to.name)")
        }
        guard let back = other.remotes[source], back.isSupported else {
            return wrong + ["the pool on \(to.name) does not serve \(from.name)"]
        }
        if !back.pools.contains(where: { Address(word: $0) == token.pool }) {
            wrong.append("the pool on \(to.name) does not know the pool \(token.pool)")
        }
        return wrong
    }
}

extension Findings {
    /// The entry of one source at an OffRamp.
    package static func source(_ config: SourceChainConfig, onRamp: Address, router: Address) -> [String] {
        var wrong: [String] = []
        if !config.isEnabled { wrong.append("the source is not enabled at the OffRamp") }
        if config.onRampAddress != onRamp {
            let found = config.onRampAddress?.checksummed ?? Hex.encode(config.onRamp)
            wrong.append("the OffRamp takes OnRamp \(found), the cluster has \(onRamp)")
        }
        if config.router != router { wrong.append("the OffRamp delivers through Router \(config.router), not \(router)") }
        return wrong
    }
}
