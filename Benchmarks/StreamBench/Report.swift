// What the benchmark says: a table while it runs, JSON at the end.

import BenchSupport
import Ethereum
import Foundation
import Synchronization

struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What this process and others cost.
enum Machine {
    static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static func processorSeconds(of process: Int32) -> Double {
        // Behind the name, which may have blanks: state is field 3, user and system time are 14 and 15.
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    static func residentMiB(of process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8),
            let pages = Double(text.split(separator: " ").dropFirst().first ?? "")
        else { return 0 }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }

    /// Many sockets: up to what the system lets us.
    static func raiseFileLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Runnable tasks of the last minute: above the number of cores, figures are of a machine that others use.
    static var load: Double {
        var averages = [Double](repeating: 0, count: 1)
        return getloadavg(&averages, 1) == 1 ? averages[0] : .nan
    }
}

final class Report: Sendable {
    private let rows = Mutex<[JSON]>([])
    private let lastSection = Mutex("")

    func add(
        _ section: String, _ name: String, _ figures: [(String, Double)], aim: String? = nil, isMet: Bool? = nil
    ) {
        let isNew = lastSection.withLock { last in
            defer { last = section }
            return last != section
        }
        if isNew { Self.talk("\n\(section)") }
        let shown = figures.map { "\($0.0) \(Self.text($0.1))" }.joined(separator: "  ")
        let verdict = aim.map { "  [\($0): \(isMet == true ? "met" : "missed")]" } ?? ""
        Self.talk("  \(name.padding(toLength: max(name.count, 34), withPad: " ", startingAt: 0))  \(shown)\(verdict)")
        var row = JSONObject([("section", .string(section)), ("name", .string(name))])
        for (key, value) in figures { row[key] = value.isFinite ? .number("\(value.rounded(to: 3))") : .null }
        if let aim { row["aim"] = .string(aim) }
        if let isMet { row["met"] = .bool(isMet) }
        rows.withLock { $0.append(.object(row)) }
    }

    func finish(_ head: [(String, JSON)]) {
        let json = JSON.object(JSONObject(head + [("rows", .array(rows.withLock { $0 }))]))
        print(json.pretty)
    }

    static func talk(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        return value >= 1_000 ? "\(Int(value))" : "\(value.rounded(to: value >= 100 ? 0 : 3))"
    }
}
