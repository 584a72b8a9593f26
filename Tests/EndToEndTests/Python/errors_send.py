"""Everything that can be wrong with a message that is sent: the error, what is done to the chain, the command's words.

What lives here: the table. Each row is (errors from the outermost to the innermost, what is changed, words, exit code);
it begins from the same state.
"""

from eth_abi import encode
from eth_utils import keccak
from errors_network import ZERO, selector, stand_in, thrown, word

E18 = 10**18
ONE = (1).to_bytes(32, "big")
STRANGER = "0x00000000000000000000000000000000000A11CE"
FAMILIES = {n: keccak(text=f"CCIP ChainFamilySelector {n}")[:4] for n in ("SVM", "APTOS", "SUI", "TVM")}
REFUSED, USAGE = 1, 2
# Code that answers zero to everything, and code that refuses everything without a word.
ANSWERS_NO, SILENT = bytes.fromhex("600060005260206000f3"), bytes.fromhex("60006000fd")


def svm(units=0, bitmap=0, out_of_order=True, token_receiver=bytes(32), accounts=0):
    kind = "(uint32,uint64,bool,bytes32,bytes32[])"
    body = encode([kind], [(units, bitmap, out_of_order, token_receiver, [ONE] * accounts)])
    return "0x1f3b3aba" + body.hex()


def sui(gas=0, out_of_order=True, token_receiver=bytes(32), objects=0):
    body = encode(["(uint256,bool,bytes32,bytes32[])"], [(gas, out_of_order, token_receiver, [ONE] * objects)])
    return "0x21ea4ca9" + body.hex()


def rows(here, there, symbol, other):
    """`symbol` is the token that is sent, `other` another that can be sent, both of the chain `here`."""
    pool, token = f"{symbol} pool", here.at[symbol]
    one = ["--token", f"{symbol}=1", "--receiver", STRANGER, "--gas-limit", "0"]
    text = ["--text", "x", "--gas-limit", "9"]
    whole = 10 ** next(t["decimals"] for t in here.entry["tokens"] if t["symbol"] == symbol)
    raw = lambda arguments, receiver=STRANGER: ["--receiver", receiver, "--extra-args", arguments]
    nothing = lambda: None
    family = lambda name, **more: lambda: here.configure(there, chainFamilySelector=FAMILIES[name], **more)
    off = (False, 0, 0)
    limit = lambda *limits: lambda: [
        here.do(pool, "setChainRateLimiterConfig", there.selector, (True, *each), off) for each in limits]

    def by_worth(*limits):
        def change():
            limiter = here.deploy("limiter", "multi_aggregate_rate_limiter", here.at["feeQuoter"], [here.at["onRamp"]])
            for each in limits:
                here.do("limiter", "applyRateLimiterConfigUpdates", [(there.selector, True, (True, *each))])
            here.do("limiter", "updateRateLimitTokens", [], [((there.selector, token), word(there.at[symbol]))])
            here.intercept(limiter)
        return change

    def newer_quoter(name):
        """FeeQuoter 1.6.3, which knows more families."""
        def change():
            link = here.at["LINK"]
            weth = here.at["weth"]
            here.deploy("newer", "fee_quoter_1_6_3", (200 * E18, link, 86_400), [here.owner], [link, weth], [], [],
                        [(link, E18), (weth, E18)], [])
            here.do("newer", "updatePrices", (
                [(link, 15 * E18), (weth, 3_000 * E18), (token, E18)], [(there.selector, 10**12)]))
            here.configure(there, quoter="newer", chainFamilySelector=FAMILIES[name])
            here.intercept(ZERO, quoter="newer")
        return change

    def other_pool(router=None, rmn=None, allowed=()):
        """Another pool of the token, of which one thing is other."""
        here.deploy("other pool", "lock_release_token_pool", token, len(str(whole)) - 1, list(allowed),
                    rmn or here.at["rmnProxy"], router or here.at["router"])
        here.connect("other pool", there, symbol)

    def cursed_pool():
        here.deploy("other rmn", "rmn_remote", here.selector, ZERO)
        here.curse(there, at="other rmn")
        other_pool(rmn=here.at["other rmn"])

    def unpriced_fee_token():
        here.deploy("coin", "burn_mint_erc20", "Coin", "COIN", 18, 0, 10**24, here.owner)
        here.do("feeQuoter", "applyFeeTokensUpdates", [], [here.at["coin"]])

    def dearer_when_paid():
        # One wei when nobody asks (ORIGIN is zero), a coin when somebody is to pay.
        here.put("onRamp", bytes.fromhex("3215601157670de0b6b3a76400006014565b60015b60005260206000f3"))

    def token_that(answers):
        """A token of another maker, with the errors of OpenZeppelin's."""
        rich = (2**200).to_bytes(32, "big")
        usual = {selector("balanceOf(address)"): (True, rich), selector("allowance(address,address)"): (True, rich)}
        answers = {selector(s): a for s, a in answers.items()}
        return lambda: here.put(symbol, stand_in(usual | answers))

    refuses = lambda signature, *arguments: (False, thrown(signature, *arguments))
    move, approve = "transferFrom(address,address,uint256)", "approve(address,uint256)"
    none = (True, bytes(32))
    wide_data = encode(["(bytes,bytes)"], [(word(there.at[symbol]), bytes(200))])
    lock = "lockOrBurn((bytes,uint64,address,uint256,address))"
    many = "0x" + "ab" * 30_001
    return [
        # Lane
        ("UnsupportedDestinationChain", lambda: here.do(
            "router", "applyRampUpdates", [(there.selector, ZERO)], [], []), text, REFUSED),
        ("DestinationChainNotEnabled", lambda: here.configure(there, isEnabled=False), text, REFUSED),
        ("CursedByRMN(uint64)", lambda: here.curse(there), text, REFUSED),
        ("SenderNotAllowed", lambda: here.do(
            "onRamp", "applyDestChainConfigUpdates", [(there.selector, here.at["router"], True)]), text, REFUSED),
        ("StaleGasPrice", lambda: (
            here.configure(there, gasPriceStalenessThreshold=1), here.travel(60)), text, REFUSED),
        # Size, gas, order, form
        ("MessageTooLarge", nothing, ["--data", many, "--gas-limit", "9"], REFUSED),
        ("MessageGasLimitTooHigh", nothing, ["--text", "x", "--gas-limit", "3000001"], REFUSED),
        ("InvalidExtraArgsTag", nothing, raw("0xdeadbeef"), REFUSED),
        ("ExtraArgOutOfOrderExecutionMustBeTrue", lambda: here.configure(there, enforceOutOfOrder=True),
         [*text, "--ordered"], REFUSED),
        ("InvalidEVMAddress", nothing, ["--receiver", "0x" + "00" * 19 + "01", *text], REFUSED),
        # Fees
        ("FeeTokenNotSupported", nothing, [*text, "--fee-token", symbol], REFUSED),
        ("TokenNotSupported", unpriced_fee_token, lambda: [*text, "--fee-token", here.at["coin"]], REFUSED),
        ("MessageFeeTooHigh", lambda: here.configure(there, networkFeeUSDCents=600_000), text, REFUSED),
        ("InsufficientFeeTokenAmount", dearer_when_paid, text, REFUSED),
        # Tokens
        ("CannotSendZeroTokens", nothing, ["--token", f"{symbol}=0", "--receiver", STRANGER], USAGE),
        ("UnsupportedNumberOfTokens", lambda: here.configure(there, maxNumberOfTokensPerMsg=1),
         [*one, "--token", f"{other}=1"], REFUSED),
        # Without a pool the Router would move the tokens to nobody, and the token's own words would hide why.
        ("UnsupportedToken", lambda: here.do("tokenAdminRegistry", "setPool", token, ZERO), one, REFUSED),
        ("UnsupportedToken", lambda: here.put(pool, ANSWERS_NO), one, REFUSED),
        ("ChainNotAllowed", lambda: here.do(pool, "applyChainUpdates", [there.selector], []), one, REFUSED),
        ("CallerIsNotARampOnRouter", lambda: (
            here.deploy("other router", "router", here.at["weth"], here.at["rmnProxy"]),
            here.do(pool, "setRouter", here.at["other router"])), one, REFUSED),
        ("SenderNotAllowed", lambda: other_pool(allowed=[here.owner]), one, REFUSED),
        ("CursedByRMN()", cursed_pool, one, REFUSED),
        ("SourceTokenDataTooLarge",
         lambda: here.put(pool, stand_in({selector(lock): (True, wide_data)})), one, REFUSED),
        ("TokenMaxCapacityExceeded", limit((whole // 2, 1)), one, REFUSED),
        ("TokenRateLimitReached", limit((whole // 2, 1), (9 * whole, 1)), one, REFUSED),
        ("AggregateValueMaxCapacityExceeded", by_worth((10**6, 1)), one, REFUSED),
        ("AggregateValueRateLimitReached", by_worth((10**6, 1), (10**24, 1)), one, REFUSED),
        # Tokens of other makers
        ("ERC20InsufficientBalance", token_that({"balanceOf(address)": none, "transfer(address,uint256)": refuses(
            "ERC20InsufficientBalance(address,uint256,uint256)", STRANGER, 0, 1)}), one, REFUSED),
        ("ERC20InsufficientAllowance", token_that({move: refuses(
            "ERC20InsufficientAllowance(address,uint256,uint256)", STRANGER, 0, 1)}), one, REFUSED),
        ("ERC20InvalidSender", token_that({move: refuses("ERC20InvalidSender(address)", STRANGER)}), one, REFUSED),
        ("ERC20InvalidReceiver", token_that({move: refuses("ERC20InvalidReceiver(address)", STRANGER)}), one, REFUSED),
        ("ERC20InvalidApprover", token_that({"allowance(address,address)": none, approve: refuses(
            "ERC20InvalidApprover(address)", STRANGER)}), one, REFUSED),
        ("ERC20InvalidSpender", token_that({"allowance(address,address)": none, approve: refuses(
            "ERC20InvalidSpender(address)", STRANGER)}), one, REFUSED),
        # Destinations of other families
        ("InvalidExtraArgsData", family("SVM"), ["--receiver", STRANGER, "--extra-args", "none"], REFUSED),
        ("MessageComputeUnitLimitTooHigh", family("SVM"), raw(svm(units=3_000_001)), REFUSED),
        ("InvalidTokenReceiver", family("SVM"), [*raw(svm()), "--token", f"{symbol}=1"], REFUSED),
        ("TooManySVMExtraArgsAccounts", family("SVM"), raw(svm(accounts=65)), REFUSED),
        ("InvalidSVMExtraArgsWritableBitmap", family("SVM"), raw(svm(bitmap=2, accounts=1)), REFUSED),
        ("Invalid32ByteAddress", family("APTOS"), ["--receiver", "0x" + "00" * 19 + "05", *text], REFUSED),
        ("TooManySuiExtraArgsReceiverObjectIds", newer_quoter("SUI"), raw(sui(objects=65)), REFUSED),
        ("InvalidTVMAddress", newer_quoter("TVM"), text, REFUSED),
    ]


def burning_rows(here, there, symbol):
    """On a chain whose pool burns."""
    return [
        ("SenderNotBurner", lambda: here.do(symbol, "revokeBurnRole", here.at[f"{symbol} pool"]),
         ["--token", f"{symbol}=1", "--receiver", STRANGER, "--gas-limit", "0"], REFUSED),
    ]
