// Pseudo-random orders that need agreement but no secrecy: leaders of epochs, transmitters of a report
// (2.3 and 12.2 of the off-chain specification, with the configuration digest as the seed).

/// A permutation of 0..<count drawn from H(seed, counter) by Fisher-Yates with rejection sampling: no modulo bias.
func permutation(_ count: Int, seed: [UInt8], hashing: Hashing) -> [Int] {
    var order = Array(0..<count)
    var words = WordStream(seed: seed, hashing: hashing)
    for last in stride(from: count - 1, to: 0, by: -1) {
        order.swapAt(last, Int(words.next(below: UInt64(last + 1))))
    }
    return order
}

private struct WordStream {
    let seed: [UInt8]
    let hashing: Hashing
    var counter: UInt64 = 0
    var block: [UInt8] = []

    mutating func next(below bound: UInt64) -> UInt64 {
        let unbiased = UInt64.max - UInt64.max % bound
        while true {
            let word = next()
            if word < unbiased { return word % bound }
        }
    }

    private mutating func next() -> UInt64 {
        if block.isEmpty {
            var writer = CanonicalWriter()
            writer.string(seed)
            writer.u64(counter)
            counter += 1
            block = hashing.digest(writer.bytes).bytes
        }
        defer { block.removeFirst(8) }
        return block.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
}

extension InstanceConfiguration {
    /// Leader of an epoch: every oracle leads exactly once in N consecutive epochs.
    package func leader(of epoch: UInt64, hashing: Hashing) -> Int {
        let (span, index) = epoch.quotientAndRemainder(dividingBy: UInt64(count))
        var seed = CanonicalWriter()
        seed.text("leader")
        seed.digest(digest)
        seed.u64(span)
        return permutation(count, seed: hashing.digest(seed.bytes).bytes, hashing: hashing)[Int(index)]
    }

    /// Delay of this oracle for one report in milliseconds; nil when it is no transmitter.
    package func transmissionDelay(_ key: ReportKey, hashing: Hashing) -> UInt64? {
        guard let own = transmitters.firstIndex(of: ownIndex) else { return nil }
        var seed = CanonicalWriter()
        seed.text("transmission order")
        seed.digest(digest)
        seed.u64(key.sequenceNumber)
        seed.u64(UInt64(key.index))
        let order = permutation(transmitters.count, seed: hashing.digest(seed.bytes).bytes, hashing: hashing)
        return UInt64(order[own]) * timing.deltaStage
    }
}
