// Digests and signatures, each over a chain of inputs: the output goes into the next input, so nothing is left out.

import BenchSupport
import Ethereum

extension ChainBench {
    static func keccak(_ arguments: Arguments) throws {
        let budget = arguments.number("milliseconds", or: 300)
        var results: [(String, Double)] = []
        for count in [32, 64, 135, 136, 532, 1024] {
            var input = Bytes(repeating: 7, count: count)
            let one = input.withUnsafeMutableBytes { raw in
                Stopwatch.best(milliseconds: budget) {
                    let digest = keccak256(UnsafeRawBufferPointer(raw))
                    raw.storeBytes(of: digest.word.w0, as: UInt64.self)
                }
            }
            var digests = [Hash32](repeating: .zero, count: 4)
            let four = input.withUnsafeMutableBytes { raw in
                digests.withUnsafeMutableBufferPointer { digests in
                    Stopwatch.best(milliseconds: budget) {
                        let lane = UnsafeRawBufferPointer(raw)
                        guard let base = digests.baseAddress else { return }
                        keccak256x4((lane, lane, lane, lane), into: base)
                        raw.storeBytes(of: base[3].word.w0, as: UInt64.self)
                    }
                }
            }
            results.append(("keccak256 of \(count) bytes", one))
            results.append(("keccak256 of \(count) bytes, one of four at once", four / 4))
        }
        report(results, arguments)
    }

    static func recover(_ arguments: Arguments) throws {
        let key = try PrivateKey(hex: "0x0101010101010101010101010101010101010101010101010101010101010101")
        var digest = keccak256(text: "digest")
        let signature = key.sign(digest: digest)
        let best = Stopwatch.best(milliseconds: arguments.number("milliseconds", or: 300)) {
            let sender = Secp256k1.recoverAddress(digest: digest, signature: signature)
            digest = Hash32(digest.word ^ (sender?.word ?? .one))
        }
        report([("recover the sender", best)], arguments)
    }

    /// Prints named times in nanoseconds.
    static func report(_ results: [(String, Double)], _ arguments: Arguments) {
        if arguments.json {
            let members = results.map { ($0.0, JSON.number(String($0.1.rounded(to: 1)))) }
            print(JSON.object(JSONObject(members)).text)
        } else {
            for (name, time) in results { print("\(name): \(time.rounded(to: 1)) ns") }
        }
    }
}
