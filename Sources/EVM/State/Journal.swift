// The overlay over a StateReader in which transactions run: what they read, what they changed, and how to take it back.
// One journal serves the transactions of a block, one after another. Changes leave through Journal+Changes.swift.

import Ethereum

/// The state of a block in the making.
package final class Journal {
    let reader: any StateReader
    let codeCache: CodeCache

    let accounts = Pool<AccountEntry>()
    let slots = Pool<SlotEntry>()
    private let transients = Pool<U256>()
    private let accountIndex = WordIndex()
    private let slotIndex = WordIndex()
    private let transientIndex = WordIndex()
    /// Code that the reader does not hold yet.
    @exclusivity(unchecked) var newCodes: [Hash32: Code] = [:]

    private let undo = Pool<Undo>(capacity: 256)
    /// Logs of the transaction that runs.
    let logBook = LogBook()
    package var logs: [Log] { logBook.logs }
    /// Gas to be given back for cleared slots, before the cap.
    @exclusivity(unchecked) var refund: Int64 = 0
    /// False before EIP-161: an account that is touched is in the state from then on, be it empty. Set by the executor.
    @exclusivity(unchecked) package var clearsEmptyAccounts = true
    /// The stamp of the transaction in which a touch of `ripemd160` was taken back.
    @exclusivity(unchecked) private var ripemd160Touched: UInt32 = 0
    /// The stamp of the transaction that runs: warm, touched, created and destroyed hold while they carry it.
    @exclusivity(unchecked) private(set) var stamp: UInt32 = 1

    package init(reader: any StateReader, codeCache: CodeCache = CodeCache()) {
        self.reader = reader
        self.codeCache = codeCache
    }

    /// What to go back to.
    struct Snapshot: BitwiseCopyable {
        let undo: Int
        let logs: Int
        let refund: Int64
    }

    var snapshot: Snapshot { Snapshot(undo: undo.count, logs: logBook.count, refund: refund) }

    // MARK: Accounts

    /// The position of an account, loading it at its first mention.
    func position(_ address: Address) -> Int32 {
        if let known = accountIndex.find(0, address.word) { return known }
        let position = Int32(accounts.count)
        accounts.append(AccountEntry(address: address, state: reader.account(address)))
        accountIndex.insert(0, address.word, position)
        return position
    }

    /// Marks an account warm; true when it was cold.
    func warm(_ position: Int32) -> Bool {
        let at = position
        if accounts[at].pointee.warm == stamp { return false }
        undo.append(Undo(.warmAccount, position, U256(UInt64(accounts[at].pointee.warm))))
        accounts[at].pointee.warm = stamp
        return true
    }

    func balance(_ position: Int32) -> U256 { accounts[position].pointee.balance }

    /// True without nonce, balance and code.
    func isEmpty(_ position: Int32) -> Bool { accounts[position].pointee.isEmpty }

    /// Marks an account as one that is removed at the end if it is empty then (EIP-161), and that is there before.
    func touch(_ position: Int32) {
        let at = position
        if accounts[at].pointee.touched == stamp { return }
        undo.append(Undo(.touch, position, U256(UInt64(accounts[at].pointee.touched))))
        accounts[at].pointee.touched = stamp
    }

    /// True for an account that the state holds or that this transaction has touched; before EIP-161 that makes it be.
    func existsNow(_ position: Int32) -> Bool {
        accounts[position].pointee.exists || accounts[position].pointee.touched == stamp
    }

    func setBalance(_ position: Int32, _ balance: U256) {
        touch(position)
        undo.append(Undo(.balance, position, accounts[position].pointee.balance))
        accounts[position].pointee.balance = balance
    }

    func setNonce(_ position: Int32, _ nonce: UInt64) {
        touch(position)
        undo.append(Undo(.nonce, position, U256(accounts[position].pointee.nonce)))
        accounts[position].pointee.nonce = nonce
    }

    func setCode(_ position: Int32, _ code: Code, hash: Hash32) {
        touch(position)
        undo.append(Undo(.code, position, accounts[position].pointee.codeHash.word))
        accounts[position].pointee.codeHash = hash
        accounts[position].pointee.code = code
        if code.count > 0 { newCodes[hash] = code }
    }

    /// Moves `value`; the payer's balance must suffice.
    func transfer(_ value: U256, from payer: Int32, to payee: Int32) {
        touch(payee)
        if value.isZero { return }
        setBalance(payer, balance(payer) - value)
        // All the money of a state is below 2^256 wherever it began so; a wrap would be a fault of the reader.
        setBalance(payee, balance(payee) &+ value)
    }

    /// The code of an account, analysed.
    func code(_ position: Int32) -> Code {
        let at = position
        if let code = accounts[at].pointee.code { return code }
        let code = loadCode(accounts[at].pointee.codeHash)
        accounts[at].pointee.code = code
        return code
    }

    private func loadCode(_ hash: Hash32) -> Code {
        if hash == AccountEntry.emptyCodeHash { return .empty }
        if let code = newCodes[hash] ?? codeCache.find(hash) { return code }
        let code = Code(reader.code(hash))
        codeCache.insert(hash, code)
        return code
    }

    /// True where a contract must not be created: nonce, code or storage are there (EIP-684, EIP-7610).
    func hindersCreation(_ position: Int32) -> Bool {
        let entry = accounts[position].pointee
        if entry.nonce != 0 || entry.codeHash != AccountEntry.emptyCodeHash { return true }
        return entry.exists && !entry.wiped && reader.hasStorage(entry.address)
    }

    func markCreated(_ position: Int32) {
        undo.append(Undo(.created, position, U256(UInt64(accounts[position].pointee.created))))
        accounts[position].pointee.created = stamp
    }

    func isCreated(_ position: Int32) -> Bool { accounts[position].pointee.created == stamp }

    func isDestroyed(_ position: Int32) -> Bool { accounts[position].pointee.destroyed == stamp }

    func markDestroyed(_ position: Int32) {
        guard accounts[position].pointee.destroyed != stamp else { return }
        undo.append(Undo(.destroyed, position, U256(UInt64(accounts[position].pointee.destroyed))))
        accounts[position].pointee.destroyed = stamp
    }

    // MARK: Storage

    /// The position of a slot, loading it at its first mention.
    func slot(_ account: Int32, _ key: U256) -> Int32 {
        if let known = slotIndex.find(account, key) {
            if slots[known].pointee.stamp != stamp { renew(known) }
            return known
        }
        let position = Int32(slots.count)
        let entry = accounts[account].pointee
        let isFresh = entry.wiped || entry.created == stamp || !entry.exists
        let value = isFresh ? U256.zero : reader.storage(entry.address, key)
        slots.append(
            SlotEntry(
                key: key, current: value, original: value, committed: value, next: entry.firstSlot, stamp: stamp,
                warm: 0))
        accounts[account].pointee.firstSlot = position
        slotIndex.insert(account, key, position)
        return position
    }

    private func renew(_ position: Int32) {
        slots[position].pointee.original = slots[position].pointee.current
        slots[position].pointee.stamp = stamp
    }

    /// Marks a slot warm; true when it was cold.
    func warmSlot(_ position: Int32) -> Bool {
        let at = position
        if slots[at].pointee.warm == stamp { return false }
        undo.append(Undo(.warmSlot, position, U256(UInt64(slots[at].pointee.warm))))
        slots[at].pointee.warm = stamp
        return true
    }

    func setSlot(_ position: Int32, _ value: U256) {
        undo.append(Undo(.slot, position, slots[position].pointee.current))
        slots[position].pointee.current = value
    }

    func transient(_ account: Int32, _ key: U256) -> U256 {
        transientIndex.find(account, key).map { transients[$0].pointee } ?? .zero
    }

    func setTransient(_ account: Int32, _ key: U256, _ value: U256) {
        let position: Int32
        if let known = transientIndex.find(account, key) {
            position = known
        } else {
            position = Int32(transients.count)
            transients.append(.zero)
            transientIndex.insert(account, key, position)
        }
        undo.append(Undo(.transient, position, transients[position].pointee))
        transients[position].pointee = value
    }

    // MARK: Going back, and ending

    /// Takes back all since `snapshot`.
    func revert(to snapshot: Snapshot) {
        while undo.count > snapshot.undo { takeBack(undo.removeLast()) }
        logBook.remove(keeping: snapshot.logs)
        refund = snapshot.refund
    }

    private func takeBack(_ entry: Undo) {
        let at = entry.position
        switch entry.kind {
        case .balance: accounts[at].pointee.balance = entry.value
        case .nonce: accounts[at].pointee.nonce = entry.value.w0
        case .code:
            accounts[at].pointee.codeHash = Hash32(entry.value)
            accounts[at].pointee.code = nil
        case .touch:
            accounts[at].pointee.touched = UInt32(truncatingIfNeeded: entry.value.w0)
            if accounts[at].pointee.address.word == Self.ripemd160 { ripemd160Touched = stamp }
        case .warmAccount: accounts[at].pointee.warm = UInt32(truncatingIfNeeded: entry.value.w0)
        case .created: accounts[at].pointee.created = UInt32(truncatingIfNeeded: entry.value.w0)
        case .destroyed: accounts[at].pointee.destroyed = UInt32(truncatingIfNeeded: entry.value.w0)
        case .slot: slots[at].pointee.current = entry.value
        case .warmSlot: slots[at].pointee.warm = UInt32(truncatingIfNeeded: entry.value.w0)
        case .transient: transients[at].pointee = entry.value
        }
    }

    /// Ends a transaction: removes what destroyed itself and touched accounts that are empty, and forgets warmth.
    func finishTransaction() {
        for at in undo.positions {
            let entry = undo[at].pointee
            switch entry.kind {
            case .destroyed: destroy(entry.position)
            case .touch: settle(entry.position)
            default: break
            }
        }
        if clearsEmptyAccounts, ripemd160Touched == stamp { settle(position(Address(truncating: Self.ripemd160))) }
        startAnew()
    }

    /// Precompile 3, whose touch outlives a failed call: clients agreed on what had happened on the main
    /// network once (ethereum/EIPs issue 716).
    private static let ripemd160 = U256(3)

    /// Takes back all that the transaction did.
    func discardTransaction() {
        revert(to: Snapshot(undo: 0, logs: 0, refund: 0))
        startAnew()
    }

    private func startAnew() {
        undo.removeAll()
        logBook.removeAll()
        refund = 0
        transientIndex.removeAll()
        transients.removeAll()
        stamp += 1
    }

    private func settle(_ position: Int32) {
        let at = position
        guard accounts[at].pointee.destroyed != stamp else { return }
        if accounts[at].pointee.isEmpty, clearsEmptyAccounts {
            if accounts[at].pointee.exists { wipe(at) }
        } else {
            accounts[at].pointee.exists = true
        }
    }

    private func destroy(_ position: Int32) {
        let at = position
        accounts[at].pointee.nonce = 0
        accounts[at].pointee.balance = .zero
        accounts[at].pointee.codeHash = AccountEntry.emptyCodeHash
        accounts[at].pointee.code = nil
        wipe(at)
    }

    func wipe(_ at: Int32) {
        accounts[at].pointee.exists = false
        accounts[at].pointee.wiped = true
        var next = accounts[at].pointee.firstSlot
        while next >= 0 {
            slots[next].pointee.current = .zero
            next = slots[next].pointee.next
        }
    }
}
