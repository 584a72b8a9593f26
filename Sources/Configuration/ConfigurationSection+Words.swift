// Values of configuration files that more than one file has.

import Ethereum

extension ConfigurationSection {
    package mutating func address(_ key: String) throws(ConfigurationError) -> Address {
        try value(key, expected: "an address (0x and 40 hex digits)") { try? Address(hex: $0) }
    }

    package mutating func hash(_ key: String) throws(ConfigurationError) -> Hash32 {
        try value(key, expected: "32 bytes (0x and 64 hex digits)") { try? Hash32(hex: $0) }
    }

    package mutating func number(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> UInt64 {
        try value(key, expected: "a whole number from 0 to 2^64 - 1", default: builtIn) { UInt64($0) }
    }

    package mutating func word(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> U256 {
        try value(key, expected: "a whole number from 0 to 2^256 - 1", default: builtIn) { try? U256(text: $0) }
    }
}
