// The blobs beside a blob transaction on its way to a block, and the network form that carries both (EIP-4844). Whether
// the proofs hold is for a KZG library to say.

/// Blobs with their commitments and proofs.
package struct BlobSidecar: Hashable, Sendable {
    /// 4096 field elements of 32 bytes.
    package static let blobBytes = 131_072
    /// A point of BLS12-381's G1, compressed.
    package static let pointBytes = 48

    package let blobs: [Bytes]
    package let commitments: [Bytes]
    package let proofs: [Bytes]

    /// Throws `malformedTransaction` unless every blob has its commitment and its proof, all of the right size.
    package init(blobs: [Bytes], commitments: [Bytes], proofs: [Bytes]) throws(EthereumError) {
        guard blobs.count == commitments.count, blobs.count == proofs.count else {
            throw Self.malformed(
                "\(blobs.count) blobs, \(commitments.count) commitments and \(proofs.count) proofs do not match")
        }
        guard blobs.allSatisfy({ $0.count == Self.blobBytes }) else {
            throw Self.malformed("a blob has \(Self.blobBytes) bytes")
        }
        guard (commitments + proofs).allSatisfy({ $0.count == Self.pointBytes }) else {
            throw Self.malformed("a commitment or proof has \(Self.pointBytes) bytes")
        }
        self.blobs = blobs
        self.commitments = commitments
        self.proofs = proofs
    }

    /// The hash by which a transaction names a blob: version 1 and the end of sha256(commitment).
    package static func versionedHash(of commitment: Bytes) -> Hash32 {
        var bytes = sha256(commitment).bytes
        bytes[0] = 1
        return Hash32(bytes: bytes) ?? .zero
    }

    /// Bytes that the sidecar holds.
    package var byteCount: Int { blobs.count * (Self.blobBytes + 2 * Self.pointBytes) }

    fileprivate static func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedTransaction, "malformed blob transaction: \(why)")
    }
}

extension SignedTransaction {
    /// True for bytes that begin as a blob transaction with its sidecar does.
    package static func hasSidecar(_ bytes: Bytes) -> Bool {
        // The type byte, a list with a long length, and inside of it another list where the bare form has a chain id.
        guard bytes.count > 10, bytes[0] == 3, bytes[1] > 0xf7 else { return false }
        return bytes[2 + Int(bytes[1] - 0xf7)] >= 0xc0
    }

    /// Decodes 0x03 || rlp([transaction, blobs, commitments, proofs]). The caller has bounded the count of bytes. Throws
    /// `malformedTransaction`, also when a hash is not its commitment's, and `unsupported` for cell proofs (EIP-7594).
    package static func decodeWithSidecar(_ bytes: Bytes) throws(EthereumError) -> (SignedTransaction, BlobSidecar) {
        do throws(EthereumError) {
            let items = try RLP.decode(Bytes(bytes.dropFirst())).asList("blob transaction")
            if items.count == 5 {
                throw EthereumError(
                    .unsupported, "sidecars of cell proofs (EIP-7594) begin with Osaka; send one proof a blob")
            }
            guard items.count == 4 else {
                throw BlobSidecar.malformed("the network form has 4 parts, not \(items.count)")
            }
            let signed = try decode([Transaction.Kind.blob.rawValue] + items[0].encoded)
            let sidecar = try BlobSidecar(
                blobs: try strings(items[1], "blobs"), commitments: try strings(items[2], "commitments"),
                proofs: try strings(items[3], "proofs"))
            let hashes = sidecar.commitments.map { BlobSidecar.versionedHash(of: $0) }
            guard hashes == signed.transaction.blobVersionedHashes else {
                throw BlobSidecar.malformed("the blob hashes are not those of the commitments")
            }
            return (signed, sidecar)
        } catch {
            throw error.code == .malformedRLP ? BlobSidecar.malformed(error.message) : error
        }
    }

    private static func strings(_ item: RLP, _ what: String) throws(EthereumError) -> [Bytes] {
        var result: [Bytes] = []
        for entry in try item.asList(what) { result.append(try entry.asBytes(what)) }
        return result
    }

    /// The network form.
    package func encoded(with sidecar: BlobSidecar) -> Bytes {
        func list(_ items: [Bytes]) -> RLP { .list(items.map { .bytes($0) }) }
        let parts = [list(sidecar.blobs), list(sidecar.commitments), list(sidecar.proofs)].map(\.encoded)
        // The bare form after its type byte is the list that stands first.
        let body = encoded.dropFirst() + parts[0] + parts[1] + parts[2]
        var out: Bytes = [Transaction.Kind.blob.rawValue]
        RLP.appendHeader(length: body.count, base: 0xc0, to: &out)
        return out + body
    }
}
