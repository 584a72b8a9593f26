// Asks a server of another house again and again. What its answers are worth is the panel's decision; here stands only
// what an answer is.

import Ethereum
import JSONRPC
import Logging
import PriceStreams

struct HTTPSource: PriceSource {
    let name: String
    private let settings: HTTPSettings
    private let fetch: HTTPFetch
    private let request: HTTPFetch.Request

    init(_ name: String, _ settings: HTTPSettings, logger: Logger) {
        self.name = name
        self.settings = settings
        fetch = HTTPFetch(
            timeoutMilliseconds: settings.timeoutMilliseconds, answerBytesMaximum: settings.answerBytesMaximum,
            trustedCertificatesFile: settings.trustedCertificatesFile, logger: logger)
        request = HTTPFetch.Request(headers: settings.headers.map(\.plain), body: settings.body.map { Array($0.utf8) })
    }

    private enum Outcome {
        case used
        case failed(reason: String, message: String, retryAfterSeconds: UInt64?)
    }

    func run(_ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void) async {
        var backoff = Backoff(usualMilliseconds: settings.pollMilliseconds)
        while !Task.isCancelled {
            let began = ContinuousClock.now
            let outcome = await ask(deliver, report)
            guard !Task.isCancelled else { return }
            var pause: Int
            switch outcome {
            case .used:
                report(.connected)
                // The time of the answer belongs to the interval.
                let spent = began.duration(to: .now) / .milliseconds(1)
                pause = max(0, backoff.succeeded() - Int(spent))
            case .failed(let reason, let message, let seconds):
                report(.failed(reason: reason, message: message))
                pause = backoff.failed(retryAfterSeconds: seconds, draw: UInt64.random(in: 0 ... .max))
            }
            pause = max(pause, 1)
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func ask(
        _ deliver: @Sendable (SourceTick) -> Void, _ report: @Sendable (SourceReport) -> Void
    ) async -> Outcome {
        let answer: HTTPFetch.Answer
        do { answer = try await fetch.send(request, to: settings.url) } catch {
            return .failed(reason: error.reason, message: "\(error)", retryAfterSeconds: nil)
        }
        guard answer.status == 200 else {
            let reason = answer.status == 429 ? "throttled" : "badStatus"
            return .failed(
                reason: reason, message: "\(settings.url): HTTP status \(answer.status)",
                retryAfterSeconds: answer.retryAfterSeconds)
        }
        guard let document = try? JSON.parse(answer.body) else {
            return .failed(reason: "garbage", message: "\(settings.url): the answer is no JSON", retryAfterSeconds: nil)
        }
        let faults = settings.values.deliver(document, deliver)
        if faults.count == settings.values.count, let first = faults.first {
            return .failed(reason: first.fault.rawValue, message: "\(settings.url): \(first)", retryAfterSeconds: nil)
        }
        for fault in faults { report(.unusable(reason: fault.fault.rawValue, message: "\(settings.url): \(fault)")) }
        return .used
    }
}

struct ValueFault: CustomStringConvertible {
    let stream: StreamID
    let fault: AdapterFault
    var description: String { "stream \(stream): \(fault.rawValue)" }
}

extension [AdapterValue] {
    /// Delivers a tick for every value that stands in the document, and gives those that do not.
    func deliver(_ document: JSON, _ deliver: @Sendable (SourceTick) -> Void) -> [ValueFault] {
        var faults: [ValueFault] = []
        for value in self {
            guard value.concerns(document) else {
                faults.append(ValueFault(stream: value.stream, fault: .missingValue))
                continue
            }
            do { deliver(try value.tick(in: document, receivedAt: WallTime.nanoseconds())) } catch {
                faults.append(ValueFault(stream: value.stream, fault: error))
            }
        }
        return faults
    }
}

extension AdapterHeader {
    var plain: HTTPFetch.Request.Header { HTTPFetch.Request.Header(name, String(decoding: value.bytes, as: UTF8.self)) }
}
