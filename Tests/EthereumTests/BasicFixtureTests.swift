// The public "basic" fixtures: keys to addresses, early transactions, hex-prefix forms, genesis blocks.

import Ethereum
import TestSupport
import Testing

@Suite("Basic fixtures")
struct BasicFixtureTests {
    private func load(_ name: String) throws -> JSON? {
        try Fixtures.file("basic", name).map { try Fixtures.json($0) }
    }

    private func hex(_ json: JSON?) throws -> Bytes { try Hex.decode(try #require(json?.asString)) }

    @Test("fixtures basic, keyaddrtest: seed to key to address")
    func keys() throws {
        guard let cases = try load("keyaddrtest.json")?.asArray else { return }
        for test in cases {
            let seed = keccak256(text: try #require(test["seed"]?.asString))
            #expect(seed.bytes == (try hex(test["key"])))
            let key = try PrivateKey(bytes: seed.bytes)
            #expect(key.address.bytes == (try hex(test["addr"])))
            // `sig_of_emptystring` does not say which digest it signs, and no usual one recovers the key: not checked.
            #expect(test["sig_of_emptystring"] != nil)
        }
        #expect(cases.count == 2)
    }

    @Test("fixtures basic, txtest: unsigned and signed forms of legacy transactions")
    func transactions() throws {
        guard let cases = try load("txtest.json")?.asArray else { return }
        for test in cases {
            let key = try PrivateKey(bytes: hex(test["key"]))
            let to = try #require(test["to"]?.asString)
            let transaction = Transaction.legacy(
                chainID: nil, nonce: try #require(test["nonce"]?.asUInt64),
                gasPrice: try #require(test["gasprice"]?.asUInt256), gasLimit: try #require(test["startgas"]?.asUInt64),
                to: to.isEmpty ? nil : try Address(hex: to), value: try #require(test["value"]?.asUInt256),
                data: try hex(test["data"]))
            let signed = try SignedTransaction.decode(hex(test["signed"]))
            #expect(signed.transaction == transaction)
            #expect(signed.encoded == (try hex(test["signed"])))
            #expect(try signed.sender() == key.address)
            // The unsigned form of that time has three empty fields in place of the signature.
            var fields = try RLP.decode(transaction.signed(by: key).encoded).asList("transaction")
            fields.replaceSubrange(6..., with: [.bytes([]), .bytes([]), .bytes([])])
            #expect(RLP.list(fields).encoded == (try hex(test["unsigned"])))
        }
        #expect(cases.count == 2)
    }

    @Test("fixtures basic, hexencodetest: nibbles to hex-prefix form and back")
    func hexPrefix() throws {
        guard let cases = try load("hexencodetest.json")?.asObject else { return }
        for (name, test) in cases.members {
            let path = try #require(test["seq"]?.asArray).map { UInt8(try #require($0.asInt)) }
            let isLeaf = test["term"] == true
            let bytes = try hex(test["out"])
            #expect(Nibbles.hexPrefix(path, isLeaf: isLeaf) == bytes, "\(name)")
            let read = try #require(Nibbles.path(hexPrefix: bytes))
            #expect(read.path == path && read.isLeaf == isLeaf, "\(name)")
        }
        #expect(cases.members.count == 7)
    }

    @Test("fixtures basic, genesishashestest: the header of mainnet's genesis and its hash")
    func mainnetGenesis() throws {
        guard let test = try load("genesishashestest.json") else { return }
        let bytes = try hex(test["genesis_rlp_hex"])
        let block = try Block.decode(bytes)
        #expect(try block.encoded == bytes)
        #expect(block.header.hash.bytes == (try hex(test["genesis_hash"])))
        #expect(block.header.stateRoot.bytes == (try hex(test["genesis_state_root"])))
        #expect(block.header.nonce == 0x42 && block.header.transactionsRoot == .emptyTrieRoot)
    }

    @Test("fixtures basic, basic_genesis_tests: a genesis block from its allocation")
    func genesis() throws {
        guard let cases = try load("basic_genesis_tests.json")?.asObject else { return }
        for (name, test) in cases.members {
            var state = MerkleTrie()
            for (address, account) in try #require(test["alloc"]?.asObject).members {
                var record = AccountRecord(balance: account["balance"]?.asUInt256 ?? 0)
                if account["code"] != nil { record.codeHash = keccak256(try hex(account["code"])) }
                var storage = MerkleTrie()
                for (slot, value) in account["storage"]?.asObject?.members ?? [] {
                    storage.setSlot(try U256(text: slot), try #require(value.asUInt256))
                }
                record.storageRoot = storage.root
                state[try Hex.decode(address, count: 20)] = record.encoded
            }
            var header = BlockHeader(
                parentHash: try Hash32(hex: try #require(test["parentHash"]?.asString)),
                beneficiary: try Address(hex: try #require(test["coinbase"]?.asString)), stateRoot: state.root,
                number: 0,
                gasLimit: try #require(test["gasLimit"]?.asUInt64), timestamp: try #require(test["timestamp"]?.asUInt64)
            )
            header.difficulty = try #require(test["difficulty"]?.asUInt256)
            header.extraData = try hex(test["extraData"])
            header.mixHash = try Hash32(hex: try #require(test["mixHash"]?.asString))
            header.nonce = try #require(test["nonce"]?.asUInt64)
            let bytes = try hex(test["result"])
            #expect(try Block(header: header).encoded == bytes, "\(name)")
            #expect(try Block.decode(bytes).header == header, "\(name)")
        }
        #expect(cases.members.count == 1)
    }

    /// A state root of the proof-of-concept era: accounts [nonce, balance, "", ""] stand as lists in the leaves, under
    /// their addresses unhashed. At most one account for each first nibble.
    private func earlyStateRoot(_ accounts: [(address: Bytes, balance: U256)]) -> Bytes {
        guard !accounts.isEmpty else { return [] }
        func leaf(_ address: Bytes, _ balance: U256, from nibble: Int) -> Bytes {
            let path = Nibbles.hexPrefix(Nibbles.of(address)[nibble...], isLeaf: true)
            return RLP.list([.bytes(path), .list([.bytes([]), .uint(balance), .bytes([]), .bytes([])])]).encoded
        }
        if accounts.count == 1 { return keccak256(leaf(accounts[0].address, accounts[0].balance, from: 0)).bytes }
        var branch = [RLP](repeating: .bytes([]), count: 17)
        for account in accounts {
            let child = keccak256(leaf(account.address, account.balance, from: 1))
            branch[Int(account.address[0] >> 4)] = .bytes(child.bytes)
        }
        return keccak256(RLP.list(branch).encoded).bytes
    }

    @Test("fixtures basic, blockgenesistest: genesis blocks of the proof-of-concept era, rebuilt from their accounts")
    func earlyGenesis() throws {
        guard let cases = try load("blockgenesistest.json")?.asArray else { return }
        for test in cases {
            let accounts = try #require(test["inputs"]?.asObject).members.map { member in
                (address: try Hex.decode(member.name, count: 20), balance: try #require(member.value.asUInt256))
            }
            let header = RLP.list([
                .bytes(Hash32.zero.bytes), .bytes(Hash32.emptyListHash.bytes), .bytes(Address.zero.bytes),
                .bytes(earlyStateRoot(accounts)), .bytes([]), .uint(0x400000 as UInt64), .bytes([]),
                .uint(1_000_000_000_000_000 as UInt64), .uint(1_000_000 as UInt64), .bytes([]), .bytes([]), .bytes([]),
                .bytes(keccak256([42]).bytes),
            ])
            #expect(RLP.list([header, .list([]), .list([])]).encoded == (try hex(test["result"])))
        }
        #expect(cases.count == 3)
    }

    @Test("fixtures basic, crypto: left out aloud")
    func leftOut() throws {
        guard let test = try load("crypto.json")?.asObject else { return }
        #expect(test.names == ["ecies1"])
        print("left out: basic/crypto.json (1 case): ECIES of devp2p, which is no part of this project")
    }
}
