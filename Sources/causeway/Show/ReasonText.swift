// Revert data in words: the names of the errors from the outermost to the innermost, the innermost with its arguments.

import CCIP
import Ethereum

enum ReasonText {
    /// Errors of the example receivers, which are no part of the protocol.
    private static let examples: [ABIFunction] = ["ReceiverOutOfOrder(bytes32)"].compactMap { try? ABIFunction($0) }

    static func text(_ data: Bytes) -> String { text(RevertReason(data)) }

    /// `ExecutionError: ReceiverError: ReceiverOutOfOrder(0x...)`.
    static func text(_ reason: RevertReason) -> String {
        guard let last = reason.errors.last else {
            return reason.rest.isEmpty ? "no revert data" : unnamed(reason.rest)
        }
        var parts = reason.errors.dropLast().map(\.name)
        if reason.rest.isEmpty {
            // A wrapper around nothing: whatever was called reverted without a word.
            parts.append(wrappers.contains(last.name) ? "\(last.name): no revert data" : last.description)
        } else {
            parts += [last.name, unnamed(reason.rest)]
        }
        return parts.joined(separator: ": ")
    }

    private static let wrappers: Set<String> = ["ReceiverError", "TokenHandlingError", "ExecutionError"]

    private static func unnamed(_ data: Bytes) -> String {
        guard let known = examples.first(where: { data.starts(with: $0.selector) }),
            let arguments = try? known.decodeCall(data, .solidity)
        else { return Hex.encode(data) }
        return "\(known.name)(\(arguments.map { $0.asHash32?.hex ?? "..." }.joined(separator: ", ")))"
    }
}

/// Revert data for people and for programs: the reason in words, every error by its signature, who can help, and how.
struct RevertExplanation: Sendable, Equatable {
    let text: String
    /// Signatures, the outermost first; empty when the outermost has no name.
    let errors: [String]
    let advice: ErrorAdvice?

    init(_ data: Bytes) { self.init(RevertReason(data)) }

    init(_ reason: RevertReason) {
        text = ReasonText.text(reason)
        errors = reason.errors.map(\.signature)
        advice = reason.advice
    }

    /// The error by which a contract would refuse what was refused before it was asked.
    init(wouldBe signature: String) {
        text = signature.prefix { $0 != "(" }.description
        errors = [signature]
        advice = ErrorAdvice.of(text)
    }

    /// What every refusal has for programs, beside its hint. `error` is the outermost name.
    var fields: [(name: String, value: JSON)] {
        [
            (name: "reason", value: .string(text)),
            (name: "error", value: errors.first.map { .string($0.prefix { $0 != "(" }.description) } ?? .null),
            (name: "errors", value: .array(errors.map { .string($0) })),
            (name: "who", value: advice.map { .string($0.actor.rawValue) } ?? .null),
        ]
    }

    var hint: JSON { advice.map { .string($0.hint) } ?? .null }
}
