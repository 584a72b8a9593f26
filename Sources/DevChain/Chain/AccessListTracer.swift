// Sees which accounts and slots code touches, as eth_createAccessList asks.

import EVM
import Ethereum

struct AccessListTracer: Tracer {
    static var seesSteps: Bool { true }
    static var seesCalls: Bool { false }

    private let excluded: Set<Address>
    private let precompiles: PrecompileSet
    private var slots: [Address: Set<Hash32>] = [:]

    /// The accounts that are warm anyway are left out, unless slots of theirs are touched.
    init(excluding addresses: [Address], precompiles: PrecompileSet) {
        excluded = Set(addresses)
        self.precompiles = precompiles
    }

    /// By address, then slot.
    var list: [AccessListEntry] {
        slots.keys.sorted().compactMap { address in
            let keys = slots[address, default: []].sorted()
            return keys.isEmpty && excluded.contains(address)
                ? nil : AccessListEntry(address: address, storageKeys: keys)
        }
    }

    mutating func step(_ step: TracedStep) {
        guard let top = step.stack.last else { return }
        switch step.opcode {
        case 0x54, 0x55: slots[step.address, default: []].insert(Hash32(top))
        case 0x31, 0x3b, 0x3c, 0x3f, 0xff: touch(Address(truncating: top))
        case 0xf1, 0xf2, 0xf4, 0xfa:
            if step.stack.count > 1 { touch(Address(truncating: step.stack[step.stack.count - 2])) }
        default: break
        }
    }

    private mutating func touch(_ address: Address) {
        if !precompiles.contains(address) { slots[address, default: []].formUnion([]) }
    }

    mutating func enter(_ call: TracedCall) {}
    mutating func exit(_ end: TracedEnd) {}
}
