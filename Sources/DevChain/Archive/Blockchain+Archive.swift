// A chain's small change for the data directory (what is neither block nor state), and a chain made from what a
// directory holds.

import EVM
import Ethereum

/// What a restart needs beside blocks, state and pool.
struct ArchivedSettings: Equatable, Sendable {
    let chainID: UInt64
    let safe: UInt64
    let finalized: UInt64
    let settings: BlockSettings
    let impersonated: Set<Address>
    let impersonatesAll: Bool

    init(_ chain: Blockchain) {
        chainID = chain.chainID
        safe = chain.safe
        finalized = chain.finalized
        settings = chain.settings
        impersonated = chain.impersonated
        impersonatesAll = chain.impersonatesAll
    }

    /// - Parameter stateRoot: of the state that the settings stand beside.
    func json(stateRoot: Hash32) -> JSON {
        var fields = JSONObject()
        fields["chainId"] = .quantity(chainID)
        fields["stateRoot"] = .hash(stateRoot)
        fields["safe"] = .quantity(safe)
        fields["finalized"] = .quantity(finalized)
        fields["gasLimit"] = .quantity(settings.gasLimit)
        fields["coinbase"] = .address(settings.coinbase)
        fields["branch"] = .quantity(settings.branch)
        fields["clockOffset"] = .string(String(settings.clock.offset))
        fields["clockNext"] = settings.clock.next.map { .quantity($0) }
        fields["clockInterval"] = settings.clock.interval.map { .quantity($0) }
        fields["nextBaseFee"] = settings.nextBaseFee.map { .quantity($0) }
        fields["nextPrevRandao"] = settings.nextPrevRandao.map { .hash($0) }
        fields["impersonated"] = .array(impersonated.sorted().map { .address($0) })
        fields["impersonatesAll"] = .bool(impersonatesAll)
        return .object(fields)
    }
}

extension Blockchain {
    /// The chain that a directory holds. Throws when the directory is another chain's, or damaged.
    init(_ configuration: Configuration, _ content: ChainArchive.Content, shelf: any BlockShelf) throws(DevChainError) {
        guard content.settings["chainId"] == .quantity(configuration.profile.chainID) else {
            throw DevChainError(
                .wrongChain,
                "the data directory holds chain \(content.settings["chainId"]?.asString ?? "?"), the profile is chain "
                    + "\(configuration.profile.chainID); give each chain a directory of its own")
        }
        let list = BlockList(count: content.blocks.count, on: shelf)
        var configuration = configuration
        // What `reset` goes back to.
        configuration.genesisTimestamp = list[0].header.timestamp
        self.init(unbegun: configuration, state: content.state)
        blocks = list
        states = Array(repeating: nil, count: content.blocks.count)
        firstState = content.blocks.count - 1
        for (number, block) in content.blocks.enumerated() {
            hashes.append(block.hash)
            numbers[block.hash] = UInt64(number)
            for (index, hash) in block.transactions.enumerated() {
                places.insert(hash, Place(number: UInt64(number), index: index))
            }
        }
        for number in content.blocksWithLogs { logIndex.add(shelf.block(Int(number))) }
        guard content.settings["stateRoot"] == .hash(content.state.root) else {
            throw DevChainError(
                .storeFailed,
                "the state is not the one that was left behind block \(head.number): the state file is damaged or not "
                    + "of this chain; move it away and it is made again from chain.db")
        }
        states[firstState] = States(before: content.state, after: content.state)
        try restore(content.settings)
        for kept in content.waiting {
            // What is in a block by now, or can no longer be in one, is refused; that is what the pool is for.
            do throws(DevChainError) {
                try submit(try PooledTransaction.kept(kept, chainID: chainID, rules: rules))
            } catch { continue }
        }
        version = 1
    }

    private mutating func restore(_ kept: JSON) throws(DevChainError) {
        func number(_ name: String) throws(DevChainError) -> UInt64? {
            guard let text = kept[name]?.asString else { return nil }
            guard let value = (try? U256(text: text))?.asUInt64 else { throw Self.damaged(name) }
            return value
        }
        func address(_ value: JSON?, _ name: String) throws(DevChainError) -> Address {
            do { return try Address(hex: value?.asString ?? "") } catch { throw Self.damaged(name) }
        }
        guard let safe = try number("safe"), let finalized = try number("finalized"),
            let gasLimit = try number("gasLimit"), let branch = try number("branch"),
            let offset = kept["clockOffset"]?.asString.flatMap({ Int64($0) })
        else { throw Self.damaged("settings") }
        self.safe = min(safe, head.number)
        self.finalized = min(finalized, self.safe)
        settings.gasLimit = gasLimit
        settings.branch = branch
        settings.coinbase = try address(kept["coinbase"], "coinbase")
        settings.clock = ChainClock(offset: offset, next: try number("clockNext"), interval: try number("clockInterval"))
        if let text = kept["nextBaseFee"]?.asString { settings.nextBaseFee = try? U256(text: text) }
        if let text = kept["nextPrevRandao"]?.asString { settings.nextPrevRandao = try? Hash32(hex: text) }
        for item in kept["impersonated"]?.asArray ?? [] { impersonated.insert(try address(item, "impersonated")) }
        impersonatesAll = kept["impersonatesAll"] == .bool(true)
    }

    private static func damaged(_ what: String) -> DevChainError {
        DevChainError(.storeFailed, "chain.db: \(what) cannot be read")
    }
}
