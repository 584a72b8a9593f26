// All accounts of a state as text, and back: JSON in the shape that anvil's dumps have under `accounts`, in a gzip
// file. What was dumped and loaded into a fresh chain of the same profile dumps to the same bytes.

import EVM
import Ethereum

package struct StateDump: Sendable {
    package var accounts: [WorldState.FullAccount]
    /// Where the state was taken, for people.
    package var chainID: UInt64
    package var blockNumber: UInt64
    package var stateRoot: Hash32
}

extension StateDump {
    /// The state of the chain's head, with what development methods changed since. Throws when it is too large.
    package init(_ chain: Blockchain) throws(DevChainError) {
        guard let accounts = chain.headState.dump(limit: Limits.dumpEntriesMaximum) else {
            throw DevChainError(
                .limitExceeded,
                "a dump holds at most \(Limits.dumpEntriesMaximum) accounts and slots, this state has more")
        }
        self.accounts = accounts.sorted { $0.address < $1.address }
        chainID = chain.chainID
        blockNumber = chain.head.number
        stateRoot = chain.headState.root
    }

    package var json: JSON {
        let members = accounts.map { account in
            let slots = account.slots.map { ($0.slot.bytesHex, JSON.string($0.value.bytesHex)) }
            return (
                account.address.hex,
                [
                    "nonce": .integer(account.state.nonce), "balance": .quantity(account.state.balance),
                    "code": .data(account.code), "storage": .object(JSONObject(slots)),
                ] as JSON
            )
        }
        return [
            "accounts": .object(JSONObject(members)),
            "causeway": [
                "chainId": .integer(chainID), "blockNumber": .integer(blockNumber), "stateRoot": .hash(stateRoot),
            ],
        ]
    }

    /// The gzip file.
    package var file: Bytes { Gzip.store(json.bytes) }

    /// The accounts of a dump: a gzip file or plain JSON, ours or anvil's. Each is as it shall be afterwards, whole.
    package static func read(_ bytes: Bytes) throws(DevChainError) -> [AccountChange] {
        let text = Gzip.isGzip(bytes) ? try Gzip.open(bytes, atMost: Limits.dumpBytesMaximum) : bytes
        let json: JSON
        do throws(EthereumError) { json = try JSON.parse(text) } catch {
            throw DevChainError(.malformedDump, "the dump is no JSON: \(error.message)")
        }
        guard let members = json["accounts"]?.asObject?.members else {
            throw DevChainError(.malformedDump, "the dump has no object 'accounts'")
        }
        var entries = members.count
        var changes: [AccountChange] = []
        for (name, value) in members {
            let change = try account(name, value)
            entries += change.slots.count
            guard entries <= Limits.dumpEntriesMaximum else {
                throw DevChainError(
                    .limitExceeded, "a dump holds at most \(Limits.dumpEntriesMaximum) accounts and slots")
            }
            changes.append(change)
        }
        return changes
    }

    private static func account(_ name: String, _ json: JSON) throws(DevChainError) -> AccountChange {
        func wrong(_ what: String) -> DevChainError {
            DevChainError(.malformedDump, "account '\(name.prefix(80))' of the dump has no valid \(what)")
        }
        guard let address = try? Address(hex: name) else { throw wrong("address") }
        guard let nonce = json["nonce"]?.asUInt64 ?? (json["nonce"] == nil ? 0 : nil), nonce < .max else {
            throw wrong("nonce")
        }
        guard let balance = json["balance"]?.asUInt256 ?? (json["balance"] == nil ? .zero : nil) else {
            throw wrong("balance")
        }
        guard let code = json["code"].map({ $0.asString.flatMap { try? Hex.decode($0) } }) ?? [] else {
            throw wrong("code")
        }
        var slots: [SlotChange] = []
        for (slot, value) in json["storage"]?.asObject?.members ?? [] {
            guard let slot = try? U256(text: slot), let value = value.asUInt256 else { throw wrong("storage") }
            slots.append(SlotChange(slot: slot, value: value))
        }
        let hash = code.isEmpty ? Hash32.emptyCodeHash : keccak256(code)
        let state = AccountState(nonce: nonce, balance: balance, codeHash: hash)
        return AccountChange(
            address: address, state: state.isEmpty && slots.isEmpty ? nil : state, code: code.isEmpty ? nil : code,
            clearsStorage: true, slots: slots.sorted { $0.slot < $1.slot })
    }
}

extension Blockchain {
    /// Writes the accounts of a dump over those of the present state; accounts that it does not name stay.
    package mutating func load(_ accounts: [AccountChange]) {
        headState.apply(accounts)
        for account in accounts { pool.sync(account.address, nonce: account.state?.nonce ?? 0) }
        version += 1
    }
}

extension U256 {
    /// All 32 bytes in hexadecimal.
    fileprivate var bytesHex: String { Hex.encode(bytes) }
}
