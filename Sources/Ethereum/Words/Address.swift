// 20-byte account addresses and their EIP-55 text.

package struct Address: Hashable, Sendable, BitwiseCopyable {
    /// The address as a number below 2^160, which is how the EVM holds it.
    package let word: U256

    /// Takes the low 160 bits, as the EVM does with a word that names an account.
    @inlinable package init(truncating word: U256) {
        self.word = U256(w0: word.w0, w1: word.w1, w2: word.w2 & 0xffff_ffff, w3: 0)
    }

    /// Exactly 20 bytes; nil otherwise.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 20, let word = U256(bigEndianBytes: bytes) else { return nil }
        self.word = word
    }

    /// A 32-byte ABI word whose upper twelve bytes are zero; nil otherwise.
    package init?(word bytes: some Collection<UInt8>) {
        guard bytes.count == 32, bytes.prefix(12).allSatisfy({ $0 == 0 }) else { return nil }
        self.init(bytes: Bytes(bytes.suffix(20)))
    }

    /// 40 hexadecimal digits, with or without `0x`; mixed case must be a right EIP-55 checksum.
    package init(hex: some StringProtocol) throws(EthereumError) {
        let bytes: Bytes
        do { bytes = try Hex.decode(hex, count: 20) } catch {
            throw EthereumError(.malformedAddress, "'\(hex)' is no address: \(error.message)")
        }
        guard let address = Address(bytes: bytes) else {
            throw EthereumError(.malformedAddress, "'\(hex)' is no address")
        }
        let digits = hex.hasPrefix("0x") || hex.hasPrefix("0X") ? String(hex.dropFirst(2)) : String(hex)
        let mixed = digits.contains(where: \.isLowercase) && digits.contains(where: \.isUppercase)
        guard !mixed || address.checksummed.dropFirst(2) == digits else {
            throw EthereumError(
                .malformedAddress, "'\(hex)' has a wrong EIP-55 checksum; expected \(address.checksummed)")
        }
        self = address
    }

    package static var zero: Address { Address(truncating: .zero) }
    package var isZero: Bool { word.isZero }
    package var bytes: Bytes { Bytes(word.bytes.suffix(20)) }
    /// The address in a 32-byte ABI word.
    package var abiWord: Bytes { word.bytes }
    /// Lower-case `0x` text, as JSON-RPC prints it.
    package var hex: String { Hex.encode(bytes) }

    /// EIP-55 text.
    package var checksummed: String {
        let lower = Array(Hex.encodeBare(bytes).utf8)
        let hash = keccak256(lower).bytes
        let cased = lower.enumerated().map { index, character -> UInt8 in
            let nibble = index % 2 == 0 ? hash[index / 2] >> 4 : hash[index / 2] & 15
            return character >= 0x61 && nibble >= 8 ? character - 32 : character
        }
        return "0x" + String(decoding: cased, as: UTF8.self)
    }

    /// The address of a contract made by CREATE: keccak(rlp([sender, nonce])).
    package static func created(by sender: Address, nonce: UInt64) -> Address {
        let item = RLP.list([.bytes(sender.bytes), .bytes(U256(nonce).minimalBytes)])
        return Address(truncating: keccak256(item.encoded).word)
    }

    /// The address of a contract made by CREATE2 (EIP-1014).
    package static func created(by sender: Address, salt: Hash32, initCodeHash: Hash32) -> Address {
        Address(truncating: keccak256([0xff] + sender.bytes + salt.bytes + initCodeHash.bytes).word)
    }
}

extension Address: Comparable, CustomStringConvertible {
    package static func < (a: Address, b: Address) -> Bool { a.word < b.word }
    package var description: String { checksummed }
}
