# The shell collects what it prints itself, and writes it when a program is about to run or the frame ends. Each write would
# be a packet of its own, which both sides pay for.
# short: new_line=n pending_output=W add_output=w flush_output=f add_marker=m mark_end=y
# short: has_mapfile=M add_lines=l file_lines=ha lines_left=hi file_line=hl
# Numbers and constants of ours stay unquoted, names come from other files.
# shellcheck disable=SC2034,SC2086,SC2154,SC2295

# fragment: output
# The newline is the last of the three characters of IFS (zsh has one more behind it).
new_line=${IFS#??}
new_line=${new_line%${new_line#?}}
pending_output=

# add_output TEXT
add_output() {
  pending_output="$pending_output$1"
}

flush_output() {
  printf %s "$pending_output"
  pending_output=
}

# add_marker TEXT... adds a marked line. It begins with a newline, so that output without a final newline cannot hide it.
add_marker() {
  add_output "$new_line@$session_nonce $*$new_line"
}

# mark_end MARKER PART STATUS marks that a part ended. Where the guard ended it, the guard's status counts.
mark_end() {
  add_marker $1 $2 ${guard_status:-$3}
  guard_status=
}

# add_lines COUNT FILE LAST adds a file's first lines: COUNT of them, or as far as the one that begins with LAST. bash has
# mapfile, which takes COUNT lines in one piece, whatever LAST is; its `read` would have the kernel make a file of /proc
# again for each line.
# That definition stands in `eval` because other shells cannot parse it.
has_mapfile=
if [ -n "$BASH_VERSION" ] && command -v mapfile >/dev/null; then
  has_mapfile=1
  eval "add_lines() { local IFS=; mapfile -n \$1 file_lines <\$2; add_output \"\${file_lines[*]}\"; unset file_lines; }"
else
  add_lines() {
    lines_left=$1
    while [ $lines_left -gt 0 ] && read -r file_line; do
      add_output "$file_line$new_line"
      case "$file_line" in
        "$3"*) break;;
      esac
      lines_left=$((lines_left-1))
    done <$2
  }
fi
