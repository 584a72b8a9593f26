// The table of known chains. Selectors come from the public registry and cannot be derived.

import Ethereum

extension ChainRegistry {
    /// The four chains of the local network come first, under the names that its commands use.
    package static let known: [KnownChain] = [
        KnownChain(
            name: "ethereum", registryName: "ethereum-testnet-sepolia", chainID: 11_155_111,
            selector: 16_015_286_601_757_825_753, aliases: ["sepolia"]),
        KnownChain(
            name: "jovay", registryName: "jovay-testnet", chainID: 2_019_775, selector: 945_045_181_441_419_236),
        KnownChain(
            name: "pharos", registryName: "pharos-atlantic-testnet", chainID: 688_689,
            selector: 16_098_325_658_947_243_212),
        KnownChain(
            name: "base", registryName: "ethereum-testnet-sepolia-base-1", chainID: 84_532,
            selector: 10_344_971_235_874_465_080, aliases: ["base-sepolia"]),
        KnownChain(
            name: "ethereum-mainnet", registryName: "ethereum-mainnet", chainID: 1,
            selector: 5_009_297_550_715_157_269, isTestNetwork: false),
        KnownChain(
            name: "jovay-mainnet", registryName: "jovay-mainnet", chainID: 5_734_951,
            selector: 1_523_760_397_290_643_893, isTestNetwork: false),
        KnownChain(
            name: "pharos-mainnet", registryName: "pharos-mainnet", chainID: 1_672,
            selector: 7_801_139_999_541_420_232, isTestNetwork: false),
        KnownChain(
            name: "base-mainnet", registryName: "ethereum-mainnet-base-1", chainID: 8_453,
            selector: 15_971_525_489_660_198_786, isTestNetwork: false),
        KnownChain(
            name: "polygon-mainnet", registryName: "polygon-mainnet", chainID: 137,
            selector: 4_051_577_828_743_386_545, isTestNetwork: false),
        KnownChain(
            name: "polygon-amoy", registryName: "polygon-testnet-amoy", chainID: 80_002,
            selector: 16_281_711_391_670_634_445),
        KnownChain(
            name: "pharos-old", registryName: "pharos-testnet", chainID: 688_688, selector: 4_012_524_741_200_567_430),
        KnownChain(
            name: "geth", registryName: "geth-testnet", chainID: 1_337, selector: 3_379_446_385_462_418_246),
        KnownChain(
            name: "geth-2", registryName: "geth-devnet-2", chainID: 2_337, selector: 12_922_642_891_491_394_802),
        KnownChain(
            name: "geth-3", registryName: "geth-devnet-3", chainID: 3_337, selector: 4_793_464_827_907_405_086),
        KnownChain(
            name: "anvil", registryName: "anvil-devnet", chainID: 31_337, selector: 7_759_470_850_252_068_959),
        KnownChain(name: "local-1000", registryName: "local-1000", chainID: 1_000, selector: 11_787_463_284_727_550_157),
        KnownChain(name: "local-1338", registryName: "local-1338", chainID: 1_338, selector: 2_181_150_070_347_029_680),
    ]
}
