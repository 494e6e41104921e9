/** Completions for bash, zsh and fish, made from the flags. The build writes them to dist/completions/. */
import { FLAGS, type Flag } from "../src/cli/flags.js";
import { letterOf } from "../src/cli/short-flags.js";
import { SECTIONS } from "../src/contract/record.js";
import { TABLE_SORTS, TABLE_VIEWS } from "../src/contract/table-options.js";
import { FALLBACK_IDS } from "../src/shims/registry.js";

const NAME = "allsmi-ssh";

/** What may stand after a flag. */
type Values =
  | { readonly kind: "none" | "any" | "file" | "hosts" }
  | { readonly kind: "one" | "list"; readonly names: readonly string[] };

/** Nothing is completed after them. */
const ENDS_THE_LINE: ReadonlySet<string> = new Set(["help", "version"]);
/** Fixed values, by flag; a test has the program take each. */
export const CHOICES: Readonly<Record<string, readonly string[]>> = {
  format: ["ndjson", "csv", "table", "prometheus", "otlp-json", "all-smi-record"],
  rows: ["record", "device"],
  color: ["auto", "always", "never"],
  "ssh-client": ["auto", "ssh2", "openssh"],
  "ssh-strict-host-key": ["yes", "accept-new", "no"],
  "hold-driver": ["auto", "never"],
  view: TABLE_VIEWS,
  sort: TABLE_SORTS,
};
export const LISTS: Readonly<Record<string, readonly string[]>> = {
  include: SECTIONS,
  "ssh-fallback": [...FALLBACK_IDS, "none"],
};

/** `-n` and `--interval`, as typed. */
function spellings({ name }: Flag): readonly string[] {
  const letter = letterOf(name);
  return letter === undefined ? [`--${name}`] : [`-${letter}`, `--${name}`];
}

function valuesOf({ name, takes }: Flag): Values {
  if (takes.kind === "switch") return { kind: "none" };
  const [one, list] = [CHOICES[name], LISTS[name]];
  if (one !== undefined) return { kind: "one", names: one };
  if (list !== undefined) return { kind: "list", names: list };
  if (takes.placeholder === "FILE") return { kind: "file" };
  return { kind: takes.placeholder === "TARGETS" ? "hosts" : "any" };
}

/** The files by name, as each shell expects them. */
export function completionFiles(): ReadonlyMap<string, string> {
  return new Map([
    [`${NAME}.bash`, bash()],
    [`_${NAME}`, zsh()],
    [`${NAME}.fish`, fish()],
  ]);
}

function bash(): string {
  const cases = FLAGS.flatMap((flag): string[] => {
    const values = valuesOf(flag);
    if (values.kind === "none") return [];
    const typed = spellings(flag).join(" | ");
    const action = {
      any: "return",
      file: "_allsmi_ssh_files; return",
      hosts: '_allsmi_ssh_list "$(_allsmi_ssh_hosts)"; return',
      one: "",
      list: "",
    }[values.kind];
    if (values.kind !== "one" && values.kind !== "list") return [`    ${typed}) ${action} ;;`];
    return [`    ${typed}) _allsmi_ssh_list "${values.names.join(" ")}"; return ;;`];
  });
  const flags = FLAGS.flatMap(spellings).join(" ");
  return `# bash completion for ${NAME}, made from its flags. To be sourced.

# The names of Host lines, in files of Include too.
_allsmi_ssh_hosts() {
  local pattern file
  local -a files=(~/.ssh/config /etc/ssh/ssh_config)
  while read -r pattern; do
    case $pattern in
      '~/'*) pattern=$HOME/\${pattern#'~/'} ;;
      /*) ;;
      *) pattern=$HOME/.ssh/$pattern ;;
    esac
    for file in $pattern; do files+=("$file"); done
  done < <(awk 'tolower($1) == "include" { for (i = 2; i <= NF; i++) print $i }' ~/.ssh/config 2> /dev/null)
  for file in "\${files[@]}"; do
    [ -r "$file" ] && awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) if ($i !~ /[*?!]/) print $i }' "$file"
  done
}

# Completes what is behind the last comma.
_allsmi_ssh_list() {
  local before=""
  case $cur in *,*) before=\${cur%,*}, ;; esac
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "\${cur##*,}"))
}

_allsmi_ssh_files() {
  local IFS=$'\\n'
  compopt -o filenames 2> /dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}

_allsmi_ssh() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # bash cuts --flag=value at the =.
  if [ "$cur" = "=" ]; then cur=""
  elif [ "$prev" = "=" ]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  case $prev in
${cases.join("\n")}
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "${flags}" -- "$cur")) ;;
    *) _allsmi_ssh_list "$(_allsmi_ssh_hosts)" ;;
  esac
}

complete -F _allsmi_ssh ${NAME}
`;
}

function zsh(): string {
  const specs = FLAGS.flatMap((flag): readonly string[] => {
    const about = flag.about.replaceAll("'", "’").replaceAll(/[[\]:\\]/g, "\\$&");
    const values = valuesOf(flag);
    if (flag.takes.kind === "switch") {
      const times = ENDS_THE_LINE.has(flag.name) ? "(- *)" : "*";
      return spellings(flag).map((typed) => `'${times}${typed}[${about}]'`);
    }
    const { placeholder } = flag.takes;
    const action = {
      none: "",
      any: " ",
      file: "_files",
      hosts: "_allsmi_ssh_targets",
      one: values.kind === "one" ? `(${values.names.join(" ")})` : "",
      list: values.kind === "list" ? `_values -s , ${placeholder} ${values.names.join(" ")}` : "",
    }[values.kind];
    const value = `[${about}]:${placeholder.replaceAll(":", "\\:")}:${action}`;
    // A letter's value may be joined to it as it is, a name's by an =.
    return spellings(flag).map((typed) => `'*${typed}${typed.startsWith("--") ? "=" : "+"}${value}'`);
  });
  return `#compdef ${NAME}
# zsh completion for ${NAME}, made from its flags. To be put into a folder of $fpath.

# zsh's own list has the Host entries of ssh_config, with Include.
_allsmi_ssh_targets() {
  compset -P '*[,@]'
  _ssh_hosts
}

_allsmi_ssh() {
  _arguments -s \\
    ${[...specs, "'*:host:_allsmi_ssh_targets'"].join(" \\\n    ")}
}

_allsmi_ssh "$@"
`;
}

function fish(): string {
  const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  const lines = FLAGS.map((flag) => {
    const values = valuesOf(flag);
    const letter = letterOf(flag.name);
    const short = letter === undefined ? "" : ` -s ${letter}`;
    const takes = {
      none: "",
      any: " -x",
      file: " -r -F",
      hosts: " -x -a '(__fish_complete_list , __fish_print_hostnames)'",
      one: values.kind === "one" ? ` -x -a ${quoted(values.names.join(" "))}` : "",
      list:
        values.kind === "list"
          ? ` -x -a ${quoted(`(__fish_complete_list , 'string split " " "${values.names.join(" ")}"')`)}`
          : "",
    }[values.kind];
    return `complete -c ${NAME} -l ${flag.name}${short}${takes} -d ${quoted(flag.about)}`;
  });
  return `# fish completion for ${NAME}, made from its flags. To be put into a completions folder of fish.
complete -c ${NAME} -f -a '(__fish_print_hostnames)'
${lines.join("\n")}
`;
}
