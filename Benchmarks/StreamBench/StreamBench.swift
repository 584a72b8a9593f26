// The benchmark of price streams: one subject a file. A table goes to standard error while it runs, JSON to standard
// output at the end. `make bench-streams`, or by hand: causeway-stream-bench --only fan-out --subscribers 1,100.

import BenchSupport
import Ethereum
import Foundation
import Logging

@main
struct StreamBench {
    /// What is measured speaks up about errors alone.
    static let logger: Logger = {
        var logger = Logger(label: "causeway.bench")
        logger.logLevel = .error
        return logger
    }()

    static let subjects = ["signing", "fan-out", "latency", "network", "soak"]
    static let usage = """
        usage: causeway-stream-bench [--only SUBJECT,...] [--quick yes] [--seconds 60]
          --only SUBJECT,...     \(subjects.joined(separator: ", ")); all when not given
          --quick yes            a tenth of everything: to see that it runs, not what it measures
          --seconds N            of the soak; an hour is 3600
          --subscribers N,...    of the fan-out: 1,10,100,1000
          --sizes N,...          bytes of a frame: 64,816,1024
          --cadences N,...       rounds a second of the network: 10,20
          --feeds N              of the network: 100
        """

    struct Options {
        let subjects: [String]
        let isQuick: Bool
        let soakSeconds: Int
        let subscribers: [Int]
        let sizes: [Int]
        let cadences: [Int]
        let feeds: Int
        let base: String

        var deliveries: Int { isQuick ? 50_000 : 600_000 }
        var framesMinimum: Int { isQuick ? 20 : 200 }
        var repetitions: Int { isQuick ? 2 : 3 }
        var latencySeconds: Int { isQuick ? 2 : 10 }
        var signingMilliseconds: Int { isQuick ? 100 : 500 }
        var networkSeconds: Int { isQuick ? 5 : 30 }

        init(_ arguments: Arguments) throws {
            func numbers(_ name: String, _ usual: [Int]) throws -> [Int] {
                guard let text = arguments.text(name) else { return usual }
                return try text.split(separator: ",").map { word in
                    guard let number = Int(word), (1...100_000).contains(number) else {
                        throw BenchError("--\(name) \(text): numbers with commas between them")
                    }
                    return number
                }
            }
            subjects = arguments.text("only")?.split(separator: ",").map(String.init) ?? StreamBench.subjects
            for subject in subjects where !StreamBench.subjects.contains(subject) {
                throw BenchError("--only \(subject): one of \(StreamBench.subjects.joined(separator: ", "))")
            }
            isQuick = arguments.text("quick") == "yes"
            soakSeconds = max(4, arguments.number("seconds", or: isQuick ? 10 : 60))
            subscribers = try numbers("subscribers", [1, 10, 100, 1_000])
            sizes = try numbers("sizes", FrameSize.all)
            cadences = try numbers("cadences", [10, 20])
            feeds = try numbers("feeds", [100])[0]
            base = FileManager.default.temporaryDirectory.path
        }

        /// A new one, short enough for a socket's path, for its user alone.
        func folder(_ name: String) throws -> String {
            let path = "\(base)/cw-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return path
        }
    }

    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            if let kind = words.first, ["oracle", "gateway"].contains(kind) {
                let arguments = try Arguments(Array(words.dropFirst()))
                try await Role.run(
                    kind, config: try arguments.required("config"), origin: UInt64(arguments.number("origin", or: 0)))
                return
            }
            if words.contains("--help") { return print(usage) }
            try await measure(Options(Arguments(words)))
        } catch {
            Report.talk("causeway-stream-bench: \(error)")
            exit(1)
        }
    }

    private static func measure(_ options: Options) async throws {
        Machine.raiseFileLimit()
        let report = Report()
        let load = Machine.load
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let date = Date().ISO8601Format()
        Report.talk("\(cores) cores, load \(load.rounded(to: 2)) at the start, \(date)")
        if load > 0.5 { Report.talk("others use this machine: compare ratios, not figures") }
        for subject in options.subjects {
            switch subject {
            case "signing": try signing(options, report)
            case "fan-out": try fanOut(options, report)
            case "latency": try await latency(options, report)
            case "network":
                for cadence in options.cadences {
                    try network(
                        options, report, feeds: options.feeds, cadence: cadence, seconds: options.networkSeconds,
                        isSoak: false)
                }
            default:
                try network(
                    options, report, feeds: options.feeds, cadence: options.cadences.max() ?? 20,
                    seconds: options.soakSeconds, isSoak: true)
            }
        }
        report.finish([
            ("date", .string(date)), ("cores", .integer(cores)), ("load", .number("\(load.rounded(to: 2))")),
            ("quick", .bool(options.isQuick)),
        ])
    }
}
