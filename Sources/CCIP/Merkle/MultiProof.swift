// Multi-proofs and their verification exactly as the OffRamp does it (9.3 of the on-chain specification).

import Ethereum

package struct MultiProof: Hashable, Sendable {
    package let hashes: [Hash32]
    /// Flag i at bit i: 1 takes the left operand from the leaves or computed hashes, 0 from the proofs.
    package let flagBits: U256

    package init(hashes: [Hash32], flagBits: U256) {
        self.hashes = hashes
        self.flagBits = flagBits
    }

    /// The root that these leaves and this proof lead to. Throws `invalidProof` where the contract reverts or panics.
    package func root(leaves: [Hash32]) throws(CCIPError) -> Hash32 {
        guard !leaves.isEmpty else { throw Self.invalid("no leaves") }
        guard leaves.count <= Limits.multiProofElementsMaximum, hashes.count <= Limits.multiProofElementsMaximum else {
            throw Self.invalid("\(leaves.count) leaves and \(hashes.count) proofs")
        }
        let count = leaves.count + hashes.count - 1
        guard count <= Limits.multiProofHashesMaximum else { throw Self.invalid("\(count) hashes") }
        if count == 0 { return leaves[0] }
        var walk = Walk(leaves: leaves, proofs: hashes)
        for index in 0..<count {
            let fromProof = ((flagBits >> index) & U256.one).isZero
            let a = fromProof ? try walk.proof() : try walk.leafOrComputed()
            let b = try walk.leafOrComputed()
            guard walk.computedUsed <= index else { throw Self.invalid("a hash is used before it is computed") }
            walk.computed.append(MerkleTree.node(a, b))
        }
        guard walk.isComplete(count) else { throw Self.invalid("not everything was used") }
        return walk.computed[count - 1]
    }

    fileprivate static func invalid(_ why: String) -> CCIPError {
        CCIPError(.invalidProof, "multi-proof: \(why)", hint: "build the proof from the whole tree of the root")
    }
}

private struct Walk {
    let leaves: [Hash32]
    let proofs: [Hash32]
    var computed: [Hash32] = []
    var leavesUsed = 0
    var proofsUsed = 0
    var computedUsed = 0

    init(leaves: [Hash32], proofs: [Hash32]) {
        self.leaves = leaves
        self.proofs = proofs
    }

    mutating func proof() throws(CCIPError) -> Hash32 {
        guard proofsUsed < proofs.count else { throw MultiProof.invalid("a flag asks for a proof that is not there") }
        defer { proofsUsed += 1 }
        return proofs[proofsUsed]
    }

    mutating func leafOrComputed() throws(CCIPError) -> Hash32 {
        if leavesUsed < leaves.count {
            defer { leavesUsed += 1 }
            return leaves[leavesUsed]
        }
        guard computedUsed < computed.count else { throw MultiProof.invalid("a hash is used before it is computed") }
        defer { computedUsed += 1 }
        return computed[computedUsed]
    }

    func isComplete(_ count: Int) -> Bool {
        computedUsed == count - 1 && leavesUsed == leaves.count && proofsUsed == proofs.count
    }
}
