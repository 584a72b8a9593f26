// Carries out a plan over JSON-RPC: all chains at once, transactions signed here and sent many at a time. What to send is
// decided by DeploymentPlan and ChainState.

import CCIP
import Ethereum

/// One chain to deploy to.
package struct DeploymentTarget: Sendable {
    package let endpoint: any DeploymentEndpoint
    package let key: PrivateKey

    package init(endpoint: any DeploymentEndpoint, key: PrivateKey) {
        self.endpoint = endpoint
        self.key = key
    }
}

package struct DeploymentPolicy: Sendable {
    /// Distance between two looks at a chain.
    package var pollMilliseconds = 1_000
    package var deadlineSeconds = Limits.deploymentSecondsDefault
    /// Transactions under way at a time; public pools keep few of one account.
    package var window = 16

    package init() {}

    /// A simulated chain takes everything at once.
    package static var local: DeploymentPolicy {
        var policy = DeploymentPolicy()
        policy.pollMilliseconds = 20
        policy.deadlineSeconds = 60
        policy.window = 1_000
        return policy
    }
}

package struct Deployer: Sendable {
    let artifacts: ContractArtifacts
    let policy: DeploymentPolicy
    /// Where the state is kept; nil for a deployment that cannot be resumed.
    let statePath: String?
    /// One line for people.
    let progress: @Sendable (String) -> Void

    package init(
        artifacts: ContractArtifacts, policy: DeploymentPolicy = DeploymentPolicy(), statePath: String? = nil,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.artifacts = artifacts
        self.policy = policy
        self.statePath = statePath
        self.progress = progress
    }

    /// Deploys and wires everything that is not yet there, and returns the plan that now stands.
    /// Throws the first failure; what was sent by then is in the state file, and the next call goes on from there.
    package func deploy(
        _ request: DeploymentRequest, to targets: [String: DeploymentTarget]
    ) async throws(LocalnetError) -> DeploymentPlan {
        try request.validate()
        for chain in request.chains where targets[chain.name] == nil {
            throw LocalnetError(.invalidRequest, "chain \(chain.name) has no endpoint")
        }
        let known = try statePath.map { path throws(LocalnetError) in try DeploymentJournal.load(path) } ?? nil
        let firstNonces = try await firstNonces(request, targets, known)
        let plan = try DeploymentPlan(request: request, artifacts: artifacts, firstNonces: firstNonces)
        if let known, known.planDigest != plan.digest {
            throw LocalnetError(
                .stateMismatch, "\(statePath ?? "the state file") is of another deployment",
                hint: "its chains, keys or contracts differ: name another file with --state, or delete this one")
        }
        let journal = DeploymentJournal(state: known ?? DeploymentState(plan), path: statePath)
        try await journal.write()
        try await runAll(plan, targets, journal)
        return plan
    }

    /// Where each deployer's account stands, or stood when the known deployment began.
    private func firstNonces(
        _ request: DeploymentRequest, _ targets: [String: DeploymentTarget], _ known: DeploymentState?
    ) async throws(LocalnetError) -> [String: UInt64] {
        var result: [String: UInt64] = [:]
        for chain in request.chains {
            guard let target = targets[chain.name] else { continue }
            let calls = [
                DeploymentCall("eth_chainId"),
                DeploymentCall("eth_getTransactionCount", [.address(chain.deployer), "latest"]),
            ]
            let answers = try await target.endpoint.results(calls)
            guard let chainID = answers[0].asUInt64, let nonce = answers[1].asUInt64 else {
                throw LocalnetError(.chainUnreachable, "\(target.endpoint.label) answers no numbers")
            }
            guard chainID == chain.chainID else {
                throw LocalnetError(
                    .wrongChain, "\(target.endpoint.label) is chain \(chainID), not \(chain.chainID) (\(chain.name))",
                    hint: "check the address of \(chain.name)")
            }
            guard target.key.address == chain.deployer else {
                throw LocalnetError(
                    .invalidRequest, "the key of \(target.key.address) is not that of the deployer \(chain.deployer)")
            }
            result[chain.name] = known?.chains.first { $0.name == chain.name }?.firstNonce ?? nonce
        }
        return result
    }

    private func runAll(
        _ plan: DeploymentPlan, _ targets: [String: DeploymentTarget], _ journal: DeploymentJournal
    ) async throws(LocalnetError) {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (position, chainPlan) in plan.chains.enumerated() {
                    guard let target = targets[chainPlan.chain.name] else { continue }
                    let run = ChainDeployment(
                        plan: chainPlan, position: position, target: target, journal: journal, policy: policy,
                        progress: progress)
                    group.addTask { try await run.run() }
                }
                try await group.waitForAll()
            }
        } catch let error as LocalnetError {
            throw error
        } catch {
            throw LocalnetError(.timeout, "the deployment was broken off: \(error)", hint: "run it again to go on")
        }
    }
}
