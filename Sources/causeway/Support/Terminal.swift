// Writing to stdout and stderr, colours where a person looks, and tables. What is written is decided elsewhere.

import Ethereum
import Glibc
import Localnet

/// One of the two outputs.
struct Terminal: Sendable {
    enum Colour: String, Sendable {
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    let hasColours: Bool

    /// Colours are for terminals; NO_COLOR takes them away (no-color.org).
    init(descriptor: Int32) {
        hasColours =
            isatty(descriptor) == 1 && Files.environment("NO_COLOR") == nil && Files.environment("TERM") != "dumb"
    }

    static let data = Terminal(descriptor: 1)
    static let talk = Terminal(descriptor: 2)

    func paint(_ text: String, _ colour: Colour) -> String {
        hasColours ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    static func writeData(_ text: String) { write(text, to: 1) }
    static func writeTalk(_ text: String) { write(text, to: 2) }

    /// Straight to the descriptor: nothing waits in a buffer when the process is killed.
    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Bytes(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno != EINTR { return }
            written += max(0, count)
        }
    }
}

/// Rows under headings, columns as wide as their widest cell.
struct Table {
    private var rows: [[String]]
    private let indent: Int
    private let hasHeadings: Bool

    init(_ headings: [String] = [], indent: Int = 0) {
        rows = headings.isEmpty ? [] : [headings]
        hasHeadings = !headings.isEmpty
        self.indent = indent
    }

    mutating func add(_ cells: [String]) { rows.append(cells) }
    mutating func add(_ cells: String...) { rows.append(cells) }

    /// Text that ends with a newline; empty without rows.
    func text(_ terminal: Terminal = .data) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? Self.width($0[column]) : 0 }.max() ?? 0 }
        var result = ""
        for (index, row) in rows.enumerated() {
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() {
                let isLast = column == row.count - 1
                line += cell + (isLast ? "" : String(repeating: " ", count: widths[column] - Self.width(cell) + 2))
            }
            result += (index == 0 && hasHeadings ? terminal.paint(line, .bold) : line) + "\n"
        }
        return result
    }

    /// Characters on screen: colour sequences take none.
    static func width(_ text: String) -> Int {
        var count = 0
        var isEscape = false
        for character in text {
            if character == "\u{1b}" {
                isEscape = true
            } else if isEscape {
                if character == "m" { isEscape = false }
            } else {
                count += 1
            }
        }
        return count
    }
}
