// Transactions alone: decoding, signatures, intrinsic gas, under each fork that a test names.

import Ethereum

struct TransactionRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            let bytes = try test.bytes("txbytes")
            for (fork, result) in try test.need("result").asObject?.members ?? [] {
                guard let rules = TransactionRules(fork: fork) else {
                    tally.leaveOut(ForkNames.leftOut(fork))
                    continue
                }
                tally.check("\(file.path) \(name) \(fork)") { try check(bytes, rules, result) }
            }
        }
    }

    private func check(_ bytes: Bytes, _ rules: TransactionRules, _ result: JSON) throws {
        let signed: SignedTransaction
        let sender: Address
        do {
            signed = try SignedTransaction.decode(bytes)
            sender = try signed.validate(rules: rules, chainID: 1)
        } catch {
            guard result["exception"] != nil else { throw Mismatch("refused: \(error)") }
            return
        }
        if let exception = result["exception"]?.asString { throw Mismatch("accepted, but expected \(exception)") }
        try match("sender", sender, try result.address("sender"))
        try match("hash", signed.hash, try result.hash("hash"))
        try match("encoding", signed.encoded, bytes)
        try match("intrinsic gas", U256(signed.transaction.intrinsicGas(rules)), try result.word("intrinsicGas"))
    }
}
