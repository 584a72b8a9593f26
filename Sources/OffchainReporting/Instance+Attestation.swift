// Attestation (2.10 of the off-chain specification): report signatures, the window of sequence numbers that are kept,
// and fetching commit certificates that are missing.

struct Attestation: Sendable {
    struct List: Sendable {
        let signatures: [[UInt8]]
        var check = PooledVote.Check.unchecked
    }

    struct Entry: Sendable {
        var certificate: CertifiedCommit?
        var reports: [Report] = []
        var digests: [Digest] = []
        var own: [[UInt8]]?
        var lists: [List?]
        var complete = false
        /// Where the plugin attests by turn: when this oracle's turn comes for each report; nil when it never does, or
        /// has been.
        var turns: [Milliseconds?] = []
        /// Of each report: whether receivers may say that they have it.
        var isDelivered: [Bool] = []
        /// Bookkeeping of the search for the certificate, and of serving it.
        var asked: [Bool]
        var searchCycles = 0
        var served: [Int]

        init(count: Int) {
            lists = [List?](repeating: nil, count: count)
            asked = [Bool](repeating: false, count: count)
            served = [Int](repeating: 0, count: count)
        }
    }

    /// Only sequence numbers inside the window; read in sorted order.
    var entries: [UInt64: Entry] = [:]
    /// Highest sequence number reported by each oracle.
    var reported: [UInt64]
    /// The round this oracle cannot join yet: an outcome below it is missing.
    var behind: (target: UInt64, asked: [Bool])?
    /// The one outstanding request.
    var outstanding: (sequenceNumber: UInt64, peer: Int)?

    init(count: Int) {
        reported = [UInt64](repeating: 0, count: count)
    }
}

extension Instance {
    // MARK: Window

    /// Sequence numbers that are kept: around what F+1 oracles reported, at least around the own last commit.
    private var window: ClosedRange<UInt64> {
        let certain = attestation.reported.sorted(by: >)[configuration.oneHonest - 1]
        let high = max(certain, committedSequenceNumber)
        let round = max(configuration.timing.deltaRound, configuration.timing.deltaGrace, 1)
        let expiry = (60_000 / round + 1).clamped(to: Limits.attestationExpiryRounds)
        let lookahead = (30_000 / round + 1).clamped(to: Limits.attestationLookaheadRounds)
        return (high > expiry ? high - expiry : 1)...(high + lookahead)
    }

    private mutating func pruneAttestation() {
        let window = self.window
        let outside = attestation.entries.keys.filter { !window.contains($0) }.sorted()
        for key in outside { attestation.entries[key] = nil }
    }

    // MARK: Own reports

    /// A committed outcome is known: derive its reports, sign them, announce the list.
    mutating func attest(_ certificate: CertifiedCommit, resumed: Bool = false) {
        let sequenceNumber = certificate.sequenceNumber
        pruneAttestation()
        guard window.contains(sequenceNumber) else { return }
        var entry = attestation.entries[sequenceNumber] ?? Attestation.Entry(count: configuration.count)
        guard entry.certificate == nil else { return }
        entry.certificate = certificate
        entry.reports = reports(of: certificate)
        entry.digests = entry.reports.map {
            plugin.attestationDigest(
                of: $0, sequenceNumber: sequenceNumber, configurationDigest: configuration.digest)
        }
        let signatures = entry.digests.map { crypto.attestation.sign($0.bytes) }
        // One signature tells whether the key is that of the configured signer; a check costs more than a signature.
        let usable = zip(signatures, entry.digests).prefix(1).allSatisfy {
            crypto.attestation.verify($0, $1.bytes, oracle: ownIndex)
        }
        if usable { entry.own = signatures }
        if plugin.attestsByTurn {
            entry.isDelivered = entry.reports.map(plugin.isDelivered)
            entry.turns = entry.reports.indices.map { index in
                guard entry.isDelivered[index] else { return now }
                let key = ReportKey(sequenceNumber: sequenceNumber, index: index)
                return configuration.transmissionDelay(key, hashing: crypto.hashing).map { now + $0 }
            }
        }
        attestation.entries[sequenceNumber] = entry
        if usable {
            broadcast(
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: sequenceNumber, signatures: signatures, resent: resumed && !signatures.isEmpty))
            )
        } else {
            refuse(.ownSignatureRejected, from: nil, "the configured signer of oracle \(ownIndex) is not its key")
            alarm(.ownSignatureRejected)
        }
        attestFurther(sequenceNumber)
    }

    private mutating func reports(of certificate: CertifiedCommit) -> [Report] {
        do {
            let reports = try plugin.reports(
                sequenceNumber: certificate.sequenceNumber, outcome: certificate.outcome)
            guard reports.count <= configuration.sizes.reportsPerOutcome,
                reports.allSatisfy({ $0.bytes.count <= configuration.sizes.report })
            else {
                alarm(.pluginFailed(what: "\(reports.count) reports, one of them or their number is too large"))
                return []
            }
            return reports
        } catch {
            alarm(.pluginFailed(what: "reports of \(certificate.sequenceNumber): \(error)"))
            return []
        }
    }

    // MARK: Lists of peers

    mutating func reportSignatures(from: Int, _ message: ReportSignatures) {
        let sequenceNumber = message.sequenceNumber
        attestation.reported[from] = max(attestation.reported[from], sequenceNumber)
        pruneAttestation()
        guard window.contains(sequenceNumber) else {
            return refuse(.outsideWindow, from: from, "report signatures \(sequenceNumber) outside \(window)")
        }
        var entry = attestation.entries[sequenceNumber] ?? Attestation.Entry(count: configuration.count)
        if message.resent, from != ownIndex, let own = entry.own {
            let answer = ReportSignatures(sequenceNumber: sequenceNumber, signatures: own, resent: false)
            send(.reportSignatures(answer), to: from)
        }
        guard entry.lists[from] == nil else {
            return refuse(.duplicate, from: from, "report signatures \(sequenceNumber)")
        }
        entry.lists[from] = Attestation.List(signatures: message.signatures)
        attestation.entries[sequenceNumber] = entry
        if entry.certificate != nil {
            attestFurther(sequenceNumber)
        } else if isMissing(entry) {
            armCertificateRequest()
        }
    }

    private mutating func attestFurther(_ sequenceNumber: UInt64) {
        if plugin.attestsByTurn { attestInTurn(sequenceNumber) } else { completeIfAttested(sequenceNumber) }
    }

    /// With F+1 valid lists every report of the outcome is attested.
    private mutating func completeIfAttested(_ sequenceNumber: UInt64) {
        guard var entry = attestation.entries[sequenceNumber], entry.certificate != nil, !entry.complete,
            !entry.reports.isEmpty
        else { return }
        var valid: [Int] = []
        // The own list first: it needs no check.
        let order = [ownIndex] + entry.lists.indices.filter { $0 != ownIndex }
        for oracle in order where valid.count < configuration.oneHonest {
            guard var list = entry.lists[oracle] else { continue }
            if list.check == .unchecked {
                let isOwn = oracle == ownIndex && list.signatures == entry.own
                list.check = isOwn || verifies(list, of: oracle, entry) ? .valid : .invalid
                entry.lists[oracle] = list
                if list.check == .invalid {
                    refuse(.signatureListMismatch, from: oracle, "report signatures \(sequenceNumber)")
                }
            }
            if list.check == .valid { valid.append(oracle) }
        }
        valid.sort()
        entry.complete = valid.count == configuration.oneHonest
        attestation.entries[sequenceNumber] = entry
        guard entry.complete else { return }
        for (index, report) in entry.reports.enumerated() {
            let signatures = valid.compactMap { oracle in
                entry.lists[oracle].map { AttributedSignature(signer: oracle, signature: $0.signatures[index]) }
            }
            guard signatures.count == configuration.oneHonest else {
                impossible("an attested report without F+1 signatures")
            }
            offer(report, ReportKey(sequenceNumber: sequenceNumber, index: index), signatures)
        }
    }

    mutating func offer(_ report: Report, _ key: ReportKey, _ signatures: [AttributedSignature]) {
        offer(
            AttestedReport(
                key: key, configurationDigest: configuration.digest, report: report,
                signatures: plugin.transmitsSignatures ? signatures : []))
    }

    private func verifies(_ list: Attestation.List, of oracle: Int, _ entry: Attestation.Entry) -> Bool {
        guard list.signatures.count == entry.digests.count else { return false }
        return zip(list.signatures, entry.digests).allSatisfy {
            crypto.attestation.verify($0, $1.bytes, oracle: oracle)
        }
    }

    /// Fewer than F+1 lists may still be good.
    private func lacksLists(_ entry: Attestation.Entry) -> Bool {
        entry.lists.count { $0.map { $0.check != .invalid } ?? false } < configuration.oneHonest
    }

    /// Lists may have been lost: ask again for the newest incomplete ones.
    mutating func resendReportSignatures() {
        let incomplete = attestation.entries.keys.sorted(by: >).filter { key in
            guard let entry = attestation.entries[key] else { return false }
            return !entry.complete && !entry.reports.isEmpty && entry.own != nil && lacksLists(entry)
        }
        for sequenceNumber in incomplete.prefix(Limits.pooledSequenceNumbers) {
            guard let own = attestation.entries[sequenceNumber]?.own else { continue }
            rebroadcast(
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: sequenceNumber, signatures: own, resent: true)))
        }
    }

    // MARK: Missing certificates

    /// The leader works on a round that this oracle cannot join: the outcome before it is missing.
    mutating func noticeRound(_ sequenceNumber: UInt64) {
        guard sequenceNumber > committedSequenceNumber + 1 else { return }
        let target = sequenceNumber - 1
        guard target > (attestation.behind?.target ?? 0) else { return armCertificateRequest() }
        attestation.behind = (target, [Bool](repeating: false, count: configuration.count))
        armCertificateRequest()
    }

    /// F+1 oracles have reports of an outcome that this one does not know.
    private func isMissing(_ entry: Attestation.Entry) -> Bool {
        guard entry.certificate == nil, entry.searchCycles < Limits.certificateServesPerPeer else { return false }
        let reporters = entry.lists.reduce(0) { $0 + (($1?.signatures.isEmpty ?? true) ? 0 : 1) }
        return reporters >= configuration.oneHonest
    }

    private mutating func armCertificateRequest() {
        guard timers[.certificateRequest] == nil else { return }
        setTimer(.certificateRequest, after: configuration.timing.deltaCertifiedCommitRequest)
    }

    /// Asks one peer, in index order after the own index; one request at a time, the next after the interval (12.2).
    mutating func requestMissingCertificate() {
        attestation.outstanding = nil
        if let behind = attestation.behind {
            if behind.target <= committedSequenceNumber {
                attestation.behind = nil
            } else if let peer = nextPeer(notIn: behind.asked) {
                attestation.behind?.asked[peer] = true
                return request(behind.target, from: peer)
            } else {
                // Everybody was asked; the leader's next repetition starts over.
                attestation.behind = nil
            }
        }
        for sequenceNumber in attestation.entries.keys.sorted() {
            guard let entry = attestation.entries[sequenceNumber], isMissing(entry) else { continue }
            let excluded = entry.asked.indices.map { entry.asked[$0] || (entry.lists[$0]?.signatures.isEmpty ?? true) }
            guard let peer = nextPeer(notIn: excluded) else {
                attestation.entries[sequenceNumber]?.searchCycles += 1
                attestation.entries[sequenceNumber]?.asked = entry.asked.map { _ in false }
                return armCertificateRequest()
            }
            attestation.entries[sequenceNumber]?.asked[peer] = true
            return request(sequenceNumber, from: peer)
        }
    }

    private func nextPeer(notIn excluded: [Bool]) -> Int? {
        (1..<configuration.count).map { (ownIndex + $0) % configuration.count }.first { !excluded[$0] }
    }

    private mutating func request(_ sequenceNumber: UInt64, from peer: Int) {
        attestation.outstanding = (sequenceNumber, peer)
        send(.certifiedCommitRequest(sequenceNumber: sequenceNumber), to: peer)
        armCertificateRequest()
    }

    /// Serves the certificate asked for or, to one who is further behind, the last one.
    mutating func certifiedCommitRequest(from: Int, _ sequenceNumber: UInt64) {
        var served = sequenceNumber
        if attestation.entries[served]?.certificate == nil, served < committedSequenceNumber {
            served = committedSequenceNumber
        }
        guard from != ownIndex, let entry = attestation.entries[served], let certificate = entry.certificate else {
            return refuse(.outsideWindow, from: from, "certificate \(sequenceNumber) is not held")
        }
        guard entry.served[from] < Limits.certificateServesPerPeer else {
            return refuse(.servedEnough, from: from, "certificate \(served)")
        }
        attestation.entries[served]?.served[from] += 1
        send(.certifiedCommit(certificate), to: from)
    }

    mutating func certifiedCommit(from: Int, _ certificate: CertifiedCommit) {
        guard let outstanding = attestation.outstanding, outstanding.peer == from,
            certificate.sequenceNumber >= outstanding.sequenceNumber
        else { return refuse(.unsolicited, from: from, "certificate \(certificate.sequenceNumber)") }
        attestation.outstanding = nil
        guard statements.verifies(certificate) else {
            return refuse(.badCertificate, from: from, "certificate \(certificate.sequenceNumber)")
        }
        checkOwnSignature(in: .commit(certificate))
        if certificate.sequenceNumber > committedSequenceNumber {
            catchUp(certificate)
        } else {
            attest(certificate)
        }
    }
}

extension UInt64 {
    fileprivate func clamped(to range: ClosedRange<UInt64>) -> UInt64 {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
