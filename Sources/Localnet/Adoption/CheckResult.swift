// One line of `causeway check` and `causeway adopt`.

import Ethereum

package struct CheckResult: Sendable, Equatable {
    package enum Severity: String, Sendable {
        case ok
        /// Worth knowing; the cluster works all the same.
        case note
        case failed
    }

    /// What was looked at: a chain, a relayer, a lane.
    package let subject: String
    package let check: String
    package let severity: Severity
    package let detail: String
    /// What to do about it.
    package let hint: String?

    package var isGood: Bool { severity != .failed }

    package static func good(_ subject: String, _ check: String, _ detail: String) -> CheckResult {
        CheckResult(subject: subject, check: check, severity: .ok, detail: detail, hint: nil)
    }

    package static func note(_ subject: String, _ check: String, _ detail: String, hint: String? = nil) -> CheckResult {
        CheckResult(subject: subject, check: check, severity: .note, detail: detail, hint: hint)
    }

    package static func bad(_ subject: String, _ check: String, _ detail: String, hint: String? = nil) -> CheckResult {
        CheckResult(subject: subject, check: check, severity: .failed, detail: detail, hint: hint)
    }

    /// Good when nothing is wrong, else everything that is, the first three in words.
    package static func of(
        _ subject: String, _ check: String, _ wrong: [String], good detail: String, hint: String? = nil
    ) -> CheckResult {
        guard !wrong.isEmpty else { return good(subject, check, detail) }
        return bad(subject, check, joined(wrong), hint: hint)
    }

    static func joined(_ texts: [String]) -> String {
        texts.prefix(3).joined(separator: "; ") + (texts.count > 3 ? "; and \(texts.count - 3) more" : "")
    }

    package var json: JSON {
        [
            "subject": .string(subject), "check": .string(check), "ok": .bool(isGood),
            "severity": .string(severity.rawValue), "detail": .string(detail), "hint": hint.map { .string($0) } ?? .null,
        ]
    }
}
