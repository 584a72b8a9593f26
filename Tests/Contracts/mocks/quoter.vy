# pragma version 0.4.3
# A fee quoter that answers what it was told to, and keeps nothing of what it was asked but its hash.

fee: public(uint256)
juels: uint256
outOfOrder: bool
extraArgs: Bytes[2560]
tokenReceiver: Bytes[256]
execDatas: DynArray[Bytes[64], 16]

struct TokenTransfer:
    sourcePoolAddress: address
    destTokenAddress: Bytes[64]
    extraData: Bytes[512]
    amount: uint256
    destExecData: Bytes[64]

struct TokenAmount:
    token: address
    amount: uint256

struct Message:
    receiver: Bytes[256]
    data: Bytes[32768]
    tokenAmounts: DynArray[TokenAmount, 16]
    feeToken: address
    extraArgs: Bytes[2560]


@external
def answer(
    fee: uint256,
    juels: uint256,
    outOfOrder: bool,
    extraArgs: Bytes[2560],
    tokenReceiver: Bytes[256],
    execDatas: DynArray[Bytes[64], 16],
):
    self.fee = fee
    self.juels = juels
    self.outOfOrder = outOfOrder
    self.extraArgs = extraArgs
    self.tokenReceiver = tokenReceiver
    self.execDatas = execDatas


@external
@view
def getValidatedFee(dest: uint64, message: Message) -> uint256:
    assert message.feeToken != empty(address), "fee token not replaced"
    return self.fee


@external
@view
def processMessageArgs(
    dest: uint64, feeToken: address, feeTokenAmount: uint256, extraArgs: Bytes[2560], messageReceiver: Bytes[256]
) -> (uint256, bool, Bytes[2560], Bytes[256]):
    return self.juels, self.outOfOrder, self.extraArgs, self.tokenReceiver


@external
@view
def processPoolReturnData(
    dest: uint64, transfers: DynArray[TokenTransfer, 16], amounts: DynArray[TokenAmount, 16]
) -> DynArray[Bytes[64], 16]:
    assert len(transfers) == len(amounts)
    for i: uint256 in range(len(amounts), bound=16):
        assert transfers[i].amount == amounts[i].amount
        assert len(transfers[i].destExecData) == 0
    return self.execDatas
