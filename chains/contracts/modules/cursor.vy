# pragma version 0.4.3
# Reading reports where they lie, in the call data: single words, and the walk that accepts canonical encodings only.
# Vyper would decode a report into memory laid out for its largest size, which costs more than the message itself.
# No storage, no knowledge of what a report means. Every refusal here has empty revert data, like a failed decode.

# Longest byte string in a message (its data), in bytes.
MAX_BYTES: constant(uint256) = 32768
# Most tokens in one message.
MAX_TOKENS: constant(uint256) = 32
# Most messages in one execution report: the leaves a multi-proof may have.
MAX_MESSAGES: constant(uint256) = 257
# Most proof words in one execution report.
MAX_PROOFS: constant(uint256) = 257
# Most execution reports in one call.
MAX_REPORTS: constant(uint256) = 64
# Most roots of one list, and most prices of one list, in one commit report.
MAX_ROOTS: constant(uint256) = 64
MAX_PRICES: constant(uint256) = 192
# keccak-256 of an encoded empty array.
EMPTY_ARRAY_HASH: constant(bytes32) = 0x569e75fc77c1a856f6daaf9e69d8a9566ca34aa47f9133711ce065a571af0cfd
# The longest range of call data that _range copies; longer ones are the business of a caller with a frame for them.
WINDOW: constant(uint256) = 2048
# Ranges up to this length are copied through a smaller window.
NARROW: constant(uint256) = 320
# The precompile that returns its input: how call data becomes bytes in memory, whatever its length.
IDENTITY: constant(address) = 0x0000000000000000000000000000000000000004


@internal
@view
def _word(at: uint256) -> uint256:
    """The 32-byte word at byte `at` of the call data; past the end it reverts."""
    return convert(slice(msg.data, at, 32), uint256)


@internal
@view
def _item(at: uint256, i: uint256) -> uint256:
    """Word `i` counted from `at`."""
    return convert(slice(msg.data, unsafe_add(at, i << 5), 32), uint256)


@internal
@view
def _follow(at: uint256, i: uint256) -> uint256:
    """Where the dynamic member whose offset is word `i` of the (already checked) tuple at `at` begins."""
    return unsafe_add(at, self._item(at, i))


@internal
@view
def _element(array: uint256, i: uint256) -> uint256:
    """Where element `i` of the (already checked) array of dynamic items at `array` begins."""
    base: uint256 = unsafe_add(array, 32)
    return unsafe_add(base, self._item(base, i))


@internal
@view
def _span(at: uint256) -> uint256:
    """Where the byte string at `at` ends, its padding included."""
    return unsafe_add(unsafe_add(at, 32), unsafe_add(self._word(at), 31) >> 5 << 5)


# The walk: every function below checks one thing at `at` and returns where it ends. Nothing in it can overflow: `at`
# is at most the length of the call data, and lengths and counts are bounded before they are used.


@internal
@view
def _expect(at: uint256, i: uint256, due: uint256):
    """Word `i` from `at` must be `due`: the one place where a canonical encoding puts that member."""
    assert self._item(at, i) == due


@internal
@view
def _count(at: uint256, most: uint256) -> uint256:
    """The length word of an array or byte string."""
    count: uint256 = convert(slice(msg.data, at, 32), uint256)
    assert count <= most
    return count


@internal
@view
def _bytes_end(at: uint256) -> uint256:
    """A byte string: length, content, zero padding."""
    length: uint256 = self._count(at, MAX_BYTES)
    end: uint256 = unsafe_add(unsafe_add(at, 32), unsafe_add(length, 31) >> 5 << 5)
    if length & 31 == 0:
        assert end <= len(msg.data)
    else:
        assert self._word(unsafe_sub(end, 32)) << ((length & 31) << 3) == 0
    return end


@internal
@view
def _words_end(at: uint256, most: uint256, bits: uint256) -> uint256:
    """An array of at most `most` words of `bits` bits each."""
    count: uint256 = self._count(at, most)
    for i: uint256 in range(count, bound=512):
        assert self._item(at, unsafe_add(i, 1)) >> bits == 0
    return unsafe_add(at, unsafe_add(count, 1) << 5)


@internal
@view
def _message_end(at: uint256) -> uint256:
    """An Any2EVMRampMessage (spec section 4.2)."""
    head: uint256[10] = abi_decode(slice(msg.data, at, 320), uint256[10])
    assert (head[1] | head[2] | head[3] | head[4] | head[7] >> 96) >> 64 == 0
    assert head[5] == 320
    end: uint256 = self._bytes_end(unsafe_add(at, 320))
    assert head[6] == unsafe_sub(end, at)
    end = self._bytes_end(end)
    assert head[9] == unsafe_sub(end, at)
    count: uint256 = self._count(end, MAX_TOKENS)
    base: uint256 = unsafe_add(end, 32)
    end = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_TOKENS):
        self._expect(base, i, unsafe_sub(end, base))
        self._expect(end, 0, 160)
        assert self._item(end, 1) >> 160 == 0
        assert self._item(end, 2) >> 32 == 0
        extra: uint256 = self._bytes_end(unsafe_add(end, 160))
        self._expect(end, 3, unsafe_sub(extra, end))
        end = self._bytes_end(extra)
    return end


@internal
@view
def _report_end(at: uint256) -> uint256:
    """An ExecutionReport (spec section 4.2)."""
    assert self._word(at) >> 64 == 0
    self._expect(at, 1, 160)
    count: uint256 = self._count(unsafe_add(at, 160), MAX_MESSAGES)
    base: uint256 = unsafe_add(at, 192)
    end: uint256 = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_MESSAGES):
        self._expect(base, i, unsafe_sub(end, base))
        end = self._message_end(end)
    self._expect(at, 2, unsafe_sub(end, at))
    count = self._count(end, MAX_MESSAGES)
    base = unsafe_add(end, 32)
    end = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_MESSAGES):
        self._expect(base, i, unsafe_sub(end, base))
        inner: uint256 = self._count(end, MAX_TOKENS)
        innerBase: uint256 = unsafe_add(end, 32)
        end = unsafe_add(innerBase, inner << 5)
        for k: uint256 in range(inner, bound=MAX_TOKENS):
            self._expect(innerBase, k, unsafe_sub(end, innerBase))
            end = self._bytes_end(end)
    self._expect(at, 3, unsafe_sub(end, at))
    # One proof more than a multi-proof may have still decodes: refusing it is the proof's business.
    return self._words_end(end, MAX_PROOFS + 1, 256)


@internal
@view
def _reports_end(at: uint256) -> uint256:
    """An array of ExecutionReport."""
    count: uint256 = self._count(at, MAX_REPORTS)
    base: uint256 = unsafe_add(at, 32)
    end: uint256 = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_REPORTS):
        self._expect(base, i, unsafe_sub(end, base))
        end = self._report_end(end)
    return end


@internal
@view
def _overrides_end(at: uint256) -> uint256:
    """A GasLimitOverride[][]."""
    count: uint256 = self._count(at, MAX_REPORTS)
    base: uint256 = unsafe_add(at, 32)
    end: uint256 = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_REPORTS):
        self._expect(base, i, unsafe_sub(end, base))
        inner: uint256 = self._count(end, MAX_MESSAGES)
        innerBase: uint256 = unsafe_add(end, 32)
        end = unsafe_add(innerBase, inner << 5)
        for k: uint256 in range(inner, bound=MAX_MESSAGES):
            self._expect(innerBase, k, unsafe_sub(end, innerBase))
            self._expect(end, 1, 64)
            end = self._words_end(unsafe_add(end, 64), MAX_TOKENS, 32)
    return end


@internal
@view
def _roots_end(at: uint256) -> uint256:
    """An array of MerkleRoot."""
    count: uint256 = self._count(at, MAX_ROOTS)
    base: uint256 = unsafe_add(at, 32)
    end: uint256 = unsafe_add(base, count << 5)
    for i: uint256 in range(count, bound=MAX_ROOTS):
        self._expect(base, i, unsafe_sub(end, base))
        self._expect(end, 1, 160)
        assert (self._item(end, 0) | self._item(end, 2) | self._item(end, 3)) >> 64 == 0
        end = self._bytes_end(unsafe_add(end, 160))
    return end


@internal
@view
def _prices_end(at: uint256, keyBits: uint256) -> uint256:
    """An array of (key, uint224) pairs, keys of `keyBits` bits."""
    count: uint256 = self._count(at, MAX_PRICES)
    end: uint256 = unsafe_add(at, 32)
    for i: uint256 in range(count, bound=MAX_PRICES):
        assert self._item(end, 0) >> keyBits == 0
        assert self._item(end, 1) >> 224 == 0
        end = unsafe_add(end, 64)
    return end


# Copies: ranges of the call data as they came, and their hashes.


@internal
@view
def _range(at: uint256, end: uint256) -> Bytes[WINDOW]:
    """
    The call data from `at` to `end`, at most WINDOW bytes. It is copied through a window of fixed size that lies wholly
    within the call data; where there is too little of that, all of it is copied.
    """
    size: uint256 = unsafe_sub(end, at)
    if size == 0:
        return b""
    start: uint256 = at
    # The compiler copies a slice once more when the same variable says where both it and its source begin.
    skip: uint256 = 0
    if size <= NARROW and len(msg.data) >= NARROW:
        start = min(at, unsafe_sub(len(msg.data), NARROW))
        skip = unsafe_sub(at, start)
        return slice(slice(msg.data, start, NARROW), skip, size)
    if len(msg.data) >= WINDOW:
        start = min(at, unsafe_sub(len(msg.data), WINDOW))
        skip = unsafe_sub(at, start)
        return slice(slice(msg.data, start, WINDOW), skip, size)
    whole: Bytes[WINDOW] = raw_call(IDENTITY, msg.data, max_outsize=WINDOW, is_static_call=True)
    return slice(whole, at, size)


@internal
@view
def _bytes_at(at: uint256) -> Bytes[256]:
    """The byte string at `at`, at most 256 bytes."""
    length: uint256 = self._word(at)
    if length == 32:
        return slice(msg.data, unsafe_add(at, 32), 32)
    content: uint256 = unsafe_add(at, 32)
    return convert(self._range(content, unsafe_add(content, length)), Bytes[256])


@internal
@view
def _hash_bytes(at: uint256) -> bytes32:
    """keccak-256 of the byte string at `at`, at most WINDOW bytes."""
    length: uint256 = self._word(at)
    content: uint256 = unsafe_add(at, 32)
    if length == 32:
        return keccak256(slice(msg.data, content, 32))
    return keccak256(self._range(content, unsafe_add(content, length)))


@internal
@view
def _hash_array(at: uint256, end: uint256) -> bytes32:
    """keccak-256 of the word 0x20 and the call data from `at` to `end`: a dynamic value as abi.encode gives it."""
    if self._word(at) == 0:
        return EMPTY_ARRAY_HASH
    return keccak256(concat(convert(32, bytes32), self._range(at, end)))
