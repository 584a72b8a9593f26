// What has been sent, on disk before it is sent: the file by which a broken-off deployment goes on. A value and its JSON;
// reading and writing the file is DeploymentJournal's.

import Ethereum

/// One chain's part: the plan's steps in order, and what became of each.
package struct ChainState: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package var label: String
        package var nonce: UInt64?
        package var transaction: Hash32?
        package var address: Address?
        package var isDone = false

        package init(label: String, address: Address?) {
            self.label = label
            self.address = address
        }
    }

    package var name: String
    package var chainID: UInt64
    package var deployer: Address
    package var firstNonce: UInt64
    package var steps: [Step]

    package init(_ plan: ChainPlan) {
        name = plan.chain.name
        chainID = plan.chain.chainID
        deployer = plan.chain.deployer
        firstNonce = plan.firstNonce
        steps = plan.steps.map { Step(label: $0.label, address: $0.createdAddress) }
    }

    package var isComplete: Bool { steps.allSatisfy(\.isDone) }

    /// Positions of the steps that are not done, with the nonces they are to be sent under, from the account's next one
    /// on. Throws `stateMismatch` when a contract can no longer come to stand at its planned address.
    package func pending(nextNonce: UInt64, creations: Int) throws(LocalnetError) -> [(position: Int, nonce: UInt64)] {
        guard nextNonce >= firstNonce else {
            throw LocalnetError(
                .stateMismatch,
                "chain \(name): the deployer's next nonce is \(nextNonce), but the deployment began at \(firstNonce)",
                hint: "the chain was reset: delete the state file and deploy again")
        }
        var result: [(position: Int, nonce: UInt64)] = []
        var nonce = nextNonce
        for (position, step) in steps.enumerated() where !step.isDone {
            let planned = firstNonce + UInt64(position)
            guard position >= creations || planned == nonce else {
                throw LocalnetError(
                    .stateMismatch, "chain \(name): '\(step.label)' needs nonce \(planned), but \(nonce) is next",
                    hint: "another program used the deployer's account: delete the state file and deploy again")
            }
            result.append((position, nonce))
            nonce += 1
        }
        return result
    }
}

package struct DeploymentState: Sendable, Equatable {
    package static let version = 1

    package var planDigest: Hash32
    package var chains: [ChainState]

    package init(_ plan: DeploymentPlan) {
        planDigest = plan.digest
        chains = plan.chains.map { ChainState($0) }
    }

    /// Of a few steps that are no deployment, and are not resumed.
    init(_ chains: [ChainState]) {
        planDigest = .zero
        self.chains = chains
    }
}

// MARK: - JSON

extension DeploymentState {
    package var json: JSON {
        [
            "version": .integer(Self.version),
            "plan": .hash(planDigest),
            "chains": .array(chains.map(\.json)),
        ]
    }

    /// Throws `malformedState`.
    package init(json: JSON) throws(LocalnetError) {
        guard json["version"]?.asInt == Self.version else {
            throw LocalnetError(.malformedState, "the state file is not of version \(Self.version)")
        }
        guard let digest = json["plan"]?.asString.flatMap({ try? Hash32(hex: $0) }), let list = json["chains"]?.asArray
        else { throw LocalnetError(.malformedState, "the state file lacks 'plan' or 'chains'") }
        planDigest = digest
        chains = []
        for item in list { chains.append(try ChainState(json: item)) }
    }
}

extension ChainState {
    var json: JSON {
        [
            "name": .string(name),
            "chainId": .string(String(chainID)),
            "deployer": .string(deployer.checksummed),
            "firstNonce": .string(String(firstNonce)),
            "steps": .array(steps.map(\.json)),
        ]
    }

    init(json: JSON) throws(LocalnetError) {
        guard let name = json["name"]?.asString, let chainID = json["chainId"]?.asUInt64,
            let deployer = json["deployer"]?.asString.flatMap({ try? Address(hex: $0) }),
            let firstNonce = json["firstNonce"]?.asUInt64, let steps = json["steps"]?.asArray
        else { throw LocalnetError(.malformedState, "a chain of the state file lacks a key") }
        self.name = name
        self.chainID = chainID
        self.deployer = deployer
        self.firstNonce = firstNonce
        self.steps = []
        for item in steps { self.steps.append(try Step(json: item)) }
    }
}

extension ChainState.Step {
    var json: JSON {
        var object = JSONObject()
        object["step"] = .string(label)
        object["address"] = address.map { .string($0.checksummed) }
        object["nonce"] = nonce.map { .string(String($0)) }
        object["transaction"] = transaction.map { .hash($0) }
        object["done"] = .bool(isDone)
        return .object(object)
    }

    init(json: JSON) throws(LocalnetError) {
        guard let label = json["step"]?.asString, let isDone = json["done"]?.asBool else {
            throw LocalnetError(.malformedState, "a step of the state file lacks 'step' or 'done'")
        }
        self.init(label: label, address: json["address"]?.asString.flatMap { try? Address(hex: $0) })
        nonce = json["nonce"]?.asUInt64
        transaction = json["transaction"]?.asString.flatMap { try? Hash32(hex: $0) }
        self.isDone = isDone
    }
}
