// What subscribers ask a gateway over the second socket (data-streams.md 11.5): the present state, or what they missed.
// One frame a request, and one frame for each part of the answer.

import Ethereum

/// A request of a subscriber.
package enum StreamRequest: Equatable, Sendable {
    /// The newest report of each feed whose frames begin with one of these prefixes.
    case snapshot(prefixes: [Bytes])
    /// Reports of a feed, both ends included.
    case gap(feedID: FeedID, bootID: UInt64, from: UInt64, to: UInt64)

    /// Prefixes in one request; a subscriber of more asks twice.
    package static let prefixesMaximum = 1_024
    /// A whole topic.
    package static let prefixBytesMaximum = 33
    package static let bytesMaximum = 4 + prefixesMaximum * (prefixBytesMaximum + 1)
    /// Reports sent again for one request; the rest is asked for by the next.
    package static let gapReportsMaximum: UInt64 = 1_000

    package var encoded: Bytes {
        switch self {
        case .snapshot(let prefixes):
            return Bytes("SNAP".utf8) + prefixes.flatMap { [UInt8($0.count)] + $0 }
        case .gap(let feedID, let bootID, let from, let to):
            return Bytes("GAP".utf8) + feedID.bytes + [bootID, from, to].flatMap { Bytes(bigEndian: $0) }
        }
    }

    /// Text of what is wrong, for the `ERR ` answer.
    package struct Refusal: Error, Equatable, Sendable {
        package let text: String
    }

    package init(encoded bytes: Bytes) throws(Refusal) {
        guard bytes.count <= Self.bytesMaximum else { throw Refusal(text: "request of \(bytes.count) bytes is too large") }
        if bytes.starts(with: "SNAP".utf8) {
            self = .snapshot(prefixes: try Self.prefixes(Array(bytes.dropFirst(4))))
        } else if bytes.starts(with: "GAP".utf8) {
            let body = Array(bytes.dropFirst(3))
            guard body.count == 56, let feedID = FeedID(bytes: Array(body[..<32])) else {
                throw Refusal(text: "GAP wants feed id, boot id, first and last: 56 bytes, not \(body.count)")
            }
            let numbers = stride(from: 32, to: 56, by: 8).map { UInt64(streamBytes: body[$0..<$0 + 8]) }
            guard numbers[1] >= 1, numbers[1] <= numbers[2] else { throw Refusal(text: "GAP from \(numbers[1]) to \(numbers[2])") }
            self = .gap(feedID: feedID, bootID: numbers[0], from: numbers[1], to: numbers[2])
        } else {
            throw Refusal(text: "unknown request; SNAP and GAP are known")
        }
    }

    private static func prefixes(_ body: Bytes) throws(Refusal) -> [Bytes] {
        var prefixes: [Bytes] = []
        var at = 0
        while at < body.count {
            let length = Int(body[at])
            guard (1...prefixBytesMaximum).contains(length), at + 1 + length <= body.count else {
                throw Refusal(text: "a prefix has 1 to \(prefixBytesMaximum) bytes, inside the request")
            }
            guard prefixes.count < prefixesMaximum else { throw Refusal(text: "more than \(prefixesMaximum) prefixes") }
            prefixes.append(Array(body[(at + 1)..<(at + 1 + length)]))
            at += 1 + length
        }
        guard !prefixes.isEmpty else { throw Refusal(text: "SNAP wants at least one prefix") }
        return prefixes
    }
}

/// One frame of an answer.
package enum StreamReply: Equatable, Sendable {
    /// A frame as it was published, with the snapshot or the backfill flag set.
    case report(Bytes)
    /// The answer is complete.
    case done(bootID: UInt64, globalSequence: UInt64)
    /// What was asked for is no longer held: the oldest that is, or 0 for another life of the publisher.
    case gone(oldest: UInt64)
    case error(String)

    package var encoded: Bytes {
        switch self {
        case .report(let frame): frame
        case .done(let bootID, let globalSequence):
            Bytes("DONE".utf8) + Bytes(bigEndian: bootID) + Bytes(bigEndian: globalSequence)
        case .gone(let oldest): Bytes("GONE".utf8) + Bytes(bigEndian: oldest)
        case .error(let text): Bytes("ERR ".utf8) + Bytes(text.utf8.prefix(256))
        }
    }

    /// Nil for bytes that are no answer of a gateway.
    package init?(encoded bytes: Bytes) {
        if bytes.first == StreamFrame.Class.report.rawValue {
            self = .report(bytes)
        } else if bytes.count == 20, bytes.starts(with: "DONE".utf8) {
            self = .done(bootID: UInt64(streamBytes: bytes[4..<12]), globalSequence: UInt64(streamBytes: bytes[12..<20]))
        } else if bytes.count == 12, bytes.starts(with: "GONE".utf8) {
            self = .gone(oldest: UInt64(streamBytes: bytes[4..<12]))
        } else if bytes.count <= 260, bytes.starts(with: "ERR ".utf8) {
            self = .error(String(decoding: bytes.dropFirst(4), as: UTF8.self))
        } else {
            return nil
        }
    }
}

extension UInt64 {
    /// Eight big-endian bytes.
    init(streamBytes bytes: ArraySlice<UInt8>) { self = bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
