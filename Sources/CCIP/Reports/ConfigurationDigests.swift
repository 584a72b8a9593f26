// The digests under which configurations are known on chain: CCIPHome, RMNHome (section 23), and the RMN report digest
// (17.2 of the on-chain specification).

import Ethereum

package enum HomeConfigurationDigest {
    /// `encodedConfiguration` is `abi.encode(OCR3Config)`; chain id and address are those of the home chain.
    package static func ccipHome(
        chainID: U256, home: Address, donID: UInt32, plugin: PluginType, version: UInt32, encodedConfiguration: Bytes
    ) -> Hash32 {
        let head =
            evmTag + chainID.bytes + home.abiWord + U256(UInt64(donID)).bytes + U256(UInt64(plugin.rawValue)).bytes
            + U256(UInt64(version)).bytes
        return prefixed(keccak256(head + encodedConfiguration), 0x000a)
    }

    /// `encodedStaticConfiguration` is `abi.encode(StaticConfig)`; the dynamic part does not enter.
    package static func rmnHome(
        chainID: U256, home: Address, version: UInt32, encodedStaticConfiguration: Bytes
    ) -> Hash32 {
        let head = evmTag + chainID.bytes + home.abiWord + U256(UInt64(version)).bytes
        return prefixed(keccak256(head + encodedStaticConfiguration), 0x000b)
    }

    /// "EVM", left-aligned.
    private static let evmTag: Bytes = Bytes("EVM".utf8) + Bytes(repeating: 0, count: 29)

    private static func prefixed(_ hash: Hash32, _ prefix: UInt64) -> Hash32 {
        let mask = U256.max >> 16
        return Hash32(U256(prefix) << 240 | (hash.word & mask))
    }
}

/// What RMN nodes sign over blessed roots. `rmnRemote` is the contract itself, never the proxy before it.
package struct RMNReportDigest: Hashable, Sendable {
    package var destinationChainID: U256
    package var destination: ChainSelector
    package var rmnRemote: Address
    package var offRamp: Address
    package var rmnHomeDigest: Hash32
    package var roots: [MerkleRoot]

    package init(
        destinationChainID: U256, destination: ChainSelector, rmnRemote: Address, offRamp: Address,
        rmnHomeDigest: Hash32, roots: [MerkleRoot]
    ) {
        self.destinationChainID = destinationChainID
        self.destination = destination
        self.rmnRemote = rmnRemote
        self.offRamp = offRamp
        self.rmnHomeDigest = rmnHomeDigest
        self.roots = roots
    }

    private static let type = ABIType.tuple([
        .uint(256), .uint(64), .address, .address, .fixedBytes(32), .array(MerkleRoot.type),
    ])

    var preimage: Bytes {
        let report = ABIValue.tuple([
            .uint(destinationChainID), .uint(destination.rawValue), .address(rmnRemote), .address(offRamp),
            .hash(rmnHomeDigest), .array(roots.map(\.abi)),
        ])
        return ABICodec.encode([.hash(HashDomain.rmnReport), report], as: [.fixedBytes(32), Self.type])
    }

    package var digest: Hash32 { keccak256(preimage) }

    /// The account behind a signature of this digest; v is always 27.
    package func signer(of signature: RMNSignature) -> Address? { Self.signer(of: signature, over: digest) }

    /// The same where the digest is computed once for many signatures.
    package static func signer(of signature: RMNSignature, over digest: Hash32) -> Address? {
        Secp256k1.recoverAddress(
            digest: digest, signature: Signature(r: signature.r.word, s: signature.s.word, yParity: 0))
    }
}
