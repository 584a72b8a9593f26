// The profiles that ship, and what a wrong one is told.

import Configuration
import DevChain
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Profiles")
struct ProfileTests {
    @Test("every profile that ships is valid at both paces, and is known by its file's name")
    func shipped() throws {
        let folder = PackageRoot.url.appendingPathComponent("chains/profiles")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(names.count >= 3)
        for name in names.sorted() {
            let text = String(decoding: try Fixtures.bytes(folder.appendingPathComponent(name)), as: UTF8.self)
            for localnet in [false, true] {
                let profile = try ChainProfile(yaml: text, file: name, localnet: localnet)
                #expect("\(profile.name).yaml" == name)
                var chain = Blockchain(.init(profile: profile, genesisTimestamp: 1))
                for second in 0..<10 as Range<UInt64> { chain.mine(at: second) }
                #expect(chain.head.number == 10)
                #expect(chain.safe == 10 - min(10, profile.finality.safeDepth))
                #expect(chain.finalized == 10 - min(10, profile.finality.finalizedDepth))
            }
        }
    }

    @Test("a wrong profile is refused with its line and key")
    func refused() {
        for (change, words) in [
            ("chainId: 31337" as String, "chainId: none" as String), ("gasLimit: 30000000", "gasLimit: 5"),
            ("rule: eip1559", "rule: free"), ("finalizedDepth: 4", "finalizedDepth: 1"), ("name: bench", "nmae: bench"),
            ("onDemand: true", "onDemand: maybe"), ("selector: ", "selektor: "),
        ] {
            let text = Bench.profileText.replacing(change, with: words)
            let error = #expect(throws: ConfigurationError.self) { try Bench.profile(text) }
            #expect(error.map { "\($0)".contains("bench.yaml") } == true, "\(words)")
        }
    }
}
