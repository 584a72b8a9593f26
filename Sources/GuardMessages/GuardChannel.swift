// Where the messages of Schema/guard.proto travel, and the codes that both sides know. What either side thinks of a message
// is its own: a guard shares no code with relayers beyond this room.

/// The channel of the committing mesh on which relayers ask and guards answer.
package enum GuardChannel {
    /// UTF-8 of "guard/1". A change of the schema that old readers misread gets another number.
    package static let name: [UInt8] = Array("guard/1".utf8)
}
