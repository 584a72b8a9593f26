// Verification of ECDSA signatures over secp256r1 (RIP-7212, EIP-7951), at 0x100 where a chain has it. libcrypto does
// the arithmetic.

import CLibCrypto
import Ethereum

extension Precompile {
    /// The input is the digest, r, s, and the key's x and y; the answer is one, or nothing for whatever is not valid.
    package static let p256Verify = Precompile(name: "P256VERIFY") { input, gasLimit in
        let price: Int64 = 6_900
        guard gasLimit >= price else { return .failure }
        guard input.count == 160, P256.verify(input) else { return .success([], gas: price) }
        return .success(U256(1).bytes, gas: price)
    }
}

enum P256 {
    /// The curve is built once and only read afterwards, so threads may share it.
    private struct Shared: @unchecked Sendable {
        let group: OpaquePointer
        let order: OpaquePointer
        let prime: OpaquePointer
    }

    private static let shared: Shared? = {
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), let order = BN_new(), let prime = BN_new(),
            EC_GROUP_get_order(group, order, nil) == 1, EC_GROUP_get_curve(group, prime, nil, nil, nil) == 1
        else { return nil }
        return Shared(group: group, order: order, prime: prime)
    }()

    static func verify(_ input: UnsafeRawBufferPointer) -> Bool {
        guard let shared, let context = BN_CTX_new(), let key = EC_POINT_new(shared.group) else {
            preconditionFailure("libcrypto gave no P-256")
        }
        BN_CTX_start(context)
        defer {
            EC_POINT_free(key)
            BN_CTX_end(context)
            BN_CTX_free(context)
        }
        let bytes = input.bindMemory(to: UInt8.self).baseAddress
        let numbers = (0..<5).map { BN_bin2bn(bytes?.advanced(by: 32 * $0), 32, BN_CTX_get(context)) }
        let (digest, r, s, x, y) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
        let inRange =
            BN_is_zero(r) == 0 && BN_is_zero(s) == 0 && BN_cmp(r, shared.order) < 0 && BN_cmp(s, shared.order) < 0
            && BN_cmp(x, shared.prime) < 0 && BN_cmp(y, shared.prime) < 0
        // A point beside the curve is refused by the setter, and so is (0, 0).
        guard inRange, EC_POINT_set_affine_coordinates(shared.group, key, x, y, context) == 1 else {
            ERR_clear_error()
            return false
        }
        let inverse = BN_CTX_get(context)
        let ofGenerator = BN_CTX_get(context)
        let ofKey = BN_CTX_get(context)
        let found = BN_CTX_get(context)
        guard BN_mod_inverse(inverse, s, shared.order, context) != nil,
            BN_mod_mul(ofGenerator, digest, inverse, shared.order, context) == 1,
            BN_mod_mul(ofKey, r, inverse, shared.order, context) == 1,
            EC_POINT_mul(shared.group, key, ofGenerator, key, ofKey, context) == 1,
            EC_POINT_is_at_infinity(shared.group, key) == 0,
            EC_POINT_get_affine_coordinates(shared.group, key, found, nil, context) == 1,
            BN_nnmod(found, found, shared.order, context) == 1
        else { return false }
        return BN_cmp(found, r) == 0
    }
}
