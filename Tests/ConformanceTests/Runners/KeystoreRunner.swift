// Key files of version 3: each opens with its password and with no other.

import Ethereum

struct KeystoreRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            tally.check("\(file.path) \(name)") {
                let keyFile = try KeyFile.decode(test.need("json"))
                let password = Secret(Bytes(try test.text("password").utf8))
                try match("key", try keyFile.open(password: password).bytes, try test.bytes("priv"))
                try match("decoded again", try KeyFile.decode(keyFile.encoded), keyFile)
                var code: EthereumError.Code?
                do throws(EthereumError) { _ = try keyFile.open(password: Secret(Bytes("no".utf8))) } catch {
                    code = error.code
                }
                try match("refusal of another password", code, .wrongPassword)
            }
        }
    }
}
