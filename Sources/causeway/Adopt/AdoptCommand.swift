// causeway adopt: a cluster for CCIP 1.6 contracts that somebody else deployed.

import ArgumentParser
import Ethereum
import Localnet

struct AdoptCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Write a cluster's configuration for contracts that already exist, and check everything on chain.",
        discussion: """
            FILE, YAML or JSON, names chains with their RPC addresses and some contract addresses, and the private keys of the
            relayers. What chains can tell is read from them: the remaining contracts, selectors, signers in their order,
            digests, F, lanes, tokens, prices, limits of the nodes. Every check is a line; docs/reference/adopted-deployment.md
            explains all keys.

              chains:
                - {name: alpha, rpc: "http://127.0.0.1:8545", finality: {depth: 5}, offRamp: 0x..., onRamp: 0x..., router: 0x...}
                - {name: beta, rpc: "http://127.0.0.1:8546", finality: {depth: 5}, offRamp: 0x..., onRamp: 0x..., router: 0x...}
              relayers:                      # 3F + 1 of them, in any order
                - {signer: 0xPRIVATEKEY, transmitter: 0xPRIVATEKEY}
                - ...

            Writes DIR/cluster.yaml, and for each relayer its file and sealed keys. Doing it again changes nothing. Ends with 0
            when all is well, and with 6 when a check failed.

            Examples:
              causeway adopt --deployment deployment.yaml --out ./cluster
              causeway adopt --deployment addresses.json --keys keys.yaml --out ./cluster
              causeway adopt --deployment deployment.yaml --check-only --json
              causeway cluster ./cluster
            """)

    @Option(name: .long, help: "The file that names chains, contracts and keys.")
    var deployment: String

    @Option(name: .long, help: ArgumentHelp("A second file with relayers, guards and accounts.", valueName: "path"))
    var keys: String?

    @Option(name: .long, help: ArgumentHelp("Where the files go; a folder with the cluster's name when not given.", valueName: "dir"))
    var out: String?

    @Flag(name: .long, help: "Check only, write nothing.")
    var checkOnly = false

    @Flag(name: .long, help: "Take away the stores of another deployment that the folder served.")
    var force = false

    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let file = try read()
        let folder = AdoptionFolder(Files.absolute(self.out ?? file.name))
        if !checkOnly, let holder = DataDirectoryLock.holder(folder.directory) {
            throw LocalnetError(
                .networkRunning, "a cluster runs in \(folder.directory) (process \(holder))",
                hint: "stop it: causeway down --network \(folder.directory)")
        }
        out.talk("asking \(file.chains.map(\.name).joined(separator: ", "))")
        let targets = try file.targets()
        let facts = await ChainDiscovery.run(targets)
        let obstacles = AdoptionPlan.obstacles(file, facts)
        guard obstacles.isEmpty else { return report(obstacles, nil, out) }
        let ports = Ports()
        defer { ports.release() }
        let plan = try AdoptionPlan(file, facts: facts, directory: folder.directory, ports: ports) { name, key in
            try folder.secret(name, key)
        }
        let results = keyLines(file, plan) + ClusterChecks(plan.expectation, facts: facts).run()
        if !checkOnly {
            try folder.prepare(for: plan, force: force)
            try await folder.write(plan, accounts: file.accounts)
        }
        return report(results, checkOnly ? nil : folder.directory, out)
    }

    private func read() throws -> AdoptionFile {
        func text(_ path: String) throws -> String {
            guard let bytes = Files.read(path, maximum: CommandLimits.configurationBytesMaximum) else {
                throw CommandFailure("fileMissing", "no readable file \(path)", hint: "causeway adopt --help shows one")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        let path = Files.absolute(deployment)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let more = try keys.map { (text: try text($0), file: $0) }
        return try AdoptionFile(text: try text(deployment), file: deployment, folder: folder, more: more)
    }

    private func keyLines(_ file: AdoptionFile, _ plan: AdoptionPlan) -> [CheckResult] {
        var results = plan.expectation.relayers.map { relayer -> CheckResult in
            let addresses = Set(relayer.transmitters.values.flatMap { [$0.committing, $0.executing] })
            let text = addresses.count == 1 ? "transmitter \(addresses.first ?? .zero)" : "\(addresses.count) transmitters"
            return .good(relayer.name, "keys", "signer \(relayer.signer), \(text)")
        }
        let used = Set(plan.expectation.relayers.map(\.name))
        for relayer in file.relayers where !used.contains(relayer.name) {
            results.append(
                .note(relayer.name, "keys", "signer \(relayer.signer.address): not used, the cluster has its 3F + 1 members"))
        }
        for chain in file.chains where !chain.others.isEmpty {
            let names = chain.others.map(\.name).joined(separator: ", ")
            results.append(.note(chain.name, "addresses", "not looked at: \(names)"))
        }
        return results
    }

    private func report(_ results: [CheckResult], _ directory: String?, _ out: CommandOutput) -> ExitStatus {
        let failed = results.count { !$0.isGood }
        let json: JSON = [
            "directory": directory.map { .string($0) } ?? .null,
            "passed": .integer(results.count - failed), "failed": .integer(failed),
            "checks": .array(results.map(\.json)),
        ]
        out.data(json) {
            var text = CheckTable.text(results)
            if let directory { text += "\nwritten: \(directory)\nstart it: causeway cluster \(directory)\n" }
            return text
        }
        return failed == 0 ? .done : .checkFailed
    }
}

/// The lines of `check` and `adopt`.
enum CheckTable {
    static func text(_ results: [CheckResult]) -> String {
        var table = Table()
        for result in results {
            let mark: (String, Terminal.Colour) =
                switch result.severity {
                case .ok: ("ok", .green)
                case .note: ("note", .yellow)
                case .failed: ("FAILED", .red)
                }
            table.add(Terminal.data.paint(mark.0, mark.1), result.subject, result.check, result.detail)
        }
        var text = table.text()
        for result in results where !result.isGood {
            if let hint = result.hint { text += "\n\(result.subject), \(result.check): \(hint)\n" }
        }
        let failed = results.count { !$0.isGood }
        let notes = results.count { $0.severity == .note }
        return text + "\n\(results.count - failed) passed\(notes > 0 ? " (\(notes) with a note)" : ""), \(failed) failed\n"
    }
}
