// Reports, digests and signatures against the vectors of the real contracts.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP

@Suite("Reports against the real contracts")
struct ReportVectorTests {
    @Test("24 commit reports encode and decode to the same bytes")
    func commitReports() throws {
        let vectors = try Vector.list("commitReports")
        #expect(vectors.count == 24)
        for vector in vectors {
            let report = try vector.at("report").commitReport()
            let encoded = try vector.bytes("encoded")
            #expect(report.encoded == encoded)
            #expect(try CommitReport(encoded: encoded) == report)
            #expect(try keccak256(encoded) == vector.hash("keccak256"))
        }
    }

    @Test("24 execution reports encode and decode to the same bytes")
    func executionReports() throws {
        let vectors = try Vector.list("executionReports")
        #expect(vectors.count == 24)
        for vector in vectors {
            let reports = try vector.items("reports").map { try $0.executionReport() }
            let encoded = try vector.bytes("encoded")
            #expect(reports.encodedReports == encoded)
            #expect(try [ExecutionReport](encodedReports: encoded) == reports)
            #expect(try keccak256(encoded) == vector.hash("keccak256"))
        }
    }

    @Test("25 signed commits: context, digest, signatures, rawVs and call data")
    func signatures() throws {
        let vectors = try Vector.list("ocr3CommitSignatures")
        #expect(vectors.count == 25)
        for vector in vectors {
            let context = ReportContext(
                configurationDigest: try vector.hash("configDigest"), sequenceNumber: try vector.u64("sequenceNumber"))
            let report = try vector.bytes("report")
            #expect(try context.words == vector.hashes("reportContext"))
            #expect(try context.digestPreimage(report: report) == vector.bytes("digestPreimage"))
            #expect(try context.digest(report: report) == vector.hash("digest"))
            let signers = try vector.addresses("signers")
            var signatures: [Signature] = []
            for item in try vector.items("signatures") {
                let key = try PrivateKey(hex: item.text("privateKey"))
                let signature = key.sign(digest: context.digest(report: report))
                #expect(try Hash32(signature.r) == item.hash("r") && Hash32(signature.s) == item.hash("s"))
                #expect(try UInt64(signature.yParity) == item.u64("v"))
                #expect(
                    Secp256k1.recoverAddress(digest: context.digest(report: report), signature: signature)
                        == signers[try item.int("signerIndex")])
                signatures.append(signature)
            }
            #expect(try signatures.count == vector.int("F") + 1)
            #expect(try PackedSignatures(signatures).rawVs == vector.hash("rawVs"))
            #expect(
                try context.commitCall(encodedReport: report, signatures: signatures)
                    == vector.bytes("commitCalldata"))
            #expect(
                try context.commitCall(report: CommitReport(encoded: report), signatures: signatures)
                    == vector.bytes("commitCalldata"))
        }
    }

    @Test("22 RMN reports: digest and signatures without v")
    func rmnReports() throws {
        let vectors = try Vector.list("rmnReports")
        #expect(vectors.count == 22)
        for vector in vectors {
            let digest = RMNReportDigest(
                destinationChainID: try vector.word("destChainId"), destination: try vector.selector("destChainSelector"),
                rmnRemote: try vector.address("rmnRemoteContractAddress"),
                offRamp: try vector.address("offrampAddress"),
                rmnHomeDigest: try vector.hash("rmnHomeContractConfigDigest"),
                roots: try vector.items("merkleRoots").map { try $0.merkleRoot() })
            #expect(try digest.preimage == vector.bytes("digestPreimage"))
            #expect(try digest.digest == vector.hash("digest"))
            for item in try vector.items("signaturesSortedBySigner") {
                let signed = try PrivateKey(hex: item.text("privateKey")).sign(digest: digest.digest)
                let signature = RMNSignature(signed)
                #expect(try signature == RMNSignature(r: item.hash("r"), s: item.hash("s")))
                #expect(try (signed.yParity == 1) == item.flag("sWasFlipped"))
                #expect(try digest.signer(of: signature) == item.address("signer"))
            }
        }
    }

    @Test("10 home configuration digests")
    func homeDigests() throws {
        let vectors = try Vector.list("homeConfigDigests")
        #expect(vectors.count == 10)
        for vector in vectors {
            let digest: Hash32
            if try vector.text("contract") == "CCIPHome" {
                digest = HomeConfigurationDigest.ccipHome(
                    chainID: try vector.word("chainId"), home: try vector.address("address"),
                    donID: try vector.u32("donId"),
                    plugin: try #require(PluginType(rawValue: UInt8(try vector.int("pluginType")))),
                    version: try vector.u32("version"), encodedConfiguration: try vector.bytes("encodedConfig"))
            } else {
                digest = HomeConfigurationDigest.rmnHome(
                    chainID: try vector.word("chainId"), home: try vector.address("address"),
                    version: try vector.u32("version"),
                    encodedStaticConfiguration: try vector.bytes("encodedStaticConfig"))
            }
            #expect(try digest == vector.hash("configDigest"))
        }
    }

    @Test("31 trees and 166 multi-proofs")
    func merkle() throws {
        let trees = try Vector.group("merkle").items("trees")
        #expect(trees.count == 31)
        var proofs = 0
        for vector in trees {
            let leaves = try vector.hashes("leaves")
            let tree = try MerkleTree(leaves: leaves)
            #expect(try tree.root == vector.hash("root"))
            for item in try vector.items("proofs") {
                let indices = try item.items("indices").map { try #require($0.asInt) }
                let proof = try tree.proof(indices: indices)
                #expect(try proof.hashes == item.hashes("proofs"))
                #expect(try proof.flagBits == item.word("proofFlagBits"))
                #expect(try proof.root(leaves: indices.map { leaves[$0] }) == tree.root)
                proofs += 1
            }
        }
        #expect(proofs == 166)
    }

    @Test("one lane from end to end: logs, leaves, root, commit, executions, manual execution")
    func endToEnd() throws {
        let vector = try Vector.group("endToEnd")
        let source = try vector.at("sourceChain")
        let onRamp = try source.address("onRamp")
        let lane = (try source.selector("selector"), try vector.at("destChain").selector("selector"))
        let messages = try vector.items("ccipMessageSentLogs").map {
            try MessageSentEvent.decode($0.log(), source: lane.0, destination: lane.1, onRamp: onRamp)
        }
        let converted = try messages.map { try Any2EVMRampMessage(converting: $0) }
        #expect(try converted == vector.items("any2EvmMessages").map { try $0.any2EVM() })
        let leaves = converted.map { $0.leafHash(onRamp: onRamp.abiWord) }
        #expect(try leaves == vector.hashes("leaves"))
        let tree = try MerkleTree(leaves: leaves)
        #expect(try tree.root == vector.hash("merkleRoot"))

        let commit = try vector.at("commit")
        let report = try CommitReport(encoded: commit.bytes("report"))
        #expect(report.unblessed.map(\.root) == [tree.root] && report.unblessed[0].onRamp == onRamp.abiWord)
        let accepted = try commit.items("logs").compactMap { try OffRampEvents.decode($0.log()) }
        #expect(
            accepted.contains {
                if case .commitReportAccepted(let event) = $0 { event.roots == report.roots } else { false }
            })
        var states: [SequenceNumber: MessageExecutionState] = [:]
        for execution in try vector.items("executions") {
            let reports = try execution.items("reports").map { try $0.executionReport() }
            let encoded = try execution.bytes("report")
            #expect(reports.encodedReports == encoded)
            let words = try execution.hashes("reportContext")
            let context = ReportContext(configurationDigest: words[0], sequenceNumber: words[1].word.w0)
            #expect(try context.executeCall(encodedReports: encoded) == execution.bytes("executeCalldata"))
            for report in reports { #expect(try report.root(onRamp: onRamp.abiWord) == tree.root) }
            let indices = try execution.items("indices").map { try #require($0.asInt) }
            let proof = try tree.proof(indices: indices)
            #expect(reports[0].proofs == proof.hashes && reports[0].proofFlagBits == proof.flagBits)
            for item in try execution.items("logs") {
                if case .executionStateChanged(let change) = try OffRampEvents.decode(item.log()) {
                    states[change.sequenceNumber] = change.state
                    #expect(change.leaf == leaves[Int(change.sequenceNumber.rawValue) - 1])
                }
            }
        }
        #expect(states[4] == .failure, "the receiver of message 4 reverts until a manual execution")
        let manual = try vector.at("manualExecution")
        let overrides = try manual.items("gasLimitOverrides").map {
            try #require($0.asArray).map {
                GasLimitOverride(
                    receiverExecutionGasLimit: try $0.word("receiverExecutionGasLimit"), tokenGasOverrides: [])
            }
        }
        let manualReports = try manual.items("reports").map { try $0.executionReport() }
        #expect(
            try ManualExecution.call(reports: manualReports, overrides: overrides) == manual.bytes("calldata"))
        for item in try manual.items("logs") {
            if case .executionStateChanged(let change) = try OffRampEvents.decode(item.log()) {
                states[change.sequenceNumber] = change.state
            }
        }
        let final = try vector.items("finalStates").map { UInt8(try #require($0.asUInt64)) }
        for (index, state) in final.enumerated() {
            #expect(states[SequenceNumber(UInt64(index + 1))]?.rawValue ?? 0 == state)
        }
    }
}
