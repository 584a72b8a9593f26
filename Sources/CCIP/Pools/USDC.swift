// The byte formats of CCTP pools (section 20 of the on-chain specification). Attestations are fetched elsewhere.

import Ethereum

package enum USDC {
    /// `sourcePoolData` of CCTP v1: 64 bytes.
    package struct SourcePoolDataV1: Hashable, Sendable {
        package var nonce: UInt64
        package var sourceDomain: UInt32

        package init(nonce: UInt64, sourceDomain: UInt32) {
            self.nonce = nonce
            self.sourceDomain = sourceDomain
        }

        package var encoded: Bytes { U256(nonce).bytes + U256(UInt64(sourceDomain)).bytes }

        package init(encoded: Bytes) throws(CCIPError) {
            var cursor = try ABICodec.decode(
                encoded, as: [.uint(64), .uint(32)], .malformedTokenData, "CCTP v1 pool data")
            self.init(nonce: try cursor.uint64(), sourceDomain: try cursor.uint32())
        }
    }

    /// `offchainTokenData` of CCTP v1: the message and the attestation service's signature.
    package struct OffchainTokenData: Hashable, Sendable {
        package var message: Bytes
        package var attestation: Bytes

        package init(message: Bytes, attestation: Bytes) {
            self.message = message
            self.attestation = attestation
        }

        private static let type = ABIType.tuple([.bytes, .bytes])

        package var encoded: Bytes {
            ABICodec.encode([.tuple([.bytes(message), .bytes(attestation)])], as: [Self.type])
        }

        package init(encoded: Bytes) throws(CCIPError) {
            var outer = try ABICodec.decode(
                encoded, as: [Self.type], .malformedTokenData, "CCTP v1 off-chain token data")
            var cursor = try outer.tuple()
            self.init(message: try cursor.bytes(), attestation: try cursor.bytes())
        }
    }

    /// A burn of CCTP v2, found off chain by its deposit hash.
    package struct DepositV2: Hashable, Sendable {
        package var sourceDomain: UInt32
        package var amount: U256
        package var destinationDomain: UInt32
        package var mintRecipient: Hash32
        package var burnToken: Hash32
        package var destinationCaller: Hash32
        package var maxFee: U256
        package var minFinalityThreshold: UInt32

        package init(
            sourceDomain: UInt32, amount: U256, destinationDomain: UInt32, mintRecipient: Hash32, burnToken: Hash32,
            destinationCaller: Hash32, maxFee: U256 = .zero, minFinalityThreshold: UInt32 = 2000
        ) {
            self.sourceDomain = sourceDomain
            self.amount = amount
            self.destinationDomain = destinationDomain
            self.mintRecipient = mintRecipient
            self.burnToken = burnToken
            self.destinationCaller = destinationCaller
            self.maxFee = maxFee
            self.minFinalityThreshold = minFinalityThreshold
        }

        package var hash: Hash32 {
            keccak256(
                U256(UInt64(sourceDomain)).bytes + amount.bytes + U256(UInt64(destinationDomain)).bytes
                    + mintRecipient.bytes + burnToken.bytes + destinationCaller.bytes + maxFee.bytes
                    + U256(UInt64(minFinalityThreshold)).bytes)
        }

        /// `sourcePoolData`: tag, domain and hash, 40 bytes, packed.
        package var sourcePoolData: Bytes { USDC.tagV2 + Bytes(bigEndian: sourceDomain) + hash.bytes }
    }

    package static let tagV1: Bytes = [0xf3, 0x56, 0x7d, 0x18]
    package static let tagV2: Bytes = [0xb1, 0x48, 0xea, 0x5f]
    /// Asks the remote hybrid pool to release instead of mint.
    package static let lockReleaseFlag: Bytes = [0xfa, 0x7c, 0x07, 0xde]
}
