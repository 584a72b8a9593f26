// The book on disk: canonical bytes, one encoding for each state.

import Ethereum

extension HandoverBook {
    private static let version: UInt8 = 1

    package var encoded: Bytes {
        var writer = CanonicalWriter(reserving: 256)
        writer.byte(Self.version)
        writer.u32(donID)
        writer.flag(isCurrent)
        writer.flag(position != nil)
        if let position {
            writer.u64(position.block)
            writer.u64(position.index)
        }
        writer.digest(production)
        writer.digest(staging)
        writer.list(entries) { writer, entry in
            writer.raw(entry.configuration.digest.bytes)
            writer.u64(entry.configuration.count)
            writer.list(entry.configuration.signers) { writer, signer in writer.raw(signer.bytes) }
            writer.byte(entry.configuration.faulty)
            writer.digest(entry.configuration.predecessor)
            writer.byte(entry.standing.rawValue)
            writer.digest(entry.successor)
            writer.byte(entry.stage.map { $0.rawValue + 1 } ?? 0)
            writer.flag(entry.proof != nil)
            entry.proof?.write(to: &writer)
        }
        return writer.bytes
    }

    /// The book of an earlier run, for a process whose file names `initial` now. Throws `malformedHandover`.
    package init(encoded: Bytes, donID: UInt32, initial: RegisteredConfiguration) throws(PriceStreamsError) {
        var reader = CanonicalReader(encoded, .malformedHandover)
        guard try reader.byte() == Self.version else { throw reader.malformed("another version") }
        guard try reader.u32() == donID else { throw reader.malformed("the book of another DON") }
        let isCurrent = try reader.flag()
        let position = try reader.flag() ? LogPosition(block: reader.u64(), index: reader.u64()) : nil
        let production = try reader.digest()
        let staging = try reader.digest()
        let entries = try reader.list(maximum: Self.entriesMaximum + 1, least: 50) {
            reader throws(PriceStreamsError) -> Entry in try Self.entry(&reader)
        }
        try reader.finish()
        guard Set(entries.map(\.configuration.digest)).count == entries.count else { throw reader.malformed("one digest twice") }
        self.init(donID: donID, initial: initial.digest, entries: entries)
        (self.isCurrent, self.position, self.production, self.staging) = (isCurrent, position, production, staging)
        if entry(initial.digest) == nil {
            // The file names another one than before.
            self.entries.removeAll { $0.standing == .unregistered }
            self.entries.insert(Entry(configuration: initial, standing: .unregistered), at: 0)
        }
    }

    private static func entry(_ reader: inout CanonicalReader) throws(PriceStreamsError) -> Entry {
        let digest = try reader.hash()
        let count = try reader.u64()
        let signers = try reader.list(maximum: 64, least: 20) { reader throws(PriceStreamsError) -> Address in
            guard let address = Address(bytes: Bytes(try reader.raw(20))) else { throw reader.malformed("a signer") }
            return address
        }
        let faulty = try reader.byte()
        let configuration = RegisteredConfiguration(
            digest: digest, count: count, signers: signers, faulty: faulty, predecessor: try reader.digest())
        guard let standing = Standing(rawValue: try reader.byte()) else { throw reader.malformed("a standing") }
        var entry = Entry(configuration: configuration, standing: standing)
        entry.successor = try reader.digest()
        let stage = try reader.byte()
        if stage > 0 {
            guard let known = LifeCycleStage(rawValue: stage - 1) else { throw reader.malformed("a stage") }
            entry.stage = known
        }
        entry.proof = try reader.flag() ? AttestedRetirement(from: &reader) : nil
        return entry
    }
}

extension CanonicalWriter {
    fileprivate mutating func digest(_ value: Hash32?) {
        flag(value != nil)
        if let value { raw(value.bytes) }
    }
}

extension CanonicalReader {
    fileprivate mutating func hash() throws(PriceStreamsError) -> Hash32 {
        guard let hash = Hash32(bytes: Bytes(try raw(32))) else { throw malformed("a digest") }
        return hash
    }

    fileprivate mutating func digest() throws(PriceStreamsError) -> Hash32? { try flag() ? hash() : nil }
}
