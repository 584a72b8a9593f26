// One test file, and how values are written in the public suites.

import EVM
import Ethereum
import Foundation
import TestSupport

struct FixtureFile: Sendable {
    enum Content: Sendable {
        case json(JSON)
        case yaml(String)
    }

    /// Below the folder that is run, for messages.
    let path: String
    let content: Content

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Reads and parses a file; throws when it is neither JSON nor YAML.
    init(_ url: URL, path: String) throws {
        let bytes = try Fixtures.bytes(url)
        self.path = path
        content =
            url.pathExtension == "yaml" ? .yaml(String(decoding: bytes, as: UTF8.self)) : .json(try JSON.parse(bytes))
    }

    func json() throws -> JSON {
        guard case .json(let json) = content else { throw Mismatch("expected JSON") }
        return json
    }

    /// The cases of a file that is one object: name -> case.
    func cases() throws -> [(name: String, value: JSON)] {
        guard let object = try json().asObject else { throw Mismatch("expected an object of cases") }
        return object.members
    }

    /// The cases of a file that is a list, by their names or positions.
    func list() throws -> [(name: String, value: JSON)] {
        guard let items = try json().asArray else { throw Mismatch("expected a list of cases") }
        return items.enumerated().map { ($0.element["Name"]?.asString ?? "#\($0.offset)", $0.element) }
    }
}

extension JSON {
    /// A value that must be there; the key stands in the error.
    func need(_ key: String) throws -> JSON {
        guard let value = self[key], value != .null else { throw Mismatch("the fixture has no '\(key)'") }
        return value
    }

    func text(_ key: String) throws -> String {
        guard let text = try need(key).asString else { throw Mismatch("'\(key)' is no text") }
        return text
    }

    func bytes(_ key: String) throws -> Bytes { try Hex.decode(text(key)) }

    func word(_ key: String) throws -> U256 {
        guard let word = try need(key).asUInt256 else { throw Mismatch("'\(key)' is no number of 256 bits") }
        return word
    }

    func number(_ key: String) throws -> UInt64 {
        guard let number = try word(key).asUInt64 else { throw Mismatch("'\(key)' does not fit 64 bits") }
        return number
    }

    func hash(_ key: String) throws -> Hash32 { try Hash32(hex: text(key)) }

    func address(_ key: String) throws -> Address {
        guard let address = Address(bytes: try bytes(key)) else { throw Mismatch("'\(key)' is no address") }
        return address
    }

    /// `pre`, `postState`, `post.FORK[].state`: accounts by address.
    func accounts() throws -> [AccountChange] {
        guard let object = asObject else { throw Mismatch("expected accounts by address") }
        return try object.members.map { name, account in
            guard let address = Address(bytes: try Hex.decode(name)) else { throw Mismatch("'\(name)' is no address") }
            let code = try account.bytes("code")
            let storage = try (account["storage"]?.asObject?.members ?? []).map { slot, value in
                guard let value = value.asUInt256 else { throw Mismatch("slot \(slot) of \(name) is no word") }
                return SlotChange(slot: try U256(text: slot), value: value)
            }
            return AccountChange(
                address: address,
                state: AccountState(
                    nonce: try account.number("nonce"), balance: try account.word("balance"),
                    codeHash: code.isEmpty ? .emptyCodeHash : keccak256(code)),
                code: code.isEmpty ? nil : code,
                slots: storage.filter { !$0.value.isZero }.sorted { $0.slot < $1.slot })
        }
    }
}
