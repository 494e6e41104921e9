# short: find_program=o program_name=X path_folder=hp saved_ifs=hj path_left=hr found_name=hw
# Program names are constants without blanks. PATH is the shell search path on purpose.
# shellcheck disable=SC2086,SC2123,SC3013

# fragment: findProgram
# Folders that are not there, or twice on PATH, would be looked into for each name of each tool. PATH gets only the others.
# On most hosts /bin and /sbin are those of /usr.
path_left=$PATH:
PATH=
while [ -n "$path_left" ]; do
  path_folder=${path_left%%:*}
  path_left=${path_left#*:}
  case $path_folder:$PATH:$path_left in
    /bin:*:/usr/bin:*|/sbin:*:/usr/sbin:*)
      if [ $path_folder -ef /usr$path_folder ]; then
        continue
      fi
      ;;
  esac
  case :$PATH: in
    *:"$path_folder":*) ;;
    *)
      if [ -d "${path_folder:-.}" ]; then
        PATH=$PATH${PATH:+:}$path_folder
      fi
      ;;
  esac
done
# find_program NAME... looks for a program by several names, and leaves the name in program_name. A file that cannot be
# executed (by its mode, or a link to nothing) counts too, because its failure is to be reported. Any name that can be
# executed comes before it. Most tools are not there, so the files are looked for first: `command` costs more.
find_program() {
  found_name=
  saved_ifs=$IFS
  IFS=:
  for program_name in "$@"; do
    for path_folder in $PATH; do
      if [ -e "$path_folder/$program_name" ] || [ -h "$path_folder/$program_name" ]; then
        found_name=$program_name
        break 2
      fi
    done
  done
  IFS=$saved_ifs
  [ -n "$found_name" ] || return 1
  for program_name in "$@"; do
    command -v $program_name >/dev/null 2>&1 && return 0
  done
  program_name=$found_name
}

# fragment: searchProgram
find_program @NAMES@

# fragment: givenProgram
program_name=@PATH@

# fragment: foundName
$program_name

# fragment: foundProgram
"$program_name"
