"""Errors that this command's own messages cannot cause: those of applications that call the Router themselves, and of
token administrators at work. They are provoked by calls, and `causeway errors DATA` must explain what came back.

What lives here: the calls. Each row is (error, a call that must be refused with it, which gives the revert data).
"""

from errors_network import ZERO, selector, word


def application_rows(network, here, there, message):
    """Calls of an application that does it by itself, on the running network."""
    account = network.accounts[4]["address"]
    link = here.at["LINK"]

    def send(fee_token=ZERO, tokens=(), value=0, sender=account):
        extra = bytes.fromhex("181dcf10") + bytes(31) + b"\x09" + bytes(32)
        router = here.contract("router")
        call = router.data("ccipSend", there.selector, (word(account), b"x", list(tokens), fee_token, extra))
        return here.revert_data(call, router.address, sender, value)

    def everything_cursed():
        here.keep()
        here.send(selector("curse(bytes16)") + bytes.fromhex("01000000000000000000000000000001") + bytes(16),
                  here.at["rmnRemote"])
        data = send(value=10**18)
        here.take_back()
        return data

    def execute(overrides):
        ramp = there.contract("offRamp")
        return lambda: there.revert_data(
            ramp.data("manuallyExecute", [message.report()], overrides), ramp.address, account)

    return [
        ("InvalidMsgValue", lambda: send(fee_token=link, value=1)),
        ("BadARMSignal", everything_cursed),
        ("InsufficientFeeTokenAmount", lambda: send(value=1)),
        ("CannotSendZeroTokens", lambda: send(tokens=[(link, 0)], value=10**18)),
        ("ManualExecutionGasLimitMismatch", execute([])),
        ("ManualExecutionGasAmountCountMismatch", execute([[(0, [])]])),
        ("InvalidManualExecutionGasLimit", execute([[(1, [0])]])),
        ("InvalidManualExecutionTokenGasOverride", execute([[(0, [1])]])),
    ]


def refusal(act):
    """The revert data of a call of the contract tests' harness."""
    from chain import Reverted
    try:
        act()
    except Reverted as refused:
        return refused.data
    raise RuntimeError("the call was not refused")


def administrator_rows():
    """What token administrators run into, on pools, registries and tokens of a `causeway chain` of their own."""
    from chain import OWNER, Chain, artifact, mock
    from machine_node import Node as Machine
    from test_pools import CHAIN, HOLDER, OFF, OTHER_CHAIN, REMOTE_POOL, REMOTE_TOKEN, STRANGER, PoolCase
    from test_usdc import RECEIVER, VersionOne, VersionTwo

    Chain.machine_name = Machine.name
    case, older, newer = PoolCase("setUp"), VersionOne("setUp"), VersionTwo("setUp")
    for each in (case, older, newer):
        each.setUp()
    burn, lock = case.add_pool("burn_mint_token_pool"), case.add_pool("lock_release_token_pool")
    silo = case.add_pool("siloed_lock_release_token_pool")
    chain = case.chain
    registry = chain.deploy(artifact("token_admin_registry"))
    module = chain.deploy(artifact("registry_module_owner_custom"), registry.address)
    registry.send("addRegistryModule", module.address)
    roles = chain.deploy(mock("access_control"), HOLDER)
    scarce = chain.deploy(artifact("burn_mint_erc20"), "Scarce", "SCA", 18, 5, 0, HOLDER)
    scarce.send("grantMintAndBurnRoles", OWNER, sender=HOLDER)
    other = chain.deploy(artifact("burn_mint_erc20"), "Other", "OTH", 18, 0, 0, HOLDER)
    for token in (case.token, other):
        registry.send("proposeAdministrator", token.address, HOLDER)
        registry.send("acceptAdminRole", token.address, sender=HOLDER)
    lock.send("setRebalancer", HOLDER)
    silo.send("updateSiloDesignations", [], [(CHAIN, HOLDER)])
    data_1, message_1 = older.burn()

    def swapped(usdc, at, part):
        """The attested message with one thing changed."""
        return lambda: usdc.mint(data_1, usdc.changed(message_1, at, part))

    def no_domain():
        older.unknown_domain()

    def built(usdc, kind, messenger, proxy, *more):
        return lambda: usdc.chain.deploy(
            artifact(kind), messenger, proxy, usdc.token.address, [], usdc.arm.address, usdc.router.address, *more)

    mixed_1 = older.chain.deploy(artifact("cctp_token_messenger_v2"), older.here.transmitter.address)
    mixed_2 = newer.chain.deploy(artifact("cctp_token_messenger"), newer.here.transmitter.address)
    no_pool = older.chain.deploy(mock("receiver")).address
    update = lambda remote, pools=(): lambda: burn.send(
        "applyChainUpdates", [], [(remote, list(pools), REMOTE_TOKEN, OFF, OFF)])
    limit = lambda config: lambda: burn.send("setChainRateLimiterConfig", CHAIN, config, OFF)
    acts = [
        # Pools
        ("ChainAlreadyExists", update(CHAIN)),
        ("NonExistentChain", lambda: burn.send("addRemotePool", OTHER_CHAIN, b"\1")),
        ("PoolAlreadyAdded", lambda: burn.send("addRemotePool", CHAIN, REMOTE_POOL)),
        ("InvalidRemotePoolForChain", lambda: burn.send("removeRemotePool", CHAIN, b"\1")),
        ("AllowListNotEnabled", lambda: burn.send("applyAllowListUpdates", [], [HOLDER])),
        ("InvalidRateLimitRate", limit((True, 1, 2))),
        ("DisabledNonZeroRateLimit", limit((False, 1, 0))),
        ("InvalidToken", lambda: case.leave(burn, 0, token=STRANGER)),
        ("InvalidDecimalArgs", lambda: chain.deploy(
            artifact("burn_mint_token_pool"), case.token.address, 6, [], case.arm.address, case.router.address)),
        ("InvalidRemoteChainDecimals", lambda: case.arrive(burn, 1, pool_data=b"\x12")),
        ("OverflowDetected", lambda: case.arrive(burn, 2**255, pool_data=bytes(32))),
        ("InsufficientLiquidity()", lambda: lock.send("withdrawLiquidity", 10**9, sender=HOLDER)),
        ("InsufficientLiquidity(uint256,uint256)", lambda: case.arrive(silo, 10**9)),
        ("ChainNotSiloed", lambda: silo.send("updateSiloDesignations", [OTHER_CHAIN], [])),
        ("LiquidityAmountCannotBeZero", lambda: silo.send("provideLiquidity", 0)),
        # Tokens
        ("MaxSupplyExceeded", lambda: scarce.send("mint", STRANGER, 6)),
        ("SenderNotMinter", lambda: other.send("mint", STRANGER, 6, sender=STRANGER)),
        # The registry
        ("OnlyAdministrator", lambda: registry.send("setPool", case.token.address, burn.address, sender=STRANGER)),
        ("OnlyPendingAdministrator", lambda: registry.send("acceptAdminRole", case.token.address, sender=STRANGER)),
        ("OnlyRegistryModuleOrOwner", lambda: registry.send(
            "proposeAdministrator", case.token.address, HOLDER, sender=STRANGER)),
        ("AlreadyRegistered", lambda: module.send("registerAdminViaOwner", case.token.address, sender=HOLDER)),
        ("CanOnlySelfRegister", lambda: module.send("registerAdminViaOwner", scarce.address, sender=STRANGER)),
        ("RequiredRoleNotFound", lambda: module.send(
            "registerAccessControlDefaultAdmin", roles.address, sender=STRANGER)),
        ("InvalidTokenPoolToken", lambda: registry.send("setPool", other.address, burn.address, sender=HOLDER)),
        # USDC
        ("InvalidReceiver", lambda: older.burn(receiver=RECEIVER[12:])),
        ("UnknownDomain", no_domain),
        ("InvalidDomain((bytes32,bytes32,uint32,uint64,bool))", lambda: older.here.pool.send(
            "setDomains", [(bytes(32), RECEIVER, 1, CHAIN, True)])),
        ("InvalidSourceDomain", swapped(older, 4, b"\0\0\0\7")),
        ("InvalidDestinationDomain", swapped(older, 8, b"\0\0\0\7")),
        ("InvalidTransmitterInProxy", built(
            older, "usdc_token_pool", older.here.messenger.address, older.there.proxy.address, ZERO)),
        ("InvalidPreviousPool", built(
            older, "usdc_token_pool", older.here.messenger.address, older.here.proxy.address, no_pool)),
        ("InvalidTokenMessengerVersion(uint32)", built(
            older, "usdc_token_pool", mixed_1.address, older.here.proxy.address, ZERO)),
        ("InvalidTokenMessengerVersion(uint32,uint32)", built(
            newer, "usdc_token_pool_cctp_v2", mixed_2.address, newer.here.proxy.address)),
    ]
    return [(error, lambda act=act: refusal(act)) for error, act in acts]
