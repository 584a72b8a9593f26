// Tries: roots by both implementations, and neighbouring keys.

import Ethereum

struct TrieRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        let secure = file.name.lowercased().contains("secure")
        for (name, test) in try file.cases() {
            tally.check("\(file.path) \(name)") {
                if test["tests"] != nil {
                    try checkNeighbours(test)
                } else {
                    try checkRoot(try entries(try test.need("in")), secure, try test.hash("root"))
                }
            }
        }
    }

    private func checkRoot(_ entries: [(key: Bytes, value: Bytes?)], _ secure: Bool, _ root: Hash32) throws {
        var trie = MerkleTrie(keys: secure ? .hashed : .plain)
        for (key, value) in entries {
            trie[key] = value
            _ = trie.root
        }
        try match("root of the trie that changes", trie.root, root)
        let pairs = entries.map { ($0.key, $0.value ?? []) }
        try match("root by the one-shot function", secure ? Trie.secureRoot(of: pairs) : Trie.root(of: pairs), root)
        var reversed = MerkleTrie(keys: secure ? .hashed : .plain)
        var seen: Set<Bytes> = []
        for (key, value) in entries.reversed() where seen.insert(key).inserted { reversed[key] = value }
        try match("root of the entries backwards", reversed.root, root)
    }

    private func checkNeighbours(_ test: JSON) throws {
        var trie = MerkleTrie(keys: .plain)
        for key in try test.need("in").asArray ?? [] { trie[try bytes(key.asString ?? "")] = [1] }
        let keys = trie.entries.map { String(decoding: $0.key, as: UTF8.self) }
        for item in try test.need("tests").asArray ?? [] {
            let key = item[0]?.asString ?? ""
            try match("key before \(key)", keys.last { $0 < key } ?? "", item[1]?.asString)
            try match("key after \(key)", keys.first { $0 > key } ?? "", item[2]?.asString)
        }
    }

    private func bytes(_ text: String) throws -> Bytes {
        text.hasPrefix("0x") ? try Hex.decode(text) : Bytes(text.utf8)
    }

    /// The entries in order; nil values delete.
    private func entries(_ json: JSON) throws -> [(key: Bytes, value: Bytes?)] {
        if let object = json.asObject {
            return try object.members.map { (try bytes($0.name), try $0.value.asString.map(bytes)) }
        }
        guard let items = json.asArray else { throw Mismatch("'in' is neither a list nor an object") }
        return try items.map { (try bytes($0[0]?.asString ?? ""), try $0[1]?.asString.map(bytes)) }
    }
}
