// Functions, events and errors by their signature text: selectors, topics, calls and logs.

/// A function or custom error: name, argument types, and for functions the types that come back.
package struct ABIFunction: Hashable, Sendable {
    package let name: String
    package let inputs: [ABIType]
    package let outputs: [ABIType]
    /// First four bytes of the Keccak-256 of the canonical signature.
    package let selector: Bytes

    package init(name: String, inputs: [ABIType], outputs: [ABIType] = []) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        let signature = name + ABIType.tuple(inputs).canonical
        selector = Bytes(keccak256(text: signature).bytes.prefix(4))
    }

    /// Reads `name(types)`, with the types that come back as `returns: "(types)"`; throws `malformedABI`.
    package init(_ signature: String, returns: String = "()") throws(EthereumError) {
        let (name, inputs) = try Self.split(signature)
        guard case .tuple(let outputs) = try ABIType(returns) else {
            throw EthereumError(.malformedABI, "'\(returns)' is no list of types")
        }
        self.init(name: name, inputs: inputs, outputs: outputs)
    }

    package var signature: String { name + ABIType.tuple(inputs).canonical }

    /// Call data: selector and arguments.
    package func encodeCall(_ arguments: [ABIValue]) throws(EthereumError) -> Bytes {
        try selector + ABI.encode(arguments, as: inputs)
    }

    /// The arguments of call data (or of revert data, for a custom error) that begins with the selector.
    package func decodeCall(
        _ data: Bytes, _ strictness: ABI.Strictness = .canonical
    ) throws(EthereumError) -> [ABIValue] {
        guard data.starts(with: selector) else {
            throw EthereumError(.malformedABI, "data does not begin with the selector of \(signature)")
        }
        return try ABI.decode(Bytes(data.dropFirst(4)), as: inputs, strictness)
    }

    package func decodeOutput(_ data: Bytes) throws(EthereumError) -> [ABIValue] {
        do { return try ABI.decode(data, as: outputs, .solidity) } catch {
            throw EthereumError(.malformedABI, "answer of \(signature): \(error.message)")
        }
    }

    static func split(_ signature: String) throws(EthereumError) -> (name: String, inputs: [ABIType]) {
        guard let open = signature.firstIndex(of: "("), case .tuple(let inputs) = try ABIType(String(signature[open...]))
        else { throw EthereumError(.malformedABI, "'\(signature.prefix(120))' is no signature") }
        return (String(signature[..<open]), inputs)
    }
}

/// An event: which arguments are topics, and the topic that names it.
package struct ABIEvent: Hashable, Sendable {
    package let name: String
    package let inputs: [ABIType]
    package let indexed: [Bool]
    package let topic: Hash32

    package init(name: String, inputs: [ABIType], indexed: [Bool]) {
        precondition(inputs.count == indexed.count, "one indexed flag for each argument")
        self.name = name
        self.inputs = inputs
        self.indexed = indexed
        topic = keccak256(text: name + ABIType.tuple(inputs).canonical)
    }

    /// Reads `name(types)`; `indexed` lists the positions of the indexed arguments.
    package init(_ signature: String, indexed positions: Set<Int> = []) throws(EthereumError) {
        let (name, inputs) = try ABIFunction.split(signature)
        self.init(name: name, inputs: inputs, indexed: inputs.indices.map { positions.contains($0) })
    }

    package var signature: String { name + ABIType.tuple(inputs).canonical }

    /// All arguments in order. An indexed argument of dynamic type comes back as the 32-byte hash in its topic.
    package func decode(topics: [Hash32], data: Bytes) throws(EthereumError) -> [ABIValue] {
        guard topics.first == topic, topics.count == 1 + indexed.count(where: { $0 }) else {
            throw EthereumError(.malformedABI, "log is no \(signature): topics differ")
        }
        let plain = zip(inputs, indexed).filter { !$0.1 }.map(\.0)
        var rest = try ABI.decode(data, as: plain, .solidity)[...]
        var nextTopic = topics.dropFirst()
        var values: [ABIValue] = []
        for (type, isIndexed) in zip(inputs, indexed) {
            if !isIndexed {
                if let value = rest.popFirst() { values.append(value) }
            } else if let topic = nextTopic.popFirst() {
                values.append(type.isDynamic ? .hash(topic) : try ABI.decode(topic.bytes, as: [type])[0])
            }
        }
        return values
    }
}
