// Keys and signatures against published vectors, and against each other.

import Ethereum
import TestSupport
import Testing

@Suite("secp256k1")
struct Secp256k1Tests {
    private let cow = keccak256(text: "cow")

    @Test("signing is RFC 6979: the signature of EIP-712's example comes out")
    func deterministic() throws {
        let key = try PrivateKey(bytes: cow.bytes)
        #expect(key.address == (try Address(hex: "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")))
        let digest = try Hash32(hex: "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
        let signature = key.sign(digest: digest)
        #expect(Hash32(signature.r).hex == "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d")
        #expect(Hash32(signature.s).hex == "0x07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562")
        #expect(signature.v == 28)
    }

    @Test("random keys: what is signed verifies, recovers, and fails for another digest, key or signature")
    func roundTrip() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<100 {
            let key = try PrivateKey(bytes: random.bytes(32))
            let digest = random.hash32()
            let signature = key.sign(digest: digest)
            #expect(signature.isLowS && signature.isInRange)
            #expect(Secp256k1.recoverAddress(digest: digest, signature: signature) == key.address)
            #expect(Secp256k1.recoverPublicKey(digest: digest, signature: signature) == key.publicKey)
            #expect(Secp256k1.verify(digest: digest, signature: signature, publicKey: key.publicKey))
            #expect(!Secp256k1.verify(digest: random.hash32(), signature: signature, publicKey: key.publicKey))
            #expect(Secp256k1.recoverAddress(digest: random.hash32(), signature: signature) != key.address)
            let wrong = Signature(r: signature.r, s: signature.s &- 1, yParity: signature.yParity)
            #expect(!Secp256k1.verify(digest: digest, signature: wrong, publicKey: key.publicKey))
            #expect(try Secp256k1.publicKey(parsing: key.compressedPublicKey) == key.publicKey)
        }
    }

    @Test("the high-s twin recovers the same key and is told apart by EIP-2's test")
    func highS() throws {
        let key = try PrivateKey(bytes: cow.bytes)
        let twin = key.sign(digest: cow).flipped
        #expect(!twin.isLowS)
        #expect(Secp256k1.recoverAddress(digest: cow, signature: twin) == key.address)
        #expect(Secp256k1.verify(digest: cow, signature: twin, publicKey: key.publicKey))
        #expect(Signature(r: 1, s: Secp256k1.halfOrder, yParity: 0).isLowS)
        #expect(!Signature(r: 1, s: Secp256k1.halfOrder + 1, yParity: 0).isLowS)
    }

    @Test("r and s outside 1..<n have no public key")
    func ranges() {
        for bad in [U256.zero, Secp256k1.order, Secp256k1.order + 1, .max] {
            #expect(Secp256k1.recoverAddress(digest: cow, signature: Signature(r: bad, s: 1, yParity: 0)) == nil)
            #expect(Secp256k1.recoverAddress(digest: cow, signature: Signature(r: 1, s: bad, yParity: 0)) == nil)
        }
    }

    @Test("keys outside 1..<n, or of another length, are refused")
    func badKeys() {
        let refused = [
            Bytes(repeating: 0, count: 32), Secp256k1.order.bytes, U256.max.bytes, [], [1],
            Bytes(repeating: 1, count: 33),
        ]
        for bytes in refused { #expect(throws: EthereumError.self) { try PrivateKey(bytes: bytes) } }
        #expect(throws: Never.self) { try PrivateKey(bytes: (Secp256k1.order - 1).bytes) }
        #expect { try PrivateKey(hex: "zz") } throws: { !"\($0)".contains("zz") }
        #expect(throws: EthereumError.self) { try Secp256k1.publicKey(parsing: Bytes(repeating: 7, count: 64)) }
    }

    @Test("65-byte signatures survive a round trip with either v, and another v is refused")
    func wireForm() throws {
        let signature = try PrivateKey(bytes: cow.bytes).sign(digest: cow)
        #expect(try Signature(bytes: signature.bytes) == signature)
        #expect(try Signature(bytes: signature.bytesWithV) == signature)
        for v in [2, 26, 29, 255] as Bytes {
            #expect(throws: EthereumError.self) { try Signature(bytes: signature.compactBytes + [v]) }
        }
        #expect(throws: EthereumError.self) { try Signature(bytes: signature.compactBytes) }
    }

    @Test("the vectors' report signatures come out of their keys and recover their signers")
    func vectors() throws {
        let cases = try #require(try Vectors.load("ccip-1.6.json")["ocr3CommitSignatures"]?.asArray)
        var count = 0
        for test in cases {
            let digest = try Hash32(hex: try #require(test["digest"]?.asString))
            for item in try #require(test["signatures"]?.asArray) {
                let signature = try Signature(
                    r: Hash32(hex: try #require(item["r"]?.asString)),
                    s: Hash32(hex: try #require(item["s"]?.asString)),
                    v: UInt8(try #require(item["v"]?.asUInt64)))
                let signer = try Address(hex: try #require(item["signer"]?.asString))
                #expect(Secp256k1.recoverAddress(digest: digest, signature: signature) == signer)
                let key = try PrivateKey(hex: try #require(item["privateKey"]?.asString))
                #expect(key.sign(digest: digest) == signature)
                count += 1
            }
        }
        #expect(count == 100)
    }
}

@Suite("Ed25519")
struct Ed25519Tests {
    @Test(
        "RFC 8032, section 7.1: keys, signatures and verification",
        arguments: [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ])
    func vectors(secret: String, publicKey: String, message: String, signature: String) throws {
        let key = try Ed25519PrivateKey(bytes: Hex.decode(secret))
        let bytes = try Hex.decode(message)
        #expect(Hex.encodeBare(key.publicKey) == publicKey)
        #expect(Hex.encodeBare(key.sign(bytes)) == signature)
        #expect(ed25519Verify(bytes, signature: try Hex.decode(signature), publicKey: key.publicKey))
    }

    @Test("another message, key, signature or length does not verify")
    func refusals() throws {
        let key = try Ed25519PrivateKey.random()
        let other = try Ed25519PrivateKey.random()
        let signature = key.sign([1, 2, 3])
        #expect(ed25519Verify([1, 2, 3], signature: signature, publicKey: key.publicKey))
        #expect(!ed25519Verify([1, 2], signature: signature, publicKey: key.publicKey))
        #expect(!ed25519Verify([1, 2, 3], signature: signature, publicKey: other.publicKey))
        #expect(!ed25519Verify([1, 2, 3], signature: Bytes(signature.dropLast()), publicKey: key.publicKey))
        #expect(!ed25519Verify([1, 2, 3], signature: signature, publicKey: []))
        var changed = signature
        changed[5] ^= 1
        #expect(!ed25519Verify([1, 2, 3], signature: changed, publicKey: key.publicKey))
        #expect(throws: EthereumError.self) { try Ed25519PrivateKey(bytes: [1]) }
    }
}

@Suite("Mnemonics")
struct MnemonicTests {
    @Test(
        "the development accounts are those that every tool shows",
        arguments: [
            (0, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), (1, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
            (2, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"), (3, "0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
            (9, "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"),
        ] as [(UInt32, String)])
    func development(index: UInt32, address: String) throws {
        let mnemonic = try Mnemonic(Mnemonic.developmentText)
        #expect(try mnemonic.account(index).address.checksummed == address)
        #expect(try mnemonic.accounts(count: 10)[Int(index)].address.checksummed == address)
    }

    @Test("the first development key is the known one")
    func firstKey() throws {
        let key = try Mnemonic(Mnemonic.developmentText).account(0)
        #expect(Hex.encodeBare(key.secret.bytes) == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    }

    @Test("BIP-39's first vector: the seed of twelve words with the passphrase TREZOR")
    func seed() throws {
        let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
        let seed = try Mnemonic(words).seed(passphrase: "TREZOR")
        #expect(
            Hex.encodeBare(seed.bytes)
                == "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
                + "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
        )
    }

    @Test(
        "BIP-32's first vector, hardened and not",
        arguments: [
            ("m", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
            ("m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
            ("m/0'/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
        ])
    func derivation(path: String, key: String) throws {
        let master = try ExtendedKey(seed: Secret(Hex.decode("000102030405060708090a0b0c0d0e0f")))
        #expect(Hex.encodeBare(try master.derived(path: path).key.bytes) == key)
    }

    @Test(
        "paths and texts that are none are refused",
        arguments: ["", "n/0", "m/", "m/x", "m/-1", "m/2147483648", "m//1"])
    func refusals(path: String) throws {
        let master = try ExtendedKey(seed: Secret(Bytes(repeating: 1, count: 32)))
        #expect(throws: EthereumError.self) { try master.derived(path: path) }
        #expect(throws: EthereumError.self) { try Mnemonic(path == "" ? "" : "two  blanks") }
        #expect(throws: EthereumError.self) { try Mnemonic("wörter") }
        #expect(throws: EthereumError.self) { try ExtendedKey(seed: Secret([1])) }
    }
}
