// What running fixtures came to: counts, what was left out and why, and what failed.

/// A count for a file, a group, or all.
struct Tally: Sendable {
    var files = 0
    var subtests = 0
    var passed = 0
    /// Each with its file and case.
    var failures: [String] = []
    /// Subtests that were not run, by reason. A reason says why the case is none of ours or cannot be decided.
    var leftOut: [String: Int] = [:]
    /// Files that were not opened, by reason.
    var filesLeftOut: [String: Int] = [:]
    /// What is worth telling beside passing and failing, by text.
    var notes: [String: Int] = [:]

    var failed: Int { failures.count }

    mutating func add(_ other: Tally) {
        files += other.files
        subtests += other.subtests
        passed += other.passed
        failures += other.failures
        leftOut.merge(other.leftOut, uniquingKeysWith: +)
        filesLeftOut.merge(other.filesLeftOut, uniquingKeysWith: +)
        notes.merge(other.notes, uniquingKeysWith: +)
    }

    /// Runs one subtest: it passes unless it throws.
    mutating func check(_ label: @autoclosure () -> String, _ body: () throws -> Void) {
        subtests += 1
        do {
            try body()
            passed += 1
        } catch {
            failures.append("\(label()): \(error)")
        }
    }

    mutating func leaveOut(_ reason: String, _ count: Int = 1) {
        subtests += count
        leftOut[reason, default: 0] += count
    }

    mutating func note(_ text: String) { notes[text, default: 0] += 1 }

    /// `GROUP: files, subtests, passed, failed, left out (and why)`.
    func line(_ group: String) -> String {
        let left = leftOut.values.reduce(0, +)
        var parts =
            "\(group): \(files) files, \(subtests) subtests, \(passed) passed, \(failed) failed, \(left) left out"
        for (reason, count) in leftOut.sorted(by: { $0.key < $1.key }) { parts += "; left out \(count): \(reason)" }
        for (reason, count) in filesLeftOut.sorted(by: { $0.key < $1.key }) {
            parts += "; \(count) files left out: \(reason)"
        }
        for (note, count) in notes.sorted(by: { $0.key < $1.key }) { parts += "; note \(count): \(note)" }
        return parts
    }
}

/// Why a subtest failed.
struct Mismatch: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Throws unless two things that should be alike are.
func match<Value: Equatable>(_ what: String, _ got: Value, _ wanted: Value) throws {
    guard got == wanted else { throw Mismatch("\(what): got \(got), expected \(wanted)") }
}
