// Which configurations of a DON a process serves, given what the Configurator says, what its own instances have agreed
// on, and what stood on disk (5.6). A value: the edge writes it down, then does what it says. The rules that keep prices
// flowing: nothing retires for a successor that was not seen alive, nothing is stopped before its successor publishes.

import Ethereum

/// Place of a log on its chain.
package struct LogPosition: Hashable, Comparable, Sendable {
    package let block: UInt64
    package let index: UInt64

    package init(block: UInt64, index: UInt64) {
        self.block = block
        self.index = index
    }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.block, left.index) < (right.block, right.index)
    }
}

package struct HandoverBook: Equatable, Sendable {
    /// Where the contract has a configuration.
    package enum Standing: UInt8, Sendable {
        /// The process's own file names it; the contract has not.
        case unregistered = 0
        case staging = 1
        case production = 2
        /// Its successor was promoted: it is to retire, and is needed until the successor publishes.
        case leaving = 3
        /// Served its time; never started again.
        case finished = 4
        /// Was staged for a predecessor that is in production no more: it can never begin.
        case void = 5
    }

    package struct Entry: Equatable, Sendable {
        package let configuration: RegisteredConfiguration
        package internal(set) var standing: Standing
        /// Of one that is leaving.
        package internal(set) var successor: Hash32?
        /// Of the last outcome that was seen here; nil before the first.
        package internal(set) var stage: LifeCycleStage?
        /// How far it came, signed by its oracles.
        package internal(set) var proof: AttestedRetirement?
        /// Since when nobody needs it; of this run of the process alone.
        var idleSince: UInt64?

        var digest: Hash32 { configuration.digest }
    }

    package enum Event: Equatable, Sendable {
        /// A finalized log. One that was taken before changes nothing.
        case log(ConfiguratorEvent, at: LogPosition)
        /// All finalized logs were taken.
        case current
        /// The configurations that this process has a file for and a place in.
        case served(Set<Hash32>)
        /// An instance of ours has agreed on an outcome of this stage; a gateway has a report of it.
        case outcome(Hash32, LifeCycleStage)
        case retired(Hash32, AttestedRetirement)
        /// Monotonic milliseconds.
        case tick(now: UInt64)
    }

    /// What people should know.
    package enum Note: Equatable, Sendable {
        case registered(Hash32, Standing)
        case promoted(Hash32, retires: Hash32)
        /// Promoted, and yet its predecessor is not what publishes: the one in production goes on.
        case cannotTakeOver(Hash32, from: Hash32)
        case finished(Hash32)
        /// A promotion of configurations that were registered before the logs that this process reads.
        case unknownPromotion(retired: Hash32)
    }

    /// One configuration that is to be served now.
    package struct Run: Equatable, Sendable {
        package let digest: Hash32
        package let predecessor: Hash32?
        /// Vote for retirement.
        package let shouldRetire: Bool
        /// Of the predecessor, once it is there.
        package let retirement: AttestedRetirement?
    }

    /// How long a retired configuration is served on after its successor has published: oracles that are a moment late
    /// still find it.
    package static let graceMilliseconds: UInt64 = 60_000
    /// The same for a process that has no place in the successor, and so cannot see it publish.
    package static let leaverGraceMilliseconds: UInt64 = 600_000
    /// Configurations that are remembered: nobody stages more of them within the time that reports are honoured.
    package static let entriesMaximum = 16

    package let donID: UInt32
    /// What the process's own file names.
    package let initial: Hash32
    package internal(set) var entries: [Entry]
    package internal(set) var production: Hash32?
    package internal(set) var staging: Hash32?
    package internal(set) var position: LogPosition?
    /// Every finalized log there was has been taken once: before that the file alone decides.
    package internal(set) var isCurrent = false
    package private(set) var served: Set<Hash32>

    package init(donID: UInt32, initial: RegisteredConfiguration) {
        self.donID = donID
        self.initial = initial.digest
        entries = [Entry(configuration: initial, standing: .unregistered)]
        served = [initial.digest]
    }

    init(donID: UInt32, initial: Hash32, entries: [Entry]) {
        self.donID = donID
        self.initial = initial
        self.entries = entries
        served = [initial]
    }

    package func entry(_ digest: Hash32) -> Entry? { entries.first { $0.digest == digest } }

    /// Takes one event. `isChanged`: what is on disk must be written again before anything else happens.
    package mutating func handle(_ event: Event) -> (isChanged: Bool, notes: [Note]) {
        let before = encoded
        var notes: [Note] = []
        switch event {
        case .log(let log, let at):
            guard position.map({ $0 < at }) ?? true else { break }
            position = at
            take(log, &notes)
        case .current: isCurrent = true
        case .served(let digests): served = digests
        case .outcome(let digest, let stage): change(digest) { $0.stage = stage }
        case .retired(let digest, let proof):
            change(digest) { if $0.proof == nil, $0.standing != .finished { $0.proof = proof } }
        case .tick(let now): tick(now, &notes)
        }
        return (encoded != before, notes)
    }

    private mutating func change(_ digest: Hash32, _ body: (inout Entry) -> Void) {
        if let index = entries.firstIndex(where: { $0.digest == digest }) { body(&entries[index]) }
    }

    // MARK: The chain

    private mutating func take(_ log: ConfiguratorEvent, _ notes: inout [Note]) {
        switch log {
        case .production(let configuration):
            for index in entries.indices where entries[index].digest != configuration.digest {
                switch entries[index].standing {
                case .unregistered: break
                case .staging, .void: entries[index].standing = .void
                case .production, .leaving, .finished: entries[index].standing = .finished
                }
            }
            register(configuration, .production)
            production = configuration.digest
            notes.append(.registered(configuration.digest, .production))
        case .staging(let configuration):
            // The contract forgets the staged one, which never published.
            if let old = staging, old != configuration.digest, let standing = entry(old)?.standing,
                standing == .staging || standing == .void
            {
                entries.removeAll { $0.digest == old }
            }
            // The contract takes none but the successor of its production configuration: this names one that was
            // registered before the logs that this process reads.
            if production == nil, let before = configuration.predecessor, entry(before)?.standing == .unregistered {
                change(before) { $0.standing = .production }
                production = before
            }
            register(configuration, configuration.predecessor == production ? .staging : .void)
            staging = configuration.digest
            notes.append(.registered(configuration.digest, entry(configuration.digest)?.standing ?? .staging))
        case .promoted(let retired): promote(retired, &notes)
        }
        bound()
    }

    private mutating func promote(_ retired: Hash32, _ notes: inout [Note]) {
        guard let promoted = staging, production == retired, let successor = entry(promoted) else {
            notes.append(.unknownPromotion(retired: retired))
            return
        }
        // The two change places, in the contract as well.
        (production, staging) = (promoted, retired)
        guard successor.standing == .staging, successor.configuration.predecessor == retired else {
            notes.append(.cannotTakeOver(promoted, from: retired))
            return
        }
        change(promoted) { $0.standing = .production }
        change(retired) { entry in
            guard entry.standing == .production else { return }
            (entry.standing, entry.successor) = (.leaving, promoted)
        }
        notes.append(.promoted(promoted, retires: retired))
    }

    private mutating func register(_ configuration: RegisteredConfiguration, _ standing: Standing) {
        guard let index = entries.firstIndex(where: { $0.digest == configuration.digest }) else {
            entries.append(Entry(configuration: configuration, standing: standing))
            return
        }
        // The digest binds everything else; only what the process's file named may stand here.
        assert(entries[index].standing == .unregistered, "a digest is registered once: it binds the count")
        var entry = Entry(configuration: configuration, standing: standing)
        entry.stage = entries[index].stage
        entries.remove(at: index)
        entries.append(entry)
    }

    private mutating func bound() {
        while entries.count > Self.entriesMaximum {
            let index =
                entries.firstIndex { [.finished, .void].contains($0.standing) }
                ?? entries.firstIndex { $0.standing == .leaving }
            guard let index else { return }
            entries.remove(at: index)
        }
    }

    // MARK: What is served

    /// In the order of registration.
    package var runs: [Run] {
        guard isCurrent, production != nil else {
            // Nothing is known of the chain yet, or nothing is registered there: the file decides.
            return entry(initial)?.standing == .finished ? [] : [run(initial)].compactMap { $0 }
        }
        return entries.filter { isServed($0) }.compactMap { run($0.digest) }
    }

    private func isServed(_ entry: Entry) -> Bool {
        switch entry.standing {
        case .staging, .production, .leaving: served.contains(entry.digest)
        case .unregistered, .finished, .void: false
        }
    }

    private func run(_ digest: Hash32) -> Run? {
        guard let entry = entry(digest) else { return nil }
        let predecessor = entry.configuration.predecessor
        return Run(
            digest: digest, predecessor: predecessor, shouldRetire: shouldRetire(entry),
            retirement: predecessor.flatMap { self.entry($0)?.proof })
    }

    /// Only for a successor that lives: one that has agreed on something here. Who has no place in it cannot know, and
    /// follows the owner.
    private func shouldRetire(_ entry: Entry) -> Bool {
        guard entry.standing == .leaving, let successor = entry.successor.flatMap({ self.entry($0) }) else { return false }
        return !served.contains(successor.digest) || successor.stage != nil
    }

    /// Whose reports may be believed, in the order of registration: also those of configurations that served their
    /// time, for as long as they are remembered.
    package var believed: [OracleSet] {
        entries.filter { $0.standing != .void }.compactMap { $0.configuration.oracleSet(donID: donID) }
    }

    /// Signers of a configuration, to check its retirement by.
    package func oracleSet(_ digest: Hash32) -> OracleSet? { entry(digest)?.configuration.oracleSet(donID: donID) }

    // MARK: The end of one

    private mutating func tick(_ now: UInt64, _ notes: inout [Note]) {
        for index in entries.indices where entries[index].standing == .leaving {
            guard let grace = grace(entries[index]) else {
                entries[index].idleSince = nil
                continue
            }
            let since = entries[index].idleSince ?? now
            entries[index].idleSince = since
            guard now >= since, now - since >= grace else { continue }
            entries[index].standing = .finished
            entries[index].proof = nil
            notes.append(.finished(entries[index].digest))
        }
    }

    /// How long one that is leaving must go on from when nobody needs it; nil while somebody may.
    private func grace(_ entry: Entry) -> UInt64? {
        guard served.contains(entry.digest) else { return 0 }
        guard let successor = entry.successor.flatMap({ self.entry($0) }) else { return 0 }
        if successor.standing == .finished { return 0 }
        // It was left behind long before this process came: the successor of its successor publishes, or will.
        if entry.stage == nil, successor.standing == .leaving { return 0 }
        if served.contains(successor.digest) {
            guard let stage = successor.stage, stage != .staging else { return nil }
            return Self.graceMilliseconds
        }
        return entry.stage == .retired ? Self.leaverGraceMilliseconds : nil
    }
}
