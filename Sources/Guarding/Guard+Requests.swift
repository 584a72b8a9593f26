// Requests for signatures: what is checked before a root is signed, and in which order. Everything here may only refuse.

import CCIP
import Ethereum

extension Guard {
    /// Bounds first: a relayer that floods is not answered.
    mutating func take(
        _ request: SignatureRequest, from relayer: RelayerIndex, now: GuardTime, _ actions: inout [GuardAction]
    ) {
        guard rates.indices.contains(relayer) else { return tallies.throttled += 1 }
        if rates[relayer].second != now / 1_000 { rates[relayer] = RateWindow(second: now / 1_000) }
        rates[relayer].count += 1
        let destinations = configuration.destinations.count
        guard rates[relayer].count <= Limits.requestsPerSecondMaximum * destinations else { return tallies.throttled += 1 }
        tallies.requests += 1
        if let refusal = outright(request) { return refuse(request, relayer, refusal.0, refusal.1, &actions) }
        let item = PendingRequest(request: request, relayer: relayer, since: now)
        early.removeAll { $0.isSame(as: item) }
        if let index = pending.firstIndex(where: { $0.isSame(as: item) }) {
            // Asked again: it wants to hear something.
            pending[index].isAnswered = false
            return
        }
        guard pending.count(where: { $0.relayer == relayer }) < Limits.pendingPerRelayerMaximum * destinations else {
            return tallies.throttled += 1
        }
        if let view = views[request.destination], view.at <= now, now - view.at <= Limits.viewAgeMillisecondsMaximum {
            return judge(item, view.facts, &actions)
        }
        look(item, &actions)
    }

    private mutating func look(_ item: PendingRequest, _ actions: inout [GuardAction]) {
        let isAsked = pending.contains { $0.request.destination == item.request.destination }
        pending.append(item)
        if !isAsked { actions.append(.read(item.request.destination)) }
    }

    /// Messages have become final: who came too early for them is judged again.
    mutating func lookAgain(_ source: ChainSelector, now: GuardTime, _ actions: inout [GuardAction]) {
        let items = early
        early = []
        for item in items where now < item.since + Limits.earlyMillisecondsMaximum {
            if item.request.updates.contains(where: { $0.source == source }) {
                look(item, &actions)
            } else {
                early.append(item)
            }
        }
    }

    private mutating func keepEarly(_ item: PendingRequest) {
        let most = Limits.pendingPerRelayerMaximum * configuration.destinations.count
        guard early.count(where: { $0.relayer == item.relayer }) < most else { return }
        var item = item
        item.isAnswered = true
        early.append(item)
    }

    /// What the configuration alone shows to be wrong.
    private func outright(_ request: SignatureRequest) -> (RefusalCode, String)? {
        guard let destination = configuration.destinations[request.destination] else {
            return (.config, "destination \(request.destination) is not guarded here")
        }
        guard request.chainID == destination.chainID else {
            return (.config, "chain id \(request.chainID), guarded is \(destination.chainID)")
        }
        guard request.offRamp == destination.offRamp else {
            return (.config, "off-ramp \(request.offRamp), guarded is \(destination.offRamp)")
        }
        guard (1...Limits.updatesMaximum).contains(request.updates.count) else {
            return (.config, "\(request.updates.count) roots, 1 to \(Limits.updatesMaximum) are signed together")
        }
        guard zip(request.updates, request.updates.dropFirst()).allSatisfy({ $0.source < $1.source }) else {
            return (.config, "the roots do not ascend by source")
        }
        return nil
    }

    /// The view of a destination is fresh: every request that waits for it is judged.
    mutating func take(_ facts: DestinationFacts, now: GuardTime, _ actions: inout [GuardAction]) {
        guard configuration.destinations[facts.destination] != nil else { return }
        views[facts.destination] = (facts, now)
        for item in takePending(facts.destination) { judge(item, facts, &actions) }
    }

    /// Requests are answered with a wait: silence of an endpoint is no reason to refuse, and none to sign.
    mutating func answerSilence(of destination: ChainSelector, _ reason: String, _ actions: inout [GuardAction]) {
        views[destination] = nil
        for item in takePending(destination) {
            defer { keepEarly(item) }
            guard !item.isAnswered else { continue }
            tallies.waits += 1
            let waits = item.request.updates.map { update in
                LaneWait(
                    source: update.source,
                    finalizedThrough: finalizedThrough(GuardLane(source: update.source, destination: destination)),
                    reason: "the destination is not readable: \(reason)")
            }
            actions.append(.answer(requestID: item.request.id, to: item.relayer, .waits(waits)))
        }
    }

    private mutating func takePending(_ destination: ChainSelector) -> [PendingRequest] {
        let taken = pending.filter { $0.request.destination == destination }
        pending.removeAll { $0.request.destination == destination }
        return taken
    }

    private mutating func refuse(
        _ request: SignatureRequest, _ relayer: RelayerIndex, _ code: RefusalCode, _ detail: String,
        _ actions: inout [GuardAction]
    ) {
        tallies.refused[code, default: 0] += 1
        actions.append(.answer(requestID: request.id, to: relayer, .refusedAll(code, detail)))
    }

    // MARK: Judging

    private enum Verdict {
        case good([GuardRecord])
        case wait(LaneWait)
        case refused(LaneRefusal)
    }

    private mutating func judge(_ item: PendingRequest, _ facts: DestinationFacts, _ actions: inout [GuardAction]) {
        let request = item.request
        if let why = configurationDiffers(request, facts) {
            return refuse(request, item.relayer, .config, why, &actions)
        }
        var records: [GuardRecord] = []
        var waits: [LaneWait] = []
        var refusals: [LaneRefusal] = []
        for update in request.updates {
            switch verdict(update, facts, &actions) {
            case .good(let found): records += found
            case .wait(let wait): waits.append(wait)
            case .refused(let refusal): refusals.append(refusal)
            }
        }
        guard refusals.isEmpty else {
            for refusal in refusals { tallies.refused[refusal.code, default: 0] += 1 }
            return actions.append(.answer(requestID: request.id, to: item.relayer, .refused(refusals)))
        }
        guard waits.isEmpty else {
            keepEarly(item)
            guard !item.isAnswered else { return }
            tallies.waits += 1
            return actions.append(.answer(requestID: request.id, to: item.relayer, .waits(waits)))
        }
        sign(item, facts, records, &actions)
    }

    private func configurationDiffers(_ request: SignatureRequest, _ facts: DestinationFacts) -> String? {
        if facts.homeDigest.isZero || facts.configVersion == 0 { return "the RMNRemote has no configuration" }
        if request.rmnRemote != facts.rmnRemote {
            return "RMNRemote \(request.rmnRemote), the OffRamp asks \(facts.rmnRemote)"
        }
        if request.homeDigest != facts.homeDigest || request.configVersion != facts.configVersion {
            return "configuration \(request.configVersion), on chain is \(facts.configVersion)"
        }
        guard facts.signers.contains(configuration.signer) else {
            return "this guard (\(configuration.signer)) is no signer of configuration \(facts.configVersion)"
        }
        return nil
    }

    private mutating func verdict(
        _ update: MerkleRoot, _ facts: DestinationFacts, _ actions: inout [GuardAction]
    ) -> Verdict {
        let lane = GuardLane(source: update.source, destination: facts.destination)
        func refused(_ code: RefusalCode, _ detail: String) -> Verdict {
            .refused(LaneRefusal(source: update.source, code: code, detail: detail))
        }
        guard configuration.watches(lane), let source = configuration.sources[lane.source] else {
            return refused(.unknownLane, "lane \(lane) is not guarded here")
        }
        if let stop = stop(of: lane) { return refused(.stopped, "\(stop.kind.rawValue): \(stop.reason)") }
        if facts.isCursed(lane.source) || facts.isCursed(lane.destination) {
            return refused(.cursed, "cursed on the destination at block \(facts.block)")
        }
        guard let onChain = facts.sources[lane.source] else { return refused(.config, "the OffRamp was not read") }
        guard onChain.isEnabled, onChain.requiresBlessing else {
            return refused(.config, onChain.isEnabled ? "the lane takes no blessed roots" : "the lane is disabled")
        }
        guard onChain.onRamp == source.onRamp.abiWord, update.onRamp == onChain.onRamp else {
            return refused(.config, "on-ramp \(Hex.encode(update.onRamp)), guarded is \(source.onRamp)")
        }
        guard let range = update.range, UInt64(range.count) <= Limits.rootMessagesMaximum else {
            return refused(.interval, "\(update.first)...\(update.last) is no interval of 1 to 256 messages")
        }
        guard range.first.rawValue == onChain.nextNumber else {
            return refused(.interval, "the interval begins at \(range.first), the OffRamp expects \(onChain.nextNumber)")
        }
        return verdict(update, range, lane, &actions)
    }

    /// The content: own leaves, own root, nothing signed otherwise before, no limit passed.
    private mutating func verdict(
        _ update: MerkleRoot, _ range: SequenceRange, _ lane: GuardLane, _ actions: inout [GuardAction]
    ) -> Verdict {
        let book = books[lane] ?? LaneBook()
        func refused(_ code: RefusalCode, _ detail: String) -> Verdict {
            .refused(LaneRefusal(source: update.source, code: code, detail: detail))
        }
        guard let messages = book.messages(range) else {
            let reason =
                isCaughtUp(lane.source)
                ? "messages up to \(range.last) are not final here" : "the source is still being read"
            return .wait(LaneWait(source: update.source, finalizedThrough: book.last, reason: reason))
        }
        assert(messages.count == range.count && messages.first?.number == range.first.rawValue)
        let root = DerivedMessage.root(of: messages.map(\.leaf))
        guard root == update.root else {
            return refused(.rootMismatch, "own root over \(range) is \(root.map { "\($0)" } ?? "none")")
        }
        let records = messages.map { GuardRecord(lane: lane, number: $0.number, leaf: $0.leaf) }
        if let other = records.first(where: { !book.maySign($0) }) {
            stop(lane, .signedOtherwise, "another leaf was signed for number \(other.number)", &actions)
            return refused(.stopped, "another leaf was signed for number \(other.number)")
        }
        if let why = overLimit(messages, lane) {
            // Not a stop: the operator raises the limit, and the lane goes on.
            tallies.anomalies[.valueLimit, default: 0] += 1
            if limitsTold[lane] != why {
                limitsTold[lane] = why
                actions.append(.alarm(Anomaly(kind: .valueLimit, lane: lane, detail: why)))
            }
            return refused(.stopped, why)
        }
        return .good(records)
    }

    /// Which limit these messages pass; nil when none.
    private func overLimit(_ messages: [DerivedMessage], _ lane: GuardLane) -> String? {
        for limit in configuration.limits where limit.source == lane.source {
            var total = U256.zero
            for message in messages {
                for amount in message.amounts where amount.pool == limit.pool {
                    guard amount.amount <= limit.perMessage else {
                        return "message \(message.number) moves \(amount.amount.decimal) of pool \(limit.pool), "
                            + "at most \(limit.perMessage.decimal) are allowed"
                    }
                    let (sum, overflow) = total.addingReportingOverflow(amount.amount)
                    total = overflow ? .max : sum
                }
            }
            guard total <= limit.perRoot else {
                return "the root moves \(total.decimal) of pool \(limit.pool), at most \(limit.perRoot.decimal) are allowed"
            }
        }
        return nil
    }

    // MARK: Signing

    /// Records that are new go to the disk first (G1).
    private mutating func sign(
        _ item: PendingRequest, _ facts: DestinationFacts, _ records: [GuardRecord], _ actions: inout [GuardAction]
    ) {
        precondition(!records.isEmpty, "a request without messages was refused before")
        let fresh = records.filter { books[$0.lane]?.isSigned($0) == false }
        for record in fresh { books[record.lane]?.sign(record) }
        if !fresh.isEmpty { actions.append(.record(fresh)) }
        tallies.signed += 1
        let digest = RMNReportDigest(
            destinationChainID: U256(item.request.chainID), destination: facts.destination, rmnRemote: facts.rmnRemote,
            offRamp: item.request.offRamp, rmnHomeDigest: facts.homeDigest, roots: item.request.updates)
        actions.append(.sign(requestID: item.request.id, to: item.relayer, digest: digest))
    }
}
