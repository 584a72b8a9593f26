# pragma version 0.4.3
# Reading a message that is being sent (EVM2AnyMessage, spec section 4.1) where it lies, in the call data. Only
# canonical encodings pass, as every encoder in use writes them: members in order, padded with zeros. Bytes after the
# message are ignored. No storage; what a message may contain is the business of others.

from modules import cursor

# Most tokens in one message that can be sent.
MAX_TOKENS: constant(uint256) = 16
# Call data up to SMALL bytes takes the cheap way, with small buffers; LARGE holds the largest message there is: 32 kB
# of data, 16 tokens, 64 accounts in the extra arguments.
SMALL: constant(uint256) = cursor.WINDOW
LARGE: constant(uint256) = 37120


@internal
@view
def _message_end(at: uint256) -> uint256:
    """Where the message at `at` ends; refuses, with no data, what is not a canonical encoding."""
    head: uint256[5] = abi_decode(slice(msg.data, at, 160), uint256[5])
    assert head[0] == 160
    assert head[3] >> 160 == 0
    end: uint256 = cursor._bytes_end(unsafe_add(at, 160))
    assert head[1] == unsafe_sub(end, at)
    end = cursor._bytes_end(end)
    assert head[2] == unsafe_sub(end, at)
    count: uint256 = cursor._count(end, MAX_TOKENS)
    end = unsafe_add(end, 32)
    for i: uint256 in range(count, bound=MAX_TOKENS):
        assert cursor._word(end) >> 160 == 0
        end = unsafe_add(end, 64)
    assert head[4] == unsafe_sub(end, at)
    return cursor._bytes_end(end)
