// Transactions of all types up to Prague as one value, before and after signing. Wire forms are in
// Transaction+Encoding.swift and SignedTransaction+Decoding.swift, what makes one valid in Transaction+Validity.swift.

/// What an account asks a chain to do. Fields that the kind does not have are empty or zero.
package struct Transaction: Hashable, Sendable {
    /// The type byte of EIP-2718; a legacy transaction has none on the wire.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case legacy = 0
        /// EIP-2930.
        case accessList = 1
        /// EIP-1559.
        case dynamicFee = 2
        /// EIP-4844, without its blobs.
        case blob = 3
        /// EIP-7702.
        case setCode = 4
    }

    package var kind: Kind
    /// Nil only for a legacy transaction without replay protection.
    package var chainID: UInt64?
    package var nonce: UInt64
    /// Wei a gas to the block's beneficiary; equals `maxFeePerGas` in kinds 0 and 1.
    package var maxPriorityFeePerGas: U256
    /// Wei a gas in all; the gas price of kinds 0 and 1.
    package var maxFeePerGas: U256
    package var gasLimit: UInt64
    /// Nil for a creation.
    package var to: Address?
    /// Wei.
    package var value: U256
    package var data: Bytes
    package var accessList: [AccessListEntry]
    /// Wei a blob gas.
    package var maxFeePerBlobGas: U256
    package var blobVersionedHashes: [Hash32]
    package var authorizations: [Authorization]

    package init(
        kind: Kind, chainID: UInt64?, nonce: UInt64, maxPriorityFeePerGas: U256, maxFeePerGas: U256, gasLimit: UInt64,
        to: Address?, value: U256 = .zero, data: Bytes = [], accessList: [AccessListEntry] = [],
        maxFeePerBlobGas: U256 = .zero, blobVersionedHashes: [Hash32] = [], authorizations: [Authorization] = []
    ) {
        self.kind = kind
        self.chainID = chainID
        self.nonce = nonce
        self.maxPriorityFeePerGas = maxPriorityFeePerGas
        self.maxFeePerGas = maxFeePerGas
        self.gasLimit = gasLimit
        self.to = to
        self.value = value
        self.data = data
        self.accessList = accessList
        self.maxFeePerBlobGas = maxFeePerBlobGas
        self.blobVersionedHashes = blobVersionedHashes
        self.authorizations = authorizations
    }

    /// A legacy transaction; without a chain id it can be replayed on any chain.
    package static func legacy(
        chainID: UInt64?, nonce: UInt64, gasPrice: U256, gasLimit: UInt64, to: Address?, value: U256 = .zero,
        data: Bytes = []
    ) -> Transaction {
        Transaction(
            kind: .legacy, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: gasPrice, maxFeePerGas: gasPrice,
            gasLimit: gasLimit, to: to, value: value, data: data)
    }

    /// A transaction of today's kind (EIP-1559).
    package static func dynamicFee(
        chainID: UInt64, nonce: UInt64, maxPriorityFeePerGas: U256, maxFeePerGas: U256, gasLimit: UInt64, to: Address?,
        value: U256 = .zero, data: Bytes = [], accessList: [AccessListEntry] = []
    ) -> Transaction {
        Transaction(
            kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: maxPriorityFeePerGas,
            maxFeePerGas: maxFeePerGas, gasLimit: gasLimit, to: to, value: value, data: data, accessList: accessList)
    }

    package var isCreation: Bool { to == nil }

    /// What one gas costs in a block of this base fee, in wei; nil when the transaction does not pay the base fee.
    package func effectiveGasPrice(baseFee: U256) -> U256? {
        guard maxFeePerGas >= baseFee else { return nil }
        let spare = maxFeePerGas &- baseFee
        return baseFee &+ min(spare, maxPriorityFeePerGas)
    }

    /// Signs with `key`.
    package func signed(by key: PrivateKey) -> SignedTransaction {
        SignedTransaction(transaction: self, signature: key.sign(digest: signingHash))
    }
}

/// An account and slots of it that a transaction pays to have warm (EIP-2930).
package struct AccessListEntry: Hashable, Sendable {
    package var address: Address
    package var storageKeys: [Hash32]

    package init(address: Address, storageKeys: [Hash32]) {
        self.address = address
        self.storageKeys = storageKeys
    }
}

/// An account's leave to run the code of `address` as its own (EIP-7702).
package struct Authorization: Hashable, Sendable {
    /// Zero for every chain.
    package var chainID: U256
    package var address: Address
    package var nonce: UInt64
    package var yParity: UInt8
    package var r: U256
    package var s: U256

    package init(chainID: U256, address: Address, nonce: UInt64, yParity: UInt8, r: U256, s: U256) {
        self.chainID = chainID
        self.address = address
        self.nonce = nonce
        self.yParity = yParity
        self.r = r
        self.s = s
    }

    /// Signs with `key`.
    package static func signed(by key: PrivateKey, chainID: U256, address: Address, nonce: UInt64) -> Authorization {
        var result = Authorization(chainID: chainID, address: address, nonce: nonce, yParity: 0, r: .zero, s: .zero)
        let signature = key.sign(digest: result.signingHash)
        result.yParity = signature.yParity
        result.r = signature.r
        result.s = signature.s
        return result
    }

    /// keccak(0x05 || rlp([chain id, address, nonce])).
    package var signingHash: Hash32 {
        keccak256([5] + RLP.list([.uint(chainID), .bytes(address.bytes), .uint(nonce)]).encoded)
    }

    /// The account that gives its leave; nil for a wrong signature or high s, which the EVM passes over.
    package var authority: Address? {
        guard yParity < 2 else { return nil }
        let signature = Signature(r: r, s: s, yParity: yParity)
        return signature.isLowS ? Secp256k1.recoverAddress(digest: signingHash, signature: signature) : nil
    }
}

/// A transaction with its signature, its wire form and its hash.
package struct SignedTransaction: Hashable, Sendable {
    package let transaction: Transaction
    package let signature: Signature
    /// The wire form: the type byte and RLP, or plain RLP for a legacy transaction.
    package let encoded: Bytes
    /// keccak(encoded).
    package let hash: Hash32
    /// The digest that was signed, where it is known without encoding the transaction again.
    private let knownSigningHash: Hash32?

    package init(transaction: Transaction, signature: Signature) {
        self.transaction = transaction
        self.signature = signature
        self.encoded = transaction.encoded(with: signature)
        self.hash = keccak256(encoded)
        knownSigningHash = nil
    }

    /// A transaction whose wire form and digest are at hand; they must be this transaction's.
    init(transaction: Transaction, signature: Signature, encoded: Bytes, signingHash: Hash32) {
        self.transaction = transaction
        self.signature = signature
        self.encoded = encoded
        hash = keccak256(encoded)
        knownSigningHash = signingHash
    }

    /// The v of the wire and of JSON-RPC: 27 and up for legacy transactions, else the parity.
    package var v: U256 {
        guard transaction.kind == .legacy, signature != .none else { return U256(UInt64(signature.yParity)) }
        guard let chainID = transaction.chainID else { return U256(UInt64(signature.v)) }
        return U256(chainID) * 2 + U256(35 + UInt64(signature.yParity))
    }

    /// The account that signed; throws `invalidSignature`. High s is allowed here: `validate` refuses it.
    package func sender() throws(EthereumError) -> Address {
        let digest = knownSigningHash ?? transaction.signingHash
        guard let address = Secp256k1.recoverAddress(digest: digest, signature: signature) else {
            throw EthereumError(.invalidSignature, "the signature of transaction \(hash) has no public key")
        }
        return address
    }

    package static func == (a: SignedTransaction, b: SignedTransaction) -> Bool { a.encoded == b.encoded }
    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
