// The transaction senders of one process: one for each chain and address, whoever uses it. Two managers of one account
// would take each other's nonces.

import ChainAccess
import Configuration
import Ethereum
import Foundation
import Logging
import Storage
import Synchronization
import Transactions

/// With both roles in a process the outbox stands in a store of its own, and one key may serve both plugins; with one
/// role it stands in the store of that role. Entries that another arrangement left behind move over at the start, so
/// that nothing signed is forgotten.
package final class SenderPool: Sendable {
    package static let fileName = "transmitter.sqlite"

    private struct Member {
        let chainID: UInt64
        let sender: TransactionSender
        let heads: HeadTracker
    }

    /// The outbox of a process with both roles.
    private let shared: Store?
    /// What such a process left behind, when this one has a single role.
    private let left: Store?
    private let members = Mutex<[Member]>([])

    /// Throws `storeLocked` when another process holds the shared outbox.
    package init(settings: RelayerSettings, role: RelayerRole, logger: Logger) throws {
        try SettingsFile.makeDirectory(settings.dataDirectory)
        let path = "\(settings.dataDirectory)/\(Self.fileName)"
        if role == .both {
            shared = try Store(path: path, role: "\(settings.relayer) transmitter", logger: logger)
            left = nil
        } else {
            shared = nil
            left = FileManager.default.fileExists(atPath: path)
                ? try Self.patiently { try Store(path: path, role: "\(settings.relayer) transmitter", logger: logger) } : nil
        }
    }

    /// For tests and tools: the outbox of everybody in one store.
    init(shared: Store) {
        self.shared = shared
        left = nil
    }

    /// The process of the other role may be moving its entries at this moment.
    private static func patiently(_ open: () throws -> Store) throws -> Store {
        for _ in 0..<50 {
            do {
                return try open()
            } catch {
                guard (error as? StorageError)?.code == .locked else { throw error }
                usleep(100_000)
            }
        }
        return try open()
    }

    /// The one sender of this key on this chain. `own` is the store of the role that asks.
    func sender(
        _ watch: ChainWatch, key: PrivateKey, policy: FeePolicy, own: Store, logger: Logger
    ) throws -> TransactionSender {
        try members.withLock { members in
            let known = members.first { $0.chainID == watch.settings.chainID && $0.sender.address == key.address }
            if shared != nil, let known { return known.sender }
            let (from, to) = shared.map { (own, $0) } ?? (left ?? own, own)
            try Self.move(from: from, to: to, chain: watch.settings.chainID, sender: key.address)
            let sender = try TransactionSender(
                key: key, endpoints: watch.endpoints, store: to, policy: policy, logger: logger,
                alarm: { logger.error("transaction alarm", metadata: ["alarm": "\($0)"]) })
            members.append(Member(chainID: watch.settings.chainID, sender: sender, heads: watch.heads))
            return sender
        }
    }

    /// New before old: a crash in between leaves an entry in both, and what stands in the new store counts.
    static func move(from old: Store, to new: Store, chain: UInt64, sender: Address) throws {
        guard old !== new else { return }
        let entries = try old.outbox(chain: chain, sender: sender)
        let known = Set(try new.outbox(chain: chain, sender: sender).map { try OutboxEntry(decoding: $0).request.key })
        var added: [OutboxChange] = []
        var removed: [OutboxChange] = []
        for bytes in entries {
            let key = try OutboxEntry(decoding: bytes).request.key
            let isOver = try new.finished(chain: chain, sender: sender, key: key).isFinished
            if !known.contains(key), !isOver { added.append(.put(key: key, entry: bytes)) }
            removed.append(.forget(key: key))
        }
        try new.applyOutbox(chain: chain, sender: sender, added)
        try old.applyOutbox(chain: chain, sender: sender, removed)
    }

    /// All senders were asked for: lets go of what was left behind.
    func settled() { try? left?.close() }

    /// Feeds heads to all senders until the task is cancelled. Throws when an outbox cannot be written any more: then
    /// nothing must go out until a restart.
    func run() async throws {
        let members = members.withLock { $0 }
        await withTaskGroup(of: Void.self) { group in
            for member in members { group.addTask { await member.sender.run(heads: member.heads) } }
            group.addTask { while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) } }
            await group.next()
            group.cancelAll()
        }
        guard !Task.isCancelled else { return }
        throw RelayerError(.store, "an outbox cannot be written", hint: "look at the disk, then start again")
    }

    func close() { try? shared?.close() }
}
