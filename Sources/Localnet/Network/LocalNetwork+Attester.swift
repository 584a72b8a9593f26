// The attestation service of a local network whose tokens need one: started after the contracts stand, before the relayers
// that ask it.

import CCIP
import Ethereum

extension LocalNetwork {
    /// Nothing where no token crosses by CCTP.
    func startAttester(_ plan: DeploymentPlan) throws(LocalnetError) {
        guard let attesters = plan.request.attesters, !plan.request.cctpVersions.isEmpty else { return }
        let port = try ports.take(from: options.portBase)
        let path = directory + "/attester.yaml"
        let settings = AttesterSettings(
            port: port, attesters: attesters.addresses.count, threshold: attesters.threshold,
            chains: zip(plan.chains, document.chains).map { chain, known in
                .init(
                    name: known.name, rpc: known.rpc, domain: chain.chain.cctpDomain ?? 0,
                    transmitters: chain.contracts.cctp.map(\.transmitter))
            })
        try Files.write(settings.text, to: path)
        let log = directory + "/logs/attester.log"
        let child = try ChildProcess(
            name: "attester", executable: executable,
            arguments: ["attester", "--config", path, "--log-level", options.logLevel], logPath: log, lifeline: lifeline)
        attester = child
        document.attester = .init(
            api: "http://127.0.0.1:\(port)", config: path, log: log, pid: Int(child.pid), attesters: attesters.addresses,
            threshold: attesters.threshold)
        watch(child) { network, exit in await network.attesterEnded(child, exit) }
    }

    func attesterReady() async throws(LocalnetError) {
        guard let attester, let api = document.attester?.api else { return }
        try await ready(attester, port: Self.port(of: api))
    }

    private func attesterEnded(_ child: ChildProcess, _ exit: ProcessExit) {
        guard tellOfEnd(.attesterEnded(exit, log: child.logPath, lastLines: child.logTail)) else { return }
        document.attester?.pid = nil
        do { try document.write() } catch { report("\(error)") }
    }
}

extension ClusterDocument.TokenData {
    /// Every pool of the plan that crosses by CCTP; nil where there is none. Questions are close together: nobody here
    /// minds how many there are.
    init?(_ plan: DeploymentPlan, api: String?) {
        guard let api else { return nil }
        var pools: [Pool] = []
        for chain in plan.chains {
            for token in plan.request.tokens {
                guard let version = token.poolKind(on: chain.chain.name).cctp,
                    let here = chain.contracts.token(token.symbol)
                else { continue }
                pools.append(
                    Pool(
                        chain: chain.chain.name, pool: here.pool,
                        messageTransmitter: version == .v1 ? chain.contracts.cctp(version)?.transmitter : nil))
            }
        }
        guard !pools.isEmpty else { return nil }
        self.init(api: api, intervalMilliseconds: 5, retryMilliseconds: 250, pools: pools)
    }
}
