// Addresses: text, checksum, and the addresses of created contracts.

import Ethereum
import Testing

@Suite("Address")
struct AddressTests {
    @Test(
        "mixed case is checked against EIP-55",
        arguments: [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ])
    func checksum(text: String) throws {
        let address = try Address(hex: text)
        #expect(address.checksummed == text)
        #expect(try Address(hex: text.lowercased()) == address)
        let wrong = "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
        #expect(throws: EthereumError.self) { try Address(hex: wrong) }
    }

    @Test("an address has 20 bytes and nothing above them")
    func bounds() throws {
        #expect(Address(bytes: Bytes(repeating: 1, count: 19)) == nil)
        #expect(Address(bytes: Bytes(repeating: 1, count: 21)) == nil)
        #expect(Address(word: Bytes(repeating: 1, count: 32)) == nil)
        let address = try #require(Address(bytes: Bytes(repeating: 7, count: 20)))
        #expect(Address(word: address.abiWord) == address)
        #expect(Address(truncating: .max).word.bitWidth == 160)
    }
}
