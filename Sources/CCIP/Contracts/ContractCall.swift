// A read of a contract: the call data, and how to read the answer. The edge performs it; nothing is sent from here.

import Ethereum

/// `Answer` is what the bytes that come back mean.
package struct ContractCall<Answer>: Sendable {
    /// Signature, for errors and traces.
    package let name: String
    package let data: Bytes
    private let read: @Sendable (inout ABICursor) throws(CCIPError) -> Answer
    private let outputs: [ABIType]

    init(
        _ function: ABIFunction, _ arguments: [ABIValue] = [],
        _ read: @escaping @Sendable (inout ABICursor) throws(CCIPError) -> Answer
    ) {
        name = function.signature
        data = function.selector + ABICodec.encode(arguments, as: function.inputs)
        outputs = function.outputs
        self.read = read
    }

    /// Throws `malformedAnswer`; an empty answer means that no contract stands at the address.
    package func decode(_ answer: Bytes) throws(CCIPError) -> Answer {
        guard !answer.isEmpty || outputs.isEmpty else {
            throw CCIPError(
                .malformedAnswer, "\(name) answered nothing", hint: "no such contract stands at this address")
        }
        var cursor = try ABICodec.decode(answer, as: outputs, .malformedAnswer, name, .solidity)
        return try read(&cursor)
    }
}
