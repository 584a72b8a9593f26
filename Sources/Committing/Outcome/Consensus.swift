// How many say what (1.4 of the off-chain specification). Counting over sorted values: no set, no dictionary.

enum Agreement<Value: Comparable & Sendable>: Equatable, Sendable {
    /// Nobody, or too few, say the same.
    case missing
    /// Two values have enough voices each: at least one group of them lies, or a chain shows two faces.
    case split
    case value(Value)

    var value: Value? { if case .value(let value) = self { value } else { nil } }
}

enum Consensus {
    /// The value that at least `threshold` observers gave; none when two values have that many.
    static func identical<Value: Comparable & Sendable>(_ values: [Value], threshold: Int) -> Agreement<Value> {
        precondition(threshold >= 1, "a threshold of \(threshold) agrees to everything")
        var found: [Value] = []
        let sorted = values.sorted()
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
            if end - start >= threshold { found.append(sorted[start]) }
            start = end
        }
        guard let value = found.first else { return .missing }
        return found.count == 1 ? .value(value) : .split
    }

    /// `sorted[rank]` of at least `minimum` values: with rank = f and f liars it lies between honest values.
    static func ranked<Value: Comparable>(_ values: [Value], rank: Int, minimum: Int) -> Value? {
        guard values.count >= minimum, rank < values.count else { return nil }
        return values.sorted()[rank]
    }

    /// `sorted[count / 2]` of at least `minimum` values: with a minimum of 2f + 1 bounded by honest values.
    static func median<Value: Comparable>(_ values: [Value], minimum: Int) -> Value? {
        ranked(values, rank: values.count / 2, minimum: max(1, minimum))
    }
}
