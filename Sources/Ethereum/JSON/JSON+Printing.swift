// JSON text: compact for the wire, indented for people and files.

extension JSON {
    /// Compact UTF-8.
    package var bytes: Bytes {
        var out = Bytes()
        write(to: &out, indent: nil)
        return out
    }

    /// Compact text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Text with two blanks an indent level and a final newline.
    package var pretty: String {
        var out = Bytes()
        write(to: &out, indent: 0)
        return String(decoding: out, as: UTF8.self) + "\n"
    }

    private func write(to out: inout Bytes, indent: Int?) {
        switch self {
        case .null: out += "null".utf8
        case .bool(let flag): out += (flag ? "true" : "false").utf8
        case .number(let text): out += text.utf8
        case .string(let text): JSON.write(text, to: &out)
        case .array(let items):
            JSON.writeContainer(items, "[", "]", to: &out, indent: indent) { item, out, inner in
                item.write(to: &out, indent: inner)
            }
        case .object(let object):
            JSON.writeContainer(object.members, "{", "}", to: &out, indent: indent) { member, out, inner in
                JSON.write(member.name, to: &out)
                out.append(UInt8(ascii: ":"))
                if inner != nil { out.append(UInt8(ascii: " ")) }
                member.value.write(to: &out, indent: inner)
            }
        }
    }

    private static func writeContainer<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, to out: inout Bytes, indent: Int?,
        _ writeElement: (Element, inout Bytes, Int?) -> Void
    ) {
        out += opening.utf8
        for (position, element) in elements.enumerated() {
            if position > 0 { out.append(UInt8(ascii: ",")) }
            if let indent { newLine(indent + 1, to: &out) }
            writeElement(element, &out, indent.map { $0 + 1 })
        }
        if let indent, !elements.isEmpty { newLine(indent, to: &out) }
        out += closing.utf8
    }

    private static func newLine(_ indent: Int, to out: inout Bytes) {
        out.append(0x0a)
        out += Bytes(repeating: 0x20, count: indent * 2)
    }

    private static func write(_ text: String, to out: inout Bytes) {
        out.append(UInt8(ascii: "\""))
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "\""): out += "\\\"".utf8
            case UInt8(ascii: "\\"): out += "\\\\".utf8
            case 0x0a: out += "\\n".utf8
            case 0x0d: out += "\\r".utf8
            case 0x09: out += "\\t".utf8
            case 0..<0x20: out += ("\\u00" + Hex.encodeBare([character])).utf8
            default: out.append(character)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

extension JSON: CustomStringConvertible {
    package var description: String { text }
}
