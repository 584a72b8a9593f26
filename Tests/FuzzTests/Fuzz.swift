// The driver of every fuzz entry: valid inputs that the code itself made, mutated from a seed, given to a decoder for as
// long as the budget says. What a decoder takes joins the corpus, so mutations start from ever deeper places.
//
// - CAUSEWAY_FUZZ_SECONDS: seconds for each entry; 1 when it is not set (`make test`), minutes in `make soak`.
// - CAUSEWAY_SEED: the seed of a run. The same seed makes the same inputs in the same order.
// - CAUSEWAY_FUZZ_INPUT: a file with inputs as hexadecimal lines; each entry that is run takes these and no others.
// - Regressions/ENTRY.txt: inputs that once failed, one line of hexadecimal each; they come first, always.
//
// An input that breaks a promise is printed, and written to the temporary folder. A trap ends the process before anything
// can be printed: so each input is written, before it is tried, to a mapped file whose path is printed at the start
// (causeway-fuzz-ENTRY-PID.hex). Its first line is the input that was tried last, ready for CAUSEWAY_FUZZ_INPUT and for
// Regressions. The file is removed when the entry ends well.

import Ethereum
import Foundation
import TestSupport
import Testing

/// A promise that an input broke.
struct Broken: Error, CustomStringConvertible {
    let description: String
}

/// Throws unless `condition` holds. Cheaper than an expectation, which is too slow to be asked a million times.
func hold(_ condition: Bool, _ promise: @autoclosure () -> String) throws(Broken) {
    guard condition else { throw Broken(description: promise()) }
}

struct Fuzz {
    let name: String
    let corpus: [Bytes]
    let random: SplitMix64
    var seconds: Double
    /// Longest input that is made.
    var bytesMaximum = 32 << 10
    /// Makes one input from another; bytes are changed blindly when it is nil.
    var mutate: ((Bytes, [Bytes], inout SplitMix64) -> Bytes)?

    private static let environment = ProcessInfo.processInfo.environment
    /// Inputs that were taken and are kept for further mutations; random ones make room.
    private static let keptMaximum = 512

    init(_ name: String, corpus: [Bytes]) {
        self.name = name
        self.corpus = corpus
        random = SplitMix64.forTest("fuzz \(name)")
        seconds = Double(Self.environment["CAUSEWAY_FUZZ_SECONDS"] ?? "") ?? 1
    }

    /// Tries inputs. `body` says whether the input was taken rather than refused, and throws `Broken`.
    func run(_ body: (Bytes) throws -> Bool) throws {
        var session = try Session(self)
        while let input = session.next() {
            do { session.tell(try body(input)) } catch { return session.report(error) }
        }
        session.finish()
    }

    /// As `run`, for what has to be waited for.
    func run(isolation: isolated (any Actor)? = #isolation, _ body: (Bytes) async throws -> Bool) async throws {
        var session = try Session(self)
        while let input = session.next() {
            do { session.tell(try await body(input)) } catch { return session.report(error) }
        }
        session.finish()
    }

    /// One run of one entry.
    private struct Session {
        let fuzz: Fuzz
        let scratch: Scratch
        var waiting: [Bytes]
        var kept: [Bytes]
        var random: SplitMix64
        var input = Bytes()
        var isMutation = false
        var mutates = true
        var tried = 0
        var taken = 0
        let deadline: ContinuousClock.Instant

        init(_ fuzz: Fuzz) throws {
            self.fuzz = fuzz
            scratch = try Scratch(name: fuzz.name, bytes: fuzz.bytesMaximum)
            if let path = Fuzz.environment["CAUSEWAY_FUZZ_INPUT"] {
                waiting = try Fuzz.inputs(of: URL(fileURLWithPath: path))
                mutates = false
            } else {
                waiting = try Fuzz.regressions(fuzz.name) + fuzz.corpus
            }
            kept = fuzz.corpus
            random = fuzz.random
            deadline = .now + .seconds(fuzz.seconds)
        }

        mutating func next() -> Bytes? {
            isMutation = tried >= waiting.count
            if !isMutation {
                input = waiting[tried]
            } else {
                guard mutates, ContinuousClock.now < deadline else { return nil }
                let base = kept.isEmpty ? [] : kept[random.below(kept.count)]
                input = fuzz.mutate?(base, kept, &random) ?? Mutation.bytes(base, kept, &random)
                if input.count > fuzz.bytesMaximum { input.removeLast(input.count - fuzz.bytesMaximum) }
            }
            tried += 1
            scratch.keep(input)
            return input
        }

        mutating func tell(_ wasTaken: Bool) {
            guard wasTaken else { return }
            taken += 1
            guard isMutation else { return }
            if kept.count < Fuzz.keptMaximum {
                kept.append(input)
            } else if random.below(8) == 0 {
                kept[fuzz.corpus.count + random.below(kept.count - fuzz.corpus.count)] = input
            }
        }

        func report(_ error: any Error) {
            let text = Hex.encodeBare(input)
            let url = FileManager.default.temporaryDirectory
                .appendingPathComponent("causeway-fuzz-\(fuzz.name)-failed.hex")
            try? Data((text + "\n").utf8).write(to: url)
            scratch.remove()
            let shown = text.count > 4_000 ? text.prefix(4_000) + "..." : Substring(text)
            Issue.record(
                """
                fuzz \(fuzz.name), input \(tried) of seed \(fuzz.random.seed): \(error)
                input (whole in \(url.path)): \(shown)
                """)
        }

        func finish() {
            scratch.remove()
            print("fuzz \(fuzz.name): \(tried) inputs, \(taken) taken, seed \(fuzz.random.seed)")
        }
    }

    // MARK: Files

    private static func regressions(_ name: String) throws -> [Bytes] {
        let url = PackageRoot.url.appendingPathComponent("Tests/FuzzTests/Regressions/\(name).txt")
        return FileManager.default.fileExists(atPath: url.path) ? try inputs(of: url) : []
    }

    /// Lines of hexadecimal; empty lines and those that begin with # are left out. In the file of a process that was
    /// killed what follows the first line is leftovers.
    private static func inputs(of url: URL) throws -> [Bytes] {
        let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return lines.filter { !$0.hasPrefix("#") && !$0.contains("\0") }.compactMap { try? Hex.decode($0) }
    }
}

/// A mapped file that holds the input that is being tried, as a line of hexadecimal. It outlives a trap of the process.
private struct Scratch {
    let path: String
    private let map: UnsafeMutableRawPointer
    private let size: Int

    init(name: String, bytes: Int) throws {
        path = FileManager.default.temporaryDirectory
            .appendingPathComponent("causeway-fuzz-\(name)-\(getpid()).hex").path
        size = 2 * bytes + 2
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, off_t(size)) == 0 else { throw Broken(description: "no file at \(path)") }
        defer { close(file) }
        guard let map = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), map != MAP_FAILED else {
            throw Broken(description: "\(path) cannot be mapped")
        }
        self.map = map
        // To where nothing is held back: after a trap nobody would empty a buffer.
        FileHandle.standardError.write(Data("fuzz \(name): the input that is tried stands in \(path)\n".utf8))
    }

    func keep(_ input: Bytes) {
        var at = 0
        for byte in input.prefix((size - 2) / 2) {
            map.storeBytes(of: Self.digits[Int(byte >> 4)], toByteOffset: at, as: UInt8.self)
            map.storeBytes(of: Self.digits[Int(byte & 15)], toByteOffset: at + 1, as: UInt8.self)
            at += 2
        }
        map.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: at, as: UInt8.self)
    }

    private static let digits = Bytes("0123456789abcdef".utf8)

    func remove() {
        munmap(map, size)
        unlink(path)
    }
}
