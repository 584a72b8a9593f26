// Precompiles 11 to 17: BLS12-381 (EIP-2537). Sums take any points of the curves; products and pairings only points of
// the groups of order r.

import CPrecompiles
import Ethereum

extension Precompile {
    /// 11: the sum of two points of the curve over Fp.
    package static let bls12G1Add = Precompile(name: "BLS12-381 G1 add") { input, gasLimit in
        let price: Int64 = 375
        guard gasLimit >= price, input.count == 2 * BLS12.g1Bytes else { return .failure }
        let bytes = Bytes(input)
        guard let a = BLS12.readCurvePoint1(bytes, at: 0), let b = BLS12.readCurvePoint1(bytes, at: BLS12.g1Bytes)
        else { return .failure }
        return .success(BLS12.write(a + b), gas: price)
    }

    /// 12: a sum of products of points of G1 and words.
    package static let bls12G1MultiScalar = Precompile(name: "BLS12-381 G1 multi-scalar") { input, gasLimit in
        sumOfProducts(
            input, gasLimit, pointBytes: BLS12.g1Bytes, price: 12_000, discounts: BLS12.g1Discounts,
            read: BLS12.readG1, write: BLS12.write)
    }

    /// 13: the sum of two points of the twist.
    package static let bls12G2Add = Precompile(name: "BLS12-381 G2 add") { input, gasLimit in
        let price: Int64 = 600
        guard gasLimit >= price, input.count == 2 * BLS12.g2Bytes else { return .failure }
        let bytes = Bytes(input)
        guard let a = BLS12.readCurvePoint2(bytes, at: 0), let b = BLS12.readCurvePoint2(bytes, at: BLS12.g2Bytes)
        else { return .failure }
        return .success(BLS12.write(a + b), gas: price)
    }

    /// 14: a sum of products of points of G2 and words.
    package static let bls12G2MultiScalar = Precompile(name: "BLS12-381 G2 multi-scalar") { input, gasLimit in
        sumOfProducts(
            input, gasLimit, pointBytes: BLS12.g2Bytes, price: 22_500, discounts: BLS12.g2Discounts,
            read: BLS12.readG2, write: BLS12.write)
    }

    /// 15: one when the product of the pairings is one, else zero.
    package static let bls12Pairing = Precompile(name: "BLS12-381 pairing") { input, gasLimit in
        let pairBytes = BLS12.g1Bytes + BLS12.g2Bytes
        let (count, rest) = input.count.quotientAndRemainder(dividingBy: pairBytes)
        let price = 37_700 + 32_600 * Int64(count)
        guard count > 0, rest == 0, gasLimit >= price else { return .failure }
        let bytes = Bytes(input)
        var pairs: [(AffinePoint<BLS12.G1>, AffinePoint<BLS12.G2>)] = []
        for offset in stride(from: 0, to: bytes.count, by: pairBytes) {
            guard let p = BLS12.readG1(bytes, at: offset), let q = BLS12.readG2(bytes, at: offset + BLS12.g1Bytes)
            else { return .failure }
            pairs.append((p, q))
        }
        return .success(U256(BLS12.productIsOne(pairs) ? 1 : 0).bytes, gas: price)
    }

    /// 16: a number of Fp to a point of G1.
    package static let bls12MapToG1 = Precompile(name: "BLS12-381 map to G1") { input, gasLimit in
        let price: Int64 = 5_500
        guard gasLimit >= price, input.count == BLS12.coordinateBytes, let u = BLS12.readFp(Bytes(input), at: 0) else {
            return .failure
        }
        return .success(BLS12.write(BLS12.mapToG1(u)), gas: price)
    }

    /// 17: a number of Fp2 to a point of G2.
    package static let bls12MapToG2 = Precompile(name: "BLS12-381 map to G2") { input, gasLimit in
        let price: Int64 = 23_800
        guard gasLimit >= price, input.count == 2 * BLS12.coordinateBytes, let u = BLS12.readFp2(Bytes(input), at: 0)
        else { return .failure }
        return .success(BLS12.write(BLS12.mapToG2(u)), gas: price)
    }

    private static func sumOfProducts<C: Curve>(
        _ input: UnsafeRawBufferPointer, _ gasLimit: Int64, pointBytes: Int, price each: Int64, discounts: [Int64],
        read: (Bytes, Int) -> AffinePoint<C>?, write: (AffinePoint<C>) -> Bytes
    ) -> PrecompileOutcome {
        let itemBytes = pointBytes + 32
        let (count, rest) = input.count.quotientAndRemainder(dividingBy: itemBytes)
        guard count > 0, rest == 0 else { return .failure }
        let price = Int64(count) * each * discounts[min(count, discounts.count) - 1] / 1_000
        guard gasLimit >= price else { return .failure }
        let bytes = Bytes(input)
        var points: [AffinePoint<C>] = []
        var scalars: [U256] = []
        for offset in stride(from: 0, to: bytes.count, by: itemBytes) {
            guard let point = read(bytes, offset) else { return .failure }
            points.append(point)
            scalars.append(PaddedInput.word(input, offset + pointBytes))
        }
        return .success(write(JacobianPoint<C>.sum(points, times: scalars).affine), gas: price)
    }
}

extension BLS12 {
    /// Thousandths of the price of one product, by the count of products up to 128.
    static let g1Discounts: [Int64] = [
        1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677,
        673, 669, 665, 661, 658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627,
        625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
        596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576,
        575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559,
        558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544,
        543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531,
        530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
    ]

    static let g2Discounts: [Int64] = [
        1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717,
        711, 704, 699, 693, 688, 683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646,
        643, 640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615, 613, 611, 609, 607,
        606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582,
        580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562,
        561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547,
        546, 545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535,
        534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
    ]
}
