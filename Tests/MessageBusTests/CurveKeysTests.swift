// Keys: text and bytes agree, halves that do not belong together are refused, secrets do not print.

import Testing

@testable import MessageBus

@Suite struct CurveKeysTests {
    @Test("a generated pair survives its text and its bytes")
    func roundTrips() throws {
        for _ in 0..<50 {
            let pair = try CurveKeyPair.generate()
            #expect(try CurvePublicKey(z85: pair.publicKey.z85) == pair.publicKey)
            #expect(try CurvePublicKey(bytes: pair.publicKey.bytes) == pair.publicKey)
            #expect(pair.publicKey.z85.utf8.count == 40)
            let again = try CurveKeyPair(secretZ85: pair.secretKey.exposedZ85())
            #expect(again.publicKey == pair.publicKey)
            let fromBytes = try CurveKeyPair(secretKey: CurveSecretKey(bytes: pair.secretKey.exposedBytes()))
            #expect(fromBytes.publicKey == pair.publicKey)
        }
    }

    @Test("the pair of the CURVE manual page is derived from its secret")
    func knownPair() throws {
        // Test keys that the libzmq manual prints for everybody to use.
        let client = try CurveKeyPair(secretZ85: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
        #expect(client.publicKey.z85 == "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
        let server = try CurveKeyPair(secretZ85: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
        #expect(server.publicKey.z85 == "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
    }

    @Test("halves of two pairs are refused")
    func mismatch() throws {
        let (one, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        #expect(throws: MessageBusError.self) {
            try CurveKeyPair(publicKey: one.publicKey, secretKey: other.secretKey)
        }
        let same = try CurveKeyPair(publicKey: one.publicKey, secretKey: one.secretKey)
        #expect(same.publicKey == one.publicKey)
    }

    @Test("what is no key text is refused", arguments: [
        "", "short", String(repeating: "0", count: 39), String(repeating: "0", count: 41),
        String(repeating: "~", count: 40), String(repeating: " ", count: 40), String(repeating: "é", count: 20),
        String(repeating: "#", count: 40),
    ])
    func malformedText(text: String) {
        let error = #expect(throws: MessageBusError.self) { try CurvePublicKey(z85: text) }
        #expect(error?.code == .malformedKey)
        #expect(throws: MessageBusError.self) { try CurveSecretKey(z85: text) }
    }

    @Test("other than 32 bytes is refused", arguments: [0, 31, 33, 64])
    func malformedBytes(count: Int) {
        #expect(throws: MessageBusError.self) { try CurvePublicKey(bytes: [UInt8](repeating: 1, count: count)) }
        #expect(throws: MessageBusError.self) { try CurveSecretKey(bytes: [UInt8](repeating: 1, count: count)) }
    }

    @Test("a secret prints as redacted, also inside of what holds it")
    func redacted() throws {
        let pair = try CurveKeyPair.generate()
        let secret = pair.secretKey.exposedZ85()
        var dumped = ""
        dump(pair, to: &dumped)
        for shown in ["\(pair)", String(reflecting: pair), "\(pair.secretKey)", String(reflecting: pair.secretKey), dumped] {
            #expect(!shown.contains(secret))
            #expect(!shown.contains("\(pair.secretKey.exposedBytes())"))
            #expect(shown.contains("redacted") || shown == dumped)
        }
        let configuration = try TestMembers(2).configuration(0)
        #expect(!"\(configuration)".contains(configuration.keyPair.secretKey.exposedZ85()))
        let error = #expect(throws: MessageBusError.self) { try CurveSecretKey(z85: secret + "x") }
        #expect(error.map { "\($0)".contains(secret) } == false)
    }
}
