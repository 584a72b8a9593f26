// A shorter way for the transactions that make up nearly all traffic: dynamic fees, no access list. It takes only what
// is canonical in every byte; anything else goes the long way, which also names what is wrong.

extension SignedTransaction {
    /// The transaction of `bytes` when they are a canonical dynamic-fee transaction without an access list; else nil.
    static func decodeCommon(_ bytes: Bytes) -> SignedTransaction? {
        guard bytes.first == Transaction.Kind.dynamicFee.rawValue, bytes.count <= Limits.transactionBytesMaximum else {
            return nil
        }
        return bytes.withUnsafeBytes { raw in
            var reader = ItemReader(raw, at: 1, end: raw.count)
            guard let list = reader.item(isList: true), list.upperBound == raw.count else { return nil }
            var fields = ItemReader(raw, at: list.lowerBound, end: list.upperBound)
            guard let chainID = fields.word()?.asUInt64, let nonce = fields.word()?.asUInt64,
                let priority = fields.word(), let fee = fields.word(), let gas = fields.word()?.asUInt64,
                let target = fields.item(isList: false), target.isEmpty || target.count == 20,
                let value = fields.word(), let data = fields.item(isList: false),
                let access = fields.item(isList: true), access.isEmpty
            else { return nil }
            let signedEnd = fields.at
            guard let parity = fields.word()?.asUInt64, parity < 2, let r = fields.word(), let s = fields.word(),
                fields.at == raw.count
            else { return nil }
            let signature = Signature(r: r, s: s, yParity: UInt8(parity))
            guard signature.isInRange else { return nil }
            let transaction = Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: priority, maxFeePerGas: fee,
                gasLimit: gas, to: target.isEmpty ? nil : Address(bytes: raw[target]), value: value,
                data: Bytes(raw[data]))
            // What was signed is what stands here without the signature, under a header of its own.
            let payload = list.lowerBound..<signedEnd
            var preimage = Bytes()
            preimage.reserveCapacity(payload.count + 8)
            preimage.append(Transaction.Kind.dynamicFee.rawValue)
            RLP.appendHeader(length: payload.count, base: 0xc0, to: &preimage)
            preimage.append(contentsOf: raw[payload])
            return SignedTransaction(
                transaction: transaction, signature: signature, encoded: bytes, signingHash: keccak256(preimage))
        }
    }
}

/// Walks over canonical items; nil for anything that is not.
private struct ItemReader {
    private let raw: UnsafeRawBufferPointer
    private(set) var at: Int
    private let end: Int

    init(_ raw: UnsafeRawBufferPointer, at: Int, end: Int) {
        self.raw = raw
        self.at = at
        self.end = end
    }

    /// Where the content of the next item stands.
    mutating func item(isList: Bool) -> Range<Int>? {
        guard at < end else { return nil }
        let first = raw[at]
        let base: UInt8 = isList ? 0xc0 : 0x80
        if first < 0x80 {
            guard !isList else { return nil }
            at += 1
            return at - 1..<at
        }
        guard first >= base, isList || first < 0xc0 else { return nil }
        var length = Int(first - base)
        var start = at + 1
        if length > 55 {
            let width = length - 55
            guard width <= 3, start + width <= end, raw[start] != 0 else { return nil }
            length = raw[start..<start + width].reduce(0) { $0 << 8 | Int($1) }
            start += width
            guard length > 55 else { return nil }
        }
        guard length <= end - start else { return nil }
        if !isList, length == 1, raw[start] < 0x80 { return nil }
        at = start + length
        return start..<at
    }

    /// The next item as a number without leading zeros.
    mutating func word() -> U256? {
        guard let range = item(isList: false), range.count <= 32 else { return nil }
        guard let first = range.first else { return .zero }
        guard raw[first] != 0 else { return nil }
        var word = U256.zero
        withUnsafeMutableBytes(of: &word) { out in
            for (offset, index) in range.reversed().enumerated() { out[offset] = raw[index] }
        }
        return word
    }
}
