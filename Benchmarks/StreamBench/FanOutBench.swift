// Deliveries a second: frames are handed over at once, and the clock stops when the last subscriber has the last one.
// Both publishers are up at the same time and take turns; the best of each counts.

import Foundation
import MessageBus

extension StreamBench {
    struct FanOutCase {
        let subscribers: Int
        let isLocal: Bool
        let isSecret: Bool

        var name: String { "\(isLocal ? "ipc" : "tcp")\(isSecret ? " CURVE" : "") x \(subscribers)" }
    }

    static func fanOut(_ options: Options, _ report: Report) throws {
        for subscribers in options.subscribers {
            for isLocal in [false, true] {
                for isSecret in [false, true] {
                    try fanOut(
                        FanOutCase(subscribers: subscribers, isLocal: isLocal, isSecret: isSecret), options, report)
                }
            }
        }
    }

    private static func fanOut(_ run: FanOutCase, _ options: Options, _ report: Report) throws {
        let curve = run.isSecret ? CurveEnds() : nil
        let folder = try options.folder("fan")
        let bare = try BarePublisher(at: run.isLocal ? "ipc://\(folder)/b" : "tcp://127.0.0.1:*", curve: curve)
        func endpoint(_ name: String) throws -> Endpoint {
            run.isLocal ? try Endpoint(ipcPath: "\(folder)/\(name)") : try Endpoint("tcp://127.0.0.1:0")
        }
        let ours = try OurPublisher(at: endpoint("o"), requests: endpoint("r"), curve: curve)
        var sides: [(publisher: any Publishing, receivers: Receivers)] = []
        for publisher in [bare, ours] as [any Publishing] {
            let receivers = try Receivers(run.subscribers, of: publisher.endpoint, curve: curve)
            try wait(seconds: 60, for: "\(run.subscribers) subscriptions") {
                try publisher.subscriptions() == run.subscribers
            }
            sides.append((publisher, receivers))
        }
        for size in options.sizes {
            let deliveries = (run.isSecret ? options.deliveries / 3 : options.deliveries) * 816 / max(816, size)
            let count = max(options.framesMinimum, deliveries / run.subscribers)
            var best = [(rate: 0.0, cpu: 0.0), (rate: 0.0, cpu: 0.0)]
            for _ in 0..<options.repetitions {
                for (index, side) in sides.enumerated() {
                    let expected = count * run.subscribers
                    side.receivers.expect(expected)
                    let (begin, used) = (monotonic(), Machine.processorSeconds())
                    try side.publisher.publish(count, size: size)
                    guard let end = side.receivers.wait(seconds: 120) else {
                        throw BenchError("\(run.name), \(size) bytes: frames were lost")
                    }
                    let rate = Double(expected) / (Double(end - begin) / 1e9)
                    let cpu = (Machine.processorSeconds() - used) / Double(expected) * 1e6
                    if rate > best[index].rate { best[index] = (rate, cpu) }
                }
            }
            let ratio = best[1].rate / best[0].rate
            report.add(
                "fan-out", "\(run.name), \(size) bytes",
                [
                    ("bare deliveries/s", best[0].rate), ("ours deliveries/s", best[1].rate), ("ratio", ratio),
                    ("bare CPU us", best[0].cpu), ("ours CPU us", best[1].cpu),
                ], aim: "ratio >= 0.8", isMet: ratio >= 0.8)
        }
        for side in sides {
            side.receivers.close()
            side.publisher.close()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    static func wait(seconds: Int, for what: String, _ isSo: () throws -> Bool) throws {
        let end = monotonic() + UInt64(seconds) * 1_000_000_000
        while try !isSo() {
            guard monotonic() < end else { throw BenchError("no \(what) within \(seconds) s") }
            usleep(2_000)
        }
    }
}
