// Runs the files of a group, all cores at once, each by the runner of its kind.

import Foundation
import Synchronization

/// Runs the cases of one kind of file.
protocol FixtureRunner: Sendable {
    /// Throws when the file is no file of this kind; what its cases came to goes into the tally.
    func run(_ file: FixtureFile, _ tally: inout Tally) throws
}

/// Which files of a group are run.
enum Selection: Sendable {
    /// All but the extreme ones, which are left out aloud.
    case usual
    /// The extreme ones alone.
    case extreme
}

extension FixtureGroup {
    /// Runs the group. The sum does not depend on who was first.
    func run(_ selection: Selection, heavy: HeavyFiles) -> Tally {
        let chosen = members.filter { heavy.isExtreme($0) == (selection == .extreme) }
        let results = Mutex([Tally?](repeating: nil, count: chosen.count))
        DispatchQueue.concurrentPerform(iterations: chosen.count) { index in
            let tally = Self.run(chosen[index])
            results.withLock { $0[index] = tally }
        }
        var sum = results.withLock { $0.compactMap { $0 } }.reduce(into: Tally()) { $0.add($1) }
        let left = members.count - chosen.count
        if selection == .usual, left > 0 {
            sum.filesLeftOut["heavy.txt calls them extreme, `make soak` runs them"] = left
        }
        return sum
    }

    private static func run(_ member: Member) -> Tally {
        var tally = Tally()
        tally.files = 1
        do {
            let file = try FixtureFile(member.url, path: member.path)
            guard let kind = FixtureKind(of: file.content, name: file.name) else {
                throw Mismatch("no suite has files like this one")
            }
            try kind.runner.run(file, &tally)
        } catch {
            tally.subtests += 1
            tally.failures.append("\(member.path): \(error)")
        }
        return tally
    }
}
