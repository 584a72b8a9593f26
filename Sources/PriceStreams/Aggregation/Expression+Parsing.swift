// Text to steps in one pass with a stack of open calls: no recursion on outside data.

extension Expression {
    package init(_ text: String) throws(PriceStreamsError) {
        guard text.utf8.count <= AgreementLimits.expressionBytesMaximum else {
            throw Expression.bad("\(text.utf8.count) bytes", "at most \(AgreementLimits.expressionBytesMaximum)")
        }
        var parser = ExpressionParser(text)
        let steps = try parser.steps()
        self.init(text: text, steps: steps)
    }

    fileprivate static func bad(_ what: String, _ hint: String) -> PriceStreamsError {
        PriceStreamsError(.badExpression, what, hint: hint)
    }
}

private struct ExpressionParser {
    private let text: [UInt8]
    private var at = 0
    private var open: [(function: Expression.Function, operands: Int)] = []
    private var found: [Expression.Step] = []

    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func steps() throws(PriceStreamsError) -> [Expression.Step] {
        while true {
            skipBlanks()
            if try operand() { continue }
            if try closeCalls() { break }
        }
        skipBlanks()
        guard at == text.count else { throw wrong("something stands behind the expression") }
        return found
    }

    /// Reads a number, a stream or the beginning of a call (then true: its first operand follows).
    private mutating func operand() throws(PriceStreamsError) -> Bool {
        let start = at
        while at < text.count, isWord(text[at]) || at == start && text[at] == UInt8(ascii: "-") { at += 1 }
        let word = String(decoding: text[start..<at], as: UTF8.self)
        guard let first = word.utf8.first else { throw wrong("a number, a stream or a function is missing") }
        skipBlanks()
        if at < text.count, text[at] == UInt8(ascii: "(") {
            guard let function = Expression.Function(rawValue: word) else {
                throw wrong("'\(word)' is none of Add Sub Mul Div Min Max Avg Sum Abs")
            }
            at += 1
            open.append((function, 0))
            return true
        }
        if first == UInt8(ascii: "s") {
            try add(stream(word))
        } else {
            guard let number = try? Decimal(text: word) else { throw wrong("'\(word)' is no number and no stream") }
            try add(.constant(number))
        }
        return false
    }

    /// After an operand: true at the end, false after a comma.
    private mutating func closeCalls() throws(PriceStreamsError) -> Bool {
        while let call = open.last {
            skipBlanks()
            guard at < text.count else { throw wrong("a parenthesis is not closed") }
            open[open.count - 1].operands += 1
            at += 1
            if text[at - 1] == UInt8(ascii: ",") { return false }
            guard text[at - 1] == UInt8(ascii: ")") else { throw wrong("a comma or a parenthesis is missing") }
            guard call.function.takes(call.operands + 1) else {
                throw wrong("\(call.function.rawValue) does not take \(call.operands + 1) operands")
            }
            open.removeLast()
            try add(.call(call.function, call.operands + 1))
        }
        return true
    }

    private mutating func add(_ step: Expression.Step) throws(PriceStreamsError) {
        guard found.count < AgreementLimits.expressionStepsMaximum else {
            throw wrong("more than \(AgreementLimits.expressionStepsMaximum) steps")
        }
        found.append(step)
    }

    /// `s12`, `s12_bid`, `s12_benchmark`, `s12_ask`, `s12_timestamp`.
    private func stream(_ word: String) throws(PriceStreamsError) -> Expression.Step {
        let pieces = word.dropFirst().split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        let parts: [String: Expression.Part] = [
            "bid": .bid, "benchmark": .benchmark, "ask": .ask, "timestamp": .timestamp,
        ]
        guard let digits = pieces.first, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let id = UInt32(digits), let part = pieces.count == 1 ? .value : parts[String(pieces[1])]
        else { throw wrong("'\(word)' names no stream") }
        return .stream(StreamID(id), part)
    }

    private func isWord(_ character: UInt8) -> Bool {
        switch character {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    private mutating func skipBlanks() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0A { at += 1 }
    }

    private func wrong(_ why: String) -> PriceStreamsError {
        Expression.bad(
            "\(why), before offset \(at) of '\(String(decoding: text.prefix(80), as: UTF8.self))'",
            "for example Div(Add(s1,s2),2) or s3_timestamp")
    }
}
