// Calculated streams (5.7.4): a small language of exact functions over aggregates, compiled to steps of a stack
// machine. No recursion, no floats; a result that does not exist is nil.

import Ethereum

/// For example `Div(Add(s1,s2),2)`. Functions: `Add Sub Mul Div` of two, `Min Max Avg Sum` of one or more, `Abs` of
/// one. Quotients have 30 decimal places, halves away from zero; everything else is exact.
package struct Expression: Hashable, Sendable {
    /// Which number of an aggregate is meant.
    package enum Part: Hashable, Sendable { case value, bid, benchmark, ask, timestamp }

    enum Function: String, Hashable, Sendable, CaseIterable {
        case add = "Add"
        case sub = "Sub"
        case mul = "Mul"
        case div = "Div"
        case min = "Min"
        case max = "Max"
        case avg = "Avg"
        case sum = "Sum"
        case abs = "Abs"

        func takes(_ count: Int) -> Bool {
            switch self {
            case .add, .sub, .mul, .div: count == 2
            case .min, .max, .avg, .sum: count >= 1
            case .abs: count == 1
            }
        }
    }

    enum Step: Hashable, Sendable {
        case constant(Decimal)
        case stream(StreamID, Part)
        case call(Function, Int)
    }

    package let text: String
    let steps: [Step]

    /// Streams that it reads, ascending.
    package var streams: [StreamID] {
        var found: Set<StreamID> = []
        for case .stream(let id, _) in steps { found.insert(id) }
        return found.sorted()
    }

    /// Nil when an input is missing or of the wrong kind, or a result does not exist.
    package func value(_ lookup: (StreamID) -> StreamValue?) -> Decimal? {
        var stack: [Decimal] = []
        for step in steps {
            switch step {
            case .constant(let number): stack.append(number)
            case .stream(let id, let part):
                guard let value = lookup(id), let number = Expression.number(value, part) else { return nil }
                stack.append(number)
            case .call(let function, let count):
                precondition(stack.count >= count, "a parsed expression has its operands")
                guard let result = Expression.apply(function, stack.suffix(count)) else { return nil }
                stack.removeLast(count)
                stack.append(result)
            }
        }
        precondition(stack.count == 1, "a parsed expression leaves one number")
        return stack[0]
    }

    private static func number(_ value: StreamValue, _ part: Part) -> Decimal? {
        switch (value, part) {
        case (.decimal(let number), .value): number
        case (.timestamped(let stamped), .value): stamped.value
        case (.timestamped(let stamped), .timestamp): Decimal(stamped.observedAtNanoseconds)
        case (.quote(let quote), .bid): quote.bid
        case (.quote(let quote), .benchmark), (.quote(let quote), .value): quote.benchmark
        case (.quote(let quote), .ask): quote.ask
        default: nil
        }
    }

    private static func apply(_ function: Function, _ operands: ArraySlice<Decimal>) -> Decimal? {
        guard let first = operands.first, let last = operands.last else { return nil }
        switch function {
        case .add, .sum: return sum(operands)
        case .sub: return first.subtracting(last)
        case .mul: return first.multiplied(by: last)
        case .div: return first.divided(by: last, places: AgreementLimits.quotientPlaces)
        case .min: return operands.min()
        case .max: return operands.max()
        case .abs: return first.absolute
        case .avg:
            return sum(operands)?.divided(by: Decimal(operands.count), places: AgreementLimits.quotientPlaces)
        }
    }

    private static func sum(_ operands: ArraySlice<Decimal>) -> Decimal? {
        var total = Decimal.zero
        for operand in operands {
            guard let next = total.adding(operand) else { return nil }
            total = next
        }
        return total
    }
}
