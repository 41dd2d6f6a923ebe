/// Completion scripts for shells, made from the tree of commands.
public enum Completion {
    public static let shells = ["bash", "zsh", "fish"]

    /// The script for one of ``shells``; nil for another.
    public static func script(for shell: String, program: Command) -> String? {
        switch shell {
        case "bash": bash(program)
        case "zsh": "#compdef \(program.name)\nautoload -U +X bashcompinit && bashcompinit\n" + bash(program)
        case "fish": fish(program)
        default: nil
        }
    }

    /// Every command with the path that leads to it, the program first.
    private static func all(_ command: Command, path: [String] = []) -> [(path: [String], command: Command)] {
        [(path, command)] + command.subcommands.flatMap { all($0, path: path + [$0.name]) }
    }

    private static func words(_ command: Command, program: Command) -> [String] {
        command.subcommands.map(\.name) + (command.flags + program.flags).map { "--\($0.name)" } + ["--help"]
    }

    private static func bash(_ program: Command) -> String {
        let function = "_" + program.name.replacingDashes()
        var script = """
            \(function)() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path="" word words=""
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case "$path $word" in

            """
        let groups = all(program).dropFirst()
        for (path, _) in groups {
            let parent = path.dropLast().map { " \($0)" }.joined()
            script +=
                "            \"\(parent) \(path[path.count - 1])\") path=\"\(parent) \(path[path.count - 1])\" ;;\n"
        }
        script += "        esac\n    done\n    case \"$path $previous\" in\n"
        for (path, command) in all(program) {
            let prefix = path.map { " \($0)" }.joined()
            for flag in command.flags {
                guard case .choice(let choices) = flag.value else { continue }
                let names = ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? [])
                for name in names {
                    script +=
                        "        \"\(prefix) \(name)\") words=\"\(choices.joined(separator: " "))\" ;;\n"
                }
            }
        }
        script += "    esac\n    if [ -z \"$words\" ]; then case \"$path\" in\n"
        for (path, command) in all(program) {
            let prefix = path.map { " \($0)" }.joined()
            script +=
                "        \"\(prefix)\") words=\"\(words(command, program: program).joined(separator: " "))\" ;;\n"
        }
        return script + """
                esac; fi
                COMPREPLY=($(compgen -W "$words" -- "$current"))
                [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
            }
            complete -F \(function) \(program.name)

            """
    }

    private static func fish(_ program: Command) -> String {
        var script = ""
        for (path, command) in all(program) {
            let seen = path.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            let condition = path.isEmpty ? "" : " -n '\(seen)'"
            let names = command.subcommands.map(\.name).joined(separator: " ")
            for sub in command.subcommands {
                let unseen = "not __fish_seen_subcommand_from \(names)"
                let both = seen.isEmpty ? unseen : "\(seen); and \(unseen)"
                script +=
                    "complete -c \(program.name) -f -n '\(both)' -a \(sub.name) -d '\(sub.summary.quoted())'\n"
            }
            for flag in command.flags {
                let short = flag.short.map { " -s \($0)" } ?? ""
                var value = flag.value == .toggle ? "" : " -r"
                if case .choice(let choices) = flag.value {
                    value = " -x -a '\(choices.joined(separator: " "))'"
                }
                script +=
                    "complete -c \(program.name)\(condition)\(short) -l \(flag.name)\(value) -d '\(flag.summary.quoted())'\n"
            }
        }
        return script
    }
}

extension String {
    fileprivate func replacingDashes() -> String { String(map { $0 == "-" ? "_" : $0 }) }

    /// Safe between single quotes of fish.
    fileprivate func quoted() -> String {
        map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
}
