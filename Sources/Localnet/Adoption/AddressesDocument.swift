// A deployment of ours in the format of adoption files: what `causeway deploy` leaves for `causeway adopt`, without keys.

import CCIP
import Ethereum

package enum AddressesDocument {
    /// `endpoints` are RPC addresses by chain name.
    package static func json(_ plan: DeploymentPlan, endpoints: [String: String]) -> JSON {
        [
            "version": 1,
            "faulty": .integer(plan.request.faulty),
            "chains": .array(
                plan.chains.map { chain in
                    var contracts = JSONObject()
                    for (name, address) in chain.contracts.named { contracts[name] = .string(address.checksummed) }
                    return [
                        "name": .string(chain.chain.name),
                        "chainId": .integer(chain.chain.chainID),
                        "selector": .string(chain.chain.selector.description),
                        "rpc": .string(endpoints[chain.chain.name] ?? ""),
                        "contracts": .object(contracts),
                        "tokens": .array(
                            chain.contracts.tokens.map { token in
                                ["symbol": .string(token.symbol), "address": .string(token.token.checksummed)]
                            }),
                    ]
                }),
        ]
    }
}
