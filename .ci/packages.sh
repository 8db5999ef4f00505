# Sourced by ./test and ./demo: makes sure of the commands that they need.

say() { printf '== %s\n' "$*"; }

# Administrators' commands are not on everybody's path, and two packages bring something else than a command on it.
has() {
  case $1 in
    pg_ctl) command -v pg_ctl >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' >/dev/null ;;
    python3-venv) python3 -c 'import ensurepip, venv' >/dev/null 2>&1 ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

install_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    # -n: fail rather than ask for a password.
    if has sudo && sudo -n true 2>/dev/null; then as_root=(sudo -n); else return 1; fi
  fi
  has apt-get || return 1
  # Unpacked archives lie in a directory of their own, which nobody tidies away meanwhile. RUNLEVEL=1 is single-user
  # mode, in which a service that is installed is not started. What is there already stays as it is.
  local apart status=0
  apart=$(mktemp -d -- "${XDG_CACHE_HOME:-${HOME:-/tmp}}/shipway-apt.XXXXXX" 2>/dev/null || mktemp -d)
  local quiet=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1)
  local wait=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  local install=("${quiet[@]}" "TMPDIR=$apart" apt-get "${wait[@]}" install -y --no-install-recommends --no-upgrade)
  say "installing with apt-get: $*"
  # An image without package lists finds nothing; fetch them and try once more.
  "${install[@]}" "$@" || { "${quiet[@]}" apt-get "${wait[@]}" update && "${install[@]}" "$@"; } || status=$?
  rm -rf -- "$apart"
  return "$status"
}

# Prints the packages of one level whose command is missing.
missing_packages() {
  local level=$1 entry command package of
  shift
  for entry in "$@"; do
    IFS=: read -r command package of <<<"$entry"
    if [ "$of" != "$level" ] || has "$command"; then continue; fi
    printf '%s\n' "$package"
    # gcc alone has no headers of the C library, which SQLite needs.
    if [ "$package" = gcc ]; then printf 'libc6-dev\n'; fi
  done
}

# Makes sure of commands, each given as command:package:required or command:package:optional. Says what it installs
# before it does. Ends the script if a required command is not to be had.
need() {
  local entry command package level missing
  for level in required optional; do
    mapfile -t missing < <(missing_packages "$level" "$@")
    if [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"; then continue; fi
    say "these cannot all be installed from here: ${missing[*]}"
    # One package that this system does not know must not keep away the others.
    if [ "$level" = required ] || [ ${#missing[@]} -eq 1 ]; then continue; fi
    for package in "${missing[@]}"; do install_packages "$package" || :; done
  done
  for entry in "$@"; do
    IFS=: read -r command package level <<<"$entry"
    has "$command" && continue
    if [ "$level" = required ]; then
      printf '%s is missing; install package %s and start again\n' "$command" "$package" >&2
      exit 1
    fi
    say "$command is missing (package $package); what needs it is skipped"
  done
}

need_cargo() {
  has cargo && return 0
  printf 'cargo is missing; install Rust as https://rustup.rs says and start again\n' >&2
  exit 1
}

# Sets where things are built: outside of the checkout, so that every checkout of this repository shares it.
set_target_dir() {
  if [ -z "${CARGO_TARGET_DIR:-}" ]; then
    export CARGO_TARGET_DIR="${XDG_CACHE_HOME:-${HOME:?is not set; set CARGO_TARGET_DIR}/.cache}/shipway/target"
  fi
  mkdir -p -- "$CARGO_TARGET_DIR"
}

# Several checkouts share the build directory, and cargo tells fresh from stale by time: what is built now must be newer
# than what was built before. Files that are deleted but still tracked are passed over.
touch_sources() {
  if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git -c safe.directory='*' ls-files -z | xargs -0 touch --no-create --no-dereference --
  fi
}

# A hook that starts a script points git at one repository; the scripts use many.
forget_repository() {
  local variables
  mapfile -t variables < <(git rev-parse --local-env-vars)
  unset "${variables[@]}"
}
