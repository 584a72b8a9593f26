// Transactions that wait for a block: one queue a sender by nonce, replacement, and the order of the next block. What
// a state says of a sender comes in with each call; nothing here reads one.

import Ethereum

package struct TransactionPool: Sendable {
    /// A transaction and when it came, counted over the chain's life.
    package struct Entry: Sendable {
        package let transaction: PooledTransaction
        package let arrival: UInt64

        var nonce: UInt64 { transaction.transaction.nonce }
    }

    /// The waiting transactions of one sender.
    private struct Queue: Sendable {
        /// The nonce that the sender's account has.
        var nonce: UInt64
        /// By ascending nonce, each once, none below the account's.
        var entries: [Entry] = []
        /// How many of the first entries follow each other from the account's nonce on.
        var readyCount = 0

        func position(of nonce: UInt64) -> (index: Int, found: Bool) {
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].nonce < nonce { low = middle + 1 } else { high = middle }
            }
            return (low, low < entries.count && entries[low].nonce == nonce)
        }

        /// Counts the ready ones anew from what is known to be ready.
        mutating func extendReady() {
            while readyCount < entries.count, entries[readyCount].nonce == nonce + UInt64(readyCount) {
                readyCount += 1
            }
        }
    }

    private var queues: [Address: Queue] = [:]
    private var senders: [Hash32: Address] = [:]
    private var nonces: [Hash32: UInt64] = [:]
    /// How many waiting set-code transactions an account has signed an authorization of (EIP-7702).
    private var authorities: [Address: Int] = [:]
    /// Blobs that wait.
    package private(set) var blobCount = 0
    private var arrivals: UInt64 = 0
    /// Transactions that follow their sender's nonce without a gap.
    package private(set) var readyCount = 0

    package init() {}

    package var count: Int { senders.count }
    package var isEmpty: Bool { senders.isEmpty }

    // MARK: Coming in

    /// Takes a transaction of a sender whose account has `nonce`; what it replaced, if it replaced one.
    /// - Parameter isDelegated: true where the sender's account runs another's code (EIP-7702).
    @discardableResult
    package mutating func insert(
        _ transaction: PooledTransaction, accountNonce: UInt64, isDelegated: Bool = false
    ) throws(DevChainError) -> PooledTransaction? {
        let own = transaction.transaction.nonce
        guard senders[transaction.hash] == nil else {
            throw DevChainError(.alreadyKnown, "already known: \(transaction.hash)")
        }
        guard own >= accountNonce else {
            throw DevChainError(
                .nonceTooLow, "nonce too low: next nonce \(accountNonce), tx nonce \(own) of \(transaction.sender)")
        }
        guard own - accountNonce <= Limits.poolNonceDistanceMaximum else {
            throw DevChainError(
                .nonceTooFar,
                "nonce too high: tx nonce \(own) is more than \(Limits.poolNonceDistanceMaximum) past the next nonce "
                    + "\(accountNonce) of \(transaction.sender)")
        }
        sync(transaction.sender, nonce: accountNonce)
        var queue = queues.removeValue(forKey: transaction.sender) ?? Queue(nonce: accountNonce)
        defer { if !queue.entries.isEmpty { queues[transaction.sender] = queue } }
        let (index, found) = queue.position(of: own)
        try checkKinds(queue, transaction)
        if isDelegated || authorities[transaction.sender] != nil { try checkDelegated(queue, transaction, found) }
        if found {
            let old = queue.entries[index].transaction
            try checkReplacement(of: old, by: transaction)
            forget(old)
            queue.entries[index] = Entry(transaction: transaction, arrival: arrivals)
            remember(transaction)
            return old
        }
        try checkAuthorities(transaction)
        try checkRoom(queue, index, transaction)
        queue.entries.insert(Entry(transaction: transaction, arrival: arrivals), at: index)
        remember(transaction)
        let before = queue.readyCount
        queue.extendReady()
        readyCount += queue.readyCount - before
        return nil
    }

    private func checkReplacement(of old: PooledTransaction, by new: PooledTransaction) throws(DevChainError) {
        let isBlob = old.transaction.kind == .blob
        let rise = isBlob ? Limits.blobReplacementRisePercent : Limits.replacementRisePercent
        func least(_ fee: U256) -> U256 {
            let (product, lost) = fee.multipliedReportingOverflow(by: U256(100 + rise))
            return lost ? .max : (product &+ 99) / 100
        }
        let cap = least(old.transaction.maxFeePerGas)
        let tip = least(old.transaction.maxPriorityFeePerGas)
        let blobFee = least(old.transaction.maxFeePerBlobGas)
        guard new.transaction.maxFeePerGas >= cap, new.transaction.maxPriorityFeePerGas >= tip,
            new.transaction.maxFeePerBlobGas >= blobFee
        else {
            throw DevChainError(
                .replacementUnderpriced,
                "replacement transaction underpriced: nonce \(new.transaction.nonce) of \(new.sender) waits with "
                    + "\(old.hash); a replacement needs a fee of at least \(cap) and a tip of at least \(tip)"
                    + (isBlob ? " and a blob fee of at least \(blobFee)" : ""))
        }
    }

    /// Blob transactions and others of one sender do not wait at once, as in geth, where each kind has its own pool.
    private func checkKinds(_ queue: Queue, _ transaction: PooledTransaction) throws(DevChainError) {
        let isBlob = transaction.transaction.kind == .blob
        guard let waiting = queue.entries.first, (waiting.transaction.transaction.kind == .blob) != isBlob else {
            return
        }
        throw DevChainError(
            .addressReserved,
            "address already reserved: transactions \(isBlob ? "without" : "with") blobs of \(transaction.sender) wait; "
                + "send this one when they are in a block")
    }

    /// Another's transaction may change the nonce or the money of an account that lends its code, or is about to, so
    /// only one of its own waits at a time, as in geth.
    private func checkDelegated(
        _ queue: Queue, _ transaction: PooledTransaction, _ replaces: Bool
    ) throws(DevChainError) {
        if replaces { return }
        guard queue.entries.isEmpty else {
            throw DevChainError(
                .delegatedQueueFull,
                "in-flight transaction limit reached for delegated accounts: one transaction of \(transaction.sender) "
                    + "waits, and no more can (EIP-7702)")
        }
        guard transaction.transaction.nonce == queue.nonce else {
            throw DevChainError(
                .delegatedQueueFull,
                "gapped-nonce tx from delegated accounts: nonce \(transaction.transaction.nonce) of "
                    + "\(transaction.sender) leaves a gap after \(queue.nonce) (EIP-7702)")
        }
    }

    /// For the same reason an account whose transactions wait signs no authorization that comes into force before them.
    private func checkAuthorities(_ transaction: PooledTransaction) throws(DevChainError) {
        for authority in transaction.authorities where authority != transaction.sender {
            guard queues[authority]?.entries.count ?? 0 <= 1 else {
                throw DevChainError(
                    .authorityReserved,
                    "authority already reserved: more than one transaction of \(authority) waits (EIP-7702)")
            }
        }
    }

    private func checkRoom(_ queue: Queue, _ index: Int, _ transaction: PooledTransaction) throws(DevChainError) {
        let nonce = transaction.transaction.nonce
        guard count < Limits.poolTransactionsMaximum else {
            throw DevChainError(.poolFull, "txpool is full: \(count) transactions wait; send again later")
        }
        guard queue.entries.count < Limits.poolSenderTransactionsMaximum else {
            throw DevChainError(
                .senderQueueFull, "account limit exceeded: \(queue.entries.count) transactions of this sender wait")
        }
        let followsReady = index == queue.readyCount && nonce == queue.nonce + UInt64(queue.readyCount)
        if transaction.transaction.kind == .blob { try checkBlobRoom(queue, transaction, followsReady) }
        guard followsReady || queue.entries.count - queue.readyCount < Limits.poolGappedTransactionsMaximum else {
            throw DevChainError(
                .senderQueueFull,
                "account limit exceeded: \(Limits.poolGappedTransactionsMaximum) transactions of this sender wait "
                    + "behind a gap in its nonces already; send nonce \(queue.nonce + UInt64(queue.readyCount)) first")
        }
    }

    /// Blobs are large: they never wait for what may not come.
    private func checkBlobRoom(
        _ queue: Queue, _ transaction: PooledTransaction, _ followsReady: Bool
    ) throws(DevChainError) {
        guard followsReady else {
            throw DevChainError(
                .nonceTooFar,
                "nonce too high: blob transactions wait without a gap; send nonce "
                    + "\(queue.nonce + UInt64(queue.readyCount)) of \(transaction.sender) first")
        }
        guard queue.entries.count < Limits.poolSenderBlobTransactionsMaximum else {
            throw DevChainError(
                .senderQueueFull,
                "account limit exceeded: \(queue.entries.count) blob transactions of this sender wait")
        }
        guard blobCount + transaction.transaction.blobVersionedHashes.count <= Limits.poolBlobsMaximum else {
            throw DevChainError(.poolFull, "txpool is full: \(blobCount) blobs wait; send again later")
        }
    }

    private mutating func remember(_ transaction: PooledTransaction) {
        arrivals += 1
        senders[transaction.hash] = transaction.sender
        nonces[transaction.hash] = transaction.transaction.nonce
        blobCount += transaction.transaction.blobVersionedHashes.count
        for authority in transaction.authorities { authorities[authority, default: 0] += 1 }
    }

    private mutating func forget(_ transaction: PooledTransaction) {
        senders[transaction.hash] = nil
        nonces[transaction.hash] = nil
        blobCount -= transaction.transaction.blobVersionedHashes.count
        for authority in transaction.authorities {
            let left = authorities[authority, default: 1] - 1
            authorities[authority] = left > 0 ? left : nil
        }
    }

    // MARK: Going out

    /// Tells the pool the nonce of an account: what is below it leaves, what follows it becomes ready.
    package mutating func sync(_ sender: Address, nonce: UInt64) {
        guard var queue = queues[sender], queue.nonce != nonce else { return }
        queues[sender] = nil
        readyCount -= queue.readyCount
        let gone = queue.position(of: nonce).index
        for entry in queue.entries[..<gone] { forget(entry.transaction) }
        queue.entries.removeFirst(gone)
        queue.nonce = nonce
        queue.readyCount = 0
        queue.extendReady()
        readyCount += queue.readyCount
        if !queue.entries.isEmpty { queues[sender] = queue }
    }

    /// As `sync`, for every sender that waits.
    package mutating func syncAll(_ nonce: (Address) -> UInt64) {
        for sender in queues.keys.sorted() { sync(sender, nonce: nonce(sender)) }
    }

    /// Takes one transaction out; what followed it waits behind a gap then. Nil when it is not here.
    @discardableResult
    package mutating func remove(_ hash: Hash32) -> PooledTransaction? {
        guard let sender = senders[hash], let nonce = nonces[hash], var queue = queues[sender] else { return nil }
        queues[sender] = nil
        readyCount -= queue.readyCount
        let index = queue.position(of: nonce).index
        let removed = queue.entries.remove(at: index).transaction
        forget(removed)
        queue.readyCount = min(queue.readyCount, index)
        readyCount += queue.readyCount
        if !queue.entries.isEmpty { queues[sender] = queue }
        return removed
    }

    /// Takes all out, in the order of their arrival.
    package mutating func removeAll() -> [PooledTransaction] {
        let all = queues.values.flatMap(\.entries).sorted { $0.arrival < $1.arrival }.map(\.transaction)
        queues = [:]
        senders = [:]
        nonces = [:]
        authorities = [:]
        blobCount = 0
        readyCount = 0
        return all
    }

    /// Takes all of one sender out, by nonce.
    package mutating func removeAll(of sender: Address) -> [PooledTransaction] {
        guard let queue = queues.removeValue(forKey: sender) else { return [] }
        readyCount -= queue.readyCount
        for entry in queue.entries { forget(entry.transaction) }
        return queue.entries.map(\.transaction)
    }

    // MARK: Looking

    package func find(_ hash: Hash32) -> PooledTransaction? {
        guard let sender = senders[hash], let nonce = nonces[hash], let queue = queues[sender] else { return nil }
        let (index, found) = queue.position(of: nonce)
        return found ? queue.entries[index].transaction : nil
    }

    /// The nonce that a sender's next transaction should have, when some of its transactions are ready.
    package func nextNonce(_ sender: Address) -> UInt64? {
        queues[sender].map { $0.nonce + UInt64($0.readyCount) }
    }

    /// All that wait, by sender and nonce, and whether each is ready.
    package var contents: [(sender: Address, ready: [PooledTransaction], gapped: [PooledTransaction])] {
        queues.keys.sorted().map { sender in
            let (ready, gapped) = contents(of: sender)
            return (sender, ready, gapped)
        }
    }

    /// What waits of one sender, by nonce.
    package func contents(of sender: Address) -> (ready: [PooledTransaction], gapped: [PooledTransaction]) {
        guard let queue = queues[sender] else { return ([], []) }
        let all = queue.entries.map(\.transaction)
        return (Array(all[..<queue.readyCount]), Array(all[queue.readyCount...]))
    }

    /// True when a transaction is ready that pays `baseFee`.
    package func hasWork(baseFee: U256) -> Bool {
        guard readyCount > 0 else { return false }
        return queues.values.contains { queue in
            queue.readyCount > 0 && queue.entries[0].transaction.transaction.maxFeePerGas >= baseFee
        }
    }

    /// The ready transactions that pay `baseFee`: the highest tip first, among equals the first to come, and each
    /// sender's by nonce. At most `limit`.
    package func ordered(baseFee: U256, limit: Int) -> [PooledTransaction] {
        var heap = PriceHeap()
        for queue in queues.values where queue.readyCount > 0 {
            if let bid = Bid(queue.entries[0], baseFee) { heap.push(bid) }
        }
        var result: [PooledTransaction] = []
        result.reserveCapacity(min(limit, readyCount))
        while result.count < limit, let best = heap.pop() {
            result.append(best.entry.transaction)
            guard let queue = queues[best.entry.transaction.sender] else { continue }
            let next = Int(best.entry.nonce - queue.nonce) + 1
            if next < queue.readyCount, let bid = Bid(queue.entries[next], baseFee) { heap.push(bid) }
        }
        return result
    }
}

/// One sender's next transaction with what it offers.
private struct Bid {
    let entry: TransactionPool.Entry
    let tip: U256

    init?(_ entry: TransactionPool.Entry, _ baseFee: U256) {
        guard let price = entry.transaction.transaction.effectiveGasPrice(baseFee: baseFee) else { return nil }
        self.entry = entry
        tip = price &- baseFee
    }

    func precedes(_ other: Bid) -> Bool {
        tip == other.tip ? entry.arrival < other.entry.arrival : tip > other.tip
    }
}

/// A binary heap of bids, the best on top. Arrivals differ, so its order is fixed whatever order they were pushed in.
private struct PriceHeap {
    private var bids: [Bid] = []

    mutating func push(_ bid: Bid) {
        bids.append(bid)
        var at = bids.count - 1
        while at > 0, bids[at].precedes(bids[(at - 1) / 2]) {
            bids.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    mutating func pop() -> Bid? {
        guard let last = bids.popLast() else { return nil }
        guard let top = bids.first else { return last }
        bids[0] = last
        var at = 0
        while true {
            var best = at
            for child in [2 * at + 1, 2 * at + 2] where child < bids.count && bids[child].precedes(bids[best]) {
                best = child
            }
            if best == at { return top }
            bids.swapAt(at, best)
            at = best
        }
    }
}
