// A network whose roots guards must sign, as `causeway up --guards` starts it: what crosses, what waits and why, and what the
// commands say of it.

import CCIP
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("A guarded network, end to end", .serialized)
struct GuardedNetworkTests {
    @Test(
        "a message crosses with a blessed root, waits with a name while guards are down, and crosses when they are back",
        .timeLimit(.minutes(5)))
    func blessed() throws {
        let network = try RunningNetwork(["--guards", "3", "--rmn", "ethereum:jovay"])
        defer { network.stop() }
        #expect(try network.document()["rmn"] == ["faulty": 1, "lanes": [["from": "ethereum", "to": "jovay"]]])
        #expect(try states(network, exits: 0) == ["running", "running", "running"])
        try expectChecked(network)

        let there = try message(network, "ethereum", "jovay", waits: true)
        let back = try message(network, "jovay", "ethereum", waits: true)
        #expect(try show(network, there, exits: 0)["committed"]?["blessed"]?.asBool == true)
        #expect(try show(network, back, exits: 0)["committed"]?["blessed"]?.asBool == false, "this lane needs no guards")
        let told = try Command.causeway(["show", there, "--network", network.directory.path])
        #expect(told.output.contains("signed by guards"))

        // One of three is not enough; the other way goes on.
        try network.killGuard(0)
        try network.killGuard(1)
        #expect(try states(network, exits: 6) == ["down", "down", "running"])
        let waiting = try message(network, "ethereum", "jovay", waits: false)
        let story = try waitsForGuards(network, waiting)
        #expect(story["stage"]?.asString == "finalized")
        #expect(story["advice"]?.asString?.contains("look at the guards") == true)
        let standings = Set((story["relayers"]?.asArray ?? []).compactMap { $0["standing"]?.asString })
        #expect(!standings.isDisjoint(with: ["rmn_required", "rmn_timed_out"]), "\(standings)")
        _ = try message(network, "jovay", "ethereum", waits: true)
        #expect(try show(network, waiting, exits: 3)["committed"]?.isNull == true)

        try network.restartGuard(0)
        let done = try executed(network, waiting)
        #expect(done["committed"]?["blessed"]?.asBool == true)
    }

    @Test("check sees guards that the RMNRemote does not know, and a guard whose keys are open", .timeLimit(.minutes(4)))
    func checked() throws {
        let network = try RunningNetwork(["--guards", "1"])
        defer { network.stop() }
        let file = try #require(try network.guardian(0)["config"]?.asString)
        let alone = try Command.causeway(["check", "--config", file, "--json"])
        #expect(alone.status == 0 && alone.output.contains("guard keys"), "\(alone.output)")
        #expect(chmod(network.directory.appendingPathComponent("guard-0/keys/guard-signer.json").path, 0o644) == 0)
        let open = try checks(network, exits: 6).filter { $0["ok"]?.asBool == false }
        #expect(open.map { $0["check"]?.asString } == ["guard keys"])
        #expect(chmod(network.directory.appendingPathComponent("guard-0/keys/guard-signer.json").path, 0o600) == 0)

        let owner = try Owner(network)
        let stranger = try RMNRemoteInterface.setConfig.encodeCall([
            .tuple([
                .hash(keccak256([2])), .array([.tuple([.address(owner.key.address), .uint(0 as UInt64)])]), .uint(0 as UInt64),
            ])
        ])
        let remote = try #require(try network.chain("jovay")["contracts"]?["rmnRemote"]?.asString)
        try owner.send("jovay", try Address(hex: remote), stranger)
        let failed = try checks(network, exits: 6).filter { $0["ok"]?.asBool == false }
        #expect(failed.map { $0["subject"]?.asString } == ["ethereum -> jovay"])
        #expect(failed.first?["check"]?.asString == "blessing")
        #expect(failed.first?["detail"]?.asString?.contains("guard-0") == true)
    }

    @Test("a root that F + 1 relayers forged is found by a guard, who curses the lane by itself", .timeLimit(.minutes(4)))
    func curses() throws {
        let network = try RunningNetwork(["--guards", "1", "--rmn", "ethereum:jovay"])
        defer { network.stop() }
        // The operator of the guard lets it curse, with the key of the RMNRemotes' owner.
        try network.killGuard(0)
        let password = Secret(Bytes("localnet".utf8))
        let admin = network.directory.appendingPathComponent("guard-0/keys/curse-admin.json")
        let sealed = try KeyFile.sealed(try Owner(network).key, password: password, work: .light)
        #expect(FileManager.default.createFile(
            atPath: admin.path, contents: Data(sealed.encoded), attributes: [.posixPermissions: 0o600]))
        let file = URL(fileURLWithPath: try #require(try network.guardian(0)["config"]?.asString))
        try (String(contentsOf: file, encoding: .utf8) + "curseOnAnomaly: true\n").write(to: file, atomically: true, encoding: .utf8)
        try network.restartGuard(0)

        // Nobody commits in order any more; two of four relayers sign a root of their own over the message.
        for relayer in 0..<4 { try network.kill9(relayer, "committing") }
        _ = try message(network, "jovay", "ethereum", waits: false)
        #expect(try lane(network, "jovay", "ethereum")["cursed"]?.asBool == false)
        try forge(network, password)
        let deadline = Date(timeIntervalSinceNow: 40)
        while try lane(network, "jovay", "ethereum")["cursed"]?.asBool == false, Date() < deadline { usleep(100_000) }
        #expect(try lane(network, "jovay", "ethereum")["cursed"]?.asBool == true)
        let status = try PlainHTTP.get("http://127.0.0.1:\(try #require(try network.guardian(0)["ports"]?["http"]?.asInt))/status")
        #expect(status.contains("committedRootMismatch"), "\(status)")
        let next = try message(network, "jovay", "ethereum", waits: false)
        let story = try show(network, next, exits: 3)
        #expect(["sent", "finalized"].contains(story["stage"]?.asString))
    }

    /// A commit report with a root over nothing, signed by relayers 0 and 1 and sent by relayer 0.
    private func forge(_ network: RunningNetwork, _ password: Secret) throws {
        func key(_ relayer: Int, _ name: String) throws -> PrivateKey {
            let path = network.directory.appendingPathComponent("relayer-\(relayer)/keys/\(name).json")
            return try KeyFile.decode(Bytes(Data(contentsOf: path))).openPrivateKey(password: password)
        }
        let (jovay, ethereum) = (try network.chain("jovay"), try network.chain("ethereum"))
        let source = try #require(jovay["selector"]?.asString.flatMap { UInt64($0) })
        let onRamp = try Address(hex: try #require(jovay["contracts"]?["onRamp"]?.asString))
        let offRamp = try Address(hex: try #require(ethereum["contracts"]?["offRamp"]?.asString))
        let report = CommitReport(unblessed: [
            MerkleRoot(source: ChainSelector(source), onRamp: onRamp.abiWord, first: 1, last: 1, root: keccak256([7]))
        ])
        let digest = try Hash32(hex: try #require(ethereum["digests"]?["commit"]?.asString))
        let context = ReportContext(configurationDigest: digest, sequenceNumber: 1_000_000)
        let hash = context.digest(report: report.encoded)
        let signatures = try (0..<2).map { try key($0, "report-signer").sign(digest: hash) }
        try Owner(network, key: try key(0, "transmitter-ethereum-committing"))
            .send("ethereum", offRamp, try context.commitCall(report: report, signatures: signatures))
    }

    private func lane(_ network: RunningNetwork, _ from: String, _ to: String) throws -> JSON {
        let lanes = try network.json(["lanes"])["data"]?["lanes"]?.asArray ?? []
        return try #require(lanes.first { $0["from"]?["name"]?.asString == from && $0["to"]?["name"]?.asString == to })
    }

    // MARK: What the commands say

    private func states(_ network: RunningNetwork, exits: Int32) throws -> [String] {
        let processes = try network.json(["status"], exits: exits)["data"]?["processes"]?.asArray ?? []
        return processes.filter { $0["role"]?.asString == "guard" }.compactMap { $0["state"]?.asString }
    }

    private func checks(_ network: RunningNetwork, exits: Int32) throws -> [JSON] {
        try network.json(["check"], exits: exits)["data"]?["checks"]?.asArray ?? []
    }

    private func expectChecked(_ network: RunningNetwork) throws {
        let checks = try checks(network, exits: 0)
        func detail(_ subject: String, _ check: String) -> String? {
            checks.first { $0["subject"]?.asString == subject && $0["check"]?.asString == check }?["detail"]?.asString
        }
        #expect(detail("ethereum -> jovay", "blessing") == "3 guards, 2 signatures needed, configuration 1")
        #expect(detail("jovay -> ethereum", "blessing") == "not asked for")
        for guardian in ["guard-0", "guard-1", "guard-2"] {
            #expect(detail(guardian, "guard keys")?.hasPrefix("signer 0x") == true)
            #expect(detail(guardian, "cluster") == "the chains, lanes and members of the relayers")
        }
    }

    private func message(_ network: RunningNetwork, _ from: String, _ to: String, waits: Bool) throws -> String {
        let sent = try network.json(["send", from, to, "--text", "guarded"] + (waits ? ["--wait"] : []))
        return try #require(sent["data"]?["messages"]?.asArray?.first?["messageId"]?.asString)
    }

    private func show(_ network: RunningNetwork, _ id: String, exits: Int32) throws -> JSON {
        try #require(try network.json(["show", id], exits: exits)["data"])
    }

    private func waitsForGuards(_ network: RunningNetwork, _ id: String) throws -> JSON {
        let deadline = Date(timeIntervalSinceNow: 40)
        while true {
            let story = try show(network, id, exits: 3)
            if story["waitsFor"]?.asString?.contains("guard signatures") == true { return story }
            guard Date() < deadline else { throw Failure("it waits for \(story["waitsFor"]?.asString ?? "nothing")") }
            usleep(100_000)
        }
    }

    private func executed(_ network: RunningNetwork, _ id: String) throws -> JSON {
        let deadline = Date(timeIntervalSinceNow: 90)
        while true {
            let outcome = try Command.causeway(["show", id, "--json", "--network", network.directory.path])
            let story = try JSON.parse(Bytes(outcome.output.utf8))["data"]
            if outcome.status == 0, let story { return story }
            guard Date() < deadline else { throw Failure("it still waits for \(story?["waitsFor"]?.asString ?? "nothing")") }
            usleep(200_000)
        }
    }
}
