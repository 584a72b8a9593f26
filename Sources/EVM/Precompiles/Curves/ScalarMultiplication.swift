// Multiples of points, and sums of multiples. Scalars are public, so nothing hides the time.

import Ethereum

extension JacobianPoint {
    /// A multiple by a short number of few ones, bit by bit.
    func multiplied(by scalar: UInt64) -> JacobianPoint {
        guard scalar != 0 else { return .infinity }
        var result = self
        for bit in (0..<63 - scalar.leadingZeroBitCount).reversed() {
            result = result.doubled
            if scalar >> UInt64(bit) & 1 == 1 { result = result + self }
        }
        return result
    }

    /// A multiple by any word, which need not be below the group's order: signed digits of five bits.
    func multiplied(by scalar: U256) -> JacobianPoint {
        let odd = oddMultiples
        var result = JacobianPoint.infinity
        for digit in SignedDigits.sparse(scalar).reversed() {
            result = result.doubled
            if digit > 0 {
                result = result + odd[Int(digit) >> 1]
            } else if digit < 0 {
                result = result + -odd[Int(-digit) >> 1]
            }
        }
        return result
    }

    /// This times 1, 3, 5 ... 15.
    private var oddMultiples: [JacobianPoint] {
        let twice = doubled
        var odd = [self]
        for _ in 1..<8 { odd.append(odd[odd.count - 1] + twice) }
        return odd
    }

    /// The sum of points[i] times scalars[i], both of the same count.
    static func sum(_ points: [AffinePoint<C>], times scalars: [U256]) -> JacobianPoint {
        precondition(points.count == scalars.count, "each point has its scalar")
        if points.count == 1, let point = points.first, let scalar = scalars.first {
            return JacobianPoint(point).multiplied(by: scalar)
        }
        // A point costs some fifty additions the first way, and fewer the second only when many share the buckets.
        return points.count < 256
            ? interleavedSum(points, scalars) : bucketSum(points, scalars, width: points.count < 900 ? 8 : 10)
    }

    /// Straus: one chain of doublings for all, and for each point its signed digits.
    private static func interleavedSum(_ points: [AffinePoint<C>], _ scalars: [U256]) -> JacobianPoint {
        let digits = scalars.map { SignedDigits.sparse($0) }
        let odd = affine(points.flatMap { JacobianPoint($0).oddMultiples })
        var result = JacobianPoint.infinity
        for bit in (0..<(digits.map(\.count).max() ?? 0)).reversed() {
            if !result.isInfinity { result = result.doubled }
            for index in digits.indices where bit < digits[index].count {
                let digit = Int(digits[index][bit])
                if digit > 0 {
                    result = result + odd[8 * index + (digit >> 1)]
                } else if digit < 0 {
                    result = result + -odd[8 * index + (-digit >> 1)]
                }
            }
        }
        return result
    }

    /// Pippenger's buckets: in each window of digits a point goes into the bucket of its digit; buckets are weighed by
    /// running sums. Digits are signed, which halves the buckets.
    private static func bucketSum(_ points: [AffinePoint<C>], _ scalars: [U256], width: Int) -> JacobianPoint {
        let digits = scalars.map { SignedDigits.windows($0, width: width) }
        let windows = digits.map(\.count).max() ?? 0
        var result = JacobianPoint.infinity
        var buckets = [JacobianPoint](repeating: .infinity, count: 1 << (width - 1))
        for window in (0..<windows).reversed() {
            if !result.isInfinity { for _ in 0..<width { result = result.doubled } }
            for index in buckets.indices { buckets[index] = .infinity }
            for (point, digits) in zip(points, digits) {
                let digit = Int(digits[window])
                if digit > 0 {
                    buckets[digit - 1] = buckets[digit - 1] + point
                } else if digit < 0 {
                    buckets[-digit - 1] = buckets[-digit - 1] + -point
                }
            }
            var running = JacobianPoint.infinity
            for bucket in buckets.reversed() {
                running = running + bucket
                result = result + running
            }
        }
        return result
    }
}

/// Ways to write a scalar with negative digits.
enum SignedDigits {
    /// One digit a bit, lowest first: odd ones between -15 and 15, with at least four zeros after each.
    static func sparse(_ scalar: U256) -> [Int8] {
        var digits: [Int8] = []
        digits.reserveCapacity(257)
        // Five limbs, since a negative digit may carry out of the fourth.
        var rest = scalar
        var carried = false
        while !rest.isZero || carried {
            var digit: Int8 = 0
            if rest.w0 & 1 == 1 {
                digit = Int8(truncatingIfNeeded: rest.w0 & 31)
                if digit > 15 { digit -= 32 }
                if digit > 0 {
                    rest = rest &- U256(UInt64(digit))
                } else {
                    let (sum, overflow) = rest.addingReportingOverflow(U256(UInt64(-digit)))
                    rest = sum
                    carried = carried || overflow
                }
            }
            digits.append(digit)
            rest = rest >> 1
            if carried {
                rest = rest | (U256(1) << 255)
                carried = false
            }
        }
        return digits
    }

    /// One digit for each `width` bits, lowest first, between -2^(width - 1) and 2^(width - 1).
    static func windows(_ scalar: U256, width: Int) -> [Int16] {
        let count = 256 / width + 1
        let limbs = [scalar.w0, scalar.w1, scalar.w2, scalar.w3, 0, 0]
        let half = 1 << (width - 1)
        var carry = 0
        return (0..<count).map { index in
            let bit = index * width
            let low = limbs[bit / 64] >> UInt64(bit % 64)
            let high = bit % 64 == 0 ? 0 : limbs[bit / 64 + 1] << UInt64(64 - bit % 64)
            var digit = Int((low | high) & UInt64(1 << width - 1)) + carry
            carry = digit > half ? 1 : 0
            if carry == 1 { digit -= 1 << width }
            return Int16(digit)
        }
    }
}
