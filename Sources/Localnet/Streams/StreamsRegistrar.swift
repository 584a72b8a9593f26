// The Configurator of a local network's DON, on its first chain. Oracles are started before there are contracts, and its
// address is part of their digest: so it stands at a nonce that is known beforehand, behind all that a deployment uses.

import CCIP
import Ethereum
import PriceStreams

struct StreamsRegistrar: Sendable {
    /// The last one before those of the next chain's deployer begin.
    static let nonce = Limits.nonceDistance - 1

    let streams: StreamsDocument
    let target: DeploymentTarget
    let chain: DeploymentRequest.Chain
    let artifacts: ContractArtifacts
    let progress: @Sendable (String) -> Void

    /// Creates the contract, and registers the DON's first configuration there.
    func register() async throws(LocalnetError) {
        let owner = chain.deployer
        _ = try await target.endpoint.results([
            DeploymentCall("anvil_setNonce", [.address(owner), .quantity(U256(Self.nonce))])
        ])
        let plan = ChainPlan(
            chain: chain, firstNonce: Self.nonce, contracts: ChainContracts(), steps: try steps(owner), commitDigest: .zero,
            executeDigest: .zero)
        let journal = DeploymentJournal(state: DeploymentState([ChainState(plan)]), path: nil)
        try await ChainDeployment(
            plan: plan, position: 0, target: target, journal: journal, policy: .local, progress: progress
        ).run()
    }

    private func steps(_ owner: Address) throws(LocalnetError) -> [DeploymentStep] {
        let code = try artifacts.artifact("configurator").bytecode
        let address = Address.created(by: owner, nonce: Self.nonce)
        precondition(address == streams.registrar, "the digest names where the contract comes to stand")
        let registration: Bytes
        do { registration = try streams.donConfiguration().registration() } catch {
            throw LocalnetError(.invalidRequest, "the streams of the local network: \(error)")
        }
        return [
            DeploymentStep(
                label: "create configurator", kind: .create(contract: "configurator", address: address), data: code,
                gasLimit: StepGas.creation(initCodeBytes: code.count)),
            DeploymentStep(
                label: "register stream oracles", kind: .call(to: address), data: registration,
                gasLimit: StepGas.oracles(streams.oracles.count)),
        ]
    }
}
