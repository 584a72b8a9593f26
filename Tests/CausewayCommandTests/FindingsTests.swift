import CCIP
import Ethereum
import Testing

@testable import causeway

@Suite("what check finds")
struct FindingsTests {
    private let signers = (1...4).map { Address(truncating: U256(UInt64($0))) }
    private let transmitters = (11...14).map { Address(truncating: U256(UInt64($0))) }
    private let digest = Hash32(U256(5 as UInt64))

    private var installed: Findings.InstalledPlugin {
        .init(digest: digest, faulty: 1, isSigned: true, signers: signers, transmitters: transmitters)
    }

    private func differences(_ found: Findings.InstalledPlugin, isCommit: Bool = true) -> [String] {
        Findings.pluginDifferences(
            isCommit: isCommit, digest: digest, faulty: 1, signers: signers, transmitters: transmitters, found: found)
    }

    @Test("nothing, when the OffRamp has what the cluster file says")
    func same() {
        #expect(differences(installed).isEmpty)
    }

    @Test("each thing that differs is named")
    func each() {
        var found = installed
        found.digest = .zero
        #expect(differences(found) == ["nothing is installed"])
        found = installed
        found.digest = Hash32(U256(6 as UInt64))
        #expect(differences(found).count == 1 && differences(found)[0].contains("digest"))
        found = installed
        found.faulty = 2
        #expect(differences(found).count == 1 && differences(found)[0].contains("F is 2"))
        found = installed
        found.isSigned = false
        #expect(differences(found) == ["signature verification is off"])
        found = installed
        found.signers.swapAt(1, 2)
        #expect(differences(found) == ["the signers stand in another order from oracle 1 on"])
        found = installed
        found.transmitters[3] = Address(truncating: 99)
        #expect(differences(found).count == 1 && differences(found)[0].contains("transmitter 3"))
        found = installed
        found.transmitters.removeLast()
        #expect(differences(found).first?.contains("3 transmitters") == true)
    }

    @Test("executions are not signed: the list of signers does not matter there")
    func execution() {
        var found = installed
        found.isSigned = false
        found.signers = []
        #expect(differences(found, isCommit: false).isEmpty)
        found.isSigned = true
        #expect(differences(found, isCommit: false) == ["signature verification is on"])
    }

    @Test("the entry of a source must be enabled, and name our OnRamp and Router")
    func source() {
        let onRamp = Address(truncating: 21)
        let router = Address(truncating: 22)
        func config(enabled: Bool = true, router: Address, onRamp: Address, unblessed: Bool = true) -> SourceChainConfig {
            SourceChainConfig(
                router: router, isEnabled: enabled, minSequenceNumber: 1, isRMNVerificationDisabled: unblessed,
                onRamp: onRamp.abiWord)
        }
        #expect(Findings.source(config(router: router, onRamp: onRamp), onRamp: onRamp, router: router).isEmpty)
        for wrong in [
            config(enabled: false, router: router, onRamp: onRamp), config(router: onRamp, onRamp: onRamp),
            config(router: router, onRamp: router), config(router: router, onRamp: onRamp, unblessed: false),
        ] {
            #expect(Findings.source(wrong, onRamp: onRamp, router: router).count == 1)
        }
    }

    @Test("a result with nothing wrong is good; else it tells the first and how many more there are")
    func results() {
        #expect(CheckResult.of("a", "b", [], good: "fine") == .good("a", "b", "fine"))
        let bad = CheckResult.of("a", "b", ["x", "y", "z"], good: "fine", hint: "do")
        #expect(bad == .bad("a", "b", "x, and 2 more", hint: "do"))
        #expect(bad.json["ok"] == false && bad.json["hint"] == "do")
    }
}
