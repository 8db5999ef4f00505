# Each commit with what it asks for, and why.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format' 'fix: close the file' 'docs: say so' 'wip'
revert HEAD~3
publish
