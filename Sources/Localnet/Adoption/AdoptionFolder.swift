// The files of an adopted cluster in one folder: cluster.yaml, a file and a key folder for each relayer and guard, and the
// accounts that commands may send from. An existing key is kept where it is the same.

import CCIP
import Ethereum
import MessageBus

package struct AdoptionFolder: Sendable {
    package let directory: String

    package init(_ directory: String) { self.directory = directory }

    private func keys(_ name: String) -> String { "\(directory)/\(name)/keys" }

    /// The password that seals the keys of this folder: the one that is there, or a new one.
    package func password(_ name: String) -> String {
        let path = keys(name) + "/" + KeyFileName.password
        if let bytes = Files.read(path, maximum: 4096) {
            let text = String(decoding: bytes.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
            if !text.isEmpty { return text }
        }
        return Hex.encode(randomBytes(24))
    }

    /// The secret of a key that only the cluster knows: from its file, or new.
    package func secret(_ name: String, _ file: String) throws -> Bytes {
        if let bytes = try LocalRelayerKeys.secret(in: keys(name), file, password: password(name)) { return bytes }
        return randomBytes(32)
    }

    /// Throws `fileFailed`.
    package func write(_ plan: AdoptionPlan, accounts: [PrivateKey]) async throws(LocalnetError) {
        try Files.makeDirectory(directory)
        // Sealing takes processor time: a key after the other would take a second for each relayer.
        let failure = await withTaskGroup(of: LocalnetError?.self) { group in
            for relayer in plan.relayers {
                let (folder, password) = (keys(relayer.keys.name), password(relayer.keys.name))
                group.addTask {
                    do throws(LocalnetError) {
                        try relayer.keys.write(to: folder, password: password)
                        return nil
                    } catch { return error }
                }
            }
            return await group.reduce(nil as LocalnetError?) { $0 ?? $1 }
        }
        if let failure { throw failure }
        for node in plan.guards { try write(node, plan) }
        try Files.write(plan.document.text, to: directory + "/cluster.yaml")
        for relayer in plan.relayers {
            try Files.write(relayer.document.text, to: "\(directory)/\(relayer.document.name).yaml")
        }
        let path = directory + "/" + Self.accountsFile
        if accounts.isEmpty { Files.remove(path) } else { try Files.write(Self.json(accounts).pretty, to: path, mode: 0o600) }
    }

    private func write(_ node: AdoptionPlan.Guard, _ plan: AdoptionPlan) throws(LocalnetError) {
        try LocalGuardKeys(name: node.name, signer: node.signer, curve: node.curve)
            .write(to: keys(node.name), password: password(node.name))
        let document = GuardDocument(
            comment: "\(node.name), a guard of the cluster \(plan.document.name).", name: node.name, folder: node.name,
            endpoints: node.endpoints, httpPort: node.httpPort)
        try Files.write(document.text, to: "\(directory)/\(node.name).yaml")
    }

    // MARK: Accounts

    package static let accountsFile = "accounts.json"

    private static func json(_ accounts: [PrivateKey]) -> JSON {
        .array(
            accounts.enumerated().map { index, key in
                NetworkDocument.Account(
                    index: index, address: key.address, privateKey: Hex.encode(key.secret.bytes), isDeployer: false
                ).json
            })
    }

    /// Accounts that commands may send from; empty when there are none.
    package var accounts: [NetworkDocument.Account] {
        guard let bytes = Files.read(directory + "/" + Self.accountsFile, maximum: Limits.stateBytesMaximum),
            let list = (try? JSON.parse(bytes))?.asArray
        else { return [] }
        return list.compactMap { NetworkDocument.Account(json: $0) }
    }
}

// MARK: - Whose stores they are

extension AdoptionFolder {
    private static let identityFile = "adopted.json"

    /// Stores tell what was signed and sent for certain contracts; those of other contracts must not be found. Throws
    /// `stateMismatch` when the folder served another deployment, unless `force` takes its stores away.
    package func prepare(for plan: AdoptionPlan, force: Bool) throws(LocalnetError) {
        var text = Bytes()
        for chain in plan.document.chains {
            text += U256(chain.chainID).bytes + U256(chain.selector.rawValue).bytes + chain.offRamp.abiWord
            text += chain.onRamp.abiWord + chain.commitDigest.bytes + chain.executeDigest.bytes
        }
        let identity = keccak256(text).hex
        let path = directory + "/" + Self.identityFile
        let known = Files.read(path, maximum: Limits.stateBytesMaximum).flatMap { try? JSON.parse($0) }
        let stores = (plan.relayers.map(\.keys.name) + plan.guards.map(\.name)).flatMap { name in
            Files.names(in: "\(directory)/\(name)").filter { $0 != "keys" }.map { "\(directory)/\(name)/\($0)" }
        }
        if known?["identity"]?.asString != identity, !stores.isEmpty {
            guard force else {
                throw LocalnetError(
                    .stateMismatch, "\(directory) holds the stores of a cluster for other contracts",
                    hint: "name another folder with --out, or add --force to take those stores away")
            }
            for store in stores { Files.removeTree(store) }
        }
        try Files.makeDirectory(directory)
        let json: JSON = [
            "identity": .string(identity),
            "chains": .array(
                plan.document.chains.map { chain in
                    [
                        "name": .string(chain.name), "chainId": .integer(chain.chainID),
                        "selector": .string("\(chain.selector)"), "offRamp": .string(chain.offRamp.checksummed),
                        "onRamp": .string(chain.onRamp.checksummed),
                    ]
                }),
        ]
        try Files.write(json.pretty, to: path)
    }
}
