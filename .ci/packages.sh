# Sourced by ./test and ./demo: makes sure of the commands that they need.

say() { printf '== %s\n' "$*"; }

# Administrators' commands are not on everybody's path.
has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

install_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    # -n: fail rather than ask for a password.
    if has sudo && sudo -n true 2>/dev/null; then as_root=(sudo -n); else return 1; fi
  fi
  has apt-get || return 1
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
  say "installing with apt-get: $*"
  "${apt[@]}" install -y --no-install-recommends "$@" && return 0
  # An image without package lists finds nothing; fetch them and try once more.
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"
}

# Makes sure of commands, each given as command:package:required or command:package:optional. Says what it installs
# before it does. Ends the script if a required command is not to be had.
need() {
  local entry command package missing=()
  for entry in "$@"; do
    IFS=: read -r command package _ <<<"$entry"
    has "$command" && continue
    missing+=("$package")
    # gcc alone has no headers of the C library, which SQLite needs.
    if [ "$package" = gcc ]; then missing+=(libc6-dev); fi
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  install_packages "${missing[@]}" || say "these cannot be installed from here: ${missing[*]}"
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
