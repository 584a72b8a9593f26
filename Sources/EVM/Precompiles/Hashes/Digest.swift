// A digest of libcrypto that is looked up once, with contexts that are used again: for short inputs the look-up and the
// context cost more than the hash.

import CLibCrypto
import Ethereum
import Synchronization

final class Digest: Sendable {
    /// Only read once it is there, so threads may share it.
    private struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private let algorithm: Algorithm
    private let count: Int
    private let idle = Mutex<[Context]>([])

    static let sha256 = Digest("SHA256")
    static let ripemd160 = Digest("RIPEMD160")

    private init(_ name: String) {
        guard let pointer = EVP_MD_fetch(nil, name, nil) else { preconditionFailure("libcrypto has no \(name)") }
        algorithm = Algorithm(pointer: pointer)
        count = Int(EVP_MD_get_size(pointer))
    }

    func callAsFunction(_ input: UnsafeRawBufferPointer) -> Bytes {
        let context = take()
        defer { idle.withLock { $0.append(context) } }
        return Bytes(unsafeUninitializedCapacity: count) { buffer, written in
            let done =
                EVP_DigestInit_ex2(context.pointer, algorithm.pointer, nil) == 1
                && EVP_DigestUpdate(context.pointer, input.baseAddress, input.count) == 1
                && EVP_DigestFinal_ex(context.pointer, buffer.baseAddress, nil) == 1
            precondition(done, "libcrypto refused a digest")
            written = count
        }
    }

    /// As many contexts come to be as threads hash at once.
    private func take() -> Context {
        if let context = idle.withLock({ $0.popLast() }) { return context }
        guard let pointer = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        return Context(pointer: pointer)
    }
}
