# pragma version 0.4.3
# RegistryModuleOwnerCustom 1.6.0: lets whoever a token itself names propose themselves as its administrator
# (spec section 18). No state but the registry it speaks to.

from modules import refusal

interface Registry:
    def proposeAdministrator(localToken: address, administrator: address): nonpayable

interface Token:
    def getCCIPAdmin() -> address: view
    def owner() -> address: view
    def DEFAULT_ADMIN_ROLE() -> bytes32: view
    def hasRole(role: bytes32, account: address) -> bool: view

event AdministratorRegistered:
    token: indexed(address)
    administrator: indexed(address)

REGISTRY: immutable(address)


@deploy
def __init__(tokenAdminRegistry: address):
    if tokenAdminRegistry == empty(address):
        raw_revert(method_id("AddressZero()", output_type=Bytes[4]))
    REGISTRY = tokenAdminRegistry


@internal
def _register(token: address, admin: address):
    if admin != msg.sender:
        refusal._two(
            convert(method_id("CanOnlySelfRegister(address,address)", output_type=bytes4), uint32),
            convert(admin, uint256),
            convert(token, uint256),
        )
    extcall Registry(REGISTRY).proposeAdministrator(token, admin)
    log AdministratorRegistered(token=token, administrator=admin)


@external
@view
def typeAndVersion() -> String[32]:
    return "RegistryModuleOwnerCustom 1.6.0"


@external
def registerAdminViaGetCCIPAdmin(token: address):
    """For the account that the token names by getCCIPAdmin."""
    self._register(token, staticcall Token(token).getCCIPAdmin())


@external
def registerAdminViaOwner(token: address):
    """For the token's owner."""
    self._register(token, staticcall Token(token).owner())


@external
def registerAccessControlDefaultAdmin(token: address):
    """For an account that holds the token's DEFAULT_ADMIN_ROLE."""
    role: bytes32 = staticcall Token(token).DEFAULT_ADMIN_ROLE()
    if not staticcall Token(token).hasRole(role, msg.sender):
        refusal._three(
            convert(method_id("RequiredRoleNotFound(address,bytes32,address)", output_type=bytes4), uint32),
            convert(msg.sender, uint256),
            convert(role, uint256),
            convert(token, uint256),
        )
    self._register(token, msg.sender)
