// One gateway: takes reports from every oracle, checks each once, publishes it once and in order, and keeps it. It holds
// no signing key: what it gives out is proven by the oracles' signatures alone.

import Configuration
import Dispatch
import Ethereum
import Foundation
import Logging
import MessageBus
import PriceStreams
import Storage
import Synchronization

/// A report as it goes to subscribers of every kind.
package struct PublishedReport: Sendable {
    package let verified: VerifiedReport
    /// The full report.
    package let encoded: Bytes
    package let flags: StreamFlags
    package let observationsTimestampNanoseconds: UInt64
    /// When it came in, and when it was handed to the publisher; nanoseconds since 1970.
    package let receivedAt: UInt64
    package let publishedAt: UInt64

    package var feedID: FeedID { verified.report.feedID }
}

package final class GatewayNode: Sendable {
    /// What became of what came in; all counts from the start of the process.
    package struct Counts: Sendable, Equatable {
        package var batches: UInt64 = 0
        package var malformedBatches: UInt64 = 0
        package var droppedBatches: UInt64 = 0
        package var published: UInt64 = 0
        package var late: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var withheld: UInt64 = 0
        package var equivocations: UInt64 = 0
        package var holes: UInt64 = 0
        package var refused: [String: UInt64] = [:]
        /// Reports that did not reach the history: the disk was too slow.
        package var unstored: UInt64 = 0
        package var stored: UInt64 = 0
    }

    private struct State {
        var book: IngressBook
        var tally = DeliveryTally()
        var counts = Counts()
        var latest: [FeedID: PublishedReport] = [:]
        var unstored: [ReportRow] = []
        /// The rounds of those, in the same order.
        var unstoredRounds: [(digest: Hash32, sequenceNumber: UInt64)] = []
        var queuedBatches = 0
        /// The last reports of each oracle, by the clock of this machine.
        var heard: [UInt64]
    }

    package let settings: GatewaySettings
    package let store: ReportStore
    package let publisher: FanOutPublisher<FrameSource>
    package let mesh: PeerMesh
    private let configurations: GatewayConfigurations
    private let failure = FailureBell()
    private let state: Mutex<State>
    private let ingress = DispatchQueue(label: "causeway.streams.ingress", qos: .userInteractive)
    private let logger: Logger
    /// Called for each published report, in order, on the ingress queue: hand over and return.
    private let listeners = Mutex<[@Sendable (PublishedReport) -> Void]>([])
    /// Called between reports when a feed is withheld or released.
    private let withholding = Mutex<[@Sendable (FeedID, Bool) -> Void]>([])

    /// Opens everything that can fail because of a file, a key or a port.
    package init(settings: GatewaySettings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let streams = settings.process.streams
        let keys = try StreamsKeyFile.gateway(settings)
        let now = Self.now()
        let watches = streams.feeds.map { WatchedFeed(feedID: $0.feedID, staleAfter: $0.staleAfter, hours: $0.hours) }
        state = Mutex(
            State(
                book: IngressBook(watches, patience: streams.reportPatienceMilliseconds * 1_000_000, now: now),
                heard: [UInt64](repeating: 0, count: streams.oracles.count)))
        try SettingsFile.makeDirectory(settings.process.dataDirectory)
        configurations = try GatewayConfigurations(
            settings: settings, keys: keys, logger: logger, onFailure: { [failure] in failure.ring($0) })
        store = try ReportStore(
            path: "\(settings.process.dataDirectory)/reports.sqlite", role: settings.process.name, logger: logger)
        var configuration = FanOutPublisherConfiguration(feed: settings.feed, requests: settings.requests)
        if !settings.isPlaintext { configuration.security = .curve(keys, admitted: settings.subscribers) }
        publisher = try FanOutPublisher(configuration: configuration, logger: logger) { FrameSource(bootID: now) }
        mesh = try PeerMesh(
            configuration: PeerMeshConfiguration(
                streams: streams, ownIndex: streams.oracles.count + settings.ownIndex, keyPair: keys), logger: logger)
    }

    package func onPublished(_ listener: @escaping @Sendable (PublishedReport) -> Void) {
        listeners.withLock { $0.append(listener) }
    }

    package func onWithheld(_ listener: @escaping @Sendable (FeedID, Bool) -> Void) {
        withholding.withLock { $0.append(listener) }
    }

    /// Publishes nothing of these feeds from now on, and everything of all others; returns when it is so. Subscribers are
    /// told between the last report before and the first one after.
    package func withhold(_ feeds: Set<FeedID>) {
        ingress.sync {
            let before = state.withLock { state in
                let before = state.book.withheld
                state.book.withhold(feeds, now: Self.now())
                for feedID in feeds { state.latest[feedID] = nil }
                return before
            }
            for (feedID, isWithheld) in before.subtracting(feeds).sorted().map({ ($0, false) })
                + feeds.subtracting(before).sorted().map({ ($0, true) })
            {
                publisher.publish(.withheld(feedID, isWithheld))
                for listener in withholding.withLock({ $0 }) { listener(feedID, isWithheld) }
            }
        }
    }

    package var withheldFeeds: Set<FeedID> { state.withLock { $0.book.withheld } }

    package var counts: Counts { state.withLock { $0.counts } }
    package func latest(of feedID: FeedID) -> PublishedReport? { state.withLock { $0.latest[feedID] } }
    package var staleFeeds: [FeedID] { state.withLock { $0.book.staleFeeds } }

    /// Wall clock in nanoseconds.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Until the task is cancelled, or the store fails.
    package func run() async throws {
        let oracles = settings.process.streams.oracles.count
        try mesh.start { [weak self] messages in self?.receive(messages, oracles: oracles) }
        askForHistory()
        defer { stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in try await keepHistory() }
            group.addTask { [self] in try await watch() }
            group.addTask { [self] in try await releaseDue() }
            group.addTask { [self] in try await forget() }
            if settings.process.watch != nil {
                group.addTask { [configurations] in
                    await configurations.run { [weak self] messages, oracles in
                        self?.receive(messages, oracles: oracles)
                    }
                }
            }
            group.addTask { [failure] in
                guard let reason = await failure.wait() else { return }
                throw StreamsNodeError(.stopped, reason, hint: "free the disk, or restore the store")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func stop() {
        configurations.stop()
        mesh.stop()
        ingress.sync {}
        publisher.stop()
        try? writeHistory()
        try? store.close()
    }

    // MARK: In

    /// - Parameter oracles: of the configuration whose mesh they came through.
    private func receive(_ messages: [InboundMessage], oracles: Int) {
        for message in messages {
            switch message.channel {
            case ReportBatch.channel: enqueue(message.payload, from: message.peer)
            case HistoryRequest.channel where message.peer >= oracles: answerHistory(message)
            default: state.withLock { $0.counts.malformedBatches += 1 }
            }
        }
    }

    private func enqueue(_ payload: Bytes, from peer: Int) {
        let isTaken = state.withLock { state in
            state.counts.batches += 1
            guard state.queuedBatches < Limits.batchesQueuedMaximum * Limits.oraclesMaximum else {
                state.counts.droppedBatches += 1
                return false
            }
            state.queuedBatches += 1
            return true
        }
        guard isTaken else { return }
        let receivedAt = Self.now()
        ingress.async { [self] in
            state.withLock { state in
                state.queuedBatches -= 1
                if state.heard.indices.contains(peer) { state.heard[peer] = receivedAt }
            }
            take(payload, receivedAt: receivedAt)
        }
    }

    /// Takes a batch: also the way in for tests and for reports from elsewhere.
    package func take(_ payload: Bytes, receivedAt: UInt64) {
        guard let batch = ReportBatch(encoded: payload) else {
            state.withLock { $0.counts.malformedBatches += 1 }
            return
        }
        var fresh: [(item: ReportBatch.Item, full: FullReport)] = []
        fresh.reserveCapacity(Limits.verifiedTogether)
        for item in batch.items {
            guard let full = news(item) else { continue }
            fresh.append((item, full))
            guard fresh.count == Limits.verifiedTogether else { continue }
            take(fresh, receivedAt: receivedAt)
            fresh.removeAll(keepingCapacity: true)
        }
        take(fresh, receivedAt: receivedAt)
    }

    /// What an oracle sends that stood in for another may be here already: known by its name, before its signatures are
    /// looked at.
    private func news(_ item: ReportBatch.Item) -> FullReport? {
        let full: FullReport
        do { full = try FullReport(encoded: item.fullReport) } catch {
            refuse(.malformed(error))
            return nil
        }
        guard let feedID = FeedID(bytes: full.blob.prefix(32)) else { return full }
        let isKnown = state.withLock { state in
            guard
                state.book.knows(
                    feedID, digest: full.context.configurationDigest, sequenceNumber: full.context.sequenceNumber)
            else { return false }
            state.counts.duplicates += 1
            return true
        }
        return isKnown ? nil : full
    }

    /// Signatures cost more than all the rest: they are checked on all cores, and taken in order.
    private func take(_ fresh: [(item: ReportBatch.Item, full: FullReport)], receivedAt: UInt64) {
        var good: [(verified: VerifiedReport, item: ReportBatch.Item)] = []
        good.reserveCapacity(fresh.count)
        for (position, result) in verify(fresh.map(\.full)).enumerated() {
            switch result {
            case .success(let verified): good.append((verified, fresh[position].item))
            case .failure(let refusal): refuse(refusal)
            }
        }
        admit(good, receivedAt: receivedAt)
    }

    private func verify(_ reports: [FullReport]) -> [Result<VerifiedReport, VerificationRefusal>] {
        let known = configurations.verifier
        @Sendable func verdict(_ report: FullReport) -> Result<VerifiedReport, VerificationRefusal> {
            do { return .success(try known.verify(report)) } catch { return .failure(error) }
        }
        guard reports.count > 1 else { return reports.map(verdict) }
        return [Result<VerifiedReport, VerificationRefusal>](unsafeUninitializedCapacity: reports.count) { buffer, count in
            nonisolated(unsafe) let results = buffer
            DispatchQueue.concurrentPerform(iterations: reports.count) { index in
                results.initializeElement(at: index, to: verdict(reports[index]))
            }
            count = reports.count
        }
    }

    private func refuse(_ refusal: VerificationRefusal) {
        let isFirst = state.withLock { state in
            state.counts.refused[refusal.code, default: 0] += 1
            return state.counts.refused[refusal.code] == 1
        }
        logger.log(level: isFirst ? .warning : .debug, "report refused", metadata: ["refusal": "\(refusal)"])
    }

    private func admit(_ good: [(verified: VerifiedReport, item: ReportBatch.Item)], receivedAt: UInt64) {
        let now = Self.now()
        for report in good { configurations.heard(report.verified.configurationDigest) }
        let (published, notes, contradictions) = state.withLock { state in
            var published: [Published] = []
            var notes: [IngressBook.Note] = []
            var contradictions: [(verified: VerifiedReport, first: Bytes)] = []
            for (verified, item) in good {
                let admission = state.book.admit(
                    verified, encoded: item.fullReport, label: item.observationsTimestampNanoseconds,
                    receivedAt: receivedAt, now: now)
                switch admission.verdict {
                case .taken: Self.remember(verified, item, receivedAt, &state)
                case .late:
                    state.counts.late += 1
                    Self.remember(verified, item, receivedAt, &state)
                case .duplicate: state.counts.duplicates += 1
                case .withheld: state.counts.withheld += 1
                case .equivocation(let first):
                    state.counts.equivocations += 1
                    contradictions.append((verified, first))
                }
                published += Self.publish(admission.released, admission.notes, now, &state)
                notes += admission.notes
            }
            return (published, notes, contradictions)
        }
        handOver(published)
        for (verified, first) in contradictions {
            logger.critical(
                "two signed reports of one time", metadata: [
                    "feed": "\(verified.report.feedID)", "first": "\(Hex.encode(first))",
                    "second": "\(Hex.encode(verified.fullReport.blob))",
                ])
        }
        tell(notes)
    }

    private typealias Published = (report: PublishableReport, record: PublishedReport)

    private static func publish(
        _ released: [IngressBook.Release], _ notes: [IngressBook.Note], _ now: UInt64, _ state: inout State
    ) -> [Published] {
        state.counts.published += UInt64(released.count)
        state.counts.holes += UInt64(notes.count { if case .hole = $0 { true } else { false } })
        return released.map { item in
            let record = PublishedReport(
                verified: item.verified, encoded: item.report.payload, flags: item.report.flags,
                observationsTimestampNanoseconds: item.report.observationsTimestampNanoseconds,
                receivedAt: item.receivedAt, publishedAt: now)
            state.latest[item.report.feedID] = record
            return (item.report, record)
        }
    }

    /// On the ingress queue, so that all see one order.
    private func handOver(_ published: [Published]) {
        guard !published.isEmpty else { return }
        publisher.publish(contentsOf: published.map { .report($0.report) })
        for listener in listeners.withLock({ $0 }) {
            for item in published { listener(item.record) }
        }
    }

    /// Reports that waited in vain for the one before them.
    private func releaseDue() async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.releaseMilliseconds))
            guard state.withLock({ $0.book.hasWaiting }) else { continue }
            ingress.async { [self] in
                let now = Self.now()
                let (published, notes) = state.withLock { state in
                    let (released, notes) = state.book.releaseDue(now: now)
                    return (Self.publish(released, notes, now, &state), notes)
                }
                handOver(published)
                tell(notes)
            }
        }
    }

    /// Tells the oracles of each configuration what is here and on disk, so that they need not send it as well.
    private func acknowledge() {
        for receipt in state.withLock({ $0.tally.news() }) {
            let own = settings.process.streams
            let initial = configurations.isInitial(receipt.digest) ? (mesh, own.oracles.count) : nil
            guard let (link, oracles) = initial ?? configurations.mesh(of: receipt.digest) else { continue }
            for oracle in 0..<oracles {
                _ = link.send(to: oracle, channel: DeliveryReceipt.channel, payload: receipt.encoded)
            }
        }
    }

    private static func remember(
        _ verified: VerifiedReport, _ item: ReportBatch.Item, _ receivedAt: UInt64, _ state: inout State
    ) {
        guard state.unstored.count < Limits.unstoredReportsMaximum else {
            state.counts.unstored += 1
            return
        }
        let header = verified.report.header
        let perSecond = 1_000_000_000 / verified.report.schema.headerUnit.nanoseconds
        state.unstored.append(
            ReportRow(
                feed: header.feedID.bytes, observed: verified.report.observationsNanoseconds,
                validFrom: header.validFrom, observations: header.observations,
                firstSecond: header.validFrom / perSecond, sequence: verified.fullReport.context.sequenceNumber,
                received: receivedAt / 1_000_000, payload: item.fullReport))
        let context = verified.fullReport.context
        state.unstoredRounds.append((context.configurationDigest, context.sequenceNumber))
    }

    private func tell(_ notes: [IngressBook.Note]) {
        for note in notes {
            switch note {
            case .hole(let feed, let after, let until):
                logger.warning("no report covers a time", metadata: [
                    "feed": "\(name(feed))", "after": "\(after)", "until": "\(until)",
                ])
            case .stale(let feed, let nanoseconds):
                logger.warning("feed is stale", metadata: [
                    "feed": "\(name(feed))", "milliseconds": "\(nanoseconds / 1_000_000)",
                ])
            case .recovered(let feed): logger.notice("feed recovered", metadata: ["feed": "\(name(feed))"])
            }
        }
    }

    private func name(_ feedID: FeedID) -> String {
        settings.process.streams.feed(feedID).map { "\($0.symbol) \($0.schema)" } ?? "\(feedID)"
    }

    // MARK: History

    private func keepHistory() async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.storeMilliseconds))
            try writeHistory()
        }
    }

    private func writeHistory() throws {
        let (rows, rounds) = state.withLock { state in
            defer { (state.unstored, state.unstoredRounds) = ([], []) }
            return (state.unstored, state.unstoredRounds)
        }
        guard !rows.isEmpty else { return }
        let standing = try store.keep(rows)
        state.withLock { state in
            for round in rounds { state.tally.add(digest: round.digest, sequenceNumber: round.sequenceNumber) }
        }
        acknowledge()
        let contradicted = zip(rows, standing).filter { row, stood in
            guard let stood, stood != row.payload else { return false }
            return Self.blob(stood) != Self.blob(row.payload)
        }
        state.withLock { state in
            state.counts.stored += UInt64(standing.count { $0 == nil })
            state.counts.equivocations += UInt64(contradicted.count)
        }
        for (row, stood) in contradicted {
            logger.critical("history holds another report of one time", metadata: [
                "feed": "\(Hex.encode(row.feed))", "first": "\(Hex.encode(stood ?? []))",
                "second": "\(Hex.encode(row.payload))",
            ])
        }
    }

    private static func blob(_ payload: Bytes) -> Bytes? { (try? FullReport(encoded: payload))?.blob }

    private func watch() async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            tell(state.withLock { $0.book.tick(now: Self.now()) })
        }
    }

    private func forget() async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(Limits.pruneSeconds))
            let before = Self.now() / 1_000_000 - UInt64(settings.retentionDays) * 86_400_000
            while try store.prune(receivedBefore: before, keeping: settings.retentionReports) > 0, !Task.isCancelled {
                await Task.yield()
            }
        }
    }

    // MARK: What was missed

    /// Asks the other gateways for what was published while this one was away.
    private func askForHistory() {
        let streams = settings.process.streams
        let peers = streams.gateways.indices.filter { $0 != settings.ownIndex }.map { $0 + streams.oracles.count }
        guard !peers.isEmpty else { return }
        for feed in streams.feeds {
            guard let last = try? store.latest(of: feed.feedID.bytes) else { continue }
            let request = HistoryRequest(feedID: feed.feedID, from: last.observed + 1)
            for peer in peers { _ = mesh.send(to: peer, channel: HistoryRequest.channel, payload: request.encoded) }
        }
    }

    private func answerHistory(_ message: InboundMessage) {
        guard let request = HistoryRequest(encoded: message.payload) else {
            state.withLock { $0.counts.malformedBatches += 1 }
            return
        }
        Task { [self] in
            guard
                let rows = try? store.page(
                    of: request.feedID.bytes, from: request.from, limit: Limits.historyReportsMaximum), !rows.isEmpty
            else { return }
            let batch = ReportBatch(
                rows.map { .init(fullReport: $0.payload, observationsTimestampNanoseconds: $0.observed) })
            _ = mesh.send(to: message.peer, channel: ReportBatch.channel, payload: batch.encoded)
        }
    }

    // MARK: Condition

    /// Of the configuration that has most.
    package var connectedOracles: Int { connected.map(\.oracles).max() ?? 0 }

    package var believedConfigurations: Int { configurations.believed }

    private var connected: [(oracles: Int, needed: Int, of: Int)] {
        let streams = settings.process.streams
        let own = mesh.statistics.peers.prefix(streams.oracles.count).count(where: \.isConnected)
        return [(own, streams.faulty + 1, streams.oracles.count)] + configurations.connected
    }

    /// Nothing when the gateway does what it should.
    package func obstacles() -> [String] {
        var obstacles: [String] = []
        let connected = connected
        if !connected.contains(where: { $0.oracles >= $0.needed }), let best = connected.max(by: { $0.oracles < $1.oracles }) {
            obstacles.append("\(best.oracles) of \(best.of) oracles are connected")
        }
        obstacles += configurations.obstacles()
        let stale = staleFeeds
        if !stale.isEmpty { obstacles.append("\(stale.count) feeds are stale: \(stale.prefix(5).map(name).joined(separator: ", "))") }
        if let failure = publisher.statistics.failure { obstacles.append("the fan-out has ended: \(failure)") }
        return obstacles
    }
}
