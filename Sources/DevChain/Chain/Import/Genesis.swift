// The start of a chain that is given whole: header, accounts, forks, as geth's genesis.json writes them.

import EVM
import Ethereum

/// A genesis block with its state.
package struct Genesis: Sendable {
    /// The state root is computed from the accounts.
    package var header: BlockHeader
    package var accounts: [AccountChange]

    package init(header: BlockHeader, accounts: [AccountChange]) {
        self.header = header
        self.accounts = accounts
    }

    /// The header with its state root, and the state.
    func start(in empty: WorldState) -> (BlockHeader, WorldState) {
        var state = empty
        state.apply(accounts)
        var header = header
        header.stateRoot = state.root
        return (header, state)
    }

    /// One account of a genesis state; slots of value zero are left out.
    package static func account(
        _ address: Address, balance: U256, nonce: UInt64 = 0, code: Bytes = [], storage: [SlotChange] = []
    ) -> AccountChange {
        AccountChange(
            address: address,
            state: AccountState(
                nonce: nonce, balance: balance, codeHash: code.isEmpty ? .emptyCodeHash : keccak256(code)),
            code: code.isEmpty ? nil : code,
            slots: storage.filter { !$0.value.isZero }.sorted { $0.slot < $1.slot })
    }
}

extension Blockchain.Configuration {
    /// A chain that begins with this block and follows Ethereum's rules.
    package init(
        genesis: Genesis, chainID: UInt64, schedule: ForkSchedule,
        finality: ChainProfile.Finality = .mainnet,
        depositContract: Address = SystemContracts.deposits
    ) {
        let header = genesis.header
        let profile = ChainProfile(
            name: "genesis", displayName: "Genesis file", chainID: chainID, selector: chainID, gasTokenSymbol: "ETH",
            gasLimit: header.gasLimit,
            cadence: ChainProfile.Cadence(intervalMilliseconds: 1000, heartbeatMilliseconds: 0, onDemand: false),
            baseFee: .eip1559(initialWei: header.baseFeePerGas?.clampedUInt64 ?? 1_000_000_000), finality: finality,
            coinbase: header.beneficiary,
            quirks: ChainProfile.Quirks(
                prevRandaoZero: false, blockHashOfDecimalText: false, priorityFeeZero: false,
                filterMethodsMissing: false, noPointEvaluation: false), port: 8545)
        self.init(profile: profile, genesisTimestamp: header.timestamp)
        self.schedule = schedule
        self.genesis = genesis
        self.depositContract = depositContract
    }

    /// Reads geth's genesis.json. Throws `malformedGenesis`, and `invalidForkSchedule` for a chain that does not begin
    /// after the merge with a fork that is known here.
    package init(
        gethGenesis json: JSON,
        finality: ChainProfile.Finality = .mainnet
    ) throws(DevChainError) {
        let file = GenesisFile(json)
        let schedule = try file.schedule()
        self.init(
            genesis: Genesis(header: try file.header(schedule), accounts: try file.accounts()),
            chainID: try file.chainID(), schedule: schedule, finality: finality,
            depositContract: try file.depositContract())
    }
}

extension ChainProfile.Finality {
    /// Depths of the safe and the finalized block on Ethereum's main network, where each epoch has its block: one and
    /// two epochs of 32 slots.
    package static let mainnet = ChainProfile.Finality(safeDepth: 32, finalizedDepth: 64)

    /// Only the genesis block is final: branches may begin anywhere.
    package static let genesisOnly = ChainProfile.Finality(safeDepth: 1 << 40, finalizedDepth: 1 << 40)

    package init(safe: UInt64, finalized: UInt64) {
        precondition(safe <= finalized, "a finalized block is safe")
        self.init(safeDepth: safe, finalizedDepth: finalized)
    }
}

/// Geth's format: `config` with the forks, the header's fields beside it, `alloc` with the accounts.
private struct GenesisFile {
    let json: JSON
    let config: JSON

    init(_ json: JSON) {
        self.json = json
        config = json["config"] ?? [:]
    }

    func chainID() throws(DevChainError) -> UInt64 {
        guard let id = config["chainId"]?.asUInt64, id > 0 else { throw malformed("config.chainId", "a chain id") }
        return id
    }

    func depositContract() throws(DevChainError) -> Address {
        guard let value = config["depositContractAddress"], value != .null else { return SystemContracts.deposits }
        return try address(value.asString ?? "", "config.depositContractAddress")
    }

    // MARK: Forks

    func schedule() throws(DevChainError) -> ForkSchedule {
        for (name, value) in config.asObject?.members ?? [] {
            let isBlock = name.hasSuffix("Block") && value != .null && value.asUInt64 != 0
            let isLater = name.hasSuffix("Time") && !["shanghaiTime", "cancunTime", "pragueTime"].contains(name)
            if isBlock || (isLater && value != .null) {
                throw DevChainError(
                    .invalidForkSchedule,
                    "config.\(name): chains begin after the merge here, and know the forks \(Self.forks)")
            }
        }
        var steps: [ForkSchedule.Step] = []
        for fork in Fork.allCases {
            guard let since = config["\(fork.rawValue)Time"], since != .null else { continue }
            guard let since = since.asUInt64 else { throw malformed("config.\(fork.rawValue)Time", "seconds") }
            // Of forks that begin together the last one counts.
            if steps.last?.since == since { steps.removeLast() }
            steps.append(ForkSchedule.Step(since: since, fork: fork, rules: try rules(fork)))
        }
        guard !steps.isEmpty else {
            throw DevChainError(.invalidForkSchedule, "config names none of the forks \(Self.forks) with its time")
        }
        return try ForkSchedule(steps)
    }

    private static let forks = Fork.allCases.map(\.rawValue).joined(separator: ", ")

    private func rules(_ fork: Fork) throws(DevChainError) -> RuleSet {
        var rules = RuleSet(fork)
        if fork >= .cancun, let blobs = config["blobSchedule"]?[fork.rawValue] {
            guard rules.setBlobs(blobs) else {
                throw malformed("config.blobSchedule.\(fork.rawValue)", "target, max and baseFeeUpdateFraction")
            }
        }
        return rules
    }

    // MARK: Header

    func header(_ schedule: ForkSchedule) throws(DevChainError) -> BlockHeader {
        let timestamp = try number("timestamp", default: 0)
        var header = BlockHeader(
            parentHash: try hash("parentHash"), beneficiary: try address(json["coinbase"]?.asString, "coinbase"),
            stateRoot: .zero, number: try number("number", default: 0), gasLimit: try number("gasLimit", default: nil),
            timestamp: timestamp)
        guard header.number == 0 else { throw malformed("number", "zero: a chain begins with block 0") }
        header.difficulty = U256(try number("difficulty", default: 0))
        header.gasUsed = try number("gasUsed", default: 0)
        header.nonce = try number("nonce", default: 0)
        header.mixHash = try hash("mixHash")
        header.extraData = try bytes(json["extraData"], "extraData")
        header.baseFeePerGas = U256(try number("baseFeePerGas", default: 1_000_000_000))
        let fork = schedule.steps[schedule.position(at: timestamp)].fork
        header.setEmptyForkFields(fork)
        if fork >= .cancun {
            header.excessBlobGas = try number("excessBlobGas", default: 0)
            header.blobGasUsed = try number("blobGasUsed", default: 0)
        }
        return header
    }

    // MARK: Accounts

    func accounts() throws(DevChainError) -> [AccountChange] {
        guard let alloc = json["alloc"]?.asObject else { throw malformed("alloc", "accounts by address") }
        var result: [AccountChange] = []
        for (name, account) in alloc.members {
            var storage: [SlotChange] = []
            for (slot, value) in account["storage"]?.asObject?.members ?? [] {
                guard let slot = U256(bigEndianBytes: try bytes(.string(slot), "alloc.\(name).storage")),
                    let value = U256(bigEndianBytes: try bytes(value, "alloc.\(name).storage"))
                else { throw malformed("alloc.\(name).storage", "slots and values of 32 bytes") }
                storage.append(SlotChange(slot: slot, value: value))
            }
            let balance = account["balance"] ?? "0x0"
            guard let balance = balance.asUInt256 else { throw malformed("alloc.\(name).balance", "an amount in wei") }
            guard let nonce = (account["nonce"] ?? "0x0").asUInt64 else {
                throw malformed("alloc.\(name).nonce", "a number")
            }
            result.append(
                Genesis.account(
                    try address(name, "alloc"), balance: balance, nonce: nonce,
                    code: try bytes(account["code"], "alloc.\(name).code"), storage: storage))
        }
        return result.sorted { $0.address < $1.address }
    }

    // MARK: Values

    /// A number of 64 bits; `default` stands for one that is absent or null, and nil refuses that.
    private func number(_ key: String, default absent: UInt64?) throws(DevChainError) -> UInt64 {
        guard let value = json[key], value != .null else {
            guard let absent else { throw malformed(key, "a number") }
            return absent
        }
        guard let number = value.asUInt64 else { throw malformed(key, "a number of 64 bits") }
        return number
    }

    private func bytes(_ value: JSON?, _ key: String) throws(DevChainError) -> Bytes {
        guard let value, value != .null else { return [] }
        do throws(EthereumError) { return try Hex.decode(value.asString ?? "-") } catch {
            throw malformed(key, "hex bytes")
        }
    }

    private func hash(_ key: String) throws(DevChainError) -> Hash32 {
        guard let value = json[key], value != .null else { return .zero }
        guard let hash = Hash32(bytes: try bytes(value, key)) else { throw malformed(key, "32 bytes") }
        return hash
    }

    private func address(_ text: String?, _ key: String) throws(DevChainError) -> Address {
        guard let text else { return .zero }
        guard let address = Address(bytes: try bytes(.string(text), key)) else { throw malformed(key, "an address") }
        return address
    }

    private func malformed(_ key: String, _ expected: String) -> DevChainError {
        DevChainError(.malformedGenesis, "genesis: \(key): expected \(expected)")
    }
}

extension RuleSet {
    /// Takes a fork's blob figures from an entry of a `blobSchedule`; false, and nothing changed, when it has none.
    package mutating func setBlobs(_ entry: JSON) -> Bool {
        guard let target = entry["target"]?.asUInt64, let maximum = entry["max"]?.asUInt64,
            let fraction = entry["baseFeeUpdateFraction"]?.asUInt64, target <= maximum, maximum <= 1 << 20, fraction > 0
        else { return false }
        blobsTarget = Int(target)
        blobsMaximum = Int(maximum)
        blobBaseFeeFraction = fraction
        return true
    }
}

extension BlockHeader {
    /// The fields that forks brought, for a block without withdrawals, blobs, beacon chain and requests.
    mutating func setEmptyForkFields(_ fork: Fork) {
        withdrawalsRoot = .emptyTrieRoot
        if fork >= .cancun {
            blobGasUsed = 0
            excessBlobGas = 0
            parentBeaconBlockRoot = .zero
        }
        if fork >= .prague { requestsHash = BlockRequests().hash }
    }
}
