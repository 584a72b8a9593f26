// The table of precompiled contracts: which addresses have one, by fork, and how a chain's profile changes the table.

import Ethereum

/// What a precompile made of its input.
package enum PrecompileOutcome {
    case success(Bytes, gas: Int64)
    /// The input was refused or the gas did not suffice; the call fails and loses its gas.
    case failure
}

package struct Precompile: Sendable {
    package typealias Run = @Sendable (_ input: UnsafeRawBufferPointer, _ gasLimit: Int64) -> PrecompileOutcome

    package let name: String
    /// The input is good during the call only.
    package let run: Run

    package init(name: String, run: @escaping Run) {
        self.name = name
        self.run = run
    }
}

package struct PrecompileSet: Sendable {
    /// By the last two bytes of the address, where all before them are zero.
    private var low: [Precompile?] = []
    private var others: [Address: Precompile] = [:]

    private static let lowCount: UInt64 = 0x200

    package init() {}

    /// The contracts of a fork.
    package init(_ fork: Fork) {
        self[1] = .recover
        self[2] = .sha256
        self[3] = .ripemd160
        self[4] = .identity
        if fork >= .byzantium {
            self[5] =
                fork >= .osaka
                ? .modularExponentiationOsaka
                : fork >= .berlin ? .modularExponentiation : .modularExponentiationByzantium
            self[6] = fork >= .istanbul ? .bn254Add : .bn254AddByzantium
            self[7] = fork >= .istanbul ? .bn254Multiply : .bn254MultiplyByzantium
            self[8] = fork >= .istanbul ? .bn254Pairing : .bn254PairingByzantium
        }
        if fork >= .istanbul { self[9] = .blake2F }
        if fork >= .cancun { self[10] = .pointEvaluation }
        if fork >= .prague {
            self[11] = .bls12G1Add
            self[12] = .bls12G1MultiScalar
            self[13] = .bls12G2Add
            self[14] = .bls12G2MultiScalar
            self[15] = .bls12Pairing
            self[16] = .bls12MapToG1
            self[17] = .bls12MapToG2
        }
        if fork >= .osaka { self[0x100] = .p256Verify }
    }

    /// The contract at a small address.
    package subscript(number: UInt64) -> Precompile? {
        get { find(Address(truncating: U256(number))) }
        set { set(newValue, at: Address(truncating: U256(number))) }
    }

    /// Puts a contract at an address, or takes it away.
    package mutating func set(_ precompile: Precompile?, at address: Address) {
        guard address.word.fitsUInt64, address.word.w0 < Self.lowCount else {
            others[address] = precompile
            return
        }
        let index = Int(address.word.w0)
        while low.count <= index { low.append(nil) }
        low[index] = precompile
    }

    @inline(__always) package func find(_ address: Address) -> Precompile? {
        if address.word.fitsUInt64, address.word.w0 < UInt64(low.count) { return low[Int(address.word.w0)] }
        return others.isEmpty ? nil : others[address]
    }

    package func contains(_ address: Address) -> Bool {
        if address.word.fitsUInt64, address.word.w0 < UInt64(low.count) { return low[Int(address.word.w0)] != nil }
        return !others.isEmpty && others[address] != nil
    }
}
