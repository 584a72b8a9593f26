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
    /// True for a contract of the fork that this build cannot run: calls of it fail, and the result says so.
    package let isMissing: Bool
    /// The input is good during the call only.
    package let run: Run

    package init(name: String, run: @escaping Run) {
        self.name = name
        self.isMissing = false
        self.run = run
    }

    private init(missing name: String) {
        self.name = name
        self.isMissing = true
        self.run = { _, _ in .failure }
    }

    package static func missing(_ name: String) -> Precompile { Precompile(missing: name) }
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
        self[5] = .modularExponentiation
        self[6] = .missing("bn254 add")
        self[7] = .missing("bn254 mul")
        self[8] = .missing("bn254 pairing")
        self[9] = .blake2F
        if fork >= .cancun { self[10] = .missing("KZG point evaluation") }
        if fork >= .prague {
            self[11] = .missing("BLS12-381 G1 add")
            self[12] = .missing("BLS12-381 G1 multi-scalar")
            self[13] = .missing("BLS12-381 G2 add")
            self[14] = .missing("BLS12-381 G2 multi-scalar")
            self[15] = .missing("BLS12-381 pairing")
            self[16] = .missing("BLS12-381 map to G1")
            self[17] = .missing("BLS12-381 map to G2")
        }
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
