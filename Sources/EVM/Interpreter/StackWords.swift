// How the loop copies words of the stack: PUSH, DUP and SWAP, each for a constant count once it is inlined; and reads.
// A word is written limb by limb, and a processor hands a pending store on to a load only if the load is not wider, so
// words that may just have been written are read limb by limb too.

import Ethereum
import Synchronization

typealias StackPointer = UnsafeMutablePointer<U256>

extension UnsafeMutablePointer<U256> {
    /// The word here, read in four loads. A relaxed atomic load is a plain one that the optimiser leaves as it is; two
    /// plain ones become one vector load, which waits until both stores are through.
    @inline(__always) var limbs: U256 {
        let base = UnsafeMutableRawPointer(self).assumingMemoryBound(to: Atomic<UInt64>.self)
        return U256(
            w0: base[0].load(ordering: .relaxed), w1: base[1].load(ordering: .relaxed),
            w2: base[2].load(ordering: .relaxed), w3: base[3].load(ordering: .relaxed))
    }
}

enum StackWords {
    /// PUSH1 to PUSH32: the reason to halt, if there is one. Behind the code are 33 zero bytes.
    @inline(__always) static func push(
        _ count: Int, _ ip: inout UnsafePointer<UInt8>, _ sp: inout StackPointer, _ limit: StackPointer,
        _ gas: inout Int64
    ) -> HaltReason? {
        gas &-= 3
        if gas < 0 { return .outOfGas }
        if sp == limit { return .stackOverflow }
        sp[0] = immediate(count, ip)
        sp += 1
        ip += count
        return nil
    }

    @inline(__always) private static func immediate(_ count: Int, _ ip: UnsafePointer<UInt8>) -> U256 {
        let raw = UnsafeRawPointer(ip)
        func limb(_ at: Int) -> UInt64 { UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
        // The highest limb has what is left of whole ones; it is read together with the bytes behind it.
        let whole = (count - 1) / 8
        let top = limb(0) &>> UInt64(truncatingIfNeeded: 64 - 8 * (count - 8 * whole))
        switch whole {
        case 0: return U256(top)
        case 1: return U256(w0: limb(count - 8), w1: top, w2: 0, w3: 0)
        case 2: return U256(w0: limb(count - 8), w1: limb(count - 16), w2: top, w3: 0)
        default: return U256(w0: limb(count - 8), w1: limb(count - 16), w2: limb(count - 24), w3: top)
        }
    }

    /// DUP1 to DUP16.
    @inline(__always) static func duplicate(
        _ count: Int, _ sp: inout StackPointer, _ base: StackPointer, _ limit: StackPointer, _ gas: inout Int64
    ) -> HaltReason? {
        gas &-= 3
        if gas < 0 { return .outOfGas }
        if sp < base + count { return .stackUnderflow }
        if sp == limit { return .stackOverflow }
        sp[0] = (sp - count).limbs
        sp += 1
        return nil
    }

    /// SWAP1 to SWAP16.
    @inline(__always) static func swap(
        _ count: Int, _ sp: StackPointer, _ base: StackPointer, _ gas: inout Int64
    ) -> HaltReason? {
        gas &-= 3
        if gas < 0 { return .outOfGas }
        if sp < base + (count + 1) { return .stackUnderflow }
        let (top, other) = ((sp - 1).limbs, (sp - 1 - count).limbs)
        sp[-1] = other
        sp[-1 - count] = top
        return nil
    }
}
