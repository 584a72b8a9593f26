// Attestation by turn (`ReportingPlugin.attestsByTurn`): each report of an outcome has its own order of transmitters
// (12.2 of the off-chain specification); an oracle checks the signatures of others for the reports whose turn it is, and
// for none that the receivers already have. With N oracles that all send, this is an Nth of the checks.

extension Instance {
    /// Attests the reports whose turn has come; waits for the next turn, or for more lists.
    mutating func attestInTurn(_ sequenceNumber: UInt64) {
        guard var entry = attestation.entries[sequenceNumber], entry.certificate != nil, !entry.complete else { return }
        // The own list first: it needs no check.
        let order = [ownIndex] + entry.lists.indices.filter { $0 != ownIndex }
        var attested: [(index: Int, signatures: [AttributedSignature])] = []
        for (index, turn) in entry.turns.enumerated() {
            guard let turn, turn <= now else { continue }
            guard let signatures = signatures(of: index, sequenceNumber, &entry, order) else { break }
            entry.turns[index] = nil
            attested.append((index, signatures))
        }
        entry.complete = entry.turns.allSatisfy { $0 == nil }
        attestation.entries[sequenceNumber] = entry
        for item in attested {
            offer(entry.reports[item.index], ReportKey(sequenceNumber: sequenceNumber, index: item.index), item.signatures)
        }
        if let next = entry.turns.compactMap({ $0 }).filter({ $0 > now }).min() {
            if timers[.attestation(sequenceNumber)] != next { setTimer(.attestation(sequenceNumber), after: next - now) }
        }
    }

    /// F+1 valid signatures of one report, ascending by signer; nil while there are fewer. A list with one bad signature
    /// is not looked at again.
    private mutating func signatures(
        of index: Int, _ sequenceNumber: UInt64, _ entry: inout Attestation.Entry, _ order: [Int]
    ) -> [AttributedSignature]? {
        var found: [AttributedSignature] = []
        for oracle in order where found.count < configuration.oneHonest {
            guard let list = entry.lists[oracle], list.check != .invalid else { continue }
            let isOwn = oracle == ownIndex && list.signatures == entry.own
            let isValid =
                list.signatures.count == entry.digests.count
                && (isOwn
                    || crypto.attestation.verify(list.signatures[index], entry.digests[index].bytes, oracle: oracle))
            guard isValid else {
                entry.lists[oracle]?.check = .invalid
                refuse(.signatureListMismatch, from: oracle, "report signatures \(sequenceNumber)")
                continue
            }
            found.append(AttributedSignature(signer: oracle, signature: list.signatures[index]))
        }
        guard found.count == configuration.oneHonest else { return nil }
        return found.sorted { $0.signer < $1.signer }
    }

    /// The receivers have all reports of an outcome that are for them: those that wait for a turn need none.
    mutating func reportsDelivered(_ sequenceNumber: UInt64, _ count: Int) {
        guard plugin.attestsByTurn, var entry = attestation.entries[sequenceNumber], entry.certificate != nil,
            !entry.complete, count >= entry.isDelivered.count(where: { $0 })
        else { return }
        for index in entry.turns.indices where entry.isDelivered[index] { entry.turns[index] = nil }
        entry.complete = entry.turns.allSatisfy { $0 == nil }
        attestation.entries[sequenceNumber] = entry
        cancelTimer(.attestation(sequenceNumber))
    }
}
