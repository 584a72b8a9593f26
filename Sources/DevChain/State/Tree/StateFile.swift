// A tree that lives in a file, so that it outlasts its process and may be larger than memory. The file is changed in
// place; what each change overwrites is written beside it first. A process that dies leaves a tree whose every node is
// whole (StateTree+Update.swift names new nodes only once they are written) and a list of what to put back.

import EVM
import Ethereum
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of one state: `PATH` with the nodes, `PATH.undo` with what changed since the last sync, `PATH.free` with the
/// free places of a clean end.
final class StateFile {
    /// What the first page of the file says, and where.
    private enum Offset {
        static let magic = 0
        static let end = 8
        static let root = 16
        static let clean = 24
        static let boot = 32
        static let marks = 128
        static let markBytes = 64
    }

    /// "CWstate" and the version of the layout.
    private static let magic: UInt64 = 0x4357_7374_6174_6501

    /// A point that the tree can be taken back to.
    struct Mark: BitwiseCopyable, Equatable {
        var sequence: UInt64 = 0
        /// What the owner counts: how much of its log is in the tree.
        var position: UInt64 = 0
        var generation: UInt64 = 0
        var root: UInt64 = 0
        var accounts: UInt64 = 0
        var unitsUsed: UInt64 = 0

        var checksum: UInt64 {
            var sum: UInt64 = 0x9e37_79b9_7f4a_7c15
            for word in [sequence, position, generation, root, accounts, unitsUsed] {
                sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd
                sum ^= sum >> 32
            }
            return sum
        }
    }

    let mapping: NodeMapping
    private let path: String
    private let undo: Int32
    private var undoBytes = 0
    private(set) var mark = Mark()
    /// True when nothing of an earlier run was taken over.
    let isNew: Bool

    private var base: UnsafeMutableRawPointer { mapping.base }

    /// Opens the files, or makes them. A state that a power cut may have torn is begun anew, which `isNew` tells.
    init(path: String) throws(DevChainError) {
        self.path = path
        mapping = try NodeMapping(file: path)
        undo = open(path + ".undo", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard undo >= 0 else {
            throw DevChainError(
                .storeFailed, "cannot open the state file \(path).undo: \(String(cString: strerror(errno)))")
        }
        let base = mapping.base
        let hasContent = mapping.fileBytes >= NodeArena.headBytes
        if hasContent {
            let found = base.load(fromByteOffset: Offset.magic, as: UInt64.self)
            guard found == 0 || found == Self.magic else {
                throw DevChainError(
                    .storeFailed,
                    "the state file \(path) was written by another version or program; move it away and its state is "
                        + "made again from the blocks")
            }
        }
        let best = hasContent ? Self.best(base) : nil
        let boot = Self.bootWords()
        let isTrusted =
            hasContent
            && (base.load(fromByteOffset: Offset.clean, as: UInt64.self) == 1
                || (base.load(fromByteOffset: Offset.boot, as: UInt64.self) == boot.0
                    && base.load(fromByteOffset: Offset.boot + 8, as: UInt64.self) == boot.1))
        if let best, isTrusted {
            mark = best
            isNew = false
        } else {
            isNew = true
            mapping.reach(NodeArena.headBytes)
            memset(base, 0, NodeArena.headBytes)
            ftruncate(undo, 0)
            let first = UInt64(NodeArena.headBytes / NodeArena.unitBytes)
            base.storeBytes(of: first, toByteOffset: Offset.end, as: UInt64.self)
        }
        base.storeBytes(of: boot.0, toByteOffset: Offset.boot, as: UInt64.self)
        base.storeBytes(of: boot.1, toByteOffset: Offset.boot + 8, as: UInt64.self)
        base.storeBytes(of: Self.magic, toByteOffset: Offset.magic, as: UInt64.self)
    }

    deinit { Glibc.close(undo) }

    /// Names this start of the machine: page caches live until its end, whatever becomes of processes.
    private static func bootWords() -> (UInt64, UInt64) {
        var bytes = Bytes(repeating: 0, count: 36)
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return (0, 0) }
        defer { Glibc.close(file) }
        guard bytes.withUnsafeMutableBytes({ Glibc.read(file, $0.baseAddress, $0.count) }) == 36 else { return (0, 0) }
        let hash = keccak256(bytes).word
        return (hash.w0, hash.w1)
    }

    private static func best(_ base: UnsafeMutableRawPointer) -> Mark? {
        (0..<2).compactMap { slot -> Mark? in
            let at = base + Offset.marks + slot * Offset.markBytes
            let mark = at.load(as: Mark.self)
            let sum = at.load(fromByteOffset: MemoryLayout<Mark>.size, as: UInt64.self)
            return sum == mark.checksum && mark.sequence > 0 ? mark : nil
        }.max { $0.sequence < $1.sequence }
    }

    // MARK: Where the tree stands

    /// The units that were ever given out, kept current by the arena.
    var end: UnsafeMutablePointer<UInt64> {
        (base + Offset.end).assumingMemoryBound(to: UInt64.self)
    }

    /// The top of the tree as it is now, also in the midst of changes.
    var root: NodeRef {
        get { NodeRef(base.load(fromByteOffset: Offset.root, as: UInt64.self)) }
        set { base.storeBytes(of: UInt64(newValue), toByteOffset: Offset.root, as: UInt64.self) }
    }

    /// The tree as it is becomes the one that a restart begins from.
    func sync(position: UInt64, root: NodeRef, accounts: Int, unitsUsed: Int) {
        var next = mark
        next.sequence += 1
        next.generation += 1
        next.position = position
        next.root = UInt64(root)
        next.accounts = UInt64(accounts)
        next.unitsUsed = UInt64(unitsUsed)
        let at = base + Offset.marks + Int(next.sequence & 1) * Offset.markBytes
        at.storeBytes(of: next, as: Mark.self)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        at.storeBytes(of: next.checksum, toByteOffset: MemoryLayout<Mark>.size, as: UInt64.self)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        mark = next
        ftruncate(undo, 0)
        undoBytes = 0
    }

    /// Writes everything to the disk and says that it is whole.
    func close(free: [[NodeRef]]) {
        let words = free.flatMap { [NodeRef($0.count)] + $0 }
        let file = open(path + ".free", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if file >= 0 {
            let all = words.withUnsafeBytes { Self.writeAll(file, $0) }
            if !all { ftruncate(file, 0) }
            fsync(file)
            Glibc.close(file)
        }
        msync(base, mapping.fileBytes, MS_SYNC)
        base.storeBytes(of: 1, toByteOffset: Offset.clean, as: UInt64.self)
        msync(base, NodeArena.headBytes, MS_SYNC)
    }

    /// The free places of a clean end; none after any other. From now on the files count as in use.
    func takeFree() -> [[NodeRef]] {
        let wasClean = base.load(fromByteOffset: Offset.clean, as: UInt64.self) == 1
        base.storeBytes(of: 0, toByteOffset: Offset.clean, as: UInt64.self)
        defer { unlink(path + ".free") }
        guard wasClean, let bytes = Self.readAll(path + ".free") else { return [] }
        let words = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: NodeRef.self) }
        }
        var lists: [[NodeRef]] = []
        var at = 0
        while at < words.count {
            let count = Int(words[at])
            guard at + 1 + count <= words.count else { return [] }
            lists.append(Array(words[at + 1..<at + 1 + count]))
            at += 1 + count
        }
        return lists
    }

    // MARK: What to put back

    /// Keeps what a change is about to overwrite; it is with the system when this returns.
    func keep(_ edits: [AccountEdit]) {
        var record = Bytes()
        record.reserveCapacity(24 + 160 * edits.count)
        record.appendWord(0)
        record.appendWord(mark.generation)
        UndoCoding.append(edits, to: &record)
        let length = UInt64(record.count)
        withUnsafeBytes(of: length.littleEndian) { bytes in record.replaceSubrange(0..<8, with: bytes) }
        record.appendWord(UndoCoding.checksum(record))
        let all = record.withUnsafeBytes { Self.writeAll(undo, $0, at: undoBytes) }
        precondition(all, "the disk has no room for \(path).undo: errno \(errno)")
        undoBytes += record.count
    }

    /// What was kept since the last sync, the newest first. A record that was not written whole belongs to a change that
    /// never began.
    func kept() -> [[AccountEdit]] {
        guard let bytes = Self.readAll(path + ".undo") else { return [] }
        var records: [[AccountEdit]] = []
        var at = 0
        while at + 24 <= bytes.count {
            guard let length = Int(exactly: bytes.word(at)), length >= 16, at + length + 8 <= bytes.count,
                bytes.word(at + 8) == mark.generation,
                UndoCoding.checksum(Bytes(bytes[at..<at + length])) == bytes.word(at + length),
                let edits = UndoCoding.edits(bytes, at + 16, at + length)
            else { break }
            records.append(edits)
            at += length + 8
        }
        undoBytes = at
        return records.reversed()
    }

    private static func writeAll(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int = 0) -> Bool {
        var done = 0
        while done < bytes.count {
            let wrote = pwrite(file, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { return false }
            done += wrote
        }
        return true
    }

    private static func readAll(_ path: String) -> Bytes? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 0 else { return nil }
        var bytes = Bytes(repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(file, buffer.baseAddress.map { $0 + done }, size - done, off_t(done))
            }
            guard count > 0 else { return nil }
            done += count
        }
        return bytes
    }
}

/// Edits as bytes: addresses, states and slots at fixed widths, for a reader on the same machine.
private enum UndoCoding {
    static func append(_ edits: [AccountEdit], to out: inout Bytes) {
        out.appendWord(UInt64(edits.count))
        for edit in edits {
            out.append(edit.key)
            out.append(edit.address.word)
            out.appendWord((edit.state == nil ? 0 : 1) | (edit.replacesStorage ? 2 : 0) | UInt64(edit.storage) << 32)
            if let state = edit.state {
                out.appendWord(state.nonce)
                out.append(state.balance)
                out.append(state.codeHash.word)
            }
            out.appendWord(UInt64(edit.slots.count))
            for slot in edit.slots {
                out.append(slot.slot)
                out.append(slot.value)
            }
        }
    }

    static func edits(_ bytes: Bytes, _ start: Int, _ end: Int) -> [AccountEdit]? {
        var reader = WordReader(bytes: bytes, at: start, end: end)
        guard let count = reader.count() else { return nil }
        var edits: [AccountEdit] = []
        for _ in 0..<count {
            guard let key = reader.wide(), let address = reader.wide(), let flags = reader.word() else { return nil }
            var edit = AccountEdit(key: key, address: Address(truncating: address), state: nil)
            edit.replacesStorage = flags & 2 != 0
            edit.storage = NodeRef(flags >> 32)
            if flags & 1 != 0 {
                guard let nonce = reader.word(), let balance = reader.wide(), let code = reader.wide() else {
                    return nil
                }
                edit.state = AccountState(nonce: nonce, balance: balance, codeHash: Hash32(code))
            }
            guard let slots = reader.count() else { return nil }
            for _ in 0..<slots {
                guard let slot = reader.wide(), let value = reader.wide() else { return nil }
                edit.slots.append(SlotChange(slot: slot, value: value))
            }
            edits.append(edit)
        }
        return reader.at == end ? edits : nil
    }

    static func checksum(_ bytes: Bytes) -> UInt64 {
        var sum = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        bytes.withUnsafeBytes { raw in
            for at in 0..<raw.count / 8 {
                sum = (sum ^ raw.loadUnaligned(fromByteOffset: 8 * at, as: UInt64.self)) &* 0xff51_afd7_ed55_8ccd
                sum ^= sum >> 32
            }
        }
        return sum
    }
}

private struct WordReader {
    let bytes: Bytes
    var at: Int
    let end: Int

    mutating func word() -> UInt64? {
        guard at + 8 <= end else { return nil }
        defer { at += 8 }
        return bytes.word(at)
    }

    mutating func wide() -> U256? {
        guard let w0 = word(), let w1 = word(), let w2 = word(), let w3 = word() else { return nil }
        return U256(w0: w0, w1: w1, w2: w2, w3: w3)
    }

    /// A count of things of at least eight bytes.
    mutating func count() -> Int? {
        guard let word = word(), let count = Int(exactly: word), count <= (end - at) / 8 else { return nil }
        return count
    }
}

extension Bytes {
    fileprivate mutating func appendWord(_ word: UInt64) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ word: U256) {
        appendWord(word.w0)
        appendWord(word.w1)
        appendWord(word.w2)
        appendWord(word.w3)
    }

    fileprivate func word(_ at: Int) -> UInt64 {
        withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    }
}
