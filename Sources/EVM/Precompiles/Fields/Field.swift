// What curves and towers ask of a field. Everything is a plain value; nothing here is secret, so times may depend on
// values.

protocol Field: Sendable {
    static var zero: Self { get }
    static var one: Self { get }
    static func == (a: Self, b: Self) -> Bool
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    var squared: Self { get }
    /// 1/a, and 0 for 0.
    var inverted: Self { get }
}

/// A field in which points have their coordinates.
protocol CoordinateField: Field {
    /// A root, where there is one.
    var squareRoot: Self? { get }
    /// The sign of RFC 9380, 4.1: a and -a differ in it unless a is 0.
    var isOdd: Bool { get }
}

extension Field {
    var isZero: Bool { self == .zero }
    var doubled: Self { self + self }
    var tripled: Self { self + self + self }
    static prefix func - (a: Self) -> Self { .zero - a }

    /// self^exponent, the exponent's words from the lowest up: four bits at a time.
    func power(_ exponent: [UInt64]) -> Self {
        var powers = [Self.one]
        for _ in 1..<16 { powers.append(powers[powers.count - 1] * self) }
        var result = Self.one
        for word in exponent.reversed() {
            for shift in stride(from: 60, through: 0, by: -4) {
                result = result.squared.squared.squared.squared
                let digit = Int(word >> UInt64(shift) & 15)
                if digit != 0 { result = result * powers[digit] }
            }
        }
        return result
    }

    /// A small whole number.
    init(small number: UInt64) {
        var result = Self.zero
        for bit in (0..<64 - number.leadingZeroBitCount).reversed() {
            result = result.doubled
            if number >> UInt64(bit) & 1 == 1 { result = result + .one }
        }
        self = result
    }

    /// Inverts many elements for the price of one inversion (Montgomery's trick); zeros stay.
    static func invert(_ elements: inout [Self]) {
        var products: [Self] = []
        products.reserveCapacity(elements.count)
        var product = Self.one
        for element in elements {
            products.append(product)
            if !element.isZero { product = product * element }
        }
        var inverse = product.inverted
        for index in elements.indices.reversed() where !elements[index].isZero {
            let own = inverse * products[index]
            inverse = inverse * elements[index]
            elements[index] = own
        }
    }
}

/// A field of a prime number of elements.
protocol PrimeField: Field {
    static var byteCount: Int { get }
    /// The words of the prime, the lowest first.
    static var modulus: [UInt64] { get }
    /// `byteCount` big-endian bytes; nil for a number that is not below the prime.
    init?(bytes: UnsafeRawPointer)
    /// Writes `byteCount` big-endian bytes.
    func write(to bytes: UnsafeMutableRawPointer)
}

extension PrimeField {
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let element = bytes.withUnsafeBytes { raw in raw.baseAddress.flatMap { Self(bytes: $0) } }
        guard let element else { return nil }
        self = element
    }

    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            if let base = buffer.baseAddress { write(to: base) }
            count = Self.byteCount
        }
    }

    var isOdd: Bool { bytes.last.map { $0 & 1 == 1 } ?? false }

    /// For a prime that leaves 3 when divided by 4: a^((p + 1) / 4), if its square is a.
    var rootModuloThreeOfFour: Self? {
        let root = power(Words.divided(Words.adding(Self.modulus, 1), by: 4))
        return root.squared == self ? root : nil
    }

    /// Above half of the prime.
    var isInUpperHalf: Bool { (doubled).isOdd && !isZero }
}

/// Arithmetic on the words of exponents, which is done once for each constant.
enum Words {
    static func adding(_ words: [UInt64], _ number: UInt64) -> [UInt64] {
        var carry = number
        return words.map { word in
            let (sum, overflow) = word.addingReportingOverflow(carry)
            carry = overflow ? 1 : 0
            return sum
        }
    }

    /// For a number that is not zero modulo 2^64, as every prime is.
    static func subtractingOne(_ words: [UInt64]) -> [UInt64] { [words[0] - 1] + words.dropFirst() }

    static func divided(_ words: [UInt64], by number: UInt64) -> [UInt64] {
        var rest: UInt64 = 0
        var result = words
        for index in words.indices.reversed() {
            (result[index], rest) = number.dividingFullWidth((rest, words[index]))
        }
        return result
    }
}
