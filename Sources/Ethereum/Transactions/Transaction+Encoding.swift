// From a transaction to bytes: what is signed, and what goes over the wire.

extension Transaction {
    /// The digest that the sender signs.
    package var signingHash: Hash32 {
        var items = payload
        if kind == .legacy, let chainID { items += [.uint(chainID), .bytes([]), .bytes([])] }
        return keccak256(prefix + RLP.list(items).encoded)
    }

    /// The wire form with this signature.
    func encoded(with signature: Signature) -> Bytes {
        var v = U256(UInt64(signature.yParity))
        if kind == .legacy, signature != .none { v = chainID.map { U256($0) * 2 + U256(35) + v } ?? U256(27) + v }
        return prefix + RLP.list(payload + [.uint(v), .uint(signature.r), .uint(signature.s)]).encoded
    }

    private var prefix: Bytes { kind == .legacy ? [] : [kind.rawValue] }

    /// The fields before the signature, in the order of the kind's standard.
    private var payload: [RLP] {
        let target = RLP.bytes(to?.bytes ?? [])
        let body: [RLP] = [.uint(gasLimit), target, .uint(value), .bytes(data)]
        if kind == .legacy { return [.uint(nonce), .uint(maxFeePerGas)] + body }
        var items: [RLP] = [.uint(chainID ?? 0), .uint(nonce)]
        if kind != .accessList { items.append(.uint(maxPriorityFeePerGas)) }
        items.append(.uint(maxFeePerGas))
        items += body
        items.append(.list(accessList.map(\.rlp)))
        switch kind {
        case .blob: items += [.uint(maxFeePerBlobGas), .list(blobVersionedHashes.map { .bytes($0.bytes) })]
        case .setCode: items.append(.list(authorizations.map(\.rlp)))
        case .legacy, .accessList, .dynamicFee: break
        }
        return items
    }
}

extension AccessListEntry {
    package var rlp: RLP { .list([.bytes(address.bytes), .list(storageKeys.map { .bytes($0.bytes) })]) }
}

extension Authorization {
    package var rlp: RLP {
        .list([
            .uint(chainID), .bytes(address.bytes), .uint(nonce), .uint(UInt64(yParity)), .uint(r), .uint(s),
        ])
    }
}
