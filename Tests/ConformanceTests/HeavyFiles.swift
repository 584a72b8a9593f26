// The list of files that cost seconds to minutes each. It lies beside the groups as heavy.txt: `class`, milliseconds,
// group, path, by tabs.

import Foundation

struct HeavyFiles {
    /// Paths from the group's folder on.
    let extreme: Set<String>

    /// Reads the lists in these folders; those that have none add nothing.
    init(in folders: [URL]) {
        var extreme: Set<String> = []
        for folder in folders {
            let url = folder.appendingPathComponent("heavy.txt")
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: "\t")
                if fields.count == 4, fields[0] == "extreme" { extreme.insert(String(fields[3])) }
            }
        }
        self.extreme = extreme
    }

    /// True for a file whose path ends in that of an extreme one, or is its end where a group's folder is left out.
    func isExtreme(_ member: FixtureGroup.Member) -> Bool {
        let whole = "/" + member.url.path
        return extreme.contains { whole.hasSuffix("/" + $0) || $0.hasSuffix("/" + member.path) }
    }
}
