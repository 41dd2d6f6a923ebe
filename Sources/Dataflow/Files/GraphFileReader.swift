internal import JSON5

/// Reads the form of a graph file: names, places and types of what stands in it, and nothing of what it means.
struct GraphFileReader {
    let faults: FaultList

    func file(_ value: JSON5Value) -> GraphFile {
        let object = ObjectReader(value, path: "", faults: faults)
        if !object.has("version") { faults.add("version", "is missing", object.position) }
        if let version = object.integer("version", in: 1...1_000_000), version != GraphFile.version {
            faults.add("version", "is \(version); \(GraphFile.version) is read here", object.position)
        }
        // The schema's own address may stand in a file, for editors.
        _ = object.text("$schema")
        let name = object.text("name")?.text ?? ""
        let nodes = nodes(object)
        let edges = edges(object, allowsExternal: true)
        let outputs = outputs(object)
        let inputs = object.texts("inputs").filter { isName($0.text, $0.path, $0.position) }.map(\.text)
        let clusters = unique(
            list(object, "clusters", GraphLimits.clustersMax).map { cluster($0.value, $0.path) },
            { $0.reference.description }, { ($0.path, $0.position) })
        let stateless = object.boolean("stateless_triggers", false)
        object.finish()
        let declared = Set(inputs)
        for edge in edges {
            if case .external(let name) = edge.from, !declared.contains(name) {
                faults.add("\(edge.path).from", "names no input of this graph", edge.position)
            }
        }
        return GraphFile(
            name: name, nodes: nodes, edges: edges, outputs: outputs, externalInputs: inputs,
            clusters: clusters, asksForStatelessTriggers: stateless)
    }

    /// The elements of a list that is no longer than it may be.
    private func list(_ object: ObjectReader, _ key: String, _ max: Int) -> [(
        path: String, value: JSON5Value
    )] {
        let elements = object.list(key)
        guard elements.count <= max else {
            faults.add(
                object.join(key), "has \(elements.count) elements; \(max) are the most", object.position)
            return []
        }
        return elements
    }

    private func isName(_ text: String, _ path: String, _ position: TextPosition?) -> Bool {
        if GraphLimits.isName(text) { return true }
        faults.add(
            path,
            "“\(text.prefix(80))” cannot be a name: letters, digits, “_” and “-”, at most \(GraphLimits.nameMax)",
            position)
        return false
    }

    private func name(_ object: ObjectReader, _ key: String) -> String {
        guard let (text, position) = object.text(key) else {
            if !object.has(key) { faults.add(object.join(key), "is missing", object.position) }
            return ""
        }
        return isName(text, object.join(key), position) ? text : ""
    }

    private func version(_ object: ObjectReader, fallback: String) -> String {
        guard let (text, position) = object.text("version") else { return fallback }
        if !GraphLimits.isVersion(text) {
            faults.add(object.join("version"), "“\(text.prefix(80))” cannot be a version", position)
        }
        return text
    }

    private func unique<Element>(
        _ elements: [Element], _ key: (Element) -> String, _ place: (Element) -> (String, TextPosition?)
    ) -> [Element] {
        var seen: Set<String> = []
        for element in elements {
            let name = key(element)
            guard !name.isEmpty, !seen.insert(name).inserted else { continue }
            let (path, position) = place(element)
            faults.add(path, "“\(name)” stands here twice", position)
        }
        return elements
    }

    private func nodes(_ object: ObjectReader) -> [FileNode] {
        if !object.has("nodes") { faults.add(object.join("nodes"), "is missing", object.position) }
        return unique(
            list(object, "nodes", GraphLimits.nodesMax).map { node($0.value, $0.path) }, { $0.id },
            { ($0.path, $0.position) })
    }

    private func node(_ value: JSON5Value, _ path: String) -> FileNode {
        let object = ObjectReader(value, path: path, faults: faults)
        let id = name(object, "id")
        let isCluster = object.has("cluster")
        if isCluster, object.has("primitive") {
            faults.add(path, "names a primitive and a cluster", value.position)
        }
        let target = name(object, isCluster ? "cluster" : "primitive")
        _ = object.value("primitive")
        let reference = PrimitiveReference(id: target, version: version(object, fallback: "0.1.0"))
        let parameters = parameters(object)
        object.finish()
        return FileNode(
            id: id, isCluster: isCluster, reference: reference, parameters: parameters, path: path,
            position: value.position)
    }

    private func parameters(_ object: ObjectReader) -> [(name: String, value: FileParameter)] {
        guard let value = object.value("parameters") else { return [] }
        let path = object.join("parameters")
        guard case .object(let members) = value.content, members.count <= GraphLimits.parametersMax else {
            faults.add(
                path, "must be an object of at most \(GraphLimits.parametersMax) members", value.position)
            return []
        }
        var seen: Set<String> = []
        var parameters: [(name: String, value: FileParameter)] = []
        for member in members {
            let inner = "\(path).\(member.key.prefix(80))"
            guard isName(member.key, inner, member.position) else { continue }
            if !seen.insert(member.key).inserted {
                faults.add(inner, "stands here twice", member.position)
                continue
            }
            if case .object = member.value.content {
                let exposed = ObjectReader(member.value, path: inner, faults: faults)
                parameters.append((member.key, .exposed(name(exposed, "parameter"))))
                exposed.finish()
            } else if let given = parameterValue(member.value, inner) {
                parameters.append((member.key, .value(given)))
            }
        }
        return parameters
    }

    private func parameterValue(_ value: JSON5Value, _ path: String) -> ParameterValue? {
        switch value.content {
        case .integer(let number): return .int(Int64(number))
        case .number(let number) where number.isFinite: return .number(number)
        case .boolean(let flag): return .bool(flag)
        case .string(let text) where text.utf8.count <= GraphLimits.textMax: return .text(text)
        case .string:
            faults.add(path, "is longer than \(GraphLimits.textMax) bytes", value.position)
        default:
            faults.add(
                path, "must be a number, true or false, or text, not \(value.kindName)", value.position)
        }
        return nil
    }

    /// Reads a port as `node.port`.
    private func port(_ text: String, _ path: String, _ position: TextPosition?) -> NodePort? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(GraphLimits.isName) else {
            faults.add(
                path, "“\(text.prefix(160))” is no port: write the node's id, a point and the port's name",
                position)
            return nil
        }
        return NodePort(parts[0], parts[1])
    }

    private func requiredText(_ object: ObjectReader, _ key: String) -> (
        text: String, position: TextPosition
    )? {
        if !object.has(key) { faults.add(object.join(key), "is missing", object.position) }
        return object.text(key)
    }

    private func edges(_ object: ObjectReader, allowsExternal: Bool) -> [FileEdge] {
        var seen: Set<String> = []
        return list(object, "edges", GraphLimits.edgesMax).compactMap { path, value in
            let inner = ObjectReader(value, path: path, faults: faults)
            defer { inner.finish() }
            let (from, to) = (requiredText(inner, "from"), requiredText(inner, "to"))
            guard let from, let to, let target = port(to.text, inner.join("to"), to.position) else {
                return nil
            }
            if !seen.insert("\(from.text) \(to.text)").inserted {
                faults.add(path, "this edge stands here twice", value.position)
            }
            if allowsExternal, from.text.hasPrefix("@") {
                let name = String(from.text.dropFirst())
                guard isName(name, inner.join("from"), from.position) else { return nil }
                return FileEdge(from: .external(name), to: target, path: path, position: value.position)
            }
            guard let origin = port(from.text, inner.join("from"), from.position) else { return nil }
            return FileEdge(from: .port(origin), to: target, path: path, position: value.position)
        }
    }

    private func outputs(_ object: ObjectReader) -> [FileOutput] {
        let outputs = list(object, "outputs", GraphLimits.outputsMax).compactMap {
            path, value -> FileOutput? in
            let inner = ObjectReader(value, path: path, faults: faults)
            defer { inner.finish() }
            let name = name(inner, "name")
            guard let from = requiredText(inner, "from"),
                let port = port(from.text, inner.join("from"), from.position)
            else { return nil }
            return FileOutput(name: name, from: port, path: path, position: value.position)
        }
        return object.path.isEmpty ? unique(outputs, { $0.name }, { ($0.path, $0.position) }) : outputs
    }

    private func cluster(_ value: JSON5Value, _ path: String) -> FileCluster {
        let object = ObjectReader(value, path: path, faults: faults)
        let reference = PrimitiveReference(
            id: name(object, "id"), version: version(object, fallback: "0.1.0"))
        let nodes = nodes(object)
        let edges = edges(object, allowsExternal: false)
        let inputs = list(object, "inputs", GraphLimits.portsMax).map { path, value in
            let inner = ObjectReader(value, path: path, faults: faults)
            let targets = inner.texts("to").compactMap { port($0.text, $0.path, $0.position) }
            let input = FileInput(
                name: name(inner, "name"), type: inner.choice("type", .number), to: targets, path: path,
                position: value.position)
            inner.finish()
            return input
        }
        let outputs = outputs(object)
        let parameters = list(object, "parameters", GraphLimits.parametersMax).map { path, value in
            let inner = ObjectReader(value, path: path, faults: faults)
            let fallback = inner.value("default").flatMap { parameterValue($0, inner.join("default")) }
            let parameter = Parameter(name(inner, "name"), inner.choice("type", .number), default: fallback)
            inner.finish()
            return parameter
        }
        let signature = object.has("signature") ? object.choice("signature", BoundaryKind.computeLike) : nil
        object.finish()
        return FileCluster(
            reference: reference, nodes: nodes, edges: edges, inputs: inputs, outputs: outputs,
            parameters: parameters, signature: signature, path: path, position: value.position)
    }
}
