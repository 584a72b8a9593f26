// Checks proofs of entries against a root, as a reader of eth_getProof must before it believes an endpoint.

package enum TrieProof {
    /// The value at the hash of `key` under `root` by `nodes`, or nil when they prove that there is none.
    /// Throws `malformedRLP` for nodes that prove nothing, `limitExceeded` for too many.
    package static func verify(root: Hash32, key: Bytes, nodes: [Bytes]) throws(EthereumError) -> Bytes? {
        try verify(root: root, path: Nibbles.of(keccak256(key).bytes), nodes: nodes)
    }

    /// As above, with the nibbles of the trie's own key.
    package static func verify(root: Hash32, path: Bytes, nodes: [Bytes]) throws(EthereumError) -> Bytes? {
        guard nodes.count <= Limits.proofNodesMaximum else {
            throw EthereumError(
                .limitExceeded, "a proof has at most \(Limits.proofNodesMaximum) nodes, not \(nodes.count)")
        }
        if nodes.isEmpty, root == .emptyTrieRoot { return nil }
        var left = nodes[...]
        var node = try next(&left, root)
        var at = 0
        while true {
            let child: RLP
            if node.count == 17 {
                if at == path.count { return try finish(left, node[16]) }
                child = node[Int(path[at])]
                at += 1
            } else {
                guard node.count == 2, let (own, isLeaf) = Nibbles.path(hexPrefix: try node[0].asBytes("path")) else {
                    throw broken("a node is neither branch, extension nor leaf")
                }
                let fits = path[at...].starts(with: own)
                if isLeaf { return try finish(left, fits && at + own.count == path.count ? node[1] : .bytes([])) }
                guard !own.isEmpty else { throw broken("an extension leads nowhere") }
                guard fits else { return try finish(left, .bytes([])) }
                child = node[1]
                at += own.count
            }
            switch child {
            case .list(let inside): node = inside
            case .bytes(let name):
                if name.isEmpty { return try finish(left, child) }
                guard let hash = Hash32(bytes: name) else {
                    throw broken("a node names its child by \(name.count) bytes")
                }
                node = try next(&left, hash)
            }
        }
    }

    private static func next(_ left: inout ArraySlice<Bytes>, _ hash: Hash32) throws(EthereumError) -> [RLP] {
        guard let bytes = left.popFirst() else { throw broken("the node \(hash) is missing") }
        guard keccak256(bytes) == hash else { throw broken("a node does not have the hash \(hash)") }
        return try RLP.decode(bytes).asList("node")
    }

    private static func finish(_ left: ArraySlice<Bytes>, _ value: RLP) throws(EthereumError) -> Bytes? {
        guard left.isEmpty else { throw broken("\(left.count) nodes stand behind the proof") }
        let bytes = try value.asBytes("value")
        return bytes.isEmpty ? nil : bytes
    }

    private static func broken(_ why: String) -> EthereumError {
        EthereumError(.malformedRLP, "broken trie proof: \(why)")
    }
}
