// The frame in which reports travel from a gateway to subscribers (data-streams.md 11.3): 80 bytes of header, then the
// full report. The header is signed by nobody: what it says is believed only as far as the payload bears it out.

import Ethereum

/// What a subscriber may act on without opening the payload; unknown bits are ignored and survive a round trip.
package struct StreamFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The newest report of its feed, sent because a subscriber asked for the present state.
    package static let snapshot = StreamFlags(rawValue: 1 << 0)
    /// Sent again because a subscriber asked for what it missed.
    package static let backfill = StreamFlags(rawValue: 1 << 1)
    /// The market of this feed is closed; the report says so itself.
    package static let marketClosed = StreamFlags(rawValue: 1 << 2)
    /// The header words of the blob count milliseconds, microseconds or nanoseconds.
    package static let subSecond = StreamFlags(rawValue: 1 << 3)
    /// Of a heartbeat that names a feed: its gateway's operator withholds it.
    package static let withheld = StreamFlags(rawValue: 1 << 4)
}

/// Why bytes are no frame.
package enum StreamFrameRefusal: String, Error, Sendable, CaseIterable {
    case tooShort, unknownClass, unknownHeaderVersion, payloadLengthDiffers, payloadTooLarge, reportWithoutPayload
    case heartbeatWithPayload
}

/// One message of the fan-out. All integers are big-endian; times are nanoseconds since 1970.
package struct StreamFrame: Equatable, Sendable {
    package enum Class: UInt8, Sendable {
        /// `R`
        case report = 0x52
        /// `H`
        case heartbeat = 0x48
    }

    /// Bytes before the payload.
    package static let headerBytes = 80
    package static let headerVersion: UInt8 = 1
    /// Largest accepted payload: a report of 14 words with 31 signatures has 2,752 bytes.
    package static let payloadBytesMaximum = 65_536 - headerBytes

    package var kind: Class
    /// Zero in heartbeats, but for those that tell whether a feed is withheld.
    package var feedID: FeedID
    package var flags: StreamFlags
    /// New at every start of a publisher.
    package var bootID: UInt64
    /// Reports of this feed since the start, from 1.
    package var feedSequence: UInt64
    /// Reports of all feeds since the start, from 1; heartbeats repeat the last one.
    package var globalSequence: UInt64
    /// The clocks' median of the round, in full even where the blob has seconds.
    package var observationsTimestampNanoseconds: UInt64
    /// The publisher's clock when the frame was sent.
    package var publishTimestampNanoseconds: UInt64
    /// A full report; empty in heartbeats.
    package var payload: Bytes

    package init(
        report payload: Bytes, of feedID: FeedID, flags: StreamFlags, bootID: UInt64, feedSequence: UInt64,
        globalSequence: UInt64, observationsTimestampNanoseconds: UInt64, publishTimestampNanoseconds: UInt64
    ) {
        kind = .report
        self.feedID = feedID
        self.flags = flags
        self.bootID = bootID
        self.feedSequence = feedSequence
        self.globalSequence = globalSequence
        self.observationsTimestampNanoseconds = observationsTimestampNanoseconds
        self.publishTimestampNanoseconds = publishTimestampNanoseconds
        self.payload = payload
    }

    /// - Parameter feedID: the feed of which it tells, by its flags, whether it is withheld; none for most heartbeats.
    package init(
        heartbeatOf bootID: UInt64, globalSequence: UInt64, publishTimestampNanoseconds: UInt64,
        about feedID: FeedID = FeedID(Hash32.zero), flags: StreamFlags = []
    ) {
        self.init(
            report: [], of: feedID, flags: flags, bootID: bootID, feedSequence: 0, globalSequence: globalSequence,
            observationsTimestampNanoseconds: 0, publishTimestampNanoseconds: publishTimestampNanoseconds)
        kind = .heartbeat
    }

    package var encoded: Bytes {
        var bytes: Bytes = []
        encode(payload: payload, into: &bytes)
        return bytes
    }

    /// Writes the header of this frame, and `payload` instead of its own, over `bytes`: their memory is used again where it
    /// fits.
    func encode(payload: Bytes, into bytes: inout Bytes) {
        let size = Self.headerBytes + payload.count
        if bytes.count != size { bytes = Bytes(repeating: 0, count: size) }
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a frame has a header") }
            start.storeBytes(of: kind.rawValue, as: UInt8.self)
            feedID.hash.word.storeBigEndian(to: start + 1)
            start.storeBytes(of: Self.headerVersion, toByteOffset: 33, as: UInt8.self)
            start.storeBytes(of: flags.rawValue.bigEndian, toByteOffset: 34, as: UInt16.self)
            let numbers = (bootID, feedSequence, globalSequence, observationsTimestampNanoseconds)
            start.storeBytes(of: numbers.0.bigEndian, toByteOffset: 36, as: UInt64.self)
            start.storeBytes(of: numbers.1.bigEndian, toByteOffset: 44, as: UInt64.self)
            start.storeBytes(of: numbers.2.bigEndian, toByteOffset: 52, as: UInt64.self)
            start.storeBytes(of: numbers.3.bigEndian, toByteOffset: 60, as: UInt64.self)
            start.storeBytes(of: publishTimestampNanoseconds.bigEndian, toByteOffset: 68, as: UInt64.self)
            start.storeBytes(of: UInt32(payload.count).bigEndian, toByteOffset: 76, as: UInt32.self)
            payload.withUnsafeBytes { source in
                guard let base = source.baseAddress else { return }
                start.advanced(by: Self.headerBytes).copyMemory(from: base, byteCount: source.count)
            }
        }
    }

    /// Strict: the length must be exact, the class and the version known.
    package init(encoded bytes: Bytes) throws(StreamFrameRefusal) {
        guard bytes.count >= Self.headerBytes else { throw .tooShort }
        guard let kind = Class(rawValue: bytes[0]) else { throw .unknownClass }
        guard bytes[33] == Self.headerVersion else { throw .unknownHeaderVersion }
        func number<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type) -> T {
            bytes.withUnsafeBytes { T(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        guard bytes.count - Self.headerBytes <= Self.payloadBytesMaximum else { throw .payloadTooLarge }
        guard number(76, UInt32.self) == bytes.count - Self.headerBytes else { throw .payloadLengthDiffers }
        guard let feedID = FeedID(bytes: bytes[1..<33]) else { throw .tooShort }
        self.kind = kind
        self.feedID = feedID
        flags = StreamFlags(rawValue: number(34, UInt16.self))
        bootID = number(36, UInt64.self)
        feedSequence = number(44, UInt64.self)
        globalSequence = number(52, UInt64.self)
        observationsTimestampNanoseconds = number(60, UInt64.self)
        publishTimestampNanoseconds = number(68, UInt64.self)
        payload = Bytes(bytes[Self.headerBytes...])
        switch kind {
        case .report: if payload.isEmpty { throw .reportWithoutPayload }
        case .heartbeat: if !payload.isEmpty { throw .heartbeatWithPayload }
        }
    }

    /// The same frame, sent again: other flags, everything else as it was.
    static func marked(_ encoded: Bytes, adding flags: StreamFlags) -> Bytes {
        var copy = encoded
        copy[34] |= UInt8(truncatingIfNeeded: flags.rawValue >> 8)
        copy[35] |= UInt8(truncatingIfNeeded: flags.rawValue)
        return copy
    }
}

/// Prefixes of the first bytes of a frame: what a subscriber asks a gateway for (11.3).
package enum StreamTopic {
    package static let allReports: Bytes = [StreamFrame.Class.report.rawValue]
    package static let heartbeats: Bytes = [StreamFrame.Class.heartbeat.rawValue]

    /// All feeds of one schema version.
    package static func version(_ version: UInt16) -> Bytes {
        allReports + [UInt8(version >> 8), UInt8(truncatingIfNeeded: version)]
    }

    package static func feed(_ feedID: FeedID) -> Bytes { allReports + feedID.bytes }
}
