// Guards of a cluster: who signs for roots of sources whose OffRamp requires it. Part of cluster.yaml.

import CCIP
import Configuration
import Ethereum

extension ClusterSettings {
    /// One guard as relayers see it.
    package struct Guard: Sendable, Equatable {
        package var name: String
        /// A signer of the RMNRemote of every destination that requires signatures.
        package var signer: Address
        /// What its process proves itself with in the committing mesh.
        package var member: Member
    }
}

extension ConfigurationSection {
    /// `guards` of the cluster; their order is that of the mesh.
    mutating func guards() throws(ConfigurationError) -> [ClusterSettings.Guard] {
        var guards: [ClusterSettings.Guard] = []
        for var section in try sections("guards") {
            let name = try section.string("name")
            let signer = try section.address("signer")
            let key = try section.value("curvePublicKey", expected: "40 letters of Z85") { text in
                text.utf8.count == 40 ? text : nil
            }
            let member = ClusterSettings.Member(curvePublicKey: key, mesh: try section.string("mesh"))
            guards.append(ClusterSettings.Guard(name: name, signer: signer, member: member))
            try section.finish()
        }
        return guards
    }
}
