// Where the project's own files lie: chains/profiles and chains/artifacts, and the executable itself.

import Ethereum
import Glibc

package enum ProjectFiles {
    /// The environment variable that names the chains folder.
    package static let variable = "CAUSEWAY_CHAINS_DIR"

    /// The folder `chains`: what CAUSEWAY_CHAINS_DIR names, else the nearest one above the working directory, else above
    /// the executable. Throws `chainsFolderMissing`.
    package static func chains() throws(LocalnetError) -> String {
        if let named = Files.environment(variable) {
            guard isChains(named) else {
                throw LocalnetError(
                    .chainsFolderMissing, "\(variable) is '\(named)', which holds no folder 'profiles'",
                    hint: "set it to the folder 'chains' of a Causeway checkout")
            }
            return Files.absolute(named)
        }
        for start in [Files.currentDirectory, executable.map(parent) ?? "/"] {
            if let found = search(upwardFrom: start) { return found }
        }
        throw LocalnetError(
            .chainsFolderMissing, "no folder 'chains' at or above the working directory or the executable",
            hint: "run in a Causeway checkout, or set \(variable)")
    }

    package static func artifacts() throws(LocalnetError) -> ContractArtifacts {
        try ContractArtifacts(directory: try chains() + "/artifacts")
    }

    /// The YAML text of a profile by name and the path it came from. Throws `chainsFolderMissing` or `fileFailed`.
    package static func profile(_ name: String) throws(LocalnetError) -> (text: String, path: String) {
        let isPath = name.contains("/") || name.hasSuffix(".yaml")
        let path = isPath ? name : try chains() + "/profiles/\(name).yaml"
        guard let bytes = Files.read(path, maximum: Limits.stateBytesMaximum) else {
            let known = isPath ? [] : profileNames()
            throw LocalnetError(
                .fileFailed, "no readable chain profile \(path)",
                hint: known.isEmpty ? nil : "known profiles: \(known.joined(separator: ", "))")
        }
        return (String(decoding: bytes, as: UTF8.self), path)
    }

    /// The code of a contract of ours as it stands on a chain; nil when there is no artifact of that name.
    package static func deployedCode(_ name: String) -> Bytes? {
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }),
            let chains = try? chains(),
            let bytes = Files.read("\(chains)/artifacts/\(name).json", maximum: Limits.artifactBytesMaximum),
            let text = (try? JSON.parse(bytes))?["deployedBytecode"]?.asString
        else { return nil }
        return try? Hex.decode(text)
    }

    /// Names of all profiles, sorted.
    package static func profileNames() -> [String] {
        guard let chains = try? chains() else { return [] }
        return Files.names(in: chains + "/profiles").filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
    }

    /// The path of the running executable; nil where the system does not tell.
    package static let executable: String? = {
        var buffer = Bytes(repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { raw in
            raw.baseAddress.map { readlink("/proc/self/exe", $0.assumingMemoryBound(to: CChar.self), raw.count) } ?? -1
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }()

    private static func isChains(_ path: String) -> Bool { Files.isDirectory(path + "/profiles") }

    private static func search(upwardFrom start: String) -> String? {
        var folder = start
        // A path has at most PATH_MAX / 2 parts; each turn takes one away.
        while true {
            let candidate = (folder == "/" ? "" : folder) + "/chains"
            if isChains(candidate) { return candidate }
            if folder == "/" || folder.isEmpty { return nil }
            folder = parent(folder)
        }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
