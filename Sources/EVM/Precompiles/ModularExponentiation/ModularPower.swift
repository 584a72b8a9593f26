// The arithmetic of MODEXP by libcrypto. Its fast way (Montgomery's) takes odd moduli only, so an even modulus is split
// into an odd one and a power of two, and the two results are joined by the Chinese remainder theorem.

import CLibCrypto
import Ethereum

enum ModularPower {
    /// base^exponent mod modulus, as many bytes as the modulus has; 0 for a modulus of 0.
    static func power(_ base: Bytes, _ exponent: Bytes, _ modulus: Bytes) -> Bytes {
        var output = Bytes(repeating: 0, count: modulus.count)
        guard modulus.contains(where: { $0 != 0 }) else { return output }
        let scratch = Scratch()
        let m = scratch.number(modulus)
        let result = scratch.power(scratch.number(base), scratch.number(exponent), m)
        let written = BN_bn2binpad(result, &output, Int32(output.count))
        precondition(written == Int32(output.count), "libcrypto wrote a number of another length")
        return output
    }

    /// Numbers that live as long as one calculation. A libcrypto call that fails here has no memory left, and the
    /// process cannot go on.
    private final class Scratch {
        typealias Number = OpaquePointer
        private let context: OpaquePointer

        init() {
            guard let context = BN_CTX_new() else { preconditionFailure("libcrypto has no memory") }
            self.context = context
            BN_CTX_start(context)
        }

        deinit {
            BN_CTX_end(context)
            BN_CTX_free(context)
        }

        private func fresh() -> Number {
            guard let number = BN_CTX_get(context) else { preconditionFailure("libcrypto has no memory") }
            return number
        }

        private func done(_ status: Int32) { precondition(status == 1, "libcrypto refused a modular power") }

        func number(_ bytes: Bytes) -> Number {
            let number = fresh()
            precondition(BN_bin2bn(bytes, Int32(bytes.count), number) != nil, "libcrypto has no memory")
            return number
        }

        func power(_ base: Number, _ exponent: Number, _ modulus: Number) -> Number {
            let twos = trailingZeros(modulus)
            // For a few steps the join costs more than libcrypto's slower way.
            if twos == 0 || BN_num_bits(exponent) <= 8 { return libraryPower(base, exponent, modulus) }
            let low = binaryPower(base, exponent, bits: twos)
            let odd = fresh()
            done(BN_rshift(odd, modulus, Int32(twos)))
            if BN_is_one(odd) == 1 { return low }
            // high + odd ((low - high) / odd mod 2^twos)
            let high = libraryPower(base, exponent, odd)
            let result = fresh()
            done(BN_sub(result, low, high))
            done(BN_mul(result, lowBits(result, twos), inverse(odd, bits: twos), context))
            done(BN_mul(result, lowBits(result, twos), odd, context))
            done(BN_add(result, result, high))
            return result
        }

        private func libraryPower(_ base: Number, _ exponent: Number, _ modulus: Number) -> Number {
            let result = fresh()
            done(BN_mod_exp(result, base, exponent, modulus, context))
            return result
        }

        /// base^exponent mod 2^bits. Modulo 2^bits an even base is soon 0, and the powers of an odd one repeat after
        /// 2^bits of them, so the exponent's low bits are enough.
        private func binaryPower(_ base: Number, _ exponent: Number, bits: Int) -> Number {
            let result = fresh()
            done(BN_set_word(result, 1))
            let reduced = fresh()
            precondition(BN_copy(reduced, base) != nil, "libcrypto has no memory")
            _ = lowBits(reduced, bits)
            if BN_is_odd(reduced) == 0, BN_num_bits(exponent) > 63 || BN_get_word(exponent) >= UInt(bits) {
                done(BN_set_word(result, 0))
                return result
            }
            var count = min(Int(BN_num_bits(exponent)), bits)
            // 0^0 is 1, and modulo 1 everything is 0; there is no modulus 1 here, as bits is at least 1.
            while count > 0 {
                count -= 1
                done(BN_sqr(result, result, context))
                _ = lowBits(result, bits)
                if BN_is_bit_set(exponent, Int32(count)) == 1 {
                    done(BN_mul(result, result, reduced, context))
                    _ = lowBits(result, bits)
                }
            }
            return result
        }

        /// 1/odd mod 2^bits by Newton's iteration: x (2 - odd x) doubles the bits that are right.
        private func inverse(_ odd: Number, bits: Int) -> Number {
            let x = fresh()
            let next = fresh()
            let two = fresh()
            done(BN_set_word(two, 2))
            done(BN_set_word(x, 1))
            var right = 1
            while right < bits {
                right = min(2 * right, bits)
                let part = fresh()
                precondition(BN_copy(part, odd) != nil, "libcrypto has no memory")
                done(BN_mul(next, lowBits(part, right), x, context))
                done(BN_sub(next, two, lowBits(next, right)))
                done(BN_mul(x, x, lowBits(next, right), context))
                _ = lowBits(x, right)
            }
            return x
        }

        /// A number modulo 2^bits, in place, and not negative.
        private func lowBits(_ number: Number, _ bits: Int) -> Number {
            let wasNegative = BN_is_negative(number) == 1
            // Fails where there are fewer bits, which is as well.
            _ = BN_mask_bits(number, Int32(bits))
            if wasNegative, BN_is_zero(number) == 0 {
                // -a mod 2^bits is 2^bits - a.
                let power = fresh()
                done(BN_set_bit(power, Int32(bits)))
                BN_set_negative(number, 1)
                done(BN_add(number, power, number))
            }
            return number
        }

        private func trailingZeros(_ number: Number) -> Int {
            var count = 0
            while BN_is_bit_set(number, Int32(count)) == 0 { count += 1 }
            return count
        }
    }
}
