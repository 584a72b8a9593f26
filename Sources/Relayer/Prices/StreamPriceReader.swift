// Asks gateways of the price streams for the newest reports, over their REST interface. What is believed of an answer is
// StreamPriceBook's decision; here are requests, the order of gateways, and what is told about both.

import CCIP
import Ethereum
import Glibc
import JSONRPC
import Logging
import PriceStreams
import Synchronization

final class StreamPriceReader: Sendable {
    /// A request that gave no report, by gateway and reason.
    struct Failure: Hashable, Sendable {
        let origin: String
        let reason: String
        /// As metrics name them.
        static let reasons = [
            "badRequest", "unauthorized", "noReport", "throttled", "badStatus", "refused", "timeout", "closed", "garbage",
            "tooLarge", "encryption",
        ]
    }

    struct Refused: Hashable, Sendable {
        let feed: FeedID
        let reason: RefusalReason
    }

    struct Statistics: Sendable {
        /// Milliseconds since the oracles looked, by feed; of feeds without a report nothing.
        var ages: [(feed: FeedID, milliseconds: UInt64)]
        var refused: [Refused: UInt64]
        var failures: [Failure: UInt64]
    }

    private struct State {
        var book: StreamPriceBook
        /// The gateway that had the last good report: it is asked first.
        var preferred = 0
        /// What was last told about a feed without a good answer: once, not in every refresh.
        var told: [FeedID: [String]] = [:]
        var refused: [Refused: UInt64] = [:]
        var failures: [Failure: UInt64] = [:]
    }

    private enum Outcome {
        case good
        case bad(reason: String, message: String)
    }

    let feeds: [FeedID]
    let origins: [String]
    private let credential: StreamsCredential
    private let fetch: HTTPFetch
    private let now: @Sendable () -> UInt64
    private let logger: Logger
    private let state: Mutex<State>

    /// `now`: nanoseconds since 1970; reports and requests carry that time.
    init(
        cluster: ClusterSettings, access: StreamsAccessSettings, credential: StreamsCredential,
        now: @escaping @Sendable () -> UInt64 = { StreamPriceReader.wallClock() }, logger: Logger
    ) {
        let book = StreamPriceBook(cluster)
        feeds = book.feeds
        origins = access.origins
        self.credential = credential
        fetch = HTTPFetch(
            timeoutMilliseconds: access.timeoutMilliseconds, answerBytesMaximum: Limits.streamAnswerBytesMaximum,
            trustedCertificatesFile: access.trustedCertificatesFile, logger: logger)
        self.now = now
        self.logger = logger
        state = Mutex(State(book: book))
    }

    static func wallClock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: What is known

    /// USD with 18 decimals for 10^18 smallest units of a token; nil while it is not known. Never waits.
    func price(_ source: ClusterSettings.StreamSource, tokenDecimals: UInt8) -> U256? {
        let time = now()
        return state.withLock { $0.book.price(source, tokenDecimals: tokenDecimals, now: time) }
    }

    var statistics: Statistics {
        let time = now()
        return state.withLock { state in
            Statistics(
                ages: feeds.compactMap { feed in state.book.age(of: feed, now: time).map { (feed, $0) } },
                refused: state.refused, failures: state.failures)
        }
    }

    // MARK: Reading

    /// Asks once for the newest report of every feed.
    func refresh() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, feed) in feeds.enumerated() {
                if index > 0 { try? await Task.sleep(for: .milliseconds(Limits.streamRequestSpacingMilliseconds)) }
                if index >= Limits.streamRequestsAtOnce { await group.next() }
                if Task.isCancelled { return }
                group.addTask { [self] in await refresh(feed) }
            }
        }
    }

    /// From one gateway to the next until one has a report that may be used.
    private func refresh(_ feed: FeedID) async {
        let first = state.withLock { $0.preferred }
        var problems: [(reason: String, message: String)] = []
        for step in origins.indices {
            let place = (first + step) % origins.count
            switch await ask(origins[place], feed) {
            case .good:
                let wasBad = state.withLock { state in
                    state.preferred = place
                    return state.told.removeValue(forKey: feed) != nil
                }
                if wasBad { logger.info("stream price known again", metadata: ["feed": "\(feed)"]) }
                return
            case .bad(let reason, let message): problems.append((reason, "\(origins[place]): \(message)"))
            }
            if Task.isCancelled { return }
        }
        tell(problems, feed)
    }

    private func tell(_ problems: [(reason: String, message: String)], _ feed: FeedID) {
        let reasons = problems.map(\.reason)
        let isNew = state.withLock { $0.told.updateValue(reasons, forKey: feed) != reasons }
        logger.log(
            level: isNew ? .warning : .debug, "stream price not read",
            metadata: [
                "feed": "\(feed)", "reasons": "\(reasons.joined(separator: ", "))",
                "why": "\(problems.map(\.message).joined(separator: "; "))",
            ])
    }

    private func ask(_ origin: String, _ feed: FeedID) async -> Outcome {
        let answer: HTTPFetch.Answer
        do throws(RPCClientError) {
            answer = try await request(origin, "/api/v1/reports/latest?feedID=\(feed)")
        } catch { return failed(origin, error.reason, error.message) }
        guard answer.status == 200 else {
            let words = (try? JSON.parse(answer.body))?["message"]?.asString?.prefix(Limits.streamWordsMaximum)
            return failed(origin, Self.reason(answer.status), "HTTP status \(answer.status)\(words.map { ": \($0)" } ?? "")")
        }
        let time = now()
        do throws(StreamPriceRefusal) {
            _ = try state.withLock { state throws(StreamPriceRefusal) in
                try state.book.take(answer.body, of: feed, now: time)
            }
            return .good
        } catch {
            state.withLock { state in
                for reason in error.reasons { state.refused[Refused(feed: feed, reason: reason), default: 0] += 1 }
            }
            let names = error.reasons.map(\.rawValue).joined(separator: "+")
            return .bad(reason: names, message: "refused (\(names)): \(error.message)")
        }
    }

    private func failed(_ origin: String, _ reason: String, _ message: String) -> Outcome {
        let known = Failure.reasons.contains(reason) ? reason : "closed"
        state.withLock { $0.failures[Failure(origin: origin, reason: known), default: 0] += 1 }
        return .bad(reason: known, message: message)
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 400: "badRequest"
        case 401, 403: "unauthorized"
        case 404: "noReport"
        case 429: "throttled"
        default: "badStatus"
        }
    }

    /// Signed for this moment.
    private func request(_ origin: String, _ target: String) async throws(RPCClientError) -> HTTPFetch.Answer {
        let request = SignedRequest(
            method: "GET", target: target, key: credential.key, timestamp: "\(now() / 1_000_000)")
        let headers = [
            HTTPFetch.Request.Header(SignedRequest.keyHeader, request.key),
            HTTPFetch.Request.Header(SignedRequest.timestampHeader, request.timestamp),
            HTTPFetch.Request.Header(SignedRequest.signatureHeader, request.signature(secret: credential.secret)),
        ]
        guard let url = try? EndpointURL.parse(origin + target) else {
            preconditionFailure("an origin that was checked takes a path behind it")
        }
        return try await fetch.send(HTTPFetch.Request(headers: headers), to: url)
    }
}
