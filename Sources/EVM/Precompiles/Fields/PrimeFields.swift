// The three prime fields of the C kernel as Swift values.

import CPrecompiles

extension BN254Fp: PrimeField, CoordinateField {
    static var byteCount: Int { 32 }
    static var modulus: [UInt64] {
        [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029]
    }
    static var zero: BN254Fp { BN254Fp() }
    static var one: BN254Fp { BN254Fp_one() }
    static func == (a: BN254Fp, b: BN254Fp) -> Bool { BN254Fp_equal(a, b) }
    static func + (a: BN254Fp, b: BN254Fp) -> BN254Fp { BN254Fp_add(a, b) }
    static func - (a: BN254Fp, b: BN254Fp) -> BN254Fp { BN254Fp_subtract(a, b) }
    static func * (a: BN254Fp, b: BN254Fp) -> BN254Fp { BN254Fp_multiply(a, b) }
    var squared: BN254Fp { BN254Fp_square(self) }
    var inverted: BN254Fp { BN254Fp_invert(self) }
    var squareRoot: BN254Fp? { rootModuloThreeOfFour }

    init?(bytes: UnsafeRawPointer) {
        self.init()
        guard BN254Fp_read(&self, bytes.assumingMemoryBound(to: UInt8.self)) else { return nil }
    }

    func write(to bytes: UnsafeMutableRawPointer) {
        withUnsafePointer(to: self) { BN254Fp_write(bytes.assumingMemoryBound(to: UInt8.self), $0) }
    }
}

extension BLS12Fp: PrimeField, CoordinateField {
    static var byteCount: Int { 48 }
    static var modulus: [UInt64] {
        [
            0xb9fe_ffff_ffff_aaab, 0x1eab_fffe_b153_ffff, 0x6730_d2a0_f6b0_f624, 0x6477_4b84_f385_12bf,
            0x4b1b_a7b6_434b_acd7, 0x1a01_11ea_397f_e69a,
        ]
    }
    static var zero: BLS12Fp { BLS12Fp() }
    static var one: BLS12Fp { BLS12Fp_one() }
    static func == (a: BLS12Fp, b: BLS12Fp) -> Bool { BLS12Fp_equal(a, b) }
    static func + (a: BLS12Fp, b: BLS12Fp) -> BLS12Fp { BLS12Fp_add(a, b) }
    static func - (a: BLS12Fp, b: BLS12Fp) -> BLS12Fp { BLS12Fp_subtract(a, b) }
    static func * (a: BLS12Fp, b: BLS12Fp) -> BLS12Fp { BLS12Fp_multiply(a, b) }
    var squared: BLS12Fp { BLS12Fp_square(self) }
    var inverted: BLS12Fp { BLS12Fp_invert(self) }
    var squareRoot: BLS12Fp? { rootModuloThreeOfFour }

    init?(bytes: UnsafeRawPointer) {
        self.init()
        guard BLS12Fp_read(&self, bytes.assumingMemoryBound(to: UInt8.self)) else { return nil }
    }

    func write(to bytes: UnsafeMutableRawPointer) {
        withUnsafePointer(to: self) { BLS12Fp_write(bytes.assumingMemoryBound(to: UInt8.self), $0) }
    }
}

extension BLS12Fr: PrimeField {
    static var byteCount: Int { 32 }
    static var modulus: [UInt64] {
        [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48]
    }
    static var zero: BLS12Fr { BLS12Fr() }
    static var one: BLS12Fr { BLS12Fr_one() }
    static func == (a: BLS12Fr, b: BLS12Fr) -> Bool { BLS12Fr_equal(a, b) }
    static func + (a: BLS12Fr, b: BLS12Fr) -> BLS12Fr { BLS12Fr_add(a, b) }
    static func - (a: BLS12Fr, b: BLS12Fr) -> BLS12Fr { BLS12Fr_subtract(a, b) }
    static func * (a: BLS12Fr, b: BLS12Fr) -> BLS12Fr { BLS12Fr_multiply(a, b) }
    var squared: BLS12Fr { BLS12Fr_square(self) }
    var inverted: BLS12Fr { BLS12Fr_invert(self) }

    init?(bytes: UnsafeRawPointer) {
        self.init()
        guard BLS12Fr_read(&self, bytes.assumingMemoryBound(to: UInt8.self)) else { return nil }
    }

    func write(to bytes: UnsafeMutableRawPointer) {
        withUnsafePointer(to: self) { BLS12Fr_write(bytes.assumingMemoryBound(to: UInt8.self), $0) }
    }
}
