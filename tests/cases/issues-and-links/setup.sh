# Commits, issues and versions are links where the remote has pages on the web.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file (#12)' 'feat(api): two at once

Closes: #13
Refs: ann/other#4'
git remote set-url origin https://github.com/ann/widget.git
git config url.../remote.git.insteadOf https://github.com/ann/widget.git
git config url.../remote.git.pushInsteadOf https://github.com/ann/widget.git
publish
