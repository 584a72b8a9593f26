// Which suite a file belongs to, told by what is in it: folders may have any names.

import Ethereum
import Foundation

enum FixtureKind: String, CaseIterable, Sendable {
    case state, blockchain, transaction, rlp, trie, abi, basic, keystore, precompiles, opcodes, kzg

    var runner: any FixtureRunner {
        switch self {
        case .state: StateRunner()
        case .blockchain: BlockchainRunner()
        case .transaction: TransactionRunner()
        case .rlp: RLPRunner()
        case .trie: TrieRunner()
        case .abi: ABIRunner()
        case .basic: BasicRunner()
        case .keystore: KeystoreRunner()
        case .precompiles: PrecompileRunner()
        case .opcodes: OpcodeRunner()
        case .kzg: KZGRunner()
        }
    }

    /// Nil for content that no runner knows.
    init?(of content: FixtureFile.Content, name: String) {
        switch content {
        case .yaml(let text):
            guard text.contains("commitment:"), text.contains("proof:") else { return nil }
            self = .kzg
        case .json(let json):
            // The files of the basic group have a shape each; their names are fixed.
            if BasicRunner.names.contains(name) {
                self = .basic
                return
            }
            guard let kind = Self.list(json) ?? Self.cases(json) else { return nil }
            self = kind
        }
    }

    private static func list(_ json: JSON) -> FixtureKind? {
        guard let first = json.asArray?.first else { return nil }
        func has(_ names: String...) -> Bool { names.allSatisfy { first[$0] != nil } }
        if has("X", "Y", "Expected") || has("kind", "sender", "address") { return .opcodes }
        if has("Input", "Gas") || has("Input", "ExpectedError") { return .precompiles }
        return has("Input", "Expected") ? .opcodes : nil
    }

    private static func cases(_ json: JSON) -> FixtureKind? {
        guard let first = json.asObject?.members.first?.value else { return nil }
        func has(_ names: String...) -> Bool { names.allSatisfy { first[$0] != nil } }
        if has("env", "post", "transaction") { return .state }
        if has("blocks", "pre") { return .blockchain }
        if has("txbytes", "result") { return .transaction }
        if has("types", "args") { return .abi }
        if has("json", "password") { return .keystore }
        if has("in", "out") { return .rlp }
        return has("in", "root") || has("in", "tests") ? .trie : nil
    }
}
