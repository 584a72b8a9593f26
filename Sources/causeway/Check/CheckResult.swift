// One line of `causeway check`, and how facts read from a chain are held against what the configuration says. Pure.

import CCIP
import ChainAccess
import Ethereum
import Localnet
import Relayer

struct CheckResult: Sendable, Equatable {
    /// What was looked at: a chain, a relayer, a lane.
    let subject: String
    let check: String
    let isGood: Bool
    let detail: String
    /// What to do about a failure.
    let hint: String?

    static func good(_ subject: String, _ check: String, _ detail: String) -> CheckResult {
        CheckResult(subject: subject, check: check, isGood: true, detail: detail, hint: nil)
    }

    static func bad(_ subject: String, _ check: String, _ detail: String, hint: String? = nil) -> CheckResult {
        CheckResult(subject: subject, check: check, isGood: false, detail: detail, hint: hint)
    }

    /// Good when nothing is wrong, else the first that is.
    static func of(
        _ subject: String, _ check: String, _ wrong: [String], good detail: String, hint: String? = nil
    ) -> CheckResult {
        guard let first = wrong.first else { return good(subject, check, detail) }
        let more = wrong.count > 1 ? ", and \(wrong.count - 1) more" : ""
        return bad(subject, check, first + more, hint: hint)
    }

    var json: JSON {
        [
            "subject": .string(subject), "check": .string(check), "ok": .bool(isGood), "detail": .string(detail),
            "hint": hint.map { .string($0) } ?? .null,
        ]
    }
}

enum Findings {
    /// The OCR3 configuration that an OffRamp has installed, against the cluster's.
    static func plugin(
        _ plugin: PluginType, installed: OCRConfigDetails, chain: ClusterSettings.Chain, cluster: ClusterSettings
    ) -> CheckResult {
        let isCommit = plugin == .commit
        let check = isCommit ? "commit configuration" : "execution configuration"
        let digest = isCommit ? chain.commitDigest : chain.executeDigest
        let transmitters = cluster.relayers.compactMap { relayer in
            relayer.transmitters.first { $0.chain == chain.selector }.map { isCommit ? $0.committing : $0.executing }
        }
        let wrong = pluginDifferences(
            isCommit: isCommit, digest: digest, faulty: cluster.faulty,
            signers: isCommit ? cluster.relayers.map(\.reportSigner) : [], transmitters: transmitters,
            found: InstalledPlugin(installed))
        return .of(
            chain.name, check, wrong,
            good: "\(transmitters.count) oracles, F \(cluster.faulty), digest \(digest.hex.prefix(10))...",
            hint: "the cluster file and setOCR3Configs of the OffRamp must say the same, in the same order")
    }

    /// What `latestConfigDetails` answered, as far as it matters here.
    struct InstalledPlugin: Sendable, Equatable {
        var digest: Hash32
        var faulty: Int
        var isSigned: Bool
        var signers: [Address]
        var transmitters: [Address]

        init(digest: Hash32, faulty: Int, isSigned: Bool, signers: [Address], transmitters: [Address]) {
            self.digest = digest
            self.faulty = faulty
            self.isSigned = isSigned
            self.signers = signers
            self.transmitters = transmitters
        }

        init(_ details: OCRConfigDetails) {
            self.init(
                digest: details.configurationDigest, faulty: Int(details.faulty),
                isSigned: details.isSignatureVerificationEnabled, signers: details.signers,
                transmitters: details.transmitters)
        }
    }

    /// Everything that differs, in words.
    static func pluginDifferences(
        isCommit: Bool, digest: Hash32, faulty: Int, signers: [Address], transmitters: [Address], found: InstalledPlugin
    ) -> [String] {
        var wrong: [String] = []
        if found.digest.isZero {
            return ["nothing is installed"]
        }
        if found.digest != digest { wrong.append("digest \(found.digest), the cluster file has \(digest)") }
        if found.faulty != faulty { wrong.append("F is \(found.faulty), the cluster file has \(faulty)") }
        if found.isSigned != isCommit {
            wrong.append("signature verification is \(found.isSigned ? "on" : "off")")
        }
        // Without verification the contract keeps whatever list it was given.
        if isCommit, let text = difference("signer", signers, found.signers) { wrong.append(text) }
        if let text = difference("transmitter", transmitters, found.transmitters) { wrong.append(text) }
        return wrong
    }

    /// Nil when both lists are the same, in the same order.
    static func difference(_ what: String, _ wanted: [Address], _ found: [Address]) -> String? {
        if wanted.count != found.count { return "\(found.count) \(what)s, the cluster file has \(wanted.count)" }
        guard let index = wanted.indices.first(where: { wanted[$0] != found[$0] }) else { return nil }
        if Set(wanted) == Set(found) { return "the \(what)s stand in another order from oracle \(index) on" }
        return "\(what) \(index) is \(found[index]), the cluster file has \(wanted[index])"
    }

    /// Names that contracts must tell of themselves; patch versions may differ.
    static let versions: [(name: String, expected: String)] = [
        ("router", "Router 1.2."), ("onRamp", "OnRamp 1.6."), ("offRamp", "OffRamp 1.6."),
        ("feeQuoter", "FeeQuoter 1.6."), ("nonceManager", "NonceManager 1.6."), ("rmnRemote", "RMNRemote 1.6."),
        ("rmnProxy", "ARMProxy 1."), ("tokenAdminRegistry", "TokenAdminRegistry 1."),
    ]

    /// The entry of one source at an OffRamp.
    static func source(
        _ config: SourceChainConfig, onRamp: Address, router: Address
    ) -> [String] {
        var wrong: [String] = []
        if !config.isEnabled { wrong.append("the source is not enabled at the OffRamp") }
        if config.onRampAddress != onRamp {
            let found = config.onRampAddress?.checksummed ?? Hex.encode(config.onRamp)
            wrong.append("the OffRamp takes OnRamp \(found), the cluster file has \(onRamp)")
        }
        if config.router != router { wrong.append("the OffRamp delivers through Router \(config.router), not \(router)") }
        if !config.isRMNVerificationDisabled { wrong.append("the OffRamp wants RMN blessings, which this cluster has not") }
        return wrong
    }
}
