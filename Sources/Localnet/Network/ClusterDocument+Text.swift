// The one writer of cluster.yaml.

import Ethereum

extension ClusterDocument {
    package var text: String {
        var text = """
            # \(comment)
            version: 1
            name: \(name)
            faulty: \(faulty)
            chains:

            """
        for chain in chains { text += chain.text }
        text += "lanes:\n"
        for lane in lanes { text += "  - {from: \(lane.from), to: \(lane.to)}\n" }
        text += "timing:\n"
        for (key, value) in timing { text += "  \(key): \(value)\n" }
        if let tokenData { text += tokenData.text }
        if let priceStreams { text += priceStreams.text }
        text += "relayers:\n"
        for relayer in relayers { text += relayer.text }
        if let guardTimeoutMilliseconds { text += "guardTimeoutMilliseconds: \(guardTimeoutMilliseconds)\n" }
        if !guards.isEmpty {
            text += "guards:\n"
            for node in guards {
                text += "  - {name: \(node.name), signer: \"\(node.signer.checksummed)\", "
                text += "curvePublicKey: \(ClusterFiles.quoted(node.curvePublicKey)), mesh: \"\(node.mesh)\"}\n"
            }
        }
        return text
    }
}

extension ClusterDocument.TokenData {
    fileprivate var text: String {
        var text = "tokenData:\n  attestationAPI: \"\(api)\"\n  intervalMilliseconds: \(intervalMilliseconds)\n"
        text += "  retryMilliseconds: \(retryMilliseconds)\n  tokens:\n"
        for pool in pools {
            text += "    - {chain: \(pool.chain), pool: \"\(pool.pool.checksummed)\""
            if let transmitter = pool.messageTransmitter { text += ", messageTransmitter: \"\(transmitter.checksummed)\"" }
            text += "}\n"
        }
        return text
    }
}

extension ClusterDocument.Streams {
    fileprivate var text: String {
        let list = signers.map { "\"\($0.checksummed)\"" }.joined(separator: ", ")
        return "priceStreams:\n  configurations:\n"
            + "    - {digest: \"\(digest)\", don: \(donID), faulty: \(faulty), signers: [\(list)]}\n"
    }
}

extension ClusterDocument.TokenPrice.Source {
    fileprivate var text: String {
        switch self {
        case .usd(let usd): "usd: \"\(usd)\""
        case .stream(let feed, let decimals): "stream: \"\(feed)\", decimals: \(decimals)"
        }
    }
}

extension ClusterDocument.Chain {
    fileprivate var text: String {
        var text = """
              - name: \(name)
                chainId: \(chainID)
                selector: "\(selector)"
                faulty: \(faulty)
                startBlock: \(startBlock)

            """
        text += "    finality: \(finality.text)\n"
        if let access = access.text { text += "    access: \(access)\n" }
        if let fees = fees.text { text += "    fees: \(fees)\n" }
        text += "    contracts:\n"
        for (key, address) in [
            ("router", router), ("onRamp", onRamp), ("offRamp", offRamp), ("feeQuoter", feeQuoter),
            ("nonceManager", nonceManager), ("rmnRemote", rmnRemote), ("rmnProxy", rmnProxy),
            ("tokenAdminRegistry", tokenAdminRegistry),
        ] { text += "      \(key): \"\(address.checksummed)\"\n" }
        text += "    wrappedNative: \"\(wrappedNative.checksummed)\"\n"
        if let nativePrice { text += "    nativePrice: {stream: \"\(nativePrice)\"}\n" }
        if !tokenPrices.isEmpty {
            text += "    tokenPrices:\n"
            for price in tokenPrices {
                text += "      - {token: \"\(price.token.checksummed)\", \(price.source.text)"
                if let deviation = price.deviationPPB { text += ", deviationPPB: \(deviation)" }
                text += "}\n"
            }
        }
        if !reportsGasPrices { text += "    prices: {gas: off, tokens: off}\n" }
        if let gasPrice { text += "    gasPrice: \"\(gasPrice)\"\n" }
        text += """
                maxFeePerGas: "\(maxFeePerGas)"
                feeBumpBlocks: \(feeBumpBlocks)
                digests:
                  commit: "\(commitDigest)"
                  execute: "\(executeDigest)"

            """
        text += "    batchGasLimit: \(batchGasLimit)\n    transactionGasMaximum: \(transactionGasMaximum)\n"
        if !tokens.isEmpty {
            text += "    tokens:\n"
            for token in tokens {
                text += "      - {symbol: \(ClusterFiles.quoted(token.symbol)), address: \"\(token.address.checksummed)\", "
                text += "pool: \"\(token.pool.checksummed)\", decimals: \(token.decimals)}\n"
            }
        }
        return text
    }
}

extension AdoptionFile.Access {
    /// Nil when nothing is set.
    fileprivate var text: String? {
        var parts: [String] = []
        if let logBlocksMaximum { parts.append("logBlocksMaximum: \(logBlocksMaximum)") }
        if let requestTimeoutMilliseconds { parts.append("requestTimeoutMilliseconds: \(requestTimeoutMilliseconds)") }
        if let batch { parts.append("batch: \(batch)") }
        return parts.isEmpty ? nil : "{\(parts.joined(separator: ", "))}"
    }
}

extension AdoptionFile.Fees {
    /// Nil when nothing is set.
    fileprivate var text: String? {
        var parts: [String] = []
        if let kind { parts.append("kind: \(kind)") }
        if let gasPriceWei { parts.append("gasPriceWei: \"\(gasPriceWei)\"") }
        return parts.isEmpty ? nil : "{\(parts.joined(separator: ", "))}"
    }
}

extension ClusterDocument.Relayer {
    fileprivate var text: String {
        var text = """
              - name: \(name)
                offchainPublicKey: "\(Hex.encode(offchainPublicKey))"
                reportSigner: "\(reportSigner.checksummed)"
                committing:
                  curvePublicKey: \(ClusterFiles.quoted(committing.curvePublicKey))
                  mesh: "\(committing.mesh)"
                executing:
                  curvePublicKey: \(ClusterFiles.quoted(executing.curvePublicKey))
                  mesh: "\(executing.mesh)"
                transmitters:

            """
        for pair in transmitters {
            guard pair.commits || pair.executes else { continue }
            text += "      \(pair.chain):\n"
            if pair.commits { text += "        committing: \"\(pair.committing.checksummed)\"\n" }
            if pair.executes { text += "        executing: \"\(pair.executing.checksummed)\"\n" }
        }
        return text
    }
}
