// A strict JSON reader (RFC 8259): one value that fills the input, bounded depth, no recursion, no name twice.

extension JSON {
    /// Parses UTF-8 bytes; throws `malformedJSON` with the offset.
    package static func parse(_ bytes: some Collection<UInt8>) throws(EthereumError) -> JSON {
        var reader = JSONReader(bytes: Array(bytes))
        return try reader.document()
    }

    package static func parse(_ text: String) throws(EthereumError) -> JSON { try parse(Array(text.utf8)) }
}

private struct JSONReader {
    /// An array or object being read. A struct, so that what it holds grows in place: taken out of an enum's payload
    /// it would be copied with every element.
    private struct Container {
        var items: [JSON] = []
        var object = JSONObject()
        /// The name of the member being read; nil in an array.
        var name: String?
    }

    let bytes: Bytes
    private var at = 0
    private var open: [Container] = []

    init(bytes: Bytes) { self.bytes = bytes }

    mutating func document() throws(EthereumError) -> JSON {
        while true {
            skipBlanks()
            var value: JSON
            switch try peek("a value") {
            case UInt8(ascii: "["):
                at += 1
                skipBlanks()
                if try peek("']'") != UInt8(ascii: "]") {
                    try enter(Container())
                    continue
                }
                at += 1
                value = .array([])
            case UInt8(ascii: "{"):
                at += 1
                skipBlanks()
                if try peek("'}'") != UInt8(ascii: "}") {
                    try enter(Container(name: memberName()))
                    continue
                }
                at += 1
                value = .object(JSONObject())
            default: value = try scalar()
            }
            guard let whole = try close(&value) else { continue }
            skipBlanks()
            guard at == bytes.count else { throw malformed("something stands behind the value") }
            return whole
        }
    }

    /// Puts a finished value into its container and closes what ends here. Nil when another value must follow.
    private mutating func close(_ value: inout JSON) throws(EthereumError) -> JSON? {
        while !open.isEmpty {
            let top = open.count - 1
            skipBlanks()
            let next = try peek("',' or the end of the container")
            at += 1
            if let name = open[top].name {
                guard open[top].object[name] == nil else {
                    throw malformed("the name '\(name.prefix(60))' stands twice")
                }
                open[top].object[name] = value
                if next == UInt8(ascii: ",") {
                    skipBlanks()
                    open[top].name = try memberName()
                    return nil
                }
                guard next == UInt8(ascii: "}") else { throw malformed("expected ',' or '}'") }
                value = .object(open.removeLast().object)
            } else {
                open[top].items.append(value)
                if next == UInt8(ascii: ",") { return nil }
                guard next == UInt8(ascii: "]") else { throw malformed("expected ',' or ']'") }
                value = .array(open.removeLast().items)
            }
        }
        return value
    }

    private mutating func enter(_ container: Container) throws(EthereumError) {
        guard open.count < Limits.jsonDepthMaximum else {
            throw EthereumError(.limitExceeded, "JSON nested deeper than \(Limits.jsonDepthMaximum)")
        }
        open.append(container)
    }

    private mutating func memberName() throws(EthereumError) -> String {
        guard try peek("a name") == UInt8(ascii: "\"") else { throw malformed("expected a name in quotes") }
        let name = try string()
        skipBlanks()
        guard try peek("':'") == UInt8(ascii: ":") else { throw malformed("expected ':'") }
        at += 1
        return name
    }

    private mutating func scalar() throws(EthereumError) -> JSON {
        switch bytes[at] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ text: String, _ value: JSON) throws(EthereumError) -> JSON {
        guard bytes[at...].starts(with: text.utf8) else { throw malformed("expected a value") }
        at += text.utf8.count
        return value
    }

    private mutating func number() throws(EthereumError) -> String {
        let start = at
        if current == UInt8(ascii: "-") { at += 1 }
        if current == UInt8(ascii: "0") { at += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            at += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func digits() throws(EthereumError) {
        let start = at
        while let character = current, (0x30...0x39).contains(character) { at += 1 }
        guard at > start else { throw malformed("expected a digit or a value") }
    }

    private mutating func string() throws(EthereumError) -> String {
        at += 1
        var start = at
        var text = Bytes()
        while true {
            guard let character = current else { throw malformed("text without an end") }
            if character == UInt8(ascii: "\"") { break }
            guard character >= 0x20 else { throw malformed("control character in text") }
            at += 1
            if character == UInt8(ascii: "\\") {
                text += bytes[start..<at - 1]
                try text.append(contentsOf: escape())
                start = at
            }
        }
        text += bytes[start..<at]
        at += 1
        guard let result = String(validating: text, as: UTF8.self) else { throw malformed("text is no UTF-8") }
        return result
    }

    private mutating func escape() throws(EthereumError) -> Bytes {
        guard let character = current else { throw malformed("text without an end") }
        at += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [character]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"): return try unicode()
        default: throw malformed("unknown escape")
        }
    }

    private mutating func unicode() throws(EthereumError) -> Bytes {
        var code = try hexQuad()
        if (0xd800..<0xdc00).contains(code) {
            guard bytes[at...].starts(with: "\\u".utf8) else { throw malformed("half of a surrogate pair") }
            at += 2
            let low = try hexQuad()
            guard (0xdc00..<0xe000).contains(low) else { throw malformed("half of a surrogate pair") }
            code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair") }
        return Bytes(String(Character(scalar)).utf8)
    }

    private mutating func hexQuad() throws(EthereumError) -> UInt32 {
        guard at + 4 <= bytes.count else { throw malformed("escape is cut off") }
        var code: UInt32 = 0
        for character in bytes[at..<at + 4] {
            guard let digit = Hex.value(character) else { throw malformed("escape is not hexadecimal") }
            code = code << 4 | UInt32(digit)
        }
        at += 4
        return code
    }

    private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func peek(_ expected: String) throws(EthereumError) -> UInt8 {
        guard let character = current else { throw malformed("ends where \(expected) is expected") }
        return character
    }

    private mutating func skipBlanks() {
        while let character = current, character == 0x20 || (0x09...0x0d).contains(character) && character != 0x0b && character != 0x0c {
            at += 1
        }
    }

    private func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedJSON, "JSON, offset \(at): \(why)")
    }
}
