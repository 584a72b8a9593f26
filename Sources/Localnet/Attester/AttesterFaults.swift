// How an attestation service misbehaves, as Circle's may: late, deaf, out of order, with attestations that expire, or
// refusing questions. Values and their JSON.

import Configuration
import Ethereum

package struct AttesterFaults: Sendable, Equatable {
    /// After a message is final, so long passes before it is attested.
    package var delayMilliseconds: UInt64 = 0
    /// Nothing is attested until this is taken back.
    package var withheld = false
    /// The first so many questions about each message are answered as if nobody knew it.
    package var lostQuestions = 0
    /// The next so many are answered with `pending_confirmations`.
    package var pendingQuestions = 0
    /// Every second message of a chain waits so much longer, so that its successor overtakes it; lists are turned round.
    package var reorderMilliseconds: UInt64 = 0
    /// Version 2: an attestation is void so many blocks of the destination after it was made; nil for never.
    package var expiryBlocks: UInt64?
    /// The next so many questions are answered with status 429.
    package var refusedQuestions = 0
    /// Said with 429.
    package var retryAfterSeconds: UInt64 = 1

    package init() {}
}

extension AttesterFaults {
    static let keys = [
        "delayMilliseconds", "withheld", "lostQuestions", "pendingQuestions", "reorderMilliseconds", "expiryBlocks",
        "refusedQuestions", "retryAfterSeconds",
    ]

    package var json: JSON {
        [
            "delayMilliseconds": .integer(delayMilliseconds), "withheld": .bool(withheld),
            "lostQuestions": .integer(lostQuestions), "pendingQuestions": .integer(pendingQuestions),
            "reorderMilliseconds": .integer(reorderMilliseconds),
            "expiryBlocks": expiryBlocks.map { .integer($0) } ?? .null,
            "refusedQuestions": .integer(refusedQuestions), "retryAfterSeconds": .integer(retryAfterSeconds),
        ]
    }

    /// A whole set of faults: what is not named is as without faults. Throws `invalidRequest` that names the key.
    package init(json: JSON) throws(LocalnetError) {
        guard case .object(let object) = json else { throw Self.refused("the faults", "an object") }
        for (key, _) in object.members where !Self.keys.contains(key) {
            throw LocalnetError(
                .invalidRequest, "unknown fault '\(key.prefix(80))'", hint: "known: " + Self.keys.joined(separator: ", "))
        }
        self.init()
        func number(_ key: String, _ most: UInt64, _ builtIn: UInt64) throws(LocalnetError) -> UInt64 {
            guard let value = json[key], value != .null else { return builtIn }
            guard case .number = value, let number = value.asUInt64, number <= most else {
                throw Self.refused(key, "a whole number up to \(most)")
            }
            return number
        }
        delayMilliseconds = try number("delayMilliseconds", Limits.attesterDelayMaximum, 0)
        reorderMilliseconds = try number("reorderMilliseconds", Limits.attesterDelayMaximum, 0)
        lostQuestions = Int(try number("lostQuestions", Limits.attesterQuestionsMaximum, 0))
        pendingQuestions = Int(try number("pendingQuestions", Limits.attesterQuestionsMaximum, 0))
        refusedQuestions = Int(try number("refusedQuestions", Limits.attesterQuestionsMaximum, 0))
        retryAfterSeconds = try number("retryAfterSeconds", 600, 1)
        if let value = json["expiryBlocks"], value != .null {
            expiryBlocks = try number("expiryBlocks", Limits.attesterQuestionsMaximum, 0)
        }
        if let value = json["withheld"] {
            guard let flag = value.asBool else { throw Self.refused("withheld", "true or false") }
            withheld = flag
        }
    }

    private static func refused(_ key: String, _ expected: String) -> LocalnetError {
        LocalnetError(.invalidRequest, "'\(key)' does not stand, expected \(expected)")
    }

    /// The same keys in a file.
    init(_ section: inout ConfigurationSection) throws(ConfigurationError) {
        self.init()
        let delay = Int(Limits.attesterDelayMaximum)
        let questions = Int(Limits.attesterQuestionsMaximum)
        delayMilliseconds = UInt64(try section.integer("delayMilliseconds", in: 0...delay, default: 0))
        withheld = try section.bool("withheld", default: false)
        lostQuestions = try section.integer("lostQuestions", in: 0...questions, default: 0)
        pendingQuestions = try section.integer("pendingQuestions", in: 0...questions, default: 0)
        reorderMilliseconds = UInt64(try section.integer("reorderMilliseconds", in: 0...delay, default: 0))
        if section.has("expiryBlocks") { expiryBlocks = UInt64(try section.integer("expiryBlocks", in: 0...questions)) }
        refusedQuestions = try section.integer("refusedQuestions", in: 0...questions, default: 0)
        retryAfterSeconds = UInt64(try section.integer("retryAfterSeconds", in: 0...600, default: 1))
    }
}
