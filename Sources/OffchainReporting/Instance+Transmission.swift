// Transmission of attested reports (2.11 and 12.2 of the off-chain specification): accept, wait for this oracle's place
// in the order, ask again, hand over. Nothing is durable here: after a restart the others carry on.

struct Transmission: Sendable {
    enum Phase: Sendable { case askedAcceptance, waiting, askedTransmission }

    struct Pending: Sendable {
        let attested: AttestedReport
        var phase: Phase
    }

    var pending: [ReportKey: Pending] = [:]
    /// Keys in order of arrival: what is given up first when there are too many.
    var order: [ReportKey] = []

    mutating func remove(_ key: ReportKey) {
        pending[key] = nil
        order.removeAll { $0 == key }
    }
}

extension Instance {
    mutating func offer(_ attested: AttestedReport) {
        guard transmission.pending[attested.key] == nil else { return }
        if transmission.order.count >= Limits.pendingReportsMaximum, let oldest = transmission.order.first {
            cancelTimer(.transmission(oldest))
            transmission.remove(oldest)
            refuse(.reportGivenUp, from: nil, "\(oldest): too many reports wait for transmission")
        }
        transmission.pending[attested.key] = Transmission.Pending(attested: attested, phase: .askedAcceptance)
        transmission.order.append(attested.key)
        actions.append(.askAcceptance(attested.key, attested.report))
    }

    mutating func acceptanceAnswered(_ key: ReportKey, _ accepted: Bool) {
        guard let item = transmission.pending[key], item.phase == .askedAcceptance else {
            return refuse(.stalePluginResult, from: nil, "acceptance of \(key)")
        }
        // What is attested by turn has waited for its turn before.
        let turn = plugin.attestsByTurn ? 0 : configuration.transmissionDelay(key, hashing: crypto.hashing)
        guard accepted, let delay = turn else { return transmission.remove(key) }
        transmission.pending[key]?.phase = .waiting
        if delay == 0 {
            transmissionDue(key)
        } else {
            setTimer(.transmission(key), after: delay)
        }
    }

    mutating func transmissionDue(_ key: ReportKey) {
        guard let item = transmission.pending[key], item.phase == .waiting else { return }
        transmission.pending[key]?.phase = .askedTransmission
        actions.append(.askTransmission(key, item.attested.report))
    }

    mutating func transmissionAnswered(_ key: ReportKey, _ wanted: Bool) {
        guard let item = transmission.pending[key], item.phase == .askedTransmission else {
            return refuse(.stalePluginResult, from: nil, "transmission of \(key)")
        }
        transmission.remove(key)
        if wanted { actions.append(.transmit(item.attested)) }
    }
}
