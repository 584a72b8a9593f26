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

    /// Reads geth's genesis.json. Throws `malformedGenesis`, and `invalidForkSchedule` for forks that are not known
    /// here, out of order, or not whole.
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
        let byNumber = try stepsByNumber()
        let byTime = try stepsByTime()
        guard !byNumber.isEmpty || !byTime.isEmpty else {
            throw DevChainError(.invalidForkSchedule, "config names none of the forks \(Self.forks)")
        }
        var steps = byNumber
        var terminal: U256?
        if !byNumber.isEmpty {
            if let total = config["terminalTotalDifficulty"], total != .null {
                guard let total = total.asUInt256 else { throw malformed("config.terminalTotalDifficulty", "a number") }
                terminal = total
            }
            if terminal != nil || !byTime.isEmpty {
                steps.append(ForkSchedule.Step(.merge, fork: .paris, rules: try rules(.paris)))
            }
            // A fork that holds from the start leaves no block to those before it.
            if byTime.contains(where: { $0.since == 0 }) {
                guard byNumber.allSatisfy({ $0.since == 0 }) else {
                    throw DevChainError(
                        .invalidForkSchedule, "config: forks by number come before those by time, not after them")
                }
                steps = []
            }
        }
        return try ForkSchedule(
            steps + byTime, terminalTotalDifficulty: terminal, netsplit: try number(of: "mergeNetsplitBlock"))
    }

    private static let forks = Fork.allCases.map(\.name).joined(separator: ", ")

    /// What `config` calls the forks that begin at block numbers, and whether a chain may pass one over.
    private static let byNumber: [(fork: Fork, key: String, isOptional: Bool)] = [
        (.homestead, "homesteadBlock", false), (.tangerineWhistle, "eip150Block", false),
        (.spuriousDragon, "eip158Block", false), (.byzantium, "byzantiumBlock", false),
        (.constantinople, "constantinopleBlock", false), (.petersburg, "petersburgBlock", true),
        (.istanbul, "istanbulBlock", false), (.muirGlacier, "muirGlacierBlock", true), (.berlin, "berlinBlock", false),
        (.london, "londonBlock", false), (.arrowGlacier, "arrowGlacierBlock", true),
        (.grayGlacier, "grayGlacierBlock", true),
    ]

    private func stepsByNumber() throws(DevChainError) -> [ForkSchedule.Step] {
        if config["daoForkSupport"] == true, config["daoForkBlock"] ?? .null != .null {
            throw DevChainError(.invalidForkSchedule, "config.daoForkBlock: the DAO fork is not here")
        }
        if let other = try number(of: "eip155Block"), try number(of: "eip158Block") != other {
            throw DevChainError(.invalidForkSchedule, "config.eip155Block: it came with EIP-158, in one fork")
        }
        var steps: [ForkSchedule.Step] = []
        var missing: String?
        for (fork, key, isOptional) in Self.byNumber {
            guard let since = try number(of: key) else {
                if !isOptional { missing = missing ?? key }
                continue
            }
            if let missing {
                throw DevChainError(.invalidForkSchedule, "config.\(key) is there, and \(missing) before it is not")
            }
            if steps.last?.since == since { steps.removeLast() }
            steps.append(ForkSchedule.Step(.number(since), fork: fork, rules: try rules(fork)))
        }
        if let first = steps.first, first.since > 0 {
            steps.insert(ForkSchedule.Step(.number(0), fork: .frontier, rules: try rules(.frontier)), at: 0)
        }
        return steps
    }

    private func stepsByTime() throws(DevChainError) -> [ForkSchedule.Step] {
        var steps: [ForkSchedule.Step] = []
        var last: Fork?
        for fork in Fork.allCases where fork >= .shanghai {
            guard let since = try number(of: "\(fork.name)Time") else { continue }
            // Single sets of blob figures may be passed over; a fork may not.
            if let last, fork <= .osaka, fork.rawValue != last.rawValue + 1 {
                throw DevChainError(.invalidForkSchedule, "config.\(fork.name)Time: a fork before it has no time")
            }
            last = fork
            // Of forks that begin together the last one counts.
            if steps.last?.since == since { steps.removeLast() }
            steps.append(ForkSchedule.Step(since: since, fork: fork, rules: try rules(fork)))
        }
        let known = Set(Fork.allCases.map { "\($0.name)Time" })
        for (name, value) in config.asObject?.members ?? [] {
            if name.hasSuffix("Time"), value != .null, !known.contains(name) {
                throw DevChainError(.invalidForkSchedule, "config.\(name): the forks known here are \(Self.forks)")
            }
        }
        return steps
    }

    private func number(of key: String) throws(DevChainError) -> UInt64? {
        guard let value = config[key], value != .null else { return nil }
        guard let number = value.asUInt64 else { throw malformed("config.\(key)", "a number") }
        return number
    }

    private func rules(_ fork: Fork) throws(DevChainError) -> RuleSet {
        var rules = RuleSet(fork)
        if fork >= .cancun, let blobs = config["blobSchedule"]?[fork.name] {
            guard rules.setBlobs(blobs) else {
                throw malformed("config.blobSchedule.\(fork.name)", "target, max and baseFeeUpdateFraction")
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
        let fork = schedule.atStart(timestamp)
        if fork >= .london { header.baseFeePerGas = U256(try number("baseFeePerGas", default: 1_000_000_000)) }
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
        if fork >= .shanghai { withdrawalsRoot = .emptyTrieRoot }
        if fork >= .cancun {
            blobGasUsed = 0
            excessBlobGas = 0
            parentBeaconBlockRoot = .zero
        }
        if fork >= .prague { requestsHash = BlockRequests().hash }
    }
}
