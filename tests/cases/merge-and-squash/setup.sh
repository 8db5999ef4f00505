# Merges and commits that are meant to be squashed release nothing by themselves.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file' 'fixup! feat: a second format' 'squash! fix: close the file' 'amend! feat: x' "Merge branch 'feature'

feat: what was merged" 'Merge pull request #4 from ann/feat'
publish
