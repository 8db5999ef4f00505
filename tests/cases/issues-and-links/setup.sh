# Commits, issues and versions are links where the remote has pages on the web.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file (#12)' 'feat(api): two at once

Closes: #13
Refs: ann/other#4'
# What would be a connection to the forge is answered from here.
mkdir -p ../ann
ln -s ../remote.git ../ann/widget.git
cat > ../ssh <<'END'
#!/bin/sh
while [ $# -gt 1 ]; do shift; done
cd "${0%/*}" && eval "git ${1#git-}"
END
chmod +x ../ssh
git config core.sshCommand "$(cd .. && pwd)/ssh"
git config ssh.variant simple
git remote set-url origin git@github.com:ann/widget.git
publish
