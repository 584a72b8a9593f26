# pragma version 0.4.3
# pragma optimize codesize
# What a byte of a transaction costs on the L1 of a rollup like Jovay: fed by the rollup's relayer, read by the chain for
# each transaction. It stands in the genesis state, so there is no constructor: its first slots are set there.

event SetNewBatchBlobFeeAndTxFee:
    daFee: uint256
    execFee: uint256

event SetBlobBaseFeeScalaAndTxFeeScala:
    baseFeeScala: uint256
    blobBaseFeeScala: uint256

# The chain reads slot 0. Wei for each byte.
l1FeePerByte: public(uint256)
owner: public(address)
isRelayer: public(HashMap[address, bool])
lastBatchDaFee: public(uint256)
lastBatchExecFee: public(uint256)
lastBatchByteLength: public(uint256)
# In hundredths; zero in storage stands for the value in the accessor below.
_baseFeeScala: uint256
_blobBaseFeeScala: uint256
_totalScala: uint256
_maxL1ExecGasUsedLimit: uint256
_maxL1BlobGasUsedLimit: uint256
_minBatchTxLength: uint256
l1Profit: public(uint256)

GIGA: constant(uint256) = 10**9
# Amounts that are fed: far above what a batch costs, and far below what would overflow.
LARGEST: constant(uint256) = 2**128 - 1


@view
@external
def getTxL1Fee(txLength: uint256) -> uint256:
    return self.l1FeePerByte * txLength


@view
@external
def baseFeeScala() -> uint256:
    return self._or(self._baseFeeScala, 100)


@view
@external
def blobBaseFeeScala() -> uint256:
    return self._or(self._blobBaseFeeScala, 100)


@view
@external
def totalScala() -> uint256:
    return self._or(self._totalScala, 10)


@external
def setNewBatchBlobFeeAndTxFee(daFee: uint256, execFee: uint256, byteLength: uint256):
    assert self.isRelayer[msg.sender], "INVALID_PERMISSION : sender is not relayer"
    assert max(daFee, execFee) <= LARGEST, "INVALID_PARAMETER : fee too large"
    self.lastBatchDaFee = daFee
    self.lastBatchExecFee = execFee
    self.lastBatchByteLength = byteLength
    self._compute()
    log SetNewBatchBlobFeeAndTxFee(daFee=daFee, execFee=execFee)


@external
def setBlobBaseFeeScalaAndTxFeeScala(baseFeeScala: uint256, blobBaseFeeScala: uint256):
    assert self.isRelayer[msg.sender], "INVALID_PERMISSION : sender is not relayer"
    assert baseFeeScala > 0 and blobBaseFeeScala > 0, "INVALID_PARAMETER : zero scala"
    assert max(baseFeeScala, blobBaseFeeScala) <= 10**6, "INVALID_PARAMETER : scala too large"
    self._baseFeeScala = baseFeeScala
    self._blobBaseFeeScala = blobBaseFeeScala
    self._compute()
    log SetBlobBaseFeeScalaAndTxFeeScala(baseFeeScala=baseFeeScala, blobBaseFeeScala=blobBaseFeeScala)


@external
def setL1Profit(amount: uint256):
    self._checkOwner()
    assert amount <= LARGEST, "INVALID_PARAMETER : profit too large"
    self.l1Profit = amount


@external
def setTotalScala(scala: uint256):
    self._checkOwner()
    assert scala > 0 and scala <= 10**6, "INVALID_PARAMETER : scala"
    self._totalScala = scala


@external
def setMaxL1ExecGasUsedLimit(limit: uint256):
    self._checkOwner()
    assert limit > 0 and limit <= LARGEST, "INVALID_PARAMETER : limit"
    self._maxL1ExecGasUsedLimit = limit


@external
def setMaxL1BlobGasUsedLimit(limit: uint256):
    self._checkOwner()
    assert limit > 0 and limit <= LARGEST, "INVALID_PARAMETER : limit"
    self._maxL1BlobGasUsedLimit = limit


@external
def setMinBatchTxLength(length: uint256):
    self._checkOwner()
    assert length > 0 and length <= GIGA, "INVALID_PARAMETER : length"
    self._minBatchTxLength = length


@external
def addRelayer(relayer: address):
    self._checkOwner()
    self.isRelayer[relayer] = True


@external
def removeRelayer(relayer: address):
    self._checkOwner()
    self.isRelayer[relayer] = False


@internal
def _checkOwner():
    assert msg.sender == self.owner, "INVALID_PERMISSION : sender is not owner"


@view
@internal
def _or(stored: uint256, builtIn: uint256) -> uint256:
    return stored if stored > 0 else builtIn


@internal
def _compute():
    daPart: uint256 = min(
        self.lastBatchDaFee * self._or(self._blobBaseFeeScala, 100) // 100,
        GIGA * self._or(self._maxL1BlobGasUsedLimit, 6 * 131072))
    execPart: uint256 = min(
        self.lastBatchExecFee * self._or(self._baseFeeScala, 100) // 100,
        GIGA * self._or(self._maxL1ExecGasUsedLimit, 10**6))
    length: uint256 = min(max(self.lastBatchByteLength, self._or(self._minBatchTxLength, 6 * 131072 * 100)), GIGA)
    self.l1FeePerByte = (daPart + execPart + self.l1Profit) // length * self._or(self._totalScala, 10) // 100
