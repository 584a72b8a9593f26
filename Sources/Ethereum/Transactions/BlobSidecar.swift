// The blobs beside a blob transaction on its way to a block, and the network form that carries both (EIP-4844). Whether
// the proofs hold is for a KZG library to say.

/// Blobs with their commitments and proofs.
package struct BlobSidecar: Hashable, Sendable {
    /// 4096 field elements of 32 bytes.
    package static let blobBytes = 131_072
    /// A point of BLS12-381's G1, compressed.
    package static let pointBytes = 48

    /// Proofs of a blob that is proved cell by cell (EIP-7594).
    package static let proofsMaximum = 128
    /// What the network form with proofs of cells begins with (EIP-7594, wrapper version).
    fileprivate static let cellProofVersion: UInt64 = 1

    package let blobs: [Bytes]
    package let commitments: [Bytes]
    /// One for each blob, or 128 for each, the first blob's first.
    package let proofs: [Bytes]
    package let hasCellProofs: Bool

    /// Throws `malformedTransaction` unless every blob has its commitment and its proofs, all of the right size.
    package init(
        blobs: [Bytes], commitments: [Bytes], proofs: [Bytes], hasCellProofs: Bool = false
    ) throws(EthereumError) {
        let proofCount = blobs.count * (hasCellProofs ? Self.proofsMaximum : 1)
        guard blobs.count == commitments.count, proofCount == proofs.count else {
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
        self.hasCellProofs = hasCellProofs
    }

    /// The hash by which a transaction names a blob: version 1 and the end of sha256(commitment).
    package static func versionedHash(of commitment: Bytes) -> Hash32 {
        var bytes = sha256(commitment).bytes
        bytes[0] = 1
        return Hash32(bytes: bytes) ?? .zero
    }

    /// Bytes that the sidecar holds.
    package var byteCount: Int { blobs.count * (Self.blobBytes + Self.pointBytes) + proofs.count * Self.pointBytes }

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

    /// Decodes 0x03 || rlp([transaction, blobs, commitments, proofs]), or with 1 behind the transaction for proofs of
    /// cells (EIP-7594). The caller has bounded the count of bytes. Throws `malformedTransaction`, also when a hash is
    /// not its commitment's, and `unsupported` for a later version.
    package static func decodeWithSidecar(_ bytes: Bytes) throws(EthereumError) -> (SignedTransaction, BlobSidecar) {
        do throws(EthereumError) {
            let items = try RLP.decode(Bytes(bytes.dropFirst())).asList("blob transaction")
            guard items.count == 4 || items.count == 5 else {
                throw BlobSidecar.malformed("the network form has 4 or 5 parts, not \(items.count)")
            }
            let hasCellProofs = items.count == 5
            if hasCellProofs {
                let version = try items[1].asUInt64("version of the sidecar")
                guard version == BlobSidecar.cellProofVersion else {
                    throw EthereumError(.unsupported, "sidecars of version \(version) are not known")
                }
            }
            let lists = items.suffix(3).map { $0 }
            let signed = try decode([Transaction.Kind.blob.rawValue] + items[0].encoded)
            let sidecar = try BlobSidecar(
                blobs: try strings(lists[0], "blobs"), commitments: try strings(lists[1], "commitments"),
                proofs: try strings(lists[2], "proofs"), hasCellProofs: hasCellProofs)
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
        let version = sidecar.hasCellProofs ? RLP.uint(BlobSidecar.cellProofVersion).encoded : []
        let body = encoded.dropFirst() + version + parts[0] + parts[1] + parts[2]
        var out: Bytes = [Transaction.Kind.blob.rawValue]
        RLP.appendHeader(length: body.count, base: 0xc0, to: &out)
        return out + body
    }
}
