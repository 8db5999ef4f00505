# What every setup.sh begins with: a repository on `main` in ./repo with its bare remote in ./remote.git.
#
# Every commit and tag is a minute younger than the one before and everybody has the same name, so that object ids are
# the same everywhere.

set -euo pipefail

clock=1767225600
lines=0

tick() {
    clock=$((clock + 60))
    export GIT_AUTHOR_DATE="@$clock +0000" GIT_COMMITTER_DATE="@$clock +0000"
}

# Makes the repository in ./repo on a branch, with the shipway.toml of the case, and goes there.
begin() {
    git init --quiet --bare --initial-branch=main --template= remote.git
    git init --quiet --initial-branch="${1:-main}" --template= repo
    cd repo
    git config user.name 'Ann Author'
    git config user.email ann@example.org
    git config gc.auto 0
    git config maintenance.auto false
    git remote add origin ../remote.git
    if [ -f "$CASE/shipway.toml" ]; then
        cp "$CASE/shipway.toml" .
        commit 'chore: configure releases'
    fi
}

# Writes standard input to a file and adds it to the index.
file() {
    mkdir -p "$(dirname "$1")"
    cat > "$1"
    git add "$1"
}

# Makes a commit for each message, of what is in the index and a line more in notes.txt.
commit() {
    local message
    for message in "$@"; do
        printf '%s\n' "$message" | commit_bytes
    done
}

# Makes a commit with exactly the message on standard input: `git commit` would repair one that is not UTF-8.
commit_bytes() {
    lines=$((lines + 1))
    echo "line $lines" >> notes.txt
    git add --all
    tick
    local tree parent id
    tree=$(git write-tree)
    parent=$(git rev-parse --verify --quiet HEAD || true)
    {
        echo "tree $tree"
        [ -z "$parent" ] || echo "parent $parent"
        echo "author Ann Author <ann@example.org> $clock +0000"
        echo "committer Ann Author <ann@example.org> $clock +0000"
        echo
        cat
    } > ../commit.tmp
    id=$(git hash-object -t commit -w ../commit.tmp)
    git update-ref -m commit HEAD "$id"
}

# Makes an annotated tag at HEAD.
tag() {
    tick
    git tag --no-sign --annotate --message "Release $1" "$1"
}

# Makes a commit and tags it.
released() {
    commit "chore: release ${1##*[v@-]}"
    tag "$1"
}

# Makes the commit that `git revert` would make; only its message matters here.
revert() {
    commit "Revert \"$(git log -1 --format=%s "$1")\"

This reverts commit $(git rev-parse "$1")."
}

# Pushes the branch and all tags to the remote.
publish() {
    git push --quiet origin HEAD --tags
}
