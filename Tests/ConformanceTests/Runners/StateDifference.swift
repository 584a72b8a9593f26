// A state against the accounts that a fixture lists.

import DevChain
import EVM
import Ethereum

enum StateDifference {
    /// Throws with the first differences, account by account.
    static func check(_ state: WorldState, _ expected: [AccountChange]) throws {
        var lines: [String] = []
        for account in expected {
            let address = account.address
            guard let got = state.account(address)?.state, let want = account.state else {
                lines.append("\(address) is missing")
                continue
            }
            if got.balance != want.balance {
                lines.append("\(address) has balance \(got.balance), not \(want.balance)")
            }
            if got.nonce != want.nonce { lines.append("\(address) has nonce \(got.nonce), not \(want.nonce)") }
            if got.codeHash != want.codeHash { lines.append("\(address) has another code") }
            for slot in account.slots {
                let value = state.storage(address, slot.slot)
                if value != slot.value {
                    lines.append("\(address)[\(slot.slot.hex)] is \(value.hex), not \(slot.value.hex)")
                }
            }
        }
        var wanted = WorldState()
        wanted.apply(expected)
        if lines.isEmpty, wanted.root != state.root {
            lines.append(
                "the root is another: accounts or slots are there that should not be "
                    + "(\(state.accountCount) accounts, not \(expected.count))")
        }
        guard lines.isEmpty else { throw Mismatch(lines.prefix(4).joined(separator: "; ")) }
    }
}
