import CCIP
import Ethereum
import Localnet
import Testing

@Suite("what check finds")
struct FindingsTests {
    private let signers = (1...4).map { Address(truncating: U256(UInt64($0))) }
    private let transmitters = (11...14).map { Address(truncating: U256(UInt64($0))) }
    private let digest = Hash32(U256(5 as UInt64))

    private var installed: InstalledPlugin {
        .init(digest: digest, faulty: 1, isSigned: true, signers: signers, transmitters: transmitters)
    }

    private func judged(_ found: InstalledPlugin, isCommit: Bool = true) -> (wrong: [String], notes: [String]) {
        Findings.plugin(
            isCommit: isCommit, digest: digest, faulty: 1, names: ["a", "b", "c", "d"], signers: isCommit ? signers : [],
            transmitters: transmitters, found: found)
    }

    @Test("nothing, when the OffRamp has what the cluster file says")
    func same() {
        #expect(judged(installed).wrong.isEmpty && judged(installed).notes.isEmpty)
    }

    @Test("each thing that differs is named")
    func each() {
        var found = installed
        found.digest = .zero
        #expect(judged(found).wrong == ["nothing is installed"])
        found = installed
        found.digest = Hash32(U256(6 as UInt64))
        #expect(judged(found).wrong.count == 1 && judged(found).wrong[0].contains("digest"))
        found = installed
        found.faulty = 2
        #expect(judged(found).wrong.count == 1 && judged(found).wrong[0].contains("F is 2"))
        found = installed
        found.isSigned = false
        #expect(judged(found).wrong == ["signature verification is off"])
        found = installed
        found.signers[2] = Address(truncating: 99)
        #expect(judged(found).wrong.count == 1 && judged(found).wrong[0].hasPrefix("c's signer"))
        found = installed
        found.transmitters[3] = signers[3]
        #expect(judged(found).wrong.isEmpty && judged(found).notes.count == 1, "one missing transmitter of four is no failure")
    }

    @Test("order does not matter: the contract looks addresses up")
    func order() {
        var found = installed
        found.signers.swapAt(1, 2)
        found.transmitters.reverse()
        #expect(judged(found).wrong.isEmpty && judged(found).notes == ["signers in another order than the relayers"])
        found.signers.append(Address(truncating: 50))
        #expect(judged(found).wrong.isEmpty && judged(found).notes == ["1 more signers without a relayer here"])
    }

    @Test("at least F + 1 transmitters must be listed")
    func transmitting() {
        var found = installed
        found.transmitters.removeLast(2)
        #expect(judged(found).wrong.isEmpty && judged(found).notes.count == 2)
        found.transmitters.removeLast()
        #expect(judged(found).wrong.count == 3)
    }

    @Test("executions are not signed: the list of signers does not matter there")
    func execution() {
        var found = installed
        found.isSigned = false
        found.signers = []
        #expect(judged(found, isCommit: false).wrong.isEmpty)
        found.isSigned = true
        #expect(judged(found, isCommit: false).wrong == ["signature verification is on"])
    }

    @Test("the entry of a source must be enabled, and name our OnRamp and Router")
    func source() {
        let onRamp = Address(truncating: 21)
        let router = Address(truncating: 22)
        func config(enabled: Bool = true, router: Address, onRamp: Address) -> SourceChainConfig {
            SourceChainConfig(
                router: router, isEnabled: enabled, minSequenceNumber: 1, isRMNVerificationDisabled: true,
                onRamp: onRamp.abiWord)
        }
        #expect(Findings.source(config(router: router, onRamp: onRamp), onRamp: onRamp, router: router).isEmpty)
        for wrong in [
            config(enabled: false, router: router, onRamp: onRamp), config(router: onRamp, onRamp: onRamp),
            config(router: router, onRamp: router),
        ] {
            #expect(Findings.source(wrong, onRamp: onRamp, router: router).count == 1)
        }
    }

    @Test("a result with nothing wrong is good; else it tells the first three and how many more there are")
    func results() {
        #expect(CheckResult.of("a", "b", [], good: "fine") == .good("a", "b", "fine"))
        let bad = CheckResult.of("a", "b", ["v", "w", "x", "y", "z"], good: "fine", hint: "do")
        #expect(bad == .bad("a", "b", "v; w; x; and 2 more", hint: "do"))
        #expect(bad.json["ok"] == false && bad.json["hint"] == "do" && bad.json["severity"] == "failed")
        #expect(CheckResult.note("a", "b", "c").isGood)
    }
}
