// The "basic" suite: keys to addresses, early transactions, hex-prefix forms, genesis blocks. Each file has a shape of
// its own.

import Ethereum

struct BasicRunner: FixtureRunner {
    static let names: Set = [
        "keyaddrtest.json", "txtest.json", "hexencodetest.json", "genesishashestest.json", "blockgenesistest.json",
        "basic_genesis_tests.json", "crypto.json",
    ]

    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        switch file.name {
        case "keyaddrtest.json": try each(file.list(), file, &tally, checkKey)
        case "txtest.json": try each(file.list(), file, &tally, checkTransaction)
        case "hexencodetest.json": try each(file.cases(), file, &tally, checkHexPrefix)
        case "genesishashestest.json": try each([("mainnet", file.json())], file, &tally, checkMainnetGenesis)
        case "basic_genesis_tests.json": try each(file.cases(), file, &tally, checkGenesis)
        case "blockgenesistest.json": try each(file.list(), file, &tally, checkEarlyGenesis)
        case "crypto.json":
            tally.leaveOut("ECIES and AES of devp2p: there is no peer-to-peer network here", try file.cases().count)
        default: throw Mismatch("no file of the basic suite has this name")
        }
    }

    private func each(
        _ cases: [(name: String, value: JSON)], _ file: FixtureFile, _ tally: inout Tally,
        _ check: (JSON) throws -> Void
    ) {
        for (name, test) in cases { tally.check("\(file.path) \(name)") { try check(test) } }
    }

    /// Seed to key to address. `sig_of_emptystring` does not say which digest it signs, and no usual one recovers the
    /// key: it is not looked at.
    private func checkKey(_ test: JSON) throws {
        let seed = keccak256(text: try test.text("seed"))
        try match("key", seed.bytes, try test.bytes("key"))
        try match("address", try PrivateKey(bytes: seed.bytes).address, try test.address("addr"))
    }

    /// Unsigned and signed forms of legacy transactions.
    private func checkTransaction(_ test: JSON) throws {
        let key = try PrivateKey(bytes: test.bytes("key"))
        let to = try test.text("to")
        let transaction = Transaction.legacy(
            chainID: nil, nonce: try test.number("nonce"), gasPrice: try test.word("gasprice"),
            gasLimit: try test.number("startgas"), to: to.isEmpty ? nil : try Address(hex: to),
            value: try test.word("value"), data: try test.bytes("data"))
        let signed = try SignedTransaction.decode(test.bytes("signed"))
        try match("transaction", signed.transaction, transaction)
        try match("encoding", signed.encoded, try test.bytes("signed"))
        try match("sender", try signed.sender(), key.address)
        // The unsigned form of that time has three empty fields in place of the signature.
        var fields = try RLP.decode(transaction.signed(by: key).encoded).asList("transaction")
        fields.replaceSubrange(6..., with: [.bytes([]), .bytes([]), .bytes([])])
        try match("unsigned form", RLP.list(fields).encoded, try test.bytes("unsigned"))
    }

    private func checkHexPrefix(_ test: JSON) throws {
        let path = (try test.need("seq").asArray ?? []).compactMap { $0.asInt.flatMap(UInt8.init(exactly:)) }
        let isLeaf = test["term"] == true
        let bytes = try test.bytes("out")
        try match("hex-prefix form", Nibbles.hexPrefix(path, isLeaf: isLeaf), bytes)
        guard let read = Nibbles.path(hexPrefix: bytes) else { throw Mismatch("the form does not decode") }
        try match("path", read.path, path)
        try match("leaf", read.isLeaf, isLeaf)
    }

    /// The header of the main network's genesis and its hash.
    private func checkMainnetGenesis(_ test: JSON) throws {
        let bytes = try test.bytes("genesis_rlp_hex")
        let block = try Block.decode(bytes)
        try match("encoding", try block.encoded, bytes)
        try match("hash", block.header.hash, try test.hash("genesis_hash"))
        try match("state root", block.header.stateRoot, try test.hash("genesis_state_root"))
    }

    /// A genesis block from its allocation.
    private func checkGenesis(_ test: JSON) throws {
        var state = MerkleTrie()
        for (address, account) in try test.need("alloc").asObject?.members ?? [] {
            var record = AccountRecord(balance: account["balance"]?.asUInt256 ?? 0)
            if account["code"] != nil { record.codeHash = keccak256(try account.bytes("code")) }
            var storage = MerkleTrie()
            for (slot, value) in account["storage"]?.asObject?.members ?? [] {
                storage.setSlot(try U256(text: slot), value.asUInt256 ?? .zero)
            }
            record.storageRoot = storage.root
            state[try Hex.decode(address, count: 20)] = record.encoded
        }
        var header = BlockHeader(
            parentHash: try test.hash("parentHash"), beneficiary: try test.address("coinbase"), stateRoot: state.root,
            number: 0, gasLimit: try test.number("gasLimit"), timestamp: try test.number("timestamp"))
        header.difficulty = try test.word("difficulty")
        header.extraData = try test.bytes("extraData")
        header.mixHash = try test.hash("mixHash")
        header.nonce = try test.number("nonce")
        let bytes = try test.bytes("result")
        try match("encoding", try Block(header: header).encoded, bytes)
        try match("decoded header", try Block.decode(bytes).header, header)
    }

    /// Genesis blocks of the proof-of-concept era, rebuilt from their accounts.
    private func checkEarlyGenesis(_ test: JSON) throws {
        let accounts = try (try test.need("inputs").asObject?.members ?? []).map { member in
            (address: try Hex.decode(member.name, count: 20), balance: member.value.asUInt256 ?? .zero)
        }
        let header = RLP.list([
            .bytes(Hash32.zero.bytes), .bytes(Hash32.emptyListHash.bytes), .bytes(Address.zero.bytes),
            .bytes(try earlyStateRoot(accounts)), .bytes([]), .uint(0x400000 as UInt64), .bytes([]),
            .uint(1_000_000_000_000_000 as UInt64), .uint(1_000_000 as UInt64), .bytes([]), .bytes([]), .bytes([]),
            .bytes(keccak256([42]).bytes),
        ])
        try match("block", RLP.list([header, .list([]), .list([])]).encoded, try test.bytes("result"))
    }

    /// A state root of that era: accounts [nonce, balance, "", ""] stand as lists in the leaves, under their addresses
    /// unhashed; a state without accounts has no root.
    private func earlyStateRoot(_ accounts: [(address: Bytes, balance: U256)]) throws -> Bytes {
        guard !accounts.isEmpty else { return [] }
        let leaves = accounts.map { account in
            (
                path: Nibbles.of(account.address)[...],
                value: RLP.list([.bytes([]), .uint(account.balance), .bytes([]), .bytes([])])
            )
        }
        return keccak256(Self.earlyNode(leaves).encoded).bytes
    }

    /// The node over leaves whose paths, all of one length, differ. Recursion ends with the paths.
    static func earlyNode(_ leaves: [(path: ArraySlice<UInt8>, value: RLP)]) -> RLP {
        let first = leaves[0]
        if leaves.count == 1 { return .list([.bytes(Nibbles.hexPrefix(first.path, isLeaf: true)), first.value]) }
        let shared = first.path.indices.prefix { index in leaves.allSatisfy { $0.path[index] == first.path[index] } }
        if !shared.isEmpty {
            let rest = leaves.map { (path: $0.path.dropFirst(shared.count), value: $0.value) }
            let prefix = Nibbles.hexPrefix(first.path.prefix(shared.count), isLeaf: false)
            return .list([.bytes(prefix), reference(earlyNode(rest))])
        }
        let children = (0..<16 as Range<UInt8>).map { nibble -> RLP in
            let below = leaves.filter { $0.path.first == nibble }
            return below.isEmpty
                ? .bytes([]) : reference(earlyNode(below.map { (path: $0.path.dropFirst(), value: $0.value) }))
        }
        return .list(children + [.bytes([])])
    }

    private static func reference(_ node: RLP) -> RLP {
        let bytes = node.encoded
        return bytes.count < 32 ? node : .bytes(keccak256(bytes).bytes)
    }
}
