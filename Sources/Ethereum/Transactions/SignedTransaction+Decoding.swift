// From bytes to a signed transaction, strictly: one canonical form, every field in its range, nothing behind it.

extension SignedTransaction {
    /// Decodes the wire form; throws `malformedTransaction`, `unsupported` for an unknown type, or `limitExceeded`.
    package static func decode(_ bytes: Bytes) throws(EthereumError) -> SignedTransaction {
        guard bytes.count <= Limits.transactionBytesMaximum else {
            throw EthereumError(
                .limitExceeded, "a transaction has at most \(Limits.transactionBytesMaximum) bytes, not \(bytes.count)")
        }
        return try decode(bounded: bytes)
    }

    /// Decodes bytes whose count the caller has bounded.
    private static func decode(bounded bytes: Bytes) throws(EthereumError) -> SignedTransaction {
        if let common = decodeCommon(bytes) { return common }
        guard let first = bytes.first else { throw malformed("it is empty") }
        do throws(EthereumError) {
            if first >= 0xc0 { return try decodeLegacy(RLP.decode(bytes).asList("transaction")) }
            guard first < 0x80 else {
                throw malformed("first byte \(Hex.encode([first])) is neither a type nor a list")
            }
            guard let kind = Transaction.Kind(rawValue: first), kind != .legacy else {
                throw EthereumError(.unsupported, "transactions of type \(first) are not supported (0 to 4 are)")
            }
            return try decodeTyped(kind, RLP.decode(Bytes(bytes.dropFirst())).asList("transaction"))
        } catch {
            throw error.code == .malformedRLP ? malformed(error.message) : error
        }
    }

    /// Decodes a transaction as it stands in a block body: a list, or a byte string with the typed form. Its size is
    /// bounded by the block's.
    package static func decode(inBlock item: RLP) throws(EthereumError) -> SignedTransaction {
        switch item {
        case .bytes(let bytes):
            guard let first = bytes.first, first < 0x80 else { throw malformed("a byte string without a type") }
            return try decode(bounded: bytes)
        case .list(let items):
            do throws(EthereumError) { return try decodeLegacy(items) } catch {
                throw error.code == .malformedRLP ? malformed(error.message) : error
            }
        }
    }

    /// The item that stands in a block body.
    package var blockItem: RLP {
        get throws(EthereumError) {
            transaction.kind == .legacy ? try RLP.decode(encoded) : .bytes(encoded)
        }
    }

    private static func decodeLegacy(_ items: [RLP]) throws(EthereumError) -> SignedTransaction {
        try count(items, 9)
        let v = try items[6].asUInt256("v")
        let parity: UInt8
        var chainID: UInt64?
        if v == 27 || v == 28 {
            parity = UInt8(v.w0 - 27)
        } else {
            guard v >= 35 else { throw invalidSignature("v \(v) is neither 27, 28 nor at least 35 (EIP-155)") }
            let rest = v &- 35
            guard let id = (rest >> 1).asUInt64 else { throw invalidSignature("v holds a chain id past 64 bits") }
            parity = UInt8(rest.w0 & 1)
            chainID = id
        }
        let price = try items[1].asUInt256("gas price")
        let transaction = Transaction.legacy(
            chainID: chainID, nonce: try items[0].asUInt64("nonce"), gasPrice: price,
            gasLimit: try items[2].asUInt64("gas limit"), to: try recipient(items[3]),
            value: try items[4].asUInt256("value"), data: try items[5].asBytes("data"))
        return SignedTransaction(transaction: transaction, signature: try signature(items[7], items[8], parity))
    }

    private static func decodeTyped(_ kind: Transaction.Kind, _ items: [RLP]) throws(EthereumError) -> SignedTransaction
    {
        var fields = Fields(items)
        switch kind {
        case .legacy, .accessList: try count(items, 11)
        case .dynamicFee: try count(items, 12)
        case .blob: try count(items, 14)
        case .setCode: try count(items, 13)
        }
        let chainID = try fields.next().asUInt64("chain id")
        let nonce = try fields.next().asUInt64("nonce")
        let priority = try fields.next().asUInt256(kind == .accessList ? "gas price" : "priority fee")
        let fee = kind == .accessList ? priority : try fields.next().asUInt256("maximum fee")
        var transaction = Transaction(
            kind: kind, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: priority, maxFeePerGas: fee,
            gasLimit: try fields.next().asUInt64("gas limit"), to: try recipient(fields.next()),
            value: try fields.next().asUInt256("value"), data: try fields.next().asBytes("data"),
            accessList: try accessList(fields.next()))
        if kind == .blob {
            transaction.maxFeePerBlobGas = try fields.next().asUInt256("blob fee")
            for hash in try fields.next().asList("blob hashes") {
                transaction.blobVersionedHashes.append(try hash.asHash32("blob hash"))
            }
        }
        if kind == .setCode {
            for item in try fields.next().asList("authorizations") {
                transaction.authorizations.append(try authorization(item))
            }
        }
        if kind == .blob || kind == .setCode, transaction.to == nil {
            throw malformed("type \(kind.rawValue) cannot create a contract")
        }
        let parity = try fields.next().asUInt64("y parity")
        guard parity < 2 else { throw invalidSignature("the y parity is \(parity), not 0 or 1") }
        return SignedTransaction(
            transaction: transaction, signature: try signature(fields.next(), fields.next(), UInt8(parity)))
    }

    private static func recipient(_ item: RLP) throws(EthereumError) -> Address? {
        try item.asBytes("recipient").isEmpty ? nil : try item.asAddress("recipient")
    }

    private static func accessList(_ item: RLP) throws(EthereumError) -> [AccessListEntry] {
        var entries: [AccessListEntry] = []
        for item in try item.asList("access list") {
            let pair = try item.asList("access list entry")
            guard pair.count == 2 else { throw malformed("an access list entry has \(pair.count) fields, not 2") }
            var keys: [Hash32] = []
            for key in try pair[1].asList("storage keys") { keys.append(try key.asHash32("storage key")) }
            entries.append(AccessListEntry(address: try pair[0].asAddress("access list address"), storageKeys: keys))
        }
        return entries
    }

    private static func authorization(_ item: RLP) throws(EthereumError) -> Authorization {
        let items = try item.asList("authorization")
        guard items.count == 6 else { throw malformed("an authorization has \(items.count) fields, not 6") }
        guard let parity = UInt8(exactly: try items[3].asUInt64("authorization y parity")) else {
            throw malformed("the y parity of an authorization does not fit 8 bits")
        }
        return Authorization(
            chainID: try items[0].asUInt256("authorization chain id"),
            address: try items[1].asAddress("authorization address"),
            nonce: try items[2].asUInt64("authorization nonce"), yParity: parity,
            r: try items[4].asUInt256("authorization r"), s: try items[5].asUInt256("authorization s"))
    }

    private static func signature(_ r: RLP, _ s: RLP, _ parity: UInt8) throws(EthereumError) -> Signature {
        let signature = Signature(r: try r.asUInt256("r"), s: try s.asUInt256("s"), yParity: parity)
        guard signature.isInRange else { throw invalidSignature("r or s is zero or not below the order of the curve") }
        return signature
    }

    private static func count(_ items: [RLP], _ expected: Int) throws(EthereumError) {
        guard items.count == expected else { throw malformed("it has \(items.count) fields, not \(expected)") }
    }

    private static func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedTransaction, "malformed transaction: \(why)")
    }

    private static func invalidSignature(_ why: String) -> EthereumError {
        EthereumError(.invalidSignature, "malformed transaction: \(why)")
    }
}

/// Hands out the fields of a list whose length was checked.
private struct Fields {
    private var rest: ArraySlice<RLP>

    init(_ items: [RLP]) { rest = items[...] }

    mutating func next() throws(EthereumError) -> RLP {
        guard let item = rest.popFirst() else {
            throw EthereumError(.malformedTransaction, "malformed transaction: a field is missing")
        }
        return item
    }
}
