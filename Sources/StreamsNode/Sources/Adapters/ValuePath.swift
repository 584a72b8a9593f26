// The way to a value in a JSON document: `data.0.price`, or a JSON pointer (RFC 6901) when names have dots. Pure.

import Ethereum

package struct ValuePath: Sendable, Equatable, CustomStringConvertible {
    package let description: String
    private let steps: [String]

    private static let lengthMaximum = 200

    /// Nil for an empty path, an empty step, or one that is too long.
    package init?(_ text: String) {
        guard (1...Self.lengthMaximum).contains(text.utf8.count) else { return nil }
        description = text
        if text.hasPrefix("/") {
            var steps: [String] = []
            for step in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
                guard let unescaped = Self.unescaped(step) else { return nil }
                steps.append(unescaped)
            }
            self.steps = steps
        } else {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard !parts.contains(where: \.isEmpty) else { return nil }
            steps = parts.map(String.init)
        }
    }

    /// `~1` is a slash and `~0` a tilde; nothing else may follow a tilde.
    private static func unescaped(_ step: Substring) -> String? {
        var out = ""
        var isEscape = false
        for character in step {
            switch (isEscape, character) {
            case (true, "0"): out.append("~")
            case (true, "1"): out.append("/")
            case (true, _): return nil
            case (false, "~"): break
            case (false, _): out.append(character)
            }
            isEscape = !isEscape && character == "~"
        }
        return isEscape ? nil : out
    }

    /// Nil when nothing stands there, or null.
    package func value(in document: JSON) -> JSON? {
        var found = document
        for step in steps {
            if found.asArray != nil {
                guard let position = Int(step), let next = found[position] else { return Optional<JSON>.none }
                found = next
            } else {
                guard let next = found[step] else { return Optional<JSON>.none }
                found = next
            }
        }
        return found.isNull ? Optional<JSON>.none : found
    }
}
